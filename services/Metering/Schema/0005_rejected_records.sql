-- Records that nothing can be made of, or that the database refuses: kept whole until a person has looked, never dropped.
create table rejected_records (
    digest      bytea       primary key,
    edge_id     text        not null,
    reason      text        not null,
    record      bytea       not null,
    received_at timestamptz not null default now()
);
