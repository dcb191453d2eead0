-- The request that an entry of another kind is about: what pricing a period anew adds to it, or takes from it.
alter table journal.entries add column about uuid;

-- Each pricing of a period anew, once for its id: what it was asked, by whom and why, and what it did.
create table repricings (
    id          uuid        primary key,
    -- Of everything that decides the amounts: the same id with another question is refused.
    digest      bytea       not null,
    author      text        not null,
    reason      text        not null,
    asked       jsonb       not null,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    report      jsonb
);
