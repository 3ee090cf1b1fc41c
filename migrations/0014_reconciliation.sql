-- SPDX-License-Identifier: EUPL-1.2
-- What a file would change on operations that exist, cell by cell, with what a person decides of each
-- before « Importer » (US-217, RG-096, 03 §2.5). Written by the check, emptied after the import.

create table import_cells (
  import_id uuid not null references imports on delete cascade,
  line bigint not null,                    -- of the file
  operation_id uuid not null,
  key text not null,                       -- number of the field, 'segment', 'date', 'technician'
  verdict text not null check (verdict in ('apply', 'kept', 'conflict', 'empty')),
  base text,                               -- last imported value; null when never imported
  file text not null,
  here text not null,
  choice text check (choice in ('file', 'here')),  -- null: the default of 03 §2.5
  primary key (import_id, line, key)
);
create index import_cells_view on import_cells (import_id, verdict, line, key);

alter table imports
  add column decisions jsonb not null default '{}';  -- of the rows: {"vanished": "cancel", "binned": "restore"}

-- Operations that an import brought back from the bin, or cancelled because its file no longer names them:
-- enough to undo it.
create table import_rows (
  import_id uuid not null references imports,
  operation_id uuid not null,
  kind text not null check (kind in ('restored', 'cancelled')),
  before jsonb,
  version_after int not null,
  primary key (import_id, operation_id)
);
