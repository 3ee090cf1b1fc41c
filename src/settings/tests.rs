// SPDX-License-Identifier: EUPL-1.2
//! Settings and the administration home.
