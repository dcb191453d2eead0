-- What a window's entries in months that were taken out of the journal come to: its total is still the sum of its entries and this.
alter table windows add column archived_nano bigint not null default 0;

-- Each comparison with a provider's own usage, once for each file.
create table provider_usage_reports (
    id          bigint generated always as identity primary key,
    provider    text        not null,
    digest      bytea       not null,
    author      text        not null,
    imported_at timestamptz not null default now(),
    report      jsonb       not null,
    unique (provider, digest)
);
