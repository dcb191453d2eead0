-- Many requests have no team, or no user: their rows need no place in the index of those that have one, and each index is a fifth of what a
-- row costs to store.
drop index usage_records_by_user;
drop index usage_records_by_team;
create index usage_records_by_user on usage_records (user_no, started_at) where user_no <> 0;
create index usage_records_by_team on usage_records (team_no, started_at) where team_no <> 0;
