-- What the comparison of the books added up once and need not read again: for each window what its entries before an instant come to
-- (those of months that were taken out of the journal with them), and how many of windows.entries they are. Written by the comparison alone.
create table window_seals (
    window_id   text   primary key,
    amount_nano bigint not null,
    entries     bigint not null
);

-- That instant, for all windows: one row.
create table windows_sealed (before timestamptz not null);
insert into windows_sealed values ('-infinity');

-- Open windows stand among all that are over, and regular passes look for them: by the end, or for ever. The same words as in the statements.
create index windows_by_end on windows (coalesce(ends_at, 'infinity'), window_id);
