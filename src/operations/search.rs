// SPDX-License-Identifier: EUPL-1.2
//! `/recherche` (US-308): operations of the campaigns that this person sees, by identifier, label or
//! searchable value, without accents or case; every character is itself.
use super::{Operation, values};
use crate::{
    accounts::throttle,
    campaigns::{self, Campaign, FieldKind, NO_SEGMENT},
    db::{Id, Read},
    text::{count, like_pattern, norm, number},
    web::{Error, Form, Page, Result, Shell, assets},
    workflows::Category,
};
use askama::Template;
use axum::extract::RawQuery;
use chrono::Duration;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::HashMap;

/// Results shown, and characters needed (F-05).
const SHOWN: i64 = 100;
const LEAST: usize = 2;

#[derive(Template)]
#[template(path = "operations/search.html")]
pub struct Search {
    shell: Shell,
    icons: String,
    query: String,
    /// What is said of the results; one sentence.
    said: String,
    groups: Vec<Group>,
}

struct Group {
    campaign: Id<Campaign>,
    name: String,
    hits: Vec<Hit>,
}

struct Hit {
    id: Id<Operation>,
    identifier: Vec<Part>,
    label: Vec<Part>,
    /// A value that matched when neither identifier nor label did: « Poste », its text.
    other: Option<(String, Vec<Part>)>,
    status: String,
    category: Category,
    segment: String,
}

/// A piece of text; whether it is what was searched.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub found: bool,
}

pub async fn page(mut read: Read, RawQuery(query): RawQuery) -> Result<Page<Search>> {
    let query = Form::parse(query.unwrap_or_default().as_bytes()).text("q");
    let wanted = norm(&query);
    let mut page = Search {
        shell: read.shell("Recherche"),
        icons: assets::url("icons.svg"),
        said: String::new(),
        groups: Vec::new(),
        query,
    };
    if wanted.chars().count() < LEAST {
        page.said = "Saisissez au moins 2 caractères.".into();
        return Ok(Page(page));
    }
    let (now, user) = (read.now(), read.user().id);
    if let Some(wait) =
        throttle::count(read.conn(), "search", &user.to_string(), 60, Duration::minutes(1), now)
            .await?
    {
        return Err(Error::TooMany(wait));
    }
    let (conn, user) = read.split();
    let visible = campaigns::visible(conn, user).await?;
    let (found, total) = find(conn, &visible, &wanted).await?;
    page.groups = grouped(conn, found, &wanted).await?;
    page.said = match total {
        0 => format!("Aucun résultat pour « {} »", page.query),
        n if n > SHOWN => format!(
            "100 premiers résultats sur {}. Précisez votre recherche.",
            number(n.unsigned_abs())
        ),
        n => {
            format!("{} pour « {} »", count(n.unsigned_abs(), "résultat", "résultats"), page.query)
        }
    };
    Ok(Page(page))
}

struct Found {
    id: Id<Operation>,
    campaign_id: Id<Campaign>,
    campaign: String,
    identifier: String,
    label: String,
    values: Value,
    status: String,
    category: Category,
    segment: Option<String>,
}

/// A field whose values are searched.
struct Field {
    campaign_id: uuid::Uuid,
    number: i32,
    label: String,
    kind: FieldKind,
}

/// The first results in order, and how many there are in all.
async fn find(
    conn: &mut PgConnection,
    visible: &[Id<Campaign>],
    wanted: &str,
) -> sqlx::Result<(Vec<Found>, i64)> {
    let ids: Vec<uuid::Uuid> = visible.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"with found as materialized (
             select id, campaign_id, label_norm, identifier_norm from operations
             where campaign_id = any ($1) and deleted_at is null and search_text like $2)
           select o.id, o.campaign_id, c.name as campaign, o.identifier, o.label, o.values, w.name as status, o.category,
                  s.name as "segment?", (select count(*) from found) as "total!"
           from (select f.id, c.name_norm, f.label_norm, f.identifier_norm from found f join campaigns c on c.id = f.campaign_id
                 order by c.name_norm, f.label_norm, f.identifier_norm limit $3) f
           join operations o on o.id = f.id
           join campaigns c on c.id = o.campaign_id
           join workflow_statuses w on w.id = o.status_id
           left join segments s on s.id = o.segment_id
           order by f.name_norm, f.label_norm, f.identifier_norm"#,
        &ids,
        like_pattern(wanted),
        SHOWN
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let found = rows.into_iter().map(|row| Found {
        id: row.id,
        campaign_id: row.campaign_id,
        campaign: row.campaign,
        identifier: row.identifier,
        label: row.label,
        values: row.values,
        status: row.status,
        category: row.category,
        segment: row.segment,
    });
    Ok((found.collect(), total))
}

async fn grouped(
    conn: &mut PgConnection,
    found: Vec<Found>,
    wanted: &str,
) -> sqlx::Result<Vec<Group>> {
    let campaigns: Vec<uuid::Uuid> = found.iter().map(|one| one.campaign_id.uuid()).collect();
    let mut fields: HashMap<uuid::Uuid, Vec<Field>> = HashMap::new();
    let searched = sqlx::query_as!(
        Field,
        "select campaign_id, number, label, kind from campaign_fields
         where campaign_id = any ($1) and deleted_at is null and searchable order by campaign_id, position",
        &campaigns
    );
    for field in searched.fetch_all(conn).await? {
        fields.entry(field.campaign_id).or_default().push(field);
    }
    let mut groups: Vec<Group> = Vec::new();
    for one in found {
        if groups.last().is_none_or(|g| g.campaign != one.campaign_id) {
            groups.push(Group {
                campaign: one.campaign_id,
                name: one.campaign.clone(),
                hits: Vec::new(),
            });
        }
        let fields = fields.get(&one.campaign_id.uuid()).map(Vec::as_slice).unwrap_or_default();
        if let Some(group) = groups.last_mut() {
            group.hits.push(hit(one, fields, wanted));
        }
    }
    Ok(groups)
}

fn hit(one: Found, fields: &[Field], wanted: &str) -> Hit {
    let (identifier, label) = (parts(&one.identifier, wanted), parts(&one.label, wanted));
    let seen = identifier.iter().chain(&label).any(|part| part.found);
    let other = (!seen).then(|| {
        fields.iter().find_map(|f| {
            let stored = one.values.get(f.number.to_string())?.as_str()?;
            norm(stored).contains(wanted).then(|| {
                let shown = values::display(f.kind, stored);
                (
                    f.label.clone(),
                    if norm(&shown).contains(wanted) {
                        parts(&shown, wanted)
                    } else {
                        parts(stored, wanted)
                    },
                )
            })
        })
    });
    Hit {
        id: one.id,
        identifier,
        label,
        other: other.flatten(),
        status: one.status,
        category: one.category,
        segment: one.segment.unwrap_or_else(|| NO_SEGMENT.into()),
    }
}

/// Cuts a text around what was searched, found in its normal form: « Éloïse » for « elo ».
pub fn parts(text: &str, wanted: &str) -> Vec<Part> {
    // For each byte of the normal form, where its character stands in the text.
    let (mut normal, mut from, mut to) = (String::new(), Vec::new(), Vec::new());
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let piece =
            if c.is_whitespace() { " ".to_owned() } else { norm(c.encode_utf8(&mut [0; 4])) };
        if piece == " " && normal.ends_with(' ') {
            continue;
        }
        if piece.is_empty() {
            // A combining mark belongs to the letter before it.
            if let Some(last) = to.last_mut() {
                *last = end;
            }
        }
        from.extend(std::iter::repeat_n(at, piece.len()));
        to.extend(std::iter::repeat_n(end, piece.len()));
        normal.push_str(&piece);
    }
    let (mut parts, mut done) = (Vec::new(), 0);
    let plain = |text: &str| Part { text: text.to_owned(), found: false };
    for (at, _) in normal.match_indices(wanted).filter(|_| !wanted.is_empty()) {
        let (start, end) = (from[at].max(done), to[at + wanted.len() - 1]);
        if start > done {
            parts.push(plain(&text[done..start]));
        }
        if end > start {
            parts.push(Part { text: text[start..end].to_owned(), found: true });
            done = end;
        }
    }
    if done < text.len() || parts.is_empty() {
        parts.push(plain(&text[done..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_308_the_word_is_marked_where_it_stands() {
        let marked = |text: &str, wanted: &str| {
            let parts = parts(text, &norm(wanted));
            parts
                .iter()
                .map(|p| if p.found { format!("[{}]", p.text) } else { p.text.clone() })
                .collect::<String>()
        };
        for (text, wanted, expected) in [
            ("BAZIN Éloïse", "elo", "BAZIN [Élo]ïse"),
            ("ŒUVRARD Solène", "oeuv", "[ŒUV]RARD Solène"),
            ("ŒUVRARD", "e", "[Œ]UVRARD"),
            ("e\u{301}te\u{301}", "ete", "[e\u{301}te\u{301}]"),
            ("A  B", "a b", "[A  B]"),
            ("50% <b>", "% <", "50[% <]b>"),
            ("aaa", "aa", "[aa]a"),
            ("rien", "x", "rien"),
            ("", "x", ""),
        ] {
            assert_eq!(marked(text, wanted), expected);
        }
    }
}
