-- SPDX-License-Identifier: EUPL-1.2
-- What is in the bin is neither searched nor filtered: its rows leave the two costly indexes, so that
-- the undo of an import does not pay them again.
drop index operations_values;
drop index operations_search;
create index operations_values on operations using gin (values jsonb_path_ops) where deleted_at is null;
create index operations_search on operations using gin (search_text gin_trgm_ops) where deleted_at is null;
