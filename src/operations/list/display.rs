// SPDX-License-Identifier: EUPL-1.2
//! How the list is shown to this person: as the saved view of the address says, else as they chose.
use super::{columns, mode, mode::Mode};
use crate::{
    accounts::User,
    campaigns::{Campaign, Field},
    db::Id,
    operations::views::{self, SavedView},
    web::{Error, Form, Result},
};
use sqlx::PgConnection;

pub struct Display {
    /// Codes of the columns.
    pub columns: Vec<String>,
    pub mode: Mode,
    pub view: Option<SavedView>,
}

impl Display {
    /// A view that is gone, or is not this person's to see, changes nothing.
    pub async fn of(
        conn: &mut PgConnection,
        user: &User,
        campaign: Id<Campaign>,
        fields: &[Field],
        query: &Form,
    ) -> Result<Self> {
        let view = match query.raw("vue").parse() {
            Ok(id) => match views::find(conn, campaign, user, id).await {
                Ok(view) => Some(view),
                Err(Error::NotFound) => None,
                Err(err) => return Err(err),
            },
            Err(_) => None,
        };
        Ok(match view {
            Some(view) => Self { columns: view.columns.clone(), mode: view.mode, view: Some(view) },
            None => Self {
                columns: columns::chosen(conn, user, campaign, fields).await?,
                mode: mode::chosen(conn, user, campaign).await?,
                view: None,
            },
        })
    }
}
