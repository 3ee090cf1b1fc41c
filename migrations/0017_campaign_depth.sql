-- SPDX-License-Identifier: EUPL-1.2
-- Favourites, the bins of campaigns and operations, forced statuses (US-213, 214, 216, 309; RG-010, 019, 201).

create table favourites (
  user_id uuid not null references users,
  campaign_id uuid not null references campaigns,
  position int not null,
  primary key (user_id, campaign_id)
);

-- At most 10 a person, whatever the number of tabs that pin at once.
create function limit_favourites() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.user_id::text, 2));
  if (select count(*) from favourites where user_id = new.user_id) >= 10 then
    raise exception 'too many favourites' using errcode = 'OT010';
  end if;
  return new;
end $$;
create trigger limit_favourites before insert on favourites for each row execute function limit_favourites();

alter table campaigns
  add column deleted_by uuid references users,
  add column forced_at timestamptz,
  add column forced_by uuid references users,
  add constraint campaigns_forced check (status_forced is null or length(status_reason) between 5 and 500);
create index campaigns_bin on campaigns (deleted_at) where deleted_at is not null;
create index operations_bin on operations (campaign_id, deleted_at, id) where deleted_at is not null;
create index operations_binned on operations (campaign_id, identifier_norm) where deleted_at is not null;
