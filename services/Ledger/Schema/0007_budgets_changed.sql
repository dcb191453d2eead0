-- Every Ledger process keeps the administrators' budgets in memory for the edges that ask every few seconds, and hears when one was changed.
create function budgets_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('budgets_changed', '');
    return null;
end $$;

create trigger budgets_made after insert on budgets for each row when (new.source = 'admin') execute function budgets_changed();
create trigger budgets_updated after update on budgets for each row when (new.source = 'admin' or old.source = 'admin') execute function budgets_changed();
create trigger budgets_deleted after delete on budgets for each row when (old.source = 'admin') execute function budgets_changed();
