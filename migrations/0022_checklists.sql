-- SPDX-License-Identifier: EUPL-1.2
-- Checklists (RG-030 to 036): templates whose published versions never change, the version that each
-- operation keeps for life, and ticks as rows.

create table checklist_templates (
  id uuid primary key,
  name text not null check (length(name) between 1 and 100),
  name_norm text not null unique,
  description text not null default '' check (length(description) <= 2000),
  active boolean not null default true,
  created_at timestamptz not null,
  created_by uuid references users
);
create table checklist_versions (
  id uuid primary key,
  template_id uuid not null references checklist_templates,
  number int not null check (number > 0),
  -- phases and steps in their order, as written by src/checklists/definition.rs
  definition jsonb not null,
  required uuid[] not null,
  optional uuid[] not null,
  published_at timestamptz not null,
  published_by uuid references users,
  unique (template_id, number),
  check (cardinality(required) + cardinality(optional) between 1 and 500)
);
create trigger immutable before update or delete on checklist_versions for each row execute function refuse_change();
create table checklist_drafts (
  template_id uuid primary key references checklist_templates on delete cascade,
  definition jsonb not null,
  version int not null default 1,
  updated_at timestamptz not null,
  updated_by uuid references users
);

-- The version that the operations to come receive (RG-031).
alter table campaigns add column checklist_version_id uuid references checklist_versions;

create table checklists (
  operation_id uuid primary key references operations on delete cascade,
  campaign_id uuid not null,
  version_id uuid not null references checklist_versions,
  required_total smallint not null,
  required_done smallint not null default 0 check (required_done between 0 and required_total),
  optional_total smallint not null,
  optional_done smallint not null default 0 check (optional_done between 0 and optional_total),
  ticked boolean not null default false,   -- a step was ticked once, even if it no longer is
  created_at timestamptz not null
) with (fillfactor = 85);
create index checklists_campaign on checklists (campaign_id, version_id, ticked);

create table ticks (
  operation_id uuid not null references checklists,
  step_id uuid not null,                   -- the same in every version of the template
  by_id uuid references users,
  at timestamptz not null,
  primary key (operation_id, step_id)
);

-- A checklist with a tick never changes version (06-model §11.5); one belongs to its operation's campaign.
create function check_checklist() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.version_id <> old.version_id and old.ticked then
    raise exception 'a started checklist changes version' using errcode = 'OT013';
  end if;
  if tg_op = 'UPDATE' and (new.operation_id <> old.operation_id or new.campaign_id <> old.campaign_id or (old.ticked and not new.ticked)) then
    raise exception 'a checklist changes operation' using errcode = 'OT013';
  end if;
  return new;
end $$;
create trigger check_checklist before update on checklists for each row execute function check_checklist();

-- A tick is of a step of the frozen version; the counts of the checklist follow, under its row's lock.
create function count_ticks() returns trigger language plpgsql as $$
declare
  target uuid;
  step uuid;
begin
  if tg_op = 'DELETE' then
    target := old.operation_id; step := old.step_id;
  else
    target := new.operation_id; step := new.step_id;
  end if;
  perform 1 from checklists where operation_id = target for update;
  update checklists c set
    required_done = (select count(*) from ticks t where t.operation_id = target and t.step_id = any (v.required)),
    optional_done = (select count(*) from ticks t where t.operation_id = target and t.step_id = any (v.optional)),
    ticked = true
  from checklist_versions v
  where c.operation_id = target and v.id = c.version_id and (step = any (v.required) or step = any (v.optional));
  if not found then
    raise exception 'a tick of a step of another checklist' using errcode = 'OT013';
  end if;
  if exists (select 1 from checklists c join campaigns p on p.id = c.campaign_id
             where c.operation_id = target and (p.archived_at is not null or p.deleted_at is not null)) then
    raise exception 'archived campaign' using errcode = 'OT005';
  end if;
  return null;
end $$;
create trigger count_ticks after insert or delete on ticks for each row execute function count_ticks();
create function refuse_tick_change() returns trigger language plpgsql as $$
begin
  raise exception 'a tick is set or removed, never changed' using errcode = 'OT003';
end $$;
create trigger refuse_tick_change before update on ticks for each row execute function refuse_tick_change();

-- Whatever creates operations in an active campaign, each receives the pinned version at once.
create function freeze_checklists() returns trigger language plpgsql as $$
begin
  insert into checklists (operation_id, campaign_id, version_id, required_total, optional_total, created_at)
  select a.id, a.campaign_id, v.id, cardinality(v.required), cardinality(v.optional), a.created_at
  from added a join campaigns c on c.id = a.campaign_id join checklist_versions v on v.id = c.checklist_version_id
  where c.activated_at is not null;
  return null;
end $$;
create trigger freeze_checklists after insert on operations referencing new table as added
  for each statement execute function freeze_checklists();

alter table operation_events drop constraint operation_events_kind_check;
alter table operation_events add constraint operation_events_kind_check check (kind in ('imported', 'created', 'transition', 'correction',
  'undo', 'planned', 'assigned', 'moved', 'edited', 'note', 'deleted', 'restored', 'import_undone', 'remapped', 'ticked', 'unticked', 'checklist_moved'));
-- Ticks are told on the intervention, not in the activity of the campaign.
drop index operation_events_campaign;
create index operation_events_campaign on operation_events (campaign_id, seq)
  where kind not in ('imported', 'import_undone', 'remapped', 'ticked', 'unticked', 'checklist_moved');
