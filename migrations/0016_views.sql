-- SPDX-License-Identifier: EUPL-1.2
-- How a person looks at the list of a campaign (US-302), and the views saved from it (US-312).

create table user_list_modes (
  user_id uuid not null references users,
  campaign_id uuid not null references campaigns,
  mode text not null check (mode in ('table', 'cards')),
  primary key (user_id, campaign_id)
);

create table saved_views (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  author_id uuid not null references users,
  slot smallint not null check (slot between 1 and 50),   -- at most 50 per campaign and author
  name text not null check (length(name) between 2 and 100),
  name_norm text not null check (name_norm <> ''),
  shared boolean not null,                 -- with everybody who sees the campaign
  query text not null check (length(query) <= 4000),      -- filters and order, as the address says them
  columns text[] not null,
  mode text not null check (mode in ('table', 'cards')),
  created_at timestamptz not null,
  unique (campaign_id, author_id, slot),
  unique (campaign_id, author_id, name_norm)
);
create index saved_views_shared on saved_views (campaign_id) where shared;
create trigger check_campaign before insert or update or delete on saved_views
  for each row execute function check_campaign_is_open();

-- The calendar reads each technician's planned operations of a few weeks (US-313).
create index operations_calendar on operations (campaign_id, assignee_id, planned_at, status_id)
  where deleted_at is null and planned_at is not null;
