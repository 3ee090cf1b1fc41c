-- SPDX-License-Identifier: EUPL-1.2
-- Audit, live events, outbox, jobs (06-model §8, §9).

create table audit_entries (
  seq bigint generated always as identity primary key,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('user', 'anonymous', 'system', 'command_line')),
  actor_id uuid,
  action text not null,
  object_kind text not null,
  object_id uuid,
  campaign_id uuid,
  changes jsonb not null default '{}',
  reason text,
  ip text,
  request text
);
create index audit_entries_campaign on audit_entries (campaign_id, seq) where campaign_id is not null;
create index audit_entries_campaign_actor on audit_entries (campaign_id, actor_id, seq) where campaign_id is not null;
create index audit_entries_object on audit_entries (object_kind, object_id, seq);
create index audit_entries_actor on audit_entries (actor_id, seq);
create trigger append_only before update or delete on audit_entries for each row execute function refuse_change();

-- Written in the business transaction, told after the commit (10-decisions 4); a short-lived ring.
create table live_events (
  seq bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  campaign_id uuid,
  user_id uuid,                            -- a technician whose list changes
  kind text not null
);
create index live_events_at on live_events (at);

create table messages (
  id uuid primary key,
  kind text not null,
  campaign_id uuid references campaigns,
  user_id uuid references users,
  recipient text not null,
  subject text not null,
  body text not null,                      -- without secret: « [lien personnel] » stands where it goes
  state text not null default 'pending'
    check (state in ('pending', 'sending', 'sent', 'retrying', 'failed', 'expired', 'held', 'cancelled')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null,
  not_after timestamptz not null,
  error text,
  created_at timestamptz not null,
  sent_at timestamptz
);
create index messages_due on messages (next_attempt_at) where state in ('pending', 'sending', 'retrying'); -- sending: the lease
create index messages_recent on messages (created_at, id);

create table jobs (
  id uuid primary key,
  kind text not null,
  payload jsonb not null,
  run_at timestamptz not null,
  attempts int not null default 0,
  last_error text,
  dedup_key text unique
);
create index jobs_due on jobs (run_at) where attempts < 8;
-- The last time a planned job was put on its date: one row a job, caught up after a stop.
create table schedule_marks (
  kind text primary key,
  planned_until timestamptz not null
);
create table workers (
  id uuid primary key,
  seen_at timestamptz not null
);
