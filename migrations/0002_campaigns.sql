-- SPDX-License-Identifier: EUPL-1.2
-- Workflows, operation types, campaigns and who may do what with them (06-model §4, §5).

create type status_category as enum ('todo', 'planned', 'in_progress', 'done', 'postponed', 'blocked', 'cancelled');
create type campaign_status as enum ('draft', 'upcoming', 'running', 'finished', 'archived');
create type field_kind as enum ('short_text', 'long_text', 'number', 'date', 'choice', 'email', 'phone');

create table workflows (
  id uuid primary key,
  code text unique,                       -- of a built-in one
  name text not null unique,
  built_in boolean not null default false,
  active boolean not null default true
);
create table workflow_versions (
  id uuid primary key,
  workflow_id uuid not null references workflows,
  number int not null,
  published_at timestamptz not null default now(),
  unique (workflow_id, number)
);
create table workflow_statuses (
  id int generated always as identity primary key,
  version_id uuid not null references workflow_versions,
  code text not null,
  name text not null,
  category status_category not null,
  position smallint not null,
  is_initial boolean not null default false,
  check (not is_initial or category = 'todo'),
  unique (version_id, code),
  unique (version_id, id, category)
);
create unique index workflow_one_initial on workflow_statuses (version_id) where is_initial;
create table workflow_transitions (
  id int generated always as identity primary key,
  version_id uuid not null references workflow_versions,
  code text not null,
  label text not null,
  from_status int not null references workflow_statuses,
  to_status int not null references workflow_statuses,
  for_technician boolean not null,
  for_manager boolean not null,
  reason_mode text not null check (reason_mode in ('none', 'optional', 'required')),
  date_mode text not null check (date_mode in ('untouched', 'optional', 'required', 'cleared')),
  position smallint not null,
  check (from_status <> to_status),
  unique (version_id, code, from_status)
);
create index workflow_transitions_from on workflow_transitions (from_status, position);

-- A published version never changes (06-model §11, 5).
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'OT003';
end $$;
create trigger immutable before update or delete on workflow_statuses for each row execute function refuse_change();
create trigger immutable before update or delete on workflow_transitions for each row execute function refuse_change();

create table operation_types (
  id uuid primary key,
  name text not null check (name <> ''),
  name_norm text not null unique,
  description text not null default '',
  icon text not null,
  color text not null,
  minutes int not null default 60 check (minutes between 1 and 1440),
  workflow_id uuid not null references workflows,
  active boolean not null default true,
  position int not null default 0,
  version int not null default 1
);
create table type_fields (
  id uuid primary key,
  type_id uuid not null references operation_types on delete cascade,
  label text not null check (length(label) between 1 and 100),
  kind field_kind not null,
  required boolean not null default false,
  searchable boolean not null default false,
  in_list boolean not null default false,
  pattern text, hint text,
  choices text[] not null default '{}',
  usages text[] not null default '{}',
  position int not null
);

create table campaigns (
  id uuid primary key,
  name text not null check (length(name) between 3 and 255),
  name_norm text not null,
  description text not null default '',
  type_id uuid not null references operation_types,
  start_date date not null,
  end_date date not null check (end_date >= start_date),
  owner_id uuid not null references users,
  transferred_at timestamptz,             -- the last transfer, told to both on their screens (US-210)
  transferred_from uuid references users,
  is_public boolean not null default false,
  status campaign_status not null default 'draft',
  status_forced campaign_status check (status_forced in ('upcoming', 'running', 'finished')),
  status_reason text,
  activated_at timestamptz,
  ever_started boolean not null default false,
  finished_at timestamptz,
  archived_at timestamptz,
  workflow_version_id uuid not null references workflow_versions,
  default_time time not null default '09:00',
  finish_level text not null default 'warn' check (finish_level in ('free', 'warn', 'block')),
  time_tracking boolean not null default false,
  lock_days int not null default 2 check (lock_days between 0 and 30),
  reminder_days int not null default 2 check (reminder_days between 0 and 30),
  contact text not null default '',
  agent_text text not null default '',
  wizard_step smallint not null default 2 check (wizard_step between 1 and 5),
  version int not null default 1,
  created_at timestamptz not null default now(),
  created_by uuid references users,
  updated_at timestamptz not null default now(),
  updated_by uuid references users,
  deleted_at timestamptz
);
create unique index campaigns_name on campaigns (name_norm) where deleted_at is null;
create index campaigns_owner on campaigns (owner_id) where deleted_at is null;
create index campaigns_public on campaigns (status) where is_public and deleted_at is null;

-- `number` is the field's stable id: the key of its values in operations.values (RG-015).
create table campaign_fields (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  number int not null,
  label text not null check (length(label) between 1 and 255),
  label_norm text not null,
  kind field_kind not null,
  required boolean not null default false,
  searchable boolean not null default false,
  in_list boolean not null default false,
  hidden boolean not null default false,
  pattern text, hint text,
  choices text[] not null default '{}' check (cardinality(choices) <= 200),
  usages text[] not null default '{}'
    check (usages <@ array['identifier', 'label', 'equipment', 'location', 'contact', 'agent_key']),
  position int not null,
  deleted_at timestamptz,
  unique (campaign_id, number)
);
create unique index campaign_fields_label on campaign_fields (campaign_id, label_norm) where deleted_at is null;
create unique index campaign_fields_identifier on campaign_fields (campaign_id) where deleted_at is null and 'identifier' = any (usages);
create unique index campaign_fields_name on campaign_fields (campaign_id) where deleted_at is null and 'label' = any (usages);

create table segments (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  name text not null check (length(name) between 1 and 100),
  name_norm text not null check (name_norm <> ''),
  color text,
  position int not null default 0,
  import_id uuid,                        -- the import that created it: its undo removes it if empty
  version int not null default 1,
  unique (campaign_id, name_norm)
);

create table grants (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  user_id uuid references users,
  group_id uuid references user_groups on delete cascade,
  can_view boolean not null default true,
  can_place boolean not null default false,
  can_configure boolean not null default false,
  can_export boolean not null default false,
  check ((user_id is null) <> (group_id is null)),
  check (can_view),
  unique nulls not distinct (campaign_id, user_id, group_id)
);
create index grants_user on grants (user_id);
create index grants_group on grants (group_id);
