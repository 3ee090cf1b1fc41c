// SPDX-License-Identifier: EUPL-1.2
//! The columns that a person chose for the list of one campaign (US-301.4).
//! Identifier and label are always there; the segment is the group.
use super::sort::Key;
use crate::{
    accounts::User,
    campaigns::{Campaign, Field, View},
    db::{Id, Tx},
    web::{Form, Redirect, Result},
};
use axum::extract::Path;
use sqlx::PgConnection;

/// The columns that are not fields, in their order.
pub const OWN: [(Key, &str); 5] = [
    (Key::Status, "Statut"),
    (Key::Technician, "Technicien"),
    (Key::Planned, "Prévue le"),
    (Key::Steps, "Étapes"),
    (Key::Updated, "Mise à jour"),
];

/// The codes of the columns shown.
pub async fn chosen(
    conn: &mut PgConnection,
    user: &User,
    campaign: Id<Campaign>,
    fields: &[Field],
) -> sqlx::Result<Vec<String>> {
    let kept = sqlx::query_scalar!(
        "select columns from user_columns where user_id = $1 and campaign_id = $2",
        user.id as _,
        campaign as _
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let has_steps = crate::checklists::is_followed(conn, campaign).await?;
    let shown = |key: &Key| *key != Key::Updated && (*key != Key::Steps || has_steps);
    let own = OWN.iter().filter(|(key, _)| shown(key)).map(|(key, _)| key.code());
    Ok(own.chain(fields.iter().filter(|f| f.in_list).map(Field::input)).collect())
}

/// The fields that can be a column.
pub fn offered(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|f| !f.hidden && !f.is_column())
}

pub async fn create(
    mut tx: Tx,
    Path(campaign): Path<Id<Campaign>>,
    form: Form,
) -> Result<Redirect> {
    let campaign = tx.authorize(View, campaign).await?;
    let user = tx.user()?.id;
    let columns: Vec<String> =
        form.all("colonne").filter(|code| code.len() < 32).take(200).map(str::to_owned).collect();
    sqlx::query!(
        "insert into user_columns (user_id, campaign_id, columns) values ($1, $2, $3)
         on conflict (user_id, campaign_id) do update set columns = excluded.columns",
        user as _,
        campaign.id as _,
        &columns
    )
    .execute(tx.conn())
    .await?;
    tx.commit_quietly("how a person likes to look at a list is nobody else's business").await?;
    Ok(Redirect::back(form.given("retour").as_deref(), &campaign.path("operations")))
}
