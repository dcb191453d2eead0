-- The same of days: what an account's entries before the instant in windows_sealed come to, of the days that regular comparisons look at.
create table account_day_seals (
    account     text   not null,
    day         date   not null,
    amount_nano bigint not null,
    entries     bigint not null,
    primary key (account, day)
);
