-- SPDX-License-Identifier: EUPL-1.2
-- Second factor (RG-128), what « Mes sessions » shows of a remembered browser (US-113),
-- contacts, legal texts and requirements of the instance (US-809), contact requests (US-1601).

-- One secret a person, sealed with the key of the data directory. Without `confirmed_at` it is an
-- enrolment under way. `last_step`: a code serves once.
create table second_factors (
  user_id uuid primary key references users,
  secret bytea not null,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0
);
create table recovery_codes (
  user_id uuid not null references second_factors on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (user_id, code_hash)
);

-- Between the right password and the second step: no session yet.
create table pending_sign_ins (
  token_hash bytea primary key,
  user_id uuid not null references users,
  security_stamp uuid not null,
  stay boolean not null,
  back text,
  expires_at timestamptz not null
);
create index pending_sign_ins_expiry on pending_sign_ins (expires_at);

alter table remember_families
  add column ip text not null default '',
  add column agent text not null default '';

alter table instance_settings
  add column source_url text not null default '' check (length(source_url) <= 300),
  add column contact_email text not null default '' check (length(contact_email) <= 254),
  add column legal_notice text not null default '' check (length(legal_notice) <= 20000),
  add column privacy_notice text not null default '' check (length(privacy_notice) <= 20000),
  add column second_factor_roles text[] not null default '{}' check (
    second_factor_roles <@ array['admin', 'campaign_manager', 'technician', 'coordinator', 'reader']);

create table contact_requests (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid references users,
  name text not null check (name <> ''),
  email text not null check (email <> ''),
  subject text not null check (subject <> ''),
  body text not null check (body <> ''),
  handled_at timestamptz,
  handled_by uuid references users
);
create index contact_requests_recent on contact_requests (created_at, id);
create index contact_requests_open on contact_requests (created_at) where handled_at is null;
