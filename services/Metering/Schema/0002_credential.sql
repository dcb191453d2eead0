-- The credential that a request was served with, by its name and never its value. A default that is a constant touches no row.
alter table usage_records add column credential_no integer not null default 0;
