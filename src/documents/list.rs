// SPDX-License-Identifier: EUPL-1.2
//! « Documents » of a campaign, by name, filtered by type and by text (US-701).
use super::{
    at_list,
    kind::{self, Kind},
    model::{self, Document, Wanted},
};
use crate::{
    campaigns::{Campaign, Configure, View},
    db::{Id, Read},
    web::{Form, Page, Result, Shell, auth::Allowed},
};
use askama::Template;
use axum::extract::{Path, RawQuery};

/// F-05.
pub(super) const LINES: i64 = 50;

#[derive(Template)]
#[template(path = "documents/list.html")]
pub struct List {
    shell: Shell,
    campaign: Allowed<View, Campaign>,
    documents: Vec<Document>,
    form: Form,
    kinds: Vec<(String, String)>,
    is_filtered: bool,
    is_first: bool,
    next: Option<String>,
    can_configure: bool,
}

impl List {
    fn url(&self, document: &Document) -> String {
        self.campaign.path(&format!("documents/{}", document.id))
    }

    /// The filters, without the place in the list.
    fn first(&self) -> String {
        address(&self.campaign, &self.form, None)
    }
}

fn address(campaign: &Campaign, form: &Form, after: Option<Id<Document>>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["type", "q"] {
        if let Some(value) = form.given(name) {
            query.append_pair(name, &value);
        }
    }
    if let Some(after) = after {
        query.append_pair("apres", &after.to_string());
    }
    let (path, query) = (campaign.path("documents"), query.finish());
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Id<Campaign>>,
    RawQuery(query): RawQuery,
) -> Result<Page<List>> {
    let campaign = read.authorize(View, id).await?;
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let (kind, text) = (Kind::find(form.raw("type")), form.text("q"));
    let after = form.raw("apres").parse().ok();
    let wanted = Wanted { kind, text: &text, after, limit: LINES + 1, ..Wanted::default() };
    let mut documents = model::list(read.conn(), id, wanted).await?;
    let next = next(&mut documents).map(|last| address(&campaign, &form, Some(last)));
    let shell =
        at_list(read.shell("Documents"), &campaign, read.user()).live(format!("campagne-{id}"));
    let kinds = [(String::new(), "Tous les types".to_owned())]
        .into_iter()
        .chain(kind::ALL.iter().map(|kind| {
            (kind.extension.to_owned(), format!("{} (.{})", kind.label, kind.extension))
        }))
        .collect();
    Ok(Page(List {
        shell,
        is_filtered: kind.is_some() || !text.is_empty(),
        is_first: after.is_none(),
        can_configure: campaign.may(Configure) && !campaign.is_archived,
        campaign,
        documents,
        form,
        kinds,
        next,
    }))
}

/// Keeps a page of them; the last one when there are more.
pub(super) fn next(documents: &mut Vec<Document>) -> Option<Id<Document>> {
    let more = documents.len() as i64 > LINES;
    documents.truncate(LINES as usize);
    more.then(|| documents.last().map(|last| last.id)).flatten()
}
