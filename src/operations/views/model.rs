// SPDX-License-Identifier: EUPL-1.2
//! A saved view and what is done to it.
use crate::{
    accounts::{self, User},
    audit::Entry,
    campaigns::{Campaign, Configure, View},
    db::{Id, Tx, unless_taken},
    operations::list::Mode,
    text::norm,
    web::{Error, Form, Result, auth::Allowed},
};
use serde_json::json;
use sqlx::PgConnection;

pub const NAME_TAKEN: &str = "Vous avez déjà une vue de ce nom";
pub const TOO_MANY: &str = "Vous avez déjà 50 vues dans cette campagne. Supprimez-en une d’abord.";

#[derive(Clone, Debug)]
pub struct SavedView {
    pub id: Id<SavedView>,
    pub author: Id<User>,
    pub author_name: String,
    pub name: String,
    pub shared: bool,
    /// Filters and order, as the address says them.
    pub query: String,
    pub columns: Vec<String>,
    pub mode: Mode,
}

impl SavedView {
    /// The list as this view shows it.
    pub fn url(&self, campaign: &Campaign) -> String {
        let query = Form::parse(self.query.as_bytes());
        let pairs = query.pairs().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let id = self.id.to_string();
        let all = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.chain([("vue", id.as_str())]))
            .finish();
        format!("{}?{all}", campaign.path("operations"))
    }

    /// Its author deletes it; whoever configures the campaign deletes those that it shares.
    pub fn may_be_deleted_by(&self, user: &User, campaign: &Allowed<View, Campaign>) -> bool {
        self.author == user.id || (self.shared && campaign.may(Configure))
    }
}

/// The views that this person may open: their own, and the shared ones.
pub async fn visible(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    user: &User,
) -> Result<Vec<SavedView>> {
    load(conn, campaign, user, None).await
}

/// # Errors
/// `NotFound` for what is not theirs to see.
pub async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    user: &User,
    id: Id<SavedView>,
) -> Result<SavedView> {
    load(conn, campaign, user, Some(id)).await?.pop().ok_or(Error::NotFound)
}

async fn load(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    user: &User,
    id: Option<Id<SavedView>>,
) -> Result<Vec<SavedView>> {
    let rows = sqlx::query!(
        r#"select v.id as "id: Id<SavedView>", v.author_id as "author: Id<User>", u.first_name, u.last_name, v.name, v.shared, v.query, v.columns, v.mode
           from saved_views v join users u on u.id = v.author_id
           where v.campaign_id = $1 and (v.author_id = $2 or v.shared) and ($3::uuid is null or v.id = $3)
           order by v.author_id <> $2, v.name_norm, v.id"#,
        campaign as _,
        user.id as _,
        id as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SavedView {
            id: row.id,
            author: row.author,
            author_name: accounts::display_name(&row.first_name, &row.last_name),
            name: row.name,
            shared: row.shared,
            query: row.query,
            columns: row.columns,
            mode: Mode::from_code(&row.mode).unwrap_or_default(),
        })
        .collect())
}

pub struct NewView {
    pub name: String,
    pub shared: bool,
    pub query: String,
    pub columns: Vec<String>,
    pub mode: Mode,
}

/// Saves it; why not, in French, when the name or the number says no.
pub async fn create(
    tx: &mut Tx,
    campaign: &Allowed<View, Campaign>,
    new: &NewView,
) -> Result<std::result::Result<Id<SavedView>, &'static str>> {
    let (id, author, now) = (Id::<SavedView>::new(), tx.user()?.id, tx.now());
    // Two views saved at once by the same person take two places.
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 3))::text as locked",
        format!("{}{author}", campaign.id)
    )
    .fetch_one(tx.conn())
    .await?;
    let slot = sqlx::query_scalar!(
        "select n::smallint from generate_series(1, 50) n
         where not exists (select 1 from saved_views where campaign_id = $1 and author_id = $2 and slot = n) order by n limit 1",
        campaign.id as _,
        author as _
    )
    .fetch_optional(tx.conn())
    .await?
    .flatten();
    let Some(slot) = slot else { return Ok(Err(TOO_MANY)) };
    let statement = sqlx::query!(
        "insert into saved_views (id, campaign_id, author_id, slot, name, name_norm, shared, query, columns, mode, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id as _,
        campaign.id as _,
        author as _,
        slot,
        new.name,
        norm(&new.name),
        new.shared,
        new.query,
        &new.columns,
        new.mode.code(),
        now
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(Err(NAME_TAKEN));
    }
    let changes = json!({ "name": [null, new.name], "shared": [null, if new.shared { "Oui" } else { "Non" }] });
    let entry = Entry::on("view.saved", "view", id.uuid()).campaign(campaign.id);
    tx.record(entry.changes(changes)).await?;
    Ok(Ok(id))
}

pub async fn delete(
    tx: &mut Tx,
    campaign: &Allowed<View, Campaign>,
    view: &SavedView,
) -> Result<()> {
    if !view.may_be_deleted_by(&tx.user()?.clone(), campaign) {
        return Err(Error::Forbidden);
    }
    let gone = sqlx::query!("delete from saved_views where id = $1", view.id as _)
        .execute(tx.conn())
        .await?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound); // somebody else was faster
    }
    let entry = Entry::on("view.deleted", "view", view.id.uuid()).campaign(campaign.id);
    tx.record(entry.changes(json!({ "name": [view.name, null] }))).await?;
    Ok(())
}

/// Nothing is saved under an archived campaign (RG-016), which is still looked at.
pub fn writable(campaign: &Allowed<View, Campaign>) -> Result<()> {
    if campaign.is_archived {
        return Err(Error::Refused("Campagne archivée : lecture seule.".into()));
    }
    Ok(())
}
