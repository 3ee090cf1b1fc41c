-- SPDX-License-Identifier: EUPL-1.2
-- Documents of campaigns (US-701 to 706, RG-050 to 054). The bytes are in the store, outside the base.

create table documents (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  name text not null check (length(name) between 1 and 200),
  name_norm text not null,
  search_text text not null,               -- normal form of the name and the description
  description text not null default '' check (length(description) <= 2000),
  version int not null default 1,
  created_at timestamptz not null,
  created_by uuid references users,
  updated_at timestamptz not null,
  updated_by uuid references users,
  deleted_at timestamptz,                  -- in the bin, restorable for 30 days
  deleted_by uuid references users,
  unique (campaign_id, id)
);
create index documents_list on documents (campaign_id, name_norm, id);
create index documents_bin on documents (deleted_at) where deleted_at is not null;

-- Every file a document has had; one of them is that of today.
create table document_files (
  id uuid primary key,
  document_id uuid not null,
  campaign_id uuid not null,
  file_name text not null check (length(file_name) between 1 and 200),
  kind text not null check (kind ~ '^[a-z0-9]{1,10}$'), -- the extension, which the content confirmed
  size bigint not null check (size between 1 and 52428800),
  sha256 bytea not null check (length(sha256) = 32),
  store_key text not null unique,          -- random; says nothing of the document
  uploaded_at timestamptz not null,
  uploaded_by uuid references users,
  replaced_at timestamptz,                 -- kept for 30 days after that
  foreign key (campaign_id, document_id) references documents (campaign_id, id) on delete cascade
);
create unique index document_files_current on document_files (document_id) where replaced_at is null;
create index document_files_document on document_files (document_id);
create index document_files_former on document_files (replaced_at) where replaced_at is not null;

-- Reading is allowed on an archived campaign, and is counted there too.
create table document_downloads (
  document_id uuid not null references documents on delete cascade,
  day date not null,
  count int not null check (count > 0),
  primary key (document_id, day)
);

create trigger check_campaign before insert or update on documents
  for each row execute function check_campaign_is_open();
create trigger check_campaign before insert or update on document_files
  for each row execute function check_campaign_is_open();

-- A row leaves for good only from the bin, whatever the state of its campaign.
create function check_document_is_in_bin() returns trigger language plpgsql as $$
begin
  if old.deleted_at is null then
    raise exception 'document not in the bin' using errcode = 'OT008';
  end if;
  return old;
end $$;
create trigger check_bin before delete on documents for each row execute function check_document_is_in_bin();
