// SPDX-License-Identifier: EUPL-1.2
//! A file sent to a campaign, and what the page of its columns proposes.
use super::{Person, TestApp, TestCampaign};

/// Sends a file and lets the analysis run; the address of the import.
pub async fn send(
    app: &TestApp,
    sophie: &Person,
    campaign: &TestCampaign,
    name: &str,
    content: &[u8],
) -> String {
    let reply = sophie.upload(&campaign.path("imports"), name, content).await;
    reply.is(303);
    app.drain().await;
    reply.location.unwrap().strip_suffix("/colonnes").unwrap().to_owned()
}

/// Imports with the columns that the program proposes; the address of the import.
pub async fn import(
    app: &TestApp,
    sophie: &Person,
    campaign: &TestCampaign,
    name: &str,
    content: &[u8],
) -> String {
    let at = check(app, sophie, campaign, name, content).await;
    sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    app.drain().await;
    at
}

/// The same up to the preview.
pub async fn check(
    app: &TestApp,
    sophie: &Person,
    campaign: &TestCampaign,
    name: &str,
    content: &[u8],
) -> String {
    let at = send(app, sophie, campaign, name, content).await;
    let choices = proposed(&sophie.get(&format!("{at}/colonnes")).await.body);
    let pairs: Vec<(&str, &str)> = choices.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    sophie.submit(&format!("{at}/colonnes"), &pairs).await.redirects_to(&at);
    app.drain().await;
    at
}

/// The choices that the page proposes, as a browser would send them back.
pub fn proposed(page: &str) -> Vec<(String, String)> {
    page.split("<select")
        .skip(1)
        .filter_map(|select| {
            let name = select.split("name=\"").nth(1)?.split('"').next()?;
            let chosen = select.split("\" selected").next()?.rsplit("value=\"").next()?;
            name.starts_with("colonne-").then(|| (name.to_owned(), chosen.to_owned()))
        })
        .collect()
}
