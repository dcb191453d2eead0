-- Which credential of the configuration's list the calls of each owner use: {"openai": "payments-openai"}. Names; no credential stands here.
alter table organizations add column credentials jsonb not null default '{}';
alter table teams add column credentials jsonb not null default '{}';
alter table users add column credentials jsonb not null default '{}';
alter table keys add column credentials jsonb not null default '{}';
