-- SPDX-License-Identifier: EUPL-1.2
-- The audit is chained, signed, and holds personal values apart (03 §12, 10-decisions 7).

-- Entries that no seal covers yet: filled by the insertion itself, emptied by the sealer. A queue and
-- not a watermark: a lower number may commit later, and a restored base begins its transactions anew.
create table audit_unsealed (seq bigint primary key);
create function audit_await_seal() returns trigger language plpgsql as $$
begin
  insert into audit_unsealed values (new.seq);
  return null;
end $$;
create trigger await_seal after insert on audit_entries for each row execute function audit_await_seal();
insert into audit_unsealed select seq from audit_entries;

-- The chain. A position has one seal: two sealers cannot fork it.
create table audit_seals (
  position bigint primary key check (position > 0),
  entry bigint not null unique,
  digest bytea not null check (length(digest) = 32),       -- of the entry
  previous bytea not null check (length(previous) = 32),   -- hash of the position before
  hash bytea not null check (length(hash) = 32)
);

create table audit_checkpoints (
  id bigint generated always as identity primary key,
  position bigint not null check (position >= 0),           -- number of entries
  hash bytea not null check (length(hash) = 32),
  at timestamptz not null,
  cause text not null check (cause in ('daily', 'volume', 'critical', 'export')),
  public_key bytea not null check (length(public_key) = 32),
  signature bytea not null check (length(signature) = 64)
);
create index audit_checkpoints_position on audit_checkpoints (position, id);

create trigger append_only before update or delete on audit_seals for each row execute function refuse_change();
create trigger append_only before update or delete on audit_checkpoints for each row execute function refuse_change();
create trigger append_only_whole before truncate on audit_entries for each statement execute function refuse_change();
create trigger append_only_whole before truncate on audit_seals for each statement execute function refuse_change();
create trigger append_only_whole before truncate on audit_checkpoints for each statement execute function refuse_change();

-- Names, addresses, values of persons: the entry holds sha256(salt || value) in their place.
-- Erasing is deleting the row; nothing else may happen to it.
create table audit_personal (
  entry bigint not null,
  key text not null,
  subject_kind text not null,
  subject_id uuid,
  salt bytea not null check (length(salt) >= 16),
  value text not null,                     -- JSON, as it was digested
  primary key (entry, key)
);
create index audit_personal_subject on audit_personal (subject_kind, subject_id);
create trigger erased_only before update on audit_personal for each row execute function refuse_change();

-- Entries written before: their personal parts move aside before anything is sealed (src/audit/personal.rs).
alter table audit_entries disable trigger append_only;
with parts as (
  select e.seq, p.key, p.value, e.object_kind, e.object_id, e.campaign_id
  from audit_entries e
  cross join lateral (
    select k.key, k.value::text as value from jsonb_each(e.changes) k
    union all
    select 'reason', to_jsonb(e.reason)::text where e.reason is not null and e.object_kind = 'operation') p
  where p.key in ('first_name', 'last_name', 'email', 'phone', 'who', 'owner', 'gesture', 'filters')
     or e.object_kind = 'operation' and p.key not in ('status', 'planned_at', 'length', 'Date prévue', 'Segment')
), moved as (
  insert into audit_personal (entry, key, subject_kind, subject_id, salt, value)
  select seq, key,
         case when object_kind in ('operation', 'user') or campaign_id is null then object_kind else 'campaign' end,
         case when object_kind in ('operation', 'user') or campaign_id is null then object_id else campaign_id end,
         uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), value
  from parts
  returning entry, key, encode(sha256(salt || convert_to(value, 'UTF8')), 'hex') as commitment
)
update audit_entries e
set changes = e.changes || m.held,
    reason = case when e.object_kind = 'operation' then null else e.reason end
from (select entry, jsonb_object_agg(key, jsonb_build_object('commitment', commitment)) as held from moved group by entry) m
where e.seq = m.entry;
alter table audit_entries enable trigger append_only;

-- The pages read by instant (06 §10).
drop index audit_entries_campaign;
drop index audit_entries_campaign_actor;
drop index audit_entries_object;
drop index audit_entries_actor;
create index audit_entries_at on audit_entries (at, seq);
create index audit_entries_campaign on audit_entries (campaign_id, at, seq) where campaign_id is not null;
create index audit_entries_campaign_actor on audit_entries (campaign_id, actor_id, at, seq) where campaign_id is not null;
create index audit_entries_object on audit_entries (object_kind, object_id, at, seq);
create index audit_entries_kind on audit_entries (object_kind, at, seq);
create index audit_entries_actor on audit_entries (actor_id, at, seq);
create index audit_entries_action on audit_entries (action, at, seq);

-- « Vérifier l'intégrité »: a walk over the whole chain, after the response.
create table audit_verifications (
  id uuid primary key,
  author_id uuid not null references users,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'intact', 'broken', 'failed')),
  total bigint not null default 0,
  progress bigint not null default 0,
  result text,                             -- the sentence shown
  created_at timestamptz not null,
  finished_at timestamptz
);
create index audit_verifications_recent on audit_verifications (created_at desc, id);
