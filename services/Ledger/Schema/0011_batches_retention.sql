-- What is forgotten after a while: batches by the time of their settlement, files by that of their end.
create index batches_settled on batches (changed_at) where state = 'Settled';
create index batches_unsettled_input on batches (input_file_id) where state <> 'Settled';
create index files_expiring on files (expires_at) where expires_at is not null;
