-- Definitions in force. Those of keys, users, teams and organizations come from Auth (an edge sends them along); the others are made here.
create table budgets (
    budget_id       text        not null,
    period          text        not null default '',
    limit_nano      bigint      not null check (limit_nano >= 0),
    time_zone       text        not null,
    soft_limit_nano bigint,
    revision        bigint      not null,
    source          text        not null check (source in ('auth', 'admin')),
    settings        jsonb       not null default '{}',
    created_at      timestamptz not null default now(),
    created_by      text,
    updated_at      timestamptz not null default now(),
    updated_by      text,
    primary key (budget_id, period)
);

-- One row for each window that was ever opened or charged. spent_nano is the sum of the journal's entries that count in it.
create table windows (
    window_id    text        primary key,
    budget_id    text        not null,
    period       text        not null default '',
    starts_at    timestamptz,
    ends_at      timestamptz,
    spent_nano   bigint      not null default 0,
    entries      bigint      not null default 0,
    -- Rises with every change of spent_nano: the newest version wins in Redis, whatever the order of arrival.
    version      bigint      not null default 0,
    -- When it was first put into Redis: a later loss of Redis is then known for one, and edges get time to declare what they hold.
    installed_at timestamptz,
    touched_at   timestamptz not null default now()
);
create index windows_by_budget on windows (budget_id);
create index windows_by_touch on windows (touched_at);

-- What was posted for each edge process in each window: Redis' p.
create table window_edges (
    window_id   text   not null,
    edge_id     text   not null,
    posted_nano bigint not null,
    primary key (window_id, edge_id)
);

-- What silent edges had charged and the journal does not have yet, as Redis last knew it: survives a loss of Redis.
create table held_by_silent_edges (
    window_id    text        not null,
    edge_id      text        not null,
    granted_nano bigint      not null,
    noted_at     timestamptz not null default now(),
    primary key (window_id, edge_id)
);

-- Edge processes that said (or of which it was said) that they are over and all of their records delivered.
create table closed_edges (
    edge_id    text        primary key,
    closed_at  timestamptz not null default now(),
    -- When the queue had been read up to that word: from then on nothing of the edge is missing in the journal.
    settled_at timestamptz,
    -- When its leases were taken back for good.
    reclaimed_at timestamptz
);
