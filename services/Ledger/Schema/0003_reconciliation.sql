-- An adjustment's id and first instant: a repeat of the same id is the same entry.
create table adjustment_ids (
    id uuid        primary key,
    at timestamptz not null
);

-- Every comparison of the books, as it was shown.
create table reconciliations (
    id         bigint generated always as identity primary key,
    started_at timestamptz not null,
    report     jsonb       not null
);
