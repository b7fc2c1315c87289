-- Migrations of stored data that come with a change of a type: how many resources have the new form by the work of the nodes,
-- and when a node looks next for more of them; null = at once.
alter table type_changes add column migrated bigint not null default 0, add column not_before timestamptz;
