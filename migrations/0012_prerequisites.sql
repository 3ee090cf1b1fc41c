-- SPDX-License-Identifier: EUPL-1.2
-- Segments in a chosen order, with a colour; prerequisites, the gates among them and who passed
-- over one (RG-090, 091, 094, 095).

alter table segments
  add constraint segments_color check (color in ('primary', 'success', 'warning', 'danger', 'info', 'complete', 'muted')),
  add unique (campaign_id, id);            -- what prerequisites refer to: never that of another campaign

-- Wherever a segment comes from, it comes after the others.
create function place_segment() returns trigger language plpgsql as $$
begin
  if new.position = 0 then
    select coalesce(max(position), 0) + 1 into new.position from segments where campaign_id = new.campaign_id;
  end if;
  return new;
end $$;
create trigger place before insert on segments for each row execute function place_segment();

create table prerequisites (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  segment_id uuid,                         -- null: of the whole campaign
  label text not null check (length(label) between 3 and 255),
  responsible text not null default '' check (length(responsible) <= 100),
  target_date date,
  status text not null default 'todo' check (status in ('todo', 'in_progress', 'done')),
  gate_booking boolean not null default false,
  gate_start boolean not null default false,
  note text not null default '' check (length(note) <= 2000),
  position int not null,
  -- Somebody let through what it blocks (RG-094), until it is done.
  forced_at timestamptz,
  forced_by uuid references users,
  forced_reason text check (length(forced_reason) between 5 and 500),
  version int not null default 1,
  created_at timestamptz not null,
  created_by uuid references users,
  updated_at timestamptz not null,
  updated_by uuid references users,
  foreign key (campaign_id, segment_id) references segments (campaign_id, id),
  unique (campaign_id, id),
  check ((forced_at is null) = (forced_reason is null) and (forced_at is null) = (forced_by is null)),
  check (forced_at is null or (status <> 'done' and (gate_booking or gate_start)))
);
create index prerequisites_list on prerequisites (campaign_id, segment_id, position);
create index prerequisites_gates on prerequisites (campaign_id, segment_id, status) where gate_start or gate_booking;
create trigger check_campaign before insert or update or delete on prerequisites
  for each row execute function check_campaign_is_open();

-- One operation let through one gate.
create table gate_passes (
  operation_id uuid not null references operations,
  prerequisite_id uuid not null,
  campaign_id uuid not null,
  reason text not null check (length(reason) between 5 and 500),
  at timestamptz not null,
  by uuid not null references users,
  primary key (operation_id, prerequisite_id),
  foreign key (campaign_id, prerequisite_id) references prerequisites (campaign_id, id) on delete cascade
);
create index gate_passes_prerequisite on gate_passes (prerequisite_id);
create trigger check_campaign before insert or update or delete on gate_passes
  for each row execute function check_campaign_is_open();
create function check_gate_pass() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from operations where id = new.operation_id and campaign_id = new.campaign_id) then
    raise exception 'operation of another campaign' using errcode = 'OT004';
  end if;
  return new;
end $$;
create trigger check_operation before insert or update on gate_passes for each row execute function check_gate_pass();
