-- SPDX-License-Identifier: EUPL-1.2
-- Operations, their history and imports (06-model §6, §9).

create table operations (
  id uuid primary key,
  campaign_id uuid not null,
  segment_id uuid,
  -- the segment for ordering and grouping: « Sans segment » comes last
  segment_sort uuid not null generated always as (coalesce(segment_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')) stored,
  status_id int not null,
  category status_category not null,
  assignee_id uuid,
  identifier text not null check (identifier <> ''),
  identifier_norm text not null,
  label text not null,
  label_norm text not null,
  values jsonb not null default '{}',     -- {"<field number>": text}; dates aaaa-mm-jj, phones E.164
  import_base jsonb,                       -- last imported value per field: what 03 §2.5 calls B
  import_id uuid,                          -- the import that created it
  search_text text not null,
  planned_at timestamptz,
  initial_planned_at timestamptz,
  postpone_count smallint not null default 0,
  last_reason text,
  started_at timestamptz,
  done_at timestamptz,
  minutes smallint check (minutes between 1 and 1440),
  version int not null default 1,
  created_at timestamptz not null,
  created_by uuid,
  updated_at timestamptz not null,
  updated_by uuid,
  deleted_at timestamptz
) with (fillfactor = 90);
create unique index operations_identifier on operations (campaign_id, identifier_norm) where deleted_at is null;
create index operations_counts on operations (campaign_id, segment_sort, status_id) where deleted_at is null;
create index operations_team on operations (campaign_id, assignee_id, category) where deleted_at is null and assignee_id is not null;
create index operations_list on operations (campaign_id, segment_sort, label_norm, identifier_norm) where deleted_at is null;
create index operations_onsite on operations (assignee_id, category, planned_at) where deleted_at is null and assignee_id is not null;
create index operations_done on operations (campaign_id, done_at) where deleted_at is null and done_at is not null;
create index operations_import on operations (import_id) where import_id is not null;
create index operations_values on operations using gin (values jsonb_path_ops);
create index operations_search on operations using gin (search_text gin_trgm_ops);

-- One set-based check a statement instead of five row-level foreign keys (docs/decisions/0004).
-- Campaigns, users and statuses are never physically deleted; segments are, hence the key share lock.
create function check_operations() returns trigger language plpgsql as $$
begin
  perform 1 from segments where id in (select segment_id from changed where segment_id is not null and deleted_at is null) for key share;
  if exists (
    select 1 from (select distinct campaign_id, case when deleted_at is null then segment_id end as segment_id, status_id, category, assignee_id from changed) o
    left join campaigns c on c.id = o.campaign_id
    left join workflow_statuses w on w.id = o.status_id and w.category = o.category and w.version_id = c.workflow_version_id
    left join segments s on s.id = o.segment_id and s.campaign_id = o.campaign_id
    left join users u on u.id = o.assignee_id
    where w.id is null or (o.segment_id is not null and s.id is null) or (o.assignee_id is not null and u.id is null)
  ) then
    raise exception 'operation refers to another campaign, workflow, category or person' using errcode = 'OT004';
  end if;
  if exists (select 1 from (select distinct campaign_id from changed) o
             join campaigns c on c.id = o.campaign_id where c.archived_at is not null or c.deleted_at is not null) then
    raise exception 'archived campaign' using errcode = 'OT005';
  end if;
  return null;
end $$;
create trigger check_insert after insert on operations referencing new table as changed
  for each statement execute function check_operations();
create trigger check_update after update on operations referencing new table as changed
  for each statement execute function check_operations();

create function check_segment_is_empty() returns trigger language plpgsql as $$
begin
  if exists (select 1 from operations where campaign_id = old.campaign_id and segment_sort = old.id and deleted_at is null) then
    raise exception 'segment has operations' using errcode = 'OT006';
  end if;
  return old;
end $$;
create trigger check_segment_is_empty before delete on segments for each row execute function check_segment_is_empty();

-- Nothing is written under an archived or deleted campaign (RG-016), and its children never leave it.
create function check_campaign_is_open() returns trigger language plpgsql as $$
declare
  changed record;
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  if tg_op = 'UPDATE' and new.campaign_id <> old.campaign_id then
    raise exception '% moves to another campaign', tg_table_name using errcode = 'OT004';
  end if;
  if exists (select 1 from campaigns where id = changed.campaign_id and (archived_at is not null or deleted_at is not null)) then
    raise exception 'archived campaign' using errcode = 'OT005';
  end if;
  return changed;
end $$;
create trigger check_campaign before insert or update or delete on segments for each row execute function check_campaign_is_open();
create trigger check_campaign before insert or update or delete on campaign_fields for each row execute function check_campaign_is_open();

-- What happened to an operation: append-only, said in business words, read by history, activity and figures.
create table operation_events (
  seq bigint generated always as identity primary key,
  operation_id uuid not null,
  campaign_id uuid not null,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('user', 'system', 'command_line')),
  actor_id uuid,
  kind text not null check (kind in ('imported', 'created', 'transition', 'correction', 'undo', 'planned',
    'assigned', 'moved', 'edited', 'note', 'deleted', 'restored', 'import_undone')),
  from_status int, to_status int,
  assignee_id uuid,
  planned_before timestamptz, planned_after timestamptz,
  reason text,
  changes jsonb,
  batch_id uuid,                           -- the import or bulk action it belongs to
  idempotency_key text
);
create index operation_events_operation on operation_events (operation_id, seq);
create index operation_events_campaign on operation_events (campaign_id, seq) where kind not in ('imported', 'import_undone');
create index operation_events_campaign_at on operation_events (campaign_id, at) where kind in ('transition', 'correction', 'undo');
create unique index operation_events_once on operation_events (operation_id, idempotency_key) where idempotency_key is not null;
create trigger append_only before update or delete on operation_events for each row execute function refuse_change();

create table operation_notes (
  id uuid primary key,
  operation_id uuid not null references operations,
  author_id uuid not null references users,
  body text not null check (length(body) between 1 and 2000),
  at timestamptz not null
);
create index operation_notes_operation on operation_notes (operation_id, at);
create function check_note() returns trigger language plpgsql as $$
begin
  if exists (select 1 from operations o join campaigns c on c.id = o.campaign_id
             where o.id = new.operation_id and (c.archived_at is not null or c.deleted_at is not null)) then
    raise exception 'archived campaign' using errcode = 'OT005';
  end if;
  return new;
end $$;
create trigger check_note before insert or update on operation_notes for each row execute function check_note();

-- The columns that a person chose for the list of a campaign (US-301.4).
create table user_columns (
  user_id uuid not null references users,
  campaign_id uuid not null references campaigns,
  columns text[] not null,
  primary key (user_id, campaign_id)
);

create table imports (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  author_id uuid references users,         -- null: command line
  file_name text not null,
  file_key text,                           -- random name in the job store; null once the file is gone
  file_size bigint not null,
  sha256 bytea,
  state text not null default 'received'
    check (state in ('received', 'analysed', 'validated', 'running', 'done', 'failed', 'cancelled', 'undone')),
  stage text not null default 'analyse' check (stage in ('analyse', 'validate', 'commit', 'undo', 'idle')),
  cancel_requested boolean not null default false,
  options jsonb not null default '{}',     -- encoding, delimiter, sheet, header line chosen by hand
  inspection jsonb,
  mapping jsonb,
  counters jsonb,
  preview jsonb,                           -- samples and new segments of 03 §2.4
  progress bigint not null default 0,
  total bigint not null default 0,
  error text,
  undo_of uuid references imports,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  version int not null default 1
);
create index imports_campaign on imports (campaign_id, created_at desc);

create table import_issues (
  import_id uuid not null references imports on delete cascade,
  line bigint not null,
  field text not null,
  value text not null,
  level text not null check (level in ('error', 'warning')),
  message text not null
);
create index import_issues_import on import_issues (import_id, level, line);
create table import_rejects (
  import_id uuid not null references imports on delete cascade,
  line bigint not null,
  message text not null,
  cells text[] not null
);
create index import_rejects_import on import_rejects (import_id, line);
-- What an import changed on operations that already existed: enough to undo it.
create table import_changes (
  import_id uuid not null references imports,
  operation_id uuid not null,
  before jsonb not null,
  after jsonb not null,
  version_after int not null,
  primary key (import_id, operation_id)
);
