create schema journal;

-- Double entries: every row is one balanced transfer. It counts with the same amount on all of its accounts and windows (memorandum: a
-- request has one cost and many owners), and with the opposite sign when it reverses.
create table journal.entries (
    at          timestamptz not null,
    id          uuid        not null,
    kind        text        not null check (kind in ('usage', 'adjustment', 'repricing')),
    debit       text        not null,
    credit      text        not null,
    amount_nano bigint      not null check (amount_nano >= 0),
    reverses    boolean     not null default false,
    accounts    text[]      not null,
    windows     text[]      not null,
    edge_id     text,
    price       text,
    reason      text,
    author      text,
    posted_at   timestamptz not null default now(),
    check (debit <> credit),
    primary key (at, id)
) partition by range (at);

-- An account's booked amount by day (UTC, of the entry's time): sums and statements without reading the journal.
create table account_days (
    account    text   not null,
    day        date   not null,
    spent_nano bigint not null,
    entries    bigint not null,
    primary key (account, day)
);

-- Records that no rule could book: kept whole until a person has looked, never dropped.
create table rejected_records (
    digest      bytea       primary key,
    edge_id     text        not null,
    reason      text        not null,
    record      bytea       not null,
    received_at timestamptz not null default now()
);

-- Append only. The triggers hold for the owner of the tables too, which the service usually is.
create function journal.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'The journal is append-only: correct it with a new entry.' using errcode = 'integrity_constraint_violation';
end $$;

create trigger append_only before update or delete on journal.entries for each row execute function journal.refuse();

-- Partitions by month (UTC), made ahead and on demand. TRUNCATE triggers are not inherited, so each partition gets its own.
create function journal.add_month(month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month)::date;
    name text := 'entries_' || to_char(first, 'YYYY_MM');
begin
    if to_regclass('journal.' || name) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('journal.add_month'));
    execute format(
        'create table if not exists journal.%I partition of journal.entries for values from (%L) to (%L)',
        name, first::timestamp at time zone 'UTC', (first + interval '1 month')::timestamp at time zone 'UTC');
    execute format(
        'create or replace trigger append_only_whole before truncate on journal.%I for each statement execute function journal.refuse()', name);
end $$;

create trigger append_only_whole before truncate on journal.entries for each statement execute function journal.refuse();

-- Who writes the journal may only add and read. Made where the connection may make roles; the triggers hold everywhere.
do $$
begin
    if not exists (select from pg_roles where rolname = 'gateway_ledger_writer') then
        create role gateway_ledger_writer nologin;
    end if;
    execute format('grant gateway_ledger_writer to %I', current_user);
    grant usage on schema journal to gateway_ledger_writer;
    grant select, insert on journal.entries to gateway_ledger_writer;
    grant select, insert, update on public.windows, public.window_edges, public.account_days to gateway_ledger_writer;
    grant select, insert on public.rejected_records to gateway_ledger_writer;
exception
    when insufficient_privilege or duplicate_object or unique_violation then
        raise notice 'gateway_ledger_writer was not made here: the journal is guarded by its triggers.';
end $$;
