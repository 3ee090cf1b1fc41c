// SPDX-License-Identifier: EUPL-1.2
//! One document: what it is, its digest, its former files.
use super::{
    model::{self, Document, KEPT, StoredFile, WARNING},
    under_list,
};
use crate::{
    campaigns::{Campaign, Configure, View},
    db::{Id, Read},
    web::{Page, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::Path;

#[derive(Template)]
#[template(path = "documents/show.html")]
pub struct Show {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    document: Document,
    former: Vec<StoredFile>,
    can_configure: bool,
}

impl Show {
    fn url(&self) -> String {
        self.campaign.path(&format!("documents/{}", self.document.id))
    }
}

pub async fn page(
    mut read: Read,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Page<Show>> {
    let campaign = read.authorize(View, id).await?;
    let document = model::find(read.conn(), id, document).await?;
    let configures = campaign.may(Configure);
    let since = read.now() - KEPT;
    let former = match configures {
        true => model::former(read.conn(), id, document.id, since).await?,
        false => Vec::new(),
    };
    let shell = under_list(read.shell(&document.name), &campaign, read.user())
        .live(format!("campagne-{id}"));
    let can_configure = configures && !campaign.is_archived;
    Ok(Page(Show { shell, campaign, document, former, can_configure }))
}
