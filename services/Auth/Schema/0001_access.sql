-- Who may call, what, for how much. Amounts are whole nano-dollars. No key stands here, only its hash.

-- One row. A mutation locks it first and keeps it until its commit: changes are therefore numbered in the order of their commits, without a
-- gap, and what a mutation has read cannot change under it. It starts with the clock, so that a database made anew never repeats the
-- numbers of the one that was lost: edges and budgets hold on to the highest that they saw.
create table access_revision (
    only_row boolean primary key default true check (only_row),
    last bigint not null
);
insert into access_revision (last) values ((extract(epoch from clock_timestamp()) * 1000)::bigint);

-- What edges are told, in order. Kept for the last few thousand; a reader that was away for longer forgets everything.
create table changes (
    sequence bigint primary key,
    kind text not null,
    id text
);

-- A pepper's id must always mean the same value: else every key would silently be unknown.
create table peppers (
    pepper_id text primary key,
    proof bytea not null,
    first_seen timestamptz not null default now()
);

-- What the configuration declared last: master key (as a hash) and what every snapshot depends on.
create table declared (
    name text primary key,
    value text not null
);

create table organizations (
    organization_id text primary key,
    organization_alias text,
    models text[] not null,
    max_budget bigint check (max_budget >= 0),
    soft_budget bigint check (soft_budget >= 0),
    budget_duration text,
    budget_limits jsonb not null,
    rpm_limit bigint check (rpm_limit >= 0),
    tpm_limit bigint check (tpm_limit >= 0),
    max_parallel_requests bigint check (max_parallel_requests >= 0),
    metadata jsonb not null,
    blocked boolean not null,
    revision bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);

create table teams (
    team_id text primary key,
    team_alias text,
    organization_id text references organizations,
    models text[] not null,
    max_budget bigint check (max_budget >= 0),
    soft_budget bigint check (soft_budget >= 0),
    budget_duration text,
    budget_limits jsonb not null,
    rpm_limit bigint check (rpm_limit >= 0),
    tpm_limit bigint check (tpm_limit >= 0),
    max_parallel_requests bigint check (max_parallel_requests >= 0),
    metadata jsonb not null,
    blocked boolean not null,
    revision bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);
create index teams_organization on teams (organization_id);

create table users (
    user_id text primary key,
    user_alias text,
    user_email text,
    user_role text not null,
    organization_id text references organizations,
    models text[] not null,
    max_budget bigint check (max_budget >= 0),
    soft_budget bigint check (soft_budget >= 0),
    budget_duration text,
    budget_limits jsonb not null,
    rpm_limit bigint check (rpm_limit >= 0),
    tpm_limit bigint check (tpm_limit >= 0),
    max_parallel_requests bigint check (max_parallel_requests >= 0),
    metadata jsonb not null,
    blocked boolean not null,
    -- Of config.yaml: then it declares models, budgets and limits, and disables the user by leaving it out. Apart from blocked, which
    -- is an administrator's: a reload must not let in whom somebody has blocked.
    declared boolean not null,
    disabled boolean not null,
    revision bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);
-- One address is one person, however it is written: a second account could otherwise pose as the first.
create unique index users_email on users (lower(user_email));
create index users_organization on users (organization_id);

create table team_members (
    team_id text not null references teams,
    user_id text not null references users,
    role text not null,
    max_budget bigint check (max_budget >= 0),
    budget_duration text,
    rpm_limit bigint check (rpm_limit >= 0),
    tpm_limit bigint check (tpm_limit >= 0),
    revision bigint not null,
    primary key (team_id, user_id)
);
create index team_members_user on team_members (user_id);

create table keys (
    key_id text primary key check (key_id ~ '^[0-9a-f]{64}$'),
    hash bytea not null unique check (octet_length(hash) = 32),
    pepper_id text not null references peppers,
    key_name text not null,
    key_alias text unique,
    user_id text references users,
    team_id text references teams,
    organization_id text references organizations,
    models text[] not null,
    max_budget bigint check (max_budget >= 0),
    soft_budget bigint check (soft_budget >= 0),
    budget_duration text,
    budget_limits jsonb not null,
    rpm_limit bigint check (rpm_limit >= 0),
    tpm_limit bigint check (tpm_limit >= 0),
    max_parallel_requests bigint check (max_parallel_requests >= 0),
    expires timestamptz,
    key_type text not null,
    allowed_routes text[],
    tags text[] not null,
    aliases jsonb not null,
    model_max_budget jsonb not null,
    metadata jsonb not null,
    blocked boolean not null,
    declared boolean not null,
    disabled boolean not null,
    revision bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);
create index keys_user on keys (user_id);
create index keys_team on keys (team_id);
create index keys_organization on keys (organization_id);
create index keys_created on keys (created_at desc, key_id);

-- Who changed what. Written in the mutation's transaction; nothing updates or deletes a line.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    actor text not null,
    actor_key_id text,
    changed_by text,
    action text not null,
    object_type text not null,
    object_id text not null,
    before jsonb,
    after jsonb
);
create index audit_object on audit (object_type, object_id, id desc);
