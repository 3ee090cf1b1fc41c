-- SPDX-License-Identifier: EUPL-1.2
-- A checked configuration archive between its preview and its confirmation (US-806, RG-101).
-- Nothing of the archive itself is kept: `content` is what was read of it, valid.

create table configuration_imports (
  id uuid primary key,
  author_id uuid not null references users,
  file_name text not null check (length(file_name) <= 200),
  content jsonb not null,
  created_at timestamptz not null
);
create index configuration_imports_age on configuration_imports (created_at);
