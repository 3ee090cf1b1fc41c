-- SPDX-License-Identifier: EUPL-1.2
-- One verification of the audit at a time, however many click together.
update audit_verifications set state = 'failed' where state in ('waiting', 'running');
create unique index audit_verifications_working on audit_verifications ((true)) where state in ('waiting', 'running');
