// SPDX-License-Identifier: EUPL-1.2
//! The articles: Markdown in the binary, made HTML once; which one a screen opens.
use crate::text::norm;
use pulldown_cmark::{Event, Parser, TagEnd, html};
use std::sync::LazyLock;

pub struct Article {
    pub slug: &'static str,
    pub group: &'static str,
    /// The routes whose screens it explains, as they are declared; a screen below one of them is
    /// explained too.
    pub screens: &'static [&'static str],
    source: &'static str,
}

/// Made once from the source.
pub struct Rendered {
    pub slug: &'static str,
    pub group: &'static str,
    pub title: String,
    pub html: String,
    /// Its words, as a search compares them, and as a result shows them.
    searched: String,
    pub text: String,
}

macro_rules! article {
    ($group:literal, $slug:literal, [$($screen:literal),* $(,)?]) => {
        Article {
            slug: $slug,
            group: $group,
            screens: &[$($screen),*],
            source: include_str!(concat!("articles/", $slug, ".md")),
        }
    };
}

/// In the order of the index. The first one answers for screens that have none.
pub const ARTICLES: &[Article] = &[
    article!(
        "Premiers pas",
        "premiers-pas",
        ["/", "/recherche", "/plan-du-site", "/contact", "/aide"]
    ),
    article!(
        "Premiers pas",
        "connexion",
        ["/connexion", "/mot-de-passe-oublie", "/activation/{token}", "/mot-de-passe/{token}"]
    ),
    article!("Premiers pas", "profil", ["/profil"]),
    article!(
        "Premiers pas",
        "double-authentification",
        [
            "/profil/double-authentification",
            "/connexion/code",
            "/connexion/double-authentification"
        ]
    ),
    article!("Campagnes", "tableau-de-bord-global", ["/tableau-de-bord"]),
    article!("Campagnes", "campagnes", ["/campagnes"]),
    article!("Campagnes", "assistant", ["/campagnes/nouvelle", "/campagnes/{id}/assistant"]),
    article!(
        "Campagnes",
        "tableau-de-bord",
        [
            "/campagnes/{id}/tableau-de-bord",
            "/campagnes/{id}/activite",
            "/campagnes/{id}/parametres/partage"
        ]
    ),
    article!("Campagnes", "segments", ["/campagnes/{id}/segments"]),
    article!("Campagnes", "prerequis", ["/campagnes/{id}/prerequis"]),
    article!("Campagnes", "documents", ["/campagnes/{id}/documents"]),
    article!("Campagnes", "checklists", ["/checklists", "/campagnes/{id}/parametres/checklist"]),
    article!("Campagnes", "vues", ["/campagnes/{id}/vues"]),
    article!("Campagnes", "calendrier", ["/campagnes/{id}/calendrier"]),
    article!("Campagnes", "parametres", ["/campagnes/{id}/parametres"]),
    article!(
        "Campagnes",
        "corbeille",
        [
            "/campagnes/corbeille",
            "/campagnes/{id}/suppression",
            "/campagnes/{id}/parametres/corbeille",
            "/campagnes/{id}/operations/{op}/suppression"
        ]
    ),
    article!("Campagnes", "habilitations", ["/campagnes/{id}/parametres/habilitations"]),
    article!("Campagnes", "historique", ["/campagnes/{id}/historique", "/administration/audit"]),
    article!("Imports", "import-fichier", ["/campagnes/{id}/imports"]),
    article!("Imports", "import-colonnes", ["/campagnes/{id}/imports/{import}/colonnes"]),
    article!("Imports", "import-apercu", ["/campagnes/{id}/imports/{import}/apercu"]),
    article!("Imports", "differences", ["/campagnes/{id}/imports/{import}/differences"]),
    article!("Opérations", "operations", ["/campagnes/{id}/operations"]),
    article!(
        "Opérations",
        "operation",
        ["/campagnes/{id}/operations/{op}", "/campagnes/{id}/operations/nouvelle"]
    ),
    article!(
        "Opérations",
        "actions-groupees",
        ["/campagnes/{id}/lots", "/campagnes/{id}/operations/lot"]
    ),
    article!(
        "Opérations",
        "exports",
        ["/campagnes/{id}/exports", "/campagnes/{id}/operations/export"]
    ),
    article!("Terrain", "terrain", ["/terrain"]),
    article!("Terrain", "intervention", ["/terrain/{op}"]),
    article!("Administration", "administration", ["/administration"]),
    article!("Administration", "utilisateurs", ["/administration/utilisateurs"]),
    article!("Administration", "groupes", ["/administration/groupes"]),
    article!("Administration", "types", ["/administration/types"]),
    article!(
        "Administration",
        "workflows",
        ["/administration/workflows", "/campagnes/{id}/parametres/workflow"]
    ),
    article!(
        "Administration",
        "instance",
        [
            "/administration/parametres",
            "/administration/etat",
            "/administration/messages",
            "/administration/demandes"
        ]
    ),
];

static RENDERED: LazyLock<Vec<Rendered>> = LazyLock::new(|| ARTICLES.iter().map(render).collect());

pub fn rendered() -> &'static [Rendered] {
    &RENDERED
}

pub fn find(slug: &str) -> Option<&'static Rendered> {
    RENDERED.iter().find(|article| article.slug == slug)
}

/// Those that hold every word asked for.
pub fn search(asked: &str) -> Vec<&'static Rendered> {
    let asked = norm(asked);
    let words: Vec<&str> = asked.split_whitespace().collect();
    RENDERED.iter().filter(|article| words.iter().all(|w| article.searched.contains(w))).collect()
}

fn render(article: &Article) -> Rendered {
    let source = article.source.trim_start_matches(|c| c != '#');
    let (title, body) = source.split_once('\n').unwrap_or((source, ""));
    let mut text = String::new();
    for event in Parser::new(body) {
        match event {
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            Event::End(TagEnd::Strong | TagEnd::Emphasis | TagEnd::Link) => {}
            Event::SoftBreak | Event::HardBreak | Event::End(_) => text.push(' '),
            _ => {}
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, Parser::new(body));
    let title = title.trim_start_matches('#').trim().to_owned();
    Rendered {
        slug: article.slug,
        group: article.group,
        searched: norm(&format!("{title} {text}")),
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        title,
        html: out,
    }
}

/// The article of the screen at this address: that of the longest route that leads to it.
pub fn article_of(path: &str) -> &'static str {
    let path: Vec<&str> = parts(path).collect();
    ARTICLES
        .iter()
        .flat_map(|article| article.screens.iter().map(move |screen| (article.slug, *screen)))
        .filter_map(|(slug, screen)| fit(screen, &path).map(|fit| (fit, slug)))
        .max_by_key(|(fit, _)| *fit)
        .map_or(ARTICLES[0].slug, |(_, slug)| slug)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// How many parts of the address this route names, words before parameters; `None` when it does not lead there.
fn fit(screen: &str, path: &[&str]) -> Option<(usize, usize)> {
    let screen: Vec<&str> = parts(screen).collect();
    if screen.len() > path.len() {
        return None;
    }
    let mut words = 0;
    for (wanted, part) in screen.iter().zip(path) {
        if wanted.starts_with('{') {
            continue;
        }
        if wanted != part {
            return None;
        }
        words += 1;
    }
    Some((screen.len(), words))
}
