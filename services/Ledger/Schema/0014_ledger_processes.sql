-- The Ledger processes that may have messages in their hands (Duties/LedgerProcesses.cs).
create table ledger_processes (
    process_id text        primary key,
    seen_at    timestamptz not null default now()
);
