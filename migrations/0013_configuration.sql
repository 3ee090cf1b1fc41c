-- SPDX-License-Identifier: EUPL-1.2
-- Operation types and workflows are edited on screen (US-801 to 805, RG-060 to 062).

-- `code` is the field's name in exchanges and never changes; `label_norm` is written by `crate::text::norm`.
alter table type_fields add column code text, add column label_norm text;
update type_fields set label_norm = lower(translate(label, 'ÉÈÊËÀÂÇÔÎÏÛÙéèêëàâçôîïûù', 'EEEEAACOIIUUeeeeaacoiiuu'));
update type_fields set code = trim(both '_' from regexp_replace(label_norm, '[^a-z0-9]+', '_', 'g'));
alter table type_fields
  alter column code set not null,
  alter column label_norm set not null,
  add check (code ~ '^[a-z0-9_]{1,100}$'),
  add check (cardinality(choices) <= 200),
  add check (usages <@ array['identifier', 'label', 'equipment', 'location', 'contact', 'agent_key']),
  add unique (type_id, code),
  add unique (type_id, label_norm);
create unique index type_fields_identifier on type_fields (type_id) where 'identifier' = any (usages);
create unique index type_fields_name on type_fields (type_id) where 'label' = any (usages);

alter table operation_types
  add check (length(name) between 1 and 100),
  add check (icon in ('monitor', 'laptop', 'server', 'printer', 'network', 'hard-drive', 'cpu', 'smartphone', 'settings',
    'wrench', 'refresh', 'download', 'upload', 'shield', 'users')),
  add check (color in ('primary', 'success', 'warning', 'danger', 'complete', 'muted'));

-- What is being prepared for the next version: as typed, valid or not. Publishing writes it into the
-- immutable tables and deletes it.
create table workflow_drafts (
  workflow_id uuid primary key references workflows,
  definition jsonb not null,
  version int not null default 1,
  updated_at timestamptz not null,
  updated_by uuid references users
);
alter table workflows
  add column name_norm text,
  add column description text not null default '' check (length(description) <= 2000),
  add check (length(name) between 1 and 100);
update workflows set name_norm = lower(translate(name, 'ÉÈÊËÀÂÇÔÎÏÛÙéèêëàâçôîïûù', 'EEEEAACOIIUUeeeeaacoiiuu'));
alter table workflows alter column name_norm set not null, add unique (name_norm);

-- A published version never changes; it goes only with a whole workflow that nobody ever used, which the
-- deletion names. Campaigns and types keep the rest by their foreign keys.
create function keep_version() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (
    select 1 from workflow_versions v where v.id = old.version_id
      and v.workflow_id::text = current_setting('opstracker.deleting_workflow', true)
      and not exists (select 1 from campaigns c join workflow_versions u on u.id = c.workflow_version_id where u.workflow_id = v.workflow_id)) then
    return old;
  end if;
  raise exception '% is append-only', tg_table_name using errcode = 'OT003';
end $$;
drop trigger immutable on workflow_statuses;
drop trigger immutable on workflow_transitions;
create trigger immutable before update or delete on workflow_statuses for each row execute function keep_version();
create trigger immutable before update or delete on workflow_transitions for each row execute function keep_version();

-- Another version of the workflow was applied to the campaign: each operation says so in its history (US-803.4).
alter table operation_events drop constraint operation_events_kind_check;
alter table operation_events add constraint operation_events_kind_check check (kind in ('imported', 'created', 'transition', 'correction',
  'undo', 'planned', 'assigned', 'moved', 'edited', 'note', 'deleted', 'restored', 'import_undone', 'remapped'));
-- A campaign's activity does not tell a thousand times that its workflow changed.
drop index operation_events_campaign;
create index operation_events_campaign on operation_events (campaign_id, seq) where kind not in ('imported', 'import_undone', 'remapped');
