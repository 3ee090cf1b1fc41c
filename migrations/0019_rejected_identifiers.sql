-- SPDX-License-Identifier: EUPL-1.2
-- A line that was rejected still names its operation: it has not vanished from the file (US-217.3).
alter table import_rejects add column identifier_norm text not null default '';
create index import_rejects_identifier on import_rejects (import_id, identifier_norm) where identifier_norm <> '';
-- When the lines were checked: what is created afterwards was never shown as vanished.
alter table imports add column checked_at timestamptz;
