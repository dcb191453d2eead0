-- The record that this one corrects: a batch is booked with its estimate and corrected when it is done.
alter table usage_records add column corrects uuid;
