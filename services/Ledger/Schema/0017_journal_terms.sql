-- Entries of one transaction have most of their words in common: whose they are, for which windows, at which price. These stand once, as the
-- terms of all of them, and an entry's own row is a fifth of what it was. Two transactions never share terms (but for those from before this
-- step): nothing has to be looked up to book, and nothing is left over when a month is taken out of the journal.

-- Who still books in the old table waits, and then finds it gone: nothing is added behind the copy's back.
lock table journal.entries in access exclusive mode;

do $$
declare
    foreign_part text;
begin
    select i.inhrelid::regclass::text into foreign_part
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'journal.entries'::regclass and c.relname !~ '^entries_[0-9]{4}_[0-9]{2}$' limit 1;
    if foreign_part is not null then
        raise exception '% is no month that the gateway made: this step would make it one. Detach it from journal.entries, and start again.', foreign_part;
    end if;
end $$;

create temp table kept on commit drop as select * from journal.entries;
drop table journal.entries;
drop function journal.add_month(date);

create table journal.terms (
    -- The day of its entries (UTC): who reads a day's entries reads its terms and no others.
    day         date        not null,
    id          uuid        not null,
    debit       text        not null,
    credit      text        not null,
    accounts    text[]      not null,
    windows     text[]      not null,
    edge_id     text,
    price       text,
    check (debit <> credit),
    primary key (day, id)
) partition by range (day);

-- Double entries: every row is one balanced transfer. It counts with the same amount on all accounts and windows of its terms (memorandum: a
-- request has one cost and many owners), and with the opposite sign when it reverses.
create table journal.entries (
    at          timestamptz not null,
    id          uuid        not null,
    terms       uuid        not null,
    amount_nano bigint      not null check (amount_nano >= 0),
    posted_at   timestamptz not null default now(),
    reverses    boolean     not null default false,
    kind        text        not null check (kind in ('usage', 'adjustment', 'repricing')),
    reason      text,
    author      text,
    -- The request that an entry of another kind is about: what pricing a period anew adds to it, or takes from it.
    about       uuid,
    primary key (at, id)
) partition by range (at);

-- For people, and for what looks at few entries: each with its terms.
create view journal.booked as
    select e.at, e.id, e.kind, t.debit, t.credit, e.amount_nano, e.reverses, t.accounts, t.windows, t.edge_id, t.price, e.reason, e.author, e.about, e.posted_at
    from journal.entries e join journal.terms t on t.id = e.terms and t.day = (e.at at time zone 'UTC')::date;

create trigger append_only before update or delete on journal.entries for each row execute function journal.refuse();
create trigger append_only before update or delete on journal.terms for each row execute function journal.refuse();
create trigger append_only_whole before truncate on journal.entries for each statement execute function journal.refuse();
create trigger append_only_whole before truncate on journal.terms for each statement execute function journal.refuse();

-- Partitions by month (UTC), made ahead and on demand. TRUNCATE triggers are not inherited, so each partition gets its own.
create function journal.add_month(month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month)::date;
    next date := (date_trunc('month', month) + interval '1 month')::date;
    suffix text := to_char(first, 'YYYY_MM');
    part text;
begin
    if to_regclass('journal.entries_' || suffix) is not null and to_regclass('journal.terms_' || suffix) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('journal.add_month'));
    execute format(
        'create table if not exists journal.%I partition of journal.entries for values from (%L) to (%L)',
        'entries_' || suffix, first::timestamp at time zone 'UTC', next::timestamp at time zone 'UTC');
    execute format('create table if not exists journal.%I partition of journal.terms for values from (%L) to (%L)', 'terms_' || suffix, first, next);
    foreach part in array array['entries_' || suffix, 'terms_' || suffix] loop
        execute format('create or replace trigger append_only_whole before truncate on journal.%I for each statement execute function journal.refuse()', part);
    end loop;
end $$;

-- What was there before, with the same terms for all that had the same words on a day.
select journal.add_month(month) from (select distinct date_trunc('month', at at time zone 'UTC')::date from kept) as months (month);
create temp table kept_terms on commit drop as
    select gen_random_uuid() as id, * from (
        select distinct (at at time zone 'UTC')::date as day, debit, credit, accounts, windows, edge_id, price from kept) as different;
insert into journal.terms (day, id, debit, credit, accounts, windows, edge_id, price)
    select day, id, debit, credit, accounts, windows, edge_id, price from kept_terms;
insert into journal.entries (at, id, terms, amount_nano, posted_at, reverses, kind, reason, author, about)
    select k.at, k.id, t.id, k.amount_nano, k.posted_at, k.reverses, k.kind, k.reason, k.author, k.about
    from kept k join kept_terms t on t.day = (k.at at time zone 'UTC')::date and t.debit = k.debit and t.credit = k.credit
        and t.accounts = k.accounts and t.windows = k.windows and t.edge_id is not distinct from k.edge_id and t.price is not distinct from k.price;
analyze journal.entries, journal.terms;

do $$
begin
    if (select count(*) from journal.entries) <> (select count(*) from kept) then
        raise exception 'Not every entry of the journal was taken over.';
    end if;
    if exists (select from pg_roles where rolname = 'gateway_ledger_writer') then
        grant select, insert on journal.entries, journal.terms to gateway_ledger_writer;
    end if;
exception
    when insufficient_privilege then
        raise notice 'gateway_ledger_writer may not write here: the journal is guarded by its triggers.';
end $$;
