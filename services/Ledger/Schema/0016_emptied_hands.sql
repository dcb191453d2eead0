-- Every message that a Ledger process had taken from the queue before this is booked (Duties/EmptyHands.cs). One of an older version never says so.
alter table ledger_processes add column emptied_at timestamptz not null default '-infinity';
