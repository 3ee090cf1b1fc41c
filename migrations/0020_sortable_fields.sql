-- SPDX-License-Identifier: EUPL-1.2
-- Fields that a list can be sorted by (RG-061): five at most, each served by a partial index on its
-- values, built in the background by the job « campaign.sort_indexes ».

alter table type_fields add column sortable boolean not null default false;
alter table campaign_fields add column sortable boolean not null default false;

create function check_sortable() returns trigger language plpgsql as $$
declare
  sortable bigint;
begin
  -- The parent waits for nobody else's field: two people cannot both add the fifth.
  if tg_table_name = 'type_fields' then
    perform 1 from operation_types where id = new.type_id for no key update;
    select count(*) into sortable from type_fields f where f.type_id = new.type_id and f.sortable;
  else
    perform 1 from campaigns where id = new.campaign_id for no key update;
    select count(*) into sortable from campaign_fields f where f.campaign_id = new.campaign_id and f.sortable and f.deleted_at is null;
  end if;
  if sortable > 5 then
    raise exception 'too many sortable fields' using errcode = 'OT011';
  end if;
  return null;
end $$;
create trigger check_sortable after insert or update of sortable on type_fields
  for each row when (new.sortable) execute function check_sortable();
create trigger check_sortable after insert or update of sortable, deleted_at on campaign_fields
  for each row when (new.sortable and new.deleted_at is null) execute function check_sortable();

update type_fields set sortable = true where 'location' = any (usages);
