-- What an API key makes is bounded by what that key may do, and ends with it: a subscription keeps the key that created it. Null where a session
-- did.
alter table subscriptions add column api_key uuid;

-- What an API key allows at a time; no row where it is revoked or has expired. Inlined in FROM.
create function api_key_permissions(key uuid, moment timestamptz) returns table (permissions text[])
language sql stable parallel safe
as $$
    select array(select jsonb_array_elements_text(c.data -> 'permissions'))
    from mt_events c
    where c.stream_id = key and c.version = 1 and c.type = 'api_key.created'
        and coalesce((c.data ->> 'expiresAt')::timestamptz > moment, true)
        and not exists (select from mt_events r where r.stream_id = key and r.type = 'api_key.revoked')
$$;

-- The API key by which a subscription was created, as the log tells: releases before this one wrote the credential, a session or a key, into the
-- headers alone. Null where a session created it.
create function maker_key(subscription uuid) returns uuid
language sql stable
as $$
    select k.stream_id
    from mt_events c join mt_events k on k.stream_id = (c.headers ->> 'session')::uuid and k.version = 1 and k.type = 'api_key.created'
    where c.stream_id = subscription and c.version = 1 and c.type = 'subscription.created'
$$;

update subscriptions set api_key = maker_key(id) where version > 0;

-- Nodes of the release before create more of them while others run already.
create function keep_maker_key() returns trigger
language plpgsql
as $$
begin
    new.api_key := maker_key(new.id);
    return new;
end
$$;
create trigger keep_maker_key before update of state on subscriptions
    for each row when (old.state = 'creating' and new.state <> 'creating' and new.api_key is null) execute function keep_maker_key();
