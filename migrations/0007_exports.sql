-- SPDX-License-Identifier: EUPL-1.2
-- Workbooks made after the response (03 §5); a CSV leaves no row.
create table exports (
  id uuid primary key,
  campaign_id uuid not null references campaigns on delete cascade,
  author_id uuid not null references users,
  format text not null check (format in ('xlsx', 'ods')),
  every_column boolean not null,
  query text not null,                     -- filters and order, as in the list's address
  state text not null default 'waiting' check (state in ('waiting', 'running', 'ready', 'failed', 'cancelled')),
  total bigint not null check (total >= 0),
  progress bigint not null default 0,
  file_key text,
  created_at timestamptz not null,
  finished_at timestamptz,
  expires_at timestamptz not null,
  check ((state = 'ready') = (file_key is not null))
);
create index exports_expiry on exports (expires_at);
create index exports_author on exports (author_id, campaign_id);
