-- How a subscription delivers is one document: its kind, and what that kind needs to know of its target. A new kind needs no column and no script.
-- Everyone who may read the subscription sees the document, so a secret stays beside it, encrypted.
alter table subscriptions add column delivery jsonb;
update subscriptions set delivery = jsonb_strip_nulls(jsonb_build_object('kind', kind, 'url', url));
alter table subscriptions drop constraint subscriptions_kind_check;

-- For this release only: nodes of the version before write and read kind and url. The next release drops both columns, the trigger and its function.
create function keep_subscription_delivery() returns trigger language plpgsql as $$
begin
    if new.delivery is null then
        new.delivery := jsonb_strip_nulls(jsonb_build_object('kind', new.kind, 'url', new.url));
    end if;
    new.kind := new.delivery ->> 'kind';
    new.url := new.delivery ->> 'url';
    return new;
end $$;
create trigger keep_subscription_delivery before insert on subscriptions for each row execute function keep_subscription_delivery();

alter table subscriptions alter column delivery set not null;
