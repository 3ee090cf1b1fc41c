-- SPDX-License-Identifier: EUPL-1.2
-- Links to the dashboard of a campaign for who has no account (US-605, RG-041): only the hash of
-- the secret is kept, in a table that no other purpose shares.

create table share_links (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  label text not null check (length(label) between 1 and 100),
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  created_at timestamptz not null,
  created_by uuid not null references users,
  expires_at timestamptz not null check (expires_at > created_at),
  revoked_at timestamptz,
  last_opened_at timestamptz
);
create index share_links_campaign on share_links (campaign_id, created_at desc);
create index share_links_creator on share_links (created_by);

-- Opening one is no write on the campaign: an archived campaign may keep its links (RG-016).
create trigger check_campaign before insert or delete or update of campaign_id, label, token_hash, expires_at, revoked_at
  on share_links for each row execute function check_campaign_is_open();

-- At most 10 active a campaign, whatever the number of people who share at once.
create function limit_share_links() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.campaign_id::text, 4));
  if (select count(*) from share_links where campaign_id = new.campaign_id and revoked_at is null and expires_at > new.created_at) >= 10 then
    raise exception 'too many share links' using errcode = 'OT012';
  end if;
  return new;
end $$;
create trigger limit_share_links before insert on share_links for each row execute function limit_share_links();
