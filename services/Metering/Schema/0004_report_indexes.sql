-- An end user's requests, and those that failed, are few among many: without an index of their own a report of them reads every day whole.
create index usage_records_by_end_user on usage_records (end_user_no, started_at) where end_user_no <> 0;
create index usage_records_failed on usage_records (started_at) where outcome <> 0 or status >= 400;
