-- SPDX-License-Identifier: EUPL-1.2
-- One gesture on many operations (RG-028): the selection is frozen when it is previewed.
create table bulk_actions (
  id uuid primary key,
  campaign_id uuid not null references campaigns on delete cascade,
  author_id uuid not null references users,
  gesture jsonb not null,
  state text not null default 'previewed'
    check (state in ('previewed', 'running', 'done', 'undoing', 'undone', 'cancelled', 'failed')),
  total bigint not null default 0 check (total >= 0),
  created_at timestamptz not null,
  finished_at timestamptz
);
create index bulk_actions_campaign on bulk_actions (campaign_id, created_at desc);

create table bulk_items (
  bulk_id uuid not null references bulk_actions on delete cascade,
  operation_id uuid not null,
  outcome text check (outcome in ('applied', 'unchanged', 'refused', 'undone', 'kept')),
  why text,
  before jsonb,                            -- what an undo gives back
  version_after int,                       -- what it must still find
  primary key (bulk_id, operation_id)
);
create index bulk_items_waiting on bulk_items (bulk_id, operation_id) where outcome is null;
create index bulk_items_applied on bulk_items (bulk_id, operation_id) where outcome = 'applied';
