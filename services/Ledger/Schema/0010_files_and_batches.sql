-- Files at providers that came through the gateway. Its callers share a provider's account: this says whose each one is.
create table files (
    id            text        primary key,
    owner         text        not null,
    model         text        not null,
    deployment_id text        not null,
    provider_id   text        not null,
    purpose       text        not null,
    filename      text        not null,
    bytes         bigint      not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz,
    -- What a batch's input asks for, and the most that it can cost.
    lines         jsonb,
    -- A batch's output is noted by whoever sees it first, and has one id.
    unique (deployment_id, provider_id)
);
create index files_by_owner on files (owner, created_at desc, id desc);

-- Batches: charged their estimate when they are submitted, and what they cost when they are over.
create table batches (
    id            text        primary key,
    owner         text        not null,
    model         text        not null,
    deployment_id text        not null,
    provider_id   text,
    input_file_id text        not null,
    lines         jsonb       not null,
    state         text        not null check (state in ('Submitting', 'Open', 'Settled', 'Unresolved')),
    -- The usage record of its estimate.
    submission    jsonb       not null,
    -- As text: its owner gets it as it is.
    answer        text,
    created_at    timestamptz not null default now(),
    changed_at    timestamptz not null default now(),
    -- When an edge is to look at it again; null when nobody needs to any more.
    look_at       timestamptz
);
create index batches_by_owner on batches (owner, created_at desc, id desc);
create index batches_by_look on batches (look_at) where look_at is not null;
-- Those that are counted by their state: settled ones are many.
create index batches_unsettled on batches (state) where state <> 'Settled';
