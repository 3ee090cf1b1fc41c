// SPDX-License-Identifier: EUPL-1.2
//! Campaigns: what they are, who may do what with them, their fields and segments (01 §2).
mod fields;
mod model;
mod policy;
mod segments;
pub mod status;

pub use self::{
    fields::{Field, FieldKind, Usage, fields},
    model::{Campaign, tabs},
    policy::{Audit, Configure, Create, Export, Own, Restore, View, visible},
    segments::{NO_SEGMENT, Segment, segments},
    status::Status,
};
use crate::web::Routes;

pub fn routes() -> Routes {
    Routes::default()
}
