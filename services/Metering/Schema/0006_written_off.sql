-- What the provider produced beyond the end of a budget: no part of the cost. Most requests have none.
alter table usage_records add column written_off bigint;
