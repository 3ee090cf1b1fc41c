// SPDX-License-Identifier: EUPL-1.2
//! « Tableau » or « Cartes » (US-302): kept per person and campaign.
use crate::{
    accounts::User,
    campaigns::{Campaign, View},
    db::{Id, Tx},
    web::{Error, Form, Redirect, Result},
};
use axum::extract::Path;
use sqlx::PgConnection;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Table,
    Cards,
}

impl Mode {
    pub const ALL: [Self; 2] = [Self::Table, Self::Cards];

    pub fn code(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Cards => "cards",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Table => "Tableau",
            Self::Cards => "Cartes",
        }
    }
}

/// What this person chose for this campaign.
pub async fn chosen(
    conn: &mut PgConnection,
    user: &User,
    campaign: Id<Campaign>,
) -> sqlx::Result<Mode> {
    let kept = sqlx::query_scalar!(
        "select mode from user_list_modes where user_id = $1 and campaign_id = $2",
        user.id as _,
        campaign as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(kept.and_then(|code| Mode::from_code(&code)).unwrap_or_default())
}

pub async fn create(
    mut tx: Tx,
    Path(campaign): Path<Id<Campaign>>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize(View, campaign).await?;
    let user = tx.user()?.id;
    let mode = Mode::from_code(form.raw("affichage"))
        .ok_or_else(|| Error::Refused("Choisissez « Tableau » ou « Cartes ».".into()))?;
    sqlx::query!(
        "insert into user_list_modes (user_id, campaign_id, mode) values ($1, $2, $3)
         on conflict (user_id, campaign_id) do update set mode = excluded.mode",
        user as _,
        campaign.id as _,
        mode.code()
    )
    .execute(tx.conn())
    .await?;
    tx.commit_quietly("how a person likes to look at a list is nobody else's business").await?;
    Ok(Redirect::back(form.given("retour").as_deref(), &campaign.path("operations")))
}
