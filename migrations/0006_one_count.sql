-- SPDX-License-Identifier: EUPL-1.2
-- The figures of a campaign and those of its team come from one reading (docs/decisions/0004).
drop index operations_counts;
create index operations_counts on operations (campaign_id, segment_sort, status_id, assignee_id) where deleted_at is null;
