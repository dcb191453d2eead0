-- The Ledger processes that may have messages in their hands (Duties/LedgerProcesses.cs).
create table ledger_processes (
    process_id text        primary key,
    seen_at    timestamptz not null default now()
);

-- A process of an older version has no name, and may run beside the new ones while they are rolled out: this one stands for it.
insert into ledger_processes (process_id, seen_at) select 'an older version', now() + interval '1 hour' where exists (select from windows);
