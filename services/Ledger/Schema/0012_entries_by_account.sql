-- A statement's last entries: those of an account that is rarely used stand between all others of its days.
create index entries_by_account on journal.entries using gin (accounts);
