// SPDX-License-Identifier: EUPL-1.2
//! An operation reached through its campaign: whoever does not see the campaign meets nothing here,
//! not even the technician who works on the operation (his pages are under `/terrain`).
use super::Operation;
use crate::{
    campaigns::{Campaign, View},
    db::{Id, Read, Tx},
    web::{
        Error, Form, Result,
        auth::{Allowed, Permits},
        local,
    },
};
use axum::extract::Path;
use http::{HeaderMap, header};

pub type Ids = Path<(Id<Campaign>, Id<Operation>)>;

fn same_campaign<A>(
    found: Allowed<A, Operation>,
    campaign: Id<Campaign>,
) -> Result<Allowed<A, Operation>> {
    if found.campaign.id == campaign { Ok(found) } else { Err(Error::NotFound) }
}

pub async fn read<A>(
    read: &mut Read,
    action: A,
    Path((campaign, id)): Ids,
) -> Result<Allowed<A, Operation>>
where
    Operation: Permits<A>,
{
    read.authorize(View, campaign).await?;
    same_campaign(read.authorize(action, id).await?, campaign)
}

/// Locks the operation: what is read is still so when it is written.
pub async fn change<A>(
    tx: &mut Tx,
    action: A,
    Path((campaign, id)): Ids,
) -> Result<Allowed<A, Operation>>
where
    Operation: Permits<A>,
{
    tx.authorize(View, campaign).await?;
    same_campaign(tx.authorize_to_change(action, id).await?, campaign)
}

/// Where a choice leads back to: `retour`, else the page it was asked from, when it is ours.
/// Rows of a list thus need not repeat the list's address in each of their links.
pub fn back(given: &Form, headers: &HeaderMap) -> String {
    if let Some(to) = given.given("retour").filter(|to| local(Some(to)).is_some()) {
        return to;
    }
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let from = text(header::REFERER)
        .and_then(|url| url.split_once("://"))
        .and_then(|(_, rest)| rest.split_at_checked(rest.find('/')?));
    match (from, text(header::HOST)) {
        (Some((authority, path)), Some(host)) if authority == host => {
            local(Some(path)).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_our_pages_are_gone_back_to() {
        let back = |query: &[u8], referer: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("ops.test"));
            headers.insert(header::REFERER, HeaderValue::from_static(referer));
            super::back(&Form::parse(query), &headers)
        };
        assert_eq!(
            back(b"", "http://ops.test/campagnes/1/operations?q=a"),
            "/campagnes/1/operations?q=a"
        );
        assert_eq!(back(b"retour=/campagnes", "http://ops.test/x"), "/campagnes");
        assert_eq!(back(b"retour=//evil.example", "http://evil.example/x"), "");
        assert_eq!(back(b"", "http://ops.test"), "");
    }
}
