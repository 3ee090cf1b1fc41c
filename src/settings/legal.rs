// SPDX-License-Identifier: EUPL-1.2
//! « Mentions légales » and « Données personnelles » (US-1601): what the program can say of itself,
//! then what the organisation wrote.
use super::Settings;
use crate::{
    app::App,
    web::{Page, Shell, auth::Visitor},
};
use askama::Template;
use axum::extract::State;
use std::sync::Arc;

/// A piece of the organisation's text.
enum Block {
    Title(String),
    /// Its lines.
    Paragraph(Vec<String>),
}

/// An empty line ends a paragraph; « ## » begins a title. Nothing else is read: the page escapes it.
fn blocks(text: &str) -> Vec<Block> {
    let mut out = Vec::new();
    for part in text.split("\n\n") {
        let mut lines = Vec::new();
        for line in part.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix("##") {
                Some(title) => {
                    if !lines.is_empty() {
                        out.push(Block::Paragraph(std::mem::take(&mut lines)));
                    }
                    out.push(Block::Title(title.trim().to_owned()));
                }
                None => lines.push(line.to_owned()),
            }
        }
        if !lines.is_empty() {
            out.push(Block::Paragraph(lines));
        }
    }
    out
}

#[derive(Template)]
#[template(path = "settings/legal_notice.html")]
struct Notice {
    shell: Shell,
    settings: Arc<Settings>,
    blocks: Vec<Block>,
    address: String,
}

pub async fn notice(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    let settings = app.settings();
    Page(Notice {
        shell: Shell::new(&app, &visitor, "Mentions légales"),
        blocks: blocks(&settings.legal_notice),
        settings,
        address: app.config.public_url.clone(),
    })
}

#[derive(Template)]
#[template(path = "settings/privacy.html")]
struct Privacy {
    shell: Shell,
    settings: Arc<Settings>,
    blocks: Vec<Block>,
}

pub async fn privacy(State(app): State<App>, visitor: Visitor) -> Page<impl Template> {
    let settings = app.settings();
    Page(Privacy {
        shell: Shell::new(&app, &visitor, "Données personnelles"),
        blocks: blocks(&settings.privacy_notice),
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_paragraphs() {
        let read: Vec<String> = blocks("Un\ndeux\n\n## Hébergeur\nVille\n\n\n\nFin")
            .into_iter()
            .map(|block| match block {
                Block::Title(title) => format!("# {title}"),
                Block::Paragraph(lines) => lines.join("|"),
            })
            .collect();
        assert_eq!(read, ["Un|deux", "# Hébergeur", "Ville", "Fin"]);
    }
}
