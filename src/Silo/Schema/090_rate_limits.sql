-- Windows of limits that are under way, so that whoever takes over counting goes on where the last one was. Not logged: it is worth no flush, and
-- after a crash of the database all windows begin anew.
create unlogged table rate_limits (
    bucket text not null,
    key text not null,
    start bigint not null,
    ends bigint not null,
    granted int not null,
    primary key (bucket, key)
);
