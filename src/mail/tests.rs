// SPDX-License-Identifier: EUPL-1.2
//! The outbox, before a real relay.
