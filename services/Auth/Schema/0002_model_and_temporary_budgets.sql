-- Budgets for one model, of every owner (keys have had the column), in the shape in which they were sent; and a raise for a time.
alter table organizations add column model_max_budget jsonb not null default '{}';
alter table teams add column model_max_budget jsonb not null default '{}';
alter table users add column model_max_budget jsonb not null default '{}';

alter table organizations add column temp_budget_increase bigint check (temp_budget_increase >= 0), add column temp_budget_expiry timestamptz;
alter table teams add column temp_budget_increase bigint check (temp_budget_increase >= 0), add column temp_budget_expiry timestamptz;
alter table users add column temp_budget_increase bigint check (temp_budget_increase >= 0), add column temp_budget_expiry timestamptz;
alter table keys add column temp_budget_increase bigint check (temp_budget_increase >= 0), add column temp_budget_expiry timestamptz;
