-- A table of a feature outside the product.
create table notes (id uuid primary key, of_head bigint);
insert into notes select gen_random_uuid(), nullif(head, 0) from log_head();
