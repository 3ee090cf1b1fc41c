-- SPDX-License-Identifier: EUPL-1.2
-- Whoever starts or takes back a bulk action does it under his own rights; who chose stays known.
alter table bulk_actions add column acting_id uuid references users;
