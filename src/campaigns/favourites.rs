// SPDX-License-Identifier: EUPL-1.2
//! « Épinglés » (US-213, RG-201): at most ten campaigns that a person keeps at hand, among those
//! they may still see.
use super::{Campaign, View};
use crate::{
    accounts::{Role, User},
    audit::Entry,
    db::{Id, Tx, sqlstate},
    web::{Error, Form, Redirect, Result, Shell, auth::Allowed},
};
use axum::extract::Path;
use serde_json::json;
use sqlx::PgConnection;

/// A pinned campaign, for the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub id: Id<Campaign>,
    pub name: String,
}

impl Pin {
    pub fn url(&self) -> String {
        format!("/campagnes/{}/tableau-de-bord", self.id)
    }
}

/// The person's pins that they may still see, oldest first; the scope of `visible`, said for ten rows.
pub async fn pins(conn: &mut PgConnection, user: &User) -> sqlx::Result<Vec<Pin>> {
    sqlx::query_as!(
        Pin,
        r#"select c.id, c.name from favourites f join campaigns c on c.id = f.campaign_id
           where f.user_id = $1 and c.deleted_at is null
             and ($2 or (c.owner_id = $1 and $3) or (c.is_public and ($3 or $4))
                  or exists (select 1 from grants g where g.campaign_id = c.id
                             and (g.user_id = $1 or g.group_id in (select group_id from group_members where user_id = $1))))
           order by f.position, c.name_norm"#,
        user.id as _,
        user.is_admin(),
        user.roles.has(Role::CampaignManager),
        user.roles.has(Role::Reader),
    )
    .fetch_all(conn)
    .await
}

/// ★: pinned or not, as the button says rather than the contrary of what is; twice is once.
pub async fn toggle(mut tx: Tx, Path(id): Path<Id<Campaign>>, form: Form) -> Result<Redirect> {
    let campaign = tx.authorize(View, id).await?;
    let pinned = form.has("epingler", "oui");
    let changed =
        if pinned { pin(&mut tx, &campaign).await? } else { unpin(&mut tx, &campaign).await? };
    if changed {
        let changes = json!({ "pinned": [!pinned, pinned] });
        tx.record(Entry::on("campaign.pinned", "campaign", id.uuid()).changes(changes)).await?;
    }
    tx.commit_quietly("traced when something changed").await?;
    let said = if pinned { "est épinglée" } else { "n’est plus épinglée" };
    Ok(Redirect::back(Some(form.raw("retour")), "/campagnes")
        .flash(format!("« {} » {said}.", campaign.name)))
}

async fn pin(tx: &mut Tx, campaign: &Allowed<View, Campaign>) -> Result<bool> {
    let person = tx.user()?.clone();
    let user = person.id;
    // A campaign that is no longer visible cannot be unpinned: it gives its place.
    let kept: Vec<_> = pins(tx.conn(), &person).await?.into_iter().map(|pin| pin.id).collect();
    sqlx::query!(
        "delete from favourites where user_id = $1 and campaign_id <> all ($2)",
        user as _,
        &kept as _
    )
    .execute(tx.conn())
    .await?;
    let written = sqlx::query!(
        "insert into favourites (user_id, campaign_id, position)
         select $1, $2, coalesce(max(position), 0) + 1 from favourites where user_id = $1
         having not exists (select 1 from favourites where user_id = $1 and campaign_id = $2)
         on conflict do nothing",
        user as _,
        campaign.id as _
    )
    .execute(tx.conn())
    .await;
    match written {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(err) if sqlstate(&err).as_deref() == Some("OT010") => {
            Err(Error::Refused("Maximum 10 favoris. Retirez-en un d’abord.".into()))
        }
        Err(err) => Err(err.into()),
    }
}

async fn unpin(tx: &mut Tx, campaign: &Allowed<View, Campaign>) -> Result<bool> {
    let user = tx.user()?.id;
    let gone = sqlx::query!(
        "delete from favourites where user_id = $1 and campaign_id = $2",
        user as _,
        campaign.id as _
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected() == 1)
}

/// Whether this page's person has pinned it.
pub fn is_pinned(shell: &Shell, campaign: Id<Campaign>) -> bool {
    shell.pins.iter().any(|pin| pin.id == campaign)
}
