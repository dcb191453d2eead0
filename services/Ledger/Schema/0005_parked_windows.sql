-- When a stopping Ledger took the window out of Redis with no living edge in it: it opens again at once.
alter table windows add column parked_at timestamptz;
