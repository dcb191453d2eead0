-- Each alert once for its subject (a window, a model and day): the unique pair is what makes it so, whoever finds it first.
create table alerts (
    id        bigint generated always as identity primary key,
    subject   text        not null,
    event     text        not null,
    raised_at timestamptz not null default now(),
    body      jsonb       not null,
    unique (subject, event)
);

-- What is still to be delivered, and to which channel. A row goes when the receiver has answered 2xx: at least once.
create table alert_deliveries (
    alert_id    bigint      not null references alerts (id),
    channel     text        not null,
    attempts    int         not null default 0,
    next_try_at timestamptz not null default now(),
    primary key (alert_id, channel)
);
create index alert_deliveries_due on alert_deliveries (next_try_at);
