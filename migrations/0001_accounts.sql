-- SPDX-License-Identifier: EUPL-1.2
-- Accounts, sessions, one-time links, throttling, instance settings (06-model §2, §4).
-- Every `*_norm` column is written by `crate::text::norm`: trimmed, spaces collapsed, lower case, no accents.

create extension if not exists pg_trgm;

create table instance_settings (
  only_row boolean primary key default true check (only_row),
  organisation text not null default '' check (length(organisation) <= 120),
  contact text not null default '' check (length(contact) <= 320),
  dpo text not null default '' check (length(dpo) <= 320),
  password_bits int not null default 50 check (password_bits between 50 and 128),
  password_families boolean not null default false,
  is_demo boolean not null default false,
  version int not null default 1,
  updated_at timestamptz not null default now()
);
insert into instance_settings default values;

create table users (
  id uuid primary key,
  email text not null check (email = lower(btrim(email)) and email <> ''),
  first_name text not null check (first_name <> ''),
  last_name text not null check (last_name <> ''),
  name_norm text not null,
  password_hash text,
  active boolean not null default true,
  roles text[] not null check (
    cardinality(roles) >= 1
    and roles <@ array['admin', 'campaign_manager', 'technician', 'coordinator', 'reader']),
  start_page text check (start_page in ('dashboard', 'campaigns', 'onsite')),
  theme text not null default 'system' check (theme in ('system', 'light', 'dark')),
  last_sign_in_at timestamptz,
  password_changed_at timestamptz,
  security_stamp uuid not null default gen_random_uuid(),
  version int not null default 1,
  created_at timestamptz not null default now(),
  created_by uuid references users,
  updated_at timestamptz not null default now(),
  updated_by uuid references users
);
create unique index users_email on users (email);
create index users_name on users (name_norm, id);

-- The last active administrator can be neither demoted, deactivated nor deleted, whatever the path (RG-004):
-- the lock makes two simultaneous demotions wait for each other.
create function keep_an_admin() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'users are never deleted' using errcode = 'OT001';
  end if;
  if old.active and 'admin' = any (old.roles) and not (new.active and 'admin' = any (new.roles)) then
    perform pg_advisory_xact_lock(7081501);
    if not exists (select 1 from users where active and 'admin' = any (roles) and id <> new.id) then
      raise exception 'last admin' using errcode = 'OT002';
    end if;
  end if;
  return new;
end $$;
create trigger keep_an_admin before update or delete on users for each row execute function keep_an_admin();

create table user_groups (
  id uuid primary key,
  name text not null check (name <> ''),
  name_norm text not null unique
);
create table group_members (
  group_id uuid not null references user_groups on delete cascade,
  user_id uuid not null references users,
  primary key (group_id, user_id)
);
create index group_members_user on group_members (user_id);

create table sessions (
  token_hash bytea primary key,
  id uuid not null unique default gen_random_uuid(),
  user_id uuid not null references users,
  security_stamp uuid not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  family_id uuid,
  ip text not null default '',
  agent text not null default ''
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

-- « Rester connecté » (RG-007): a series of single-use tokens; an old one coming back kills the series.
create table remember_families (
  id uuid primary key,
  user_id uuid not null references users,
  token_hash bytea not null unique,
  former_hash bytea,
  rotated_at timestamptz not null,
  expires_at timestamptz not null
);
create index remember_families_user on remember_families (user_id);
create index remember_families_former on remember_families (former_hash);

create table one_time_links (
  id uuid primary key,
  purpose text not null check (purpose in ('setup', 'activation', 'reset')),
  user_id uuid references users,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  check ((purpose = 'setup') = (user_id is null))
);
create unique index one_time_links_live on one_time_links (purpose, coalesce(user_id, '00000000-0000-0000-0000-000000000000'))
  where consumed_at is null;

-- Sliding windows (RG-006); `bucket` names the limiter and the hashed key.
create table throttle_hits (
  bucket text not null,
  at timestamptz not null
);
create index throttle_hits_bucket on throttle_hits (bucket, at);
create index throttle_hits_at on throttle_hits (at);
