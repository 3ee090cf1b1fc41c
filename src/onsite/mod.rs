// SPDX-License-Identifier: EUPL-1.2
//! « Mes interventions »: the technician's screens (01 §4, 05 §7).
use crate::web::Routes;

pub fn routes() -> Routes {
    Routes::default()
}
