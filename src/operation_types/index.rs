// SPDX-License-Identifier: EUPL-1.2
//! « Types d'opération »: what a new campaign can be.
use super::model::OperationType;
use crate::{
    db::Read,
    web::{Page, Result, Shell},
};
use askama::Template;

#[derive(Template)]
#[template(path = "operation_types/index.html")]
pub struct Index {
    shell: Shell,
    types: Vec<OperationType>,
}

pub async fn page(mut read: Read) -> Result<Page<Index>> {
    let types = OperationType::all(read.conn()).await?;
    let shell = read.shell("Types d’opération").under("Administration", "/administration");
    Ok(Page(Index { shell, types }))
}
