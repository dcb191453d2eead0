-- Whose requests a shared budget counts, as it was sent to /budget/new; null for a budget whose id says it.
alter table budgets add column applies_to jsonb;

-- What the limit is higher by until an instant.
alter table budgets add column increase_nano bigint check (increase_nano >= 0), add column increase_until timestamptz;

-- The limit in force now: what alerts and metrics compare with. Redis knows both limits and the instant, and changes over by itself.
create function limit_now(budget budgets) returns bigint language sql stable as $$
    select case
        when budget.increase_until > now() then least(9223372036854775807::numeric, budget.limit_nano::numeric + budget.increase_nano)::bigint
        else budget.limit_nano
    end
$$;
