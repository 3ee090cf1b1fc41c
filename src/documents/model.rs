// SPDX-License-Identifier: EUPL-1.2
//! A document and its files.
use super::kind::Kind;
use crate::{
    accounts,
    campaigns::{Campaign, Configure},
    db::{Id, Tx},
    text::{norm, number},
    web::{Error, Form, Result, auth::Allowed, format},
};
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;

/// How long what is deleted or replaced is kept (RG-054, US-706).
pub const KEPT: Duration = Duration::days(30);

/// « Fichier exécutable » (RG-050).
pub const WARNING: &str = "Fichier exécutable : vérifiez sa provenance";

/// One file that a document has or had.
#[derive(Clone, Debug)]
pub struct StoredFile {
    pub id: Id<StoredFile>,
    /// As it came, fit to be shown.
    pub name: String,
    pub kind: &'static Kind,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub key: String,
    pub at: DateTime<Utc>,
    pub author: String,
    pub replaced_at: Option<DateTime<Utc>>,
}

impl StoredFile {
    pub fn size_text(&self) -> String {
        size(self.size)
    }

    pub fn digest(&self) -> String {
        hex(&self.sha256)
    }

    pub fn date(&self) -> String {
        format::instant(self.at)
    }

    /// Until when a file that was replaced is kept.
    pub fn until(&self) -> String {
        self.replaced_at.map(|at| format::long(crate::clock::day(at + KEPT))).unwrap_or_default()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// « 2,4 Mo »: by thousands, as on the page where it is chosen.
pub fn size(bytes: i64) -> String {
    let bytes = bytes.unsigned_abs();
    match bytes {
        0..1_000 => crate::text::count(bytes, "octet", "octets"),
        1_000..999_500 => format!("{}\u{a0}ko", number((bytes + 500) / 1_000)),
        _ => {
            let tenths = (bytes + 50_000) / 100_000;
            match tenths % 10 {
                0 => format!("{}\u{a0}Mo", number(tenths / 10)),
                rest => format!("{},{rest}\u{a0}Mo", number(tenths / 10)),
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct Document {
    pub id: Id<Document>,
    pub name: String,
    pub description: String,
    /// That of today.
    pub file: StoredFile,
    pub downloads: i64,
    pub deleted_at: Option<DateTime<Utc>>,
    pub deleted_by: String,
}

impl Document {
    pub fn declared(&self) -> Declared {
        Declared { name: self.name.clone(), description: self.description.clone() }
    }
}

/// What is listed, and from where.
#[derive(Default)]
pub struct Wanted<'a> {
    pub id: Option<Id<Document>>,
    /// Deleted after that, instead of those that are not.
    pub deleted_since: Option<DateTime<Utc>>,
    pub kind: Option<&'static Kind>,
    /// Words of the name, of the description or of the file's name.
    pub text: &'a str,
    /// After this one, in the order of names.
    pub after: Option<Id<Document>>,
    pub limit: i64,
}

pub async fn list(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    wanted: Wanted<'_>,
) -> Result<Vec<Document>> {
    let text = norm(wanted.text);
    let pattern = (!text.is_empty()).then(|| crate::text::like_pattern(&text));
    let rows = sqlx::query!(
        r#"select d.id as "id: Id<Document>", d.name, d.description, d.deleted_at,
                  f.id as "file: Id<StoredFile>", f.file_name, f.kind, f.size, f.sha256, f.store_key, f.uploaded_at,
                  u.first_name as "first?", u.last_name as "last?", b.first_name as "by_first?", b.last_name as "by_last?",
                  coalesce((select sum(c.count) from document_downloads c where c.document_id = d.id), 0)::bigint as "downloads!"
           from documents d join document_files f on f.document_id = d.id and f.replaced_at is null
             left join users u on u.id = f.uploaded_by left join users b on b.id = d.deleted_by
           where d.campaign_id = $1 and ($2::uuid is null or d.id = $2)
             and case when $3::timestamptz is null then d.deleted_at is null else d.deleted_at > $3 end
             and ($4::text is null or f.kind = $4)
             and ($5::text is null or d.search_text like $5 or lower(f.file_name) like $5)
             and ($6::uuid is null or (d.name_norm, d.id) > (select a.name_norm, a.id from documents a where a.id = $6 and a.campaign_id = $1))
           order by d.name_norm, d.id limit $7"#,
        campaign as _,
        wanted.id as _,
        wanted.deleted_since,
        wanted.kind.map(|kind| kind.extension),
        pattern,
        wanted.after as _,
        wanted.limit
    )
    .fetch_all(conn)
    .await?;
    let person = |first: Option<String>, last: Option<String>| {
        accounts::display_name(&first.unwrap_or_default(), &last.unwrap_or_default())
    };
    rows.into_iter()
        .map(|row| {
            Ok(Document {
                id: row.id,
                name: row.name,
                description: row.description,
                file: StoredFile {
                    id: row.file,
                    name: row.file_name,
                    kind: known(&row.kind)?,
                    size: row.size,
                    sha256: row.sha256,
                    key: row.store_key,
                    at: row.uploaded_at,
                    author: person(row.first, row.last),
                    replaced_at: None,
                },
                downloads: row.downloads,
                deleted_at: row.deleted_at,
                deleted_by: person(row.by_first, row.by_last),
            })
        })
        .collect()
}

fn known(kind: &str) -> Result<&'static Kind> {
    Ok(Kind::find(kind).ok_or_else(|| anyhow::anyhow!("unknown kind of document « {kind} »"))?)
}

/// # Errors
/// `NotFound` when it is deleted, or of another campaign.
pub async fn find(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    id: Id<Document>,
) -> Result<Document> {
    let wanted = Wanted { id: Some(id), limit: 1, ..Wanted::default() };
    list(conn, campaign, wanted).await?.pop().ok_or(Error::NotFound)
}

/// Locks it first: what is read is still so when it is written.
pub async fn lock(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Document>,
) -> Result<Document> {
    lock_row(tx, campaign, id).await?;
    find(tx.conn(), campaign.id, id).await
}

/// The same, of one that can still be brought back.
pub async fn lock_deleted(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Document>,
) -> Result<Document> {
    lock_row(tx, campaign, id).await?;
    let since = Some(tx.now() - KEPT);
    let wanted = Wanted { id: Some(id), deleted_since: since, limit: 1, ..Wanted::default() };
    list(tx.conn(), campaign.id, wanted).await?.pop().ok_or(Error::NotFound)
}

async fn lock_row(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Document>,
) -> Result<()> {
    sqlx::query!(
        "select 1 as one from documents where id = $1 and campaign_id = $2 for update",
        id as _,
        campaign.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Those that were replaced, the last one first.
pub async fn former(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    document: Id<Document>,
    since: DateTime<Utc>,
) -> Result<Vec<StoredFile>> {
    let rows = sqlx::query!(
        r#"select f.id as "id: Id<StoredFile>", f.file_name, f.kind, f.size, f.sha256, f.store_key, f.uploaded_at, f.replaced_at,
                  u.first_name as "first?", u.last_name as "last?"
           from document_files f left join users u on u.id = f.uploaded_by
           where f.document_id = $1 and f.campaign_id = $2 and f.replaced_at > $3 order by f.replaced_at desc, f.id"#,
        document as _,
        campaign as _,
        since
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StoredFile {
                id: row.id,
                name: row.file_name,
                kind: known(&row.kind)?,
                size: row.size,
                sha256: row.sha256,
                key: row.store_key,
                at: row.uploaded_at,
                author: accounts::display_name(
                    &row.first.unwrap_or_default(),
                    &row.last.unwrap_or_default(),
                ),
                replaced_at: row.replaced_at,
            })
        })
        .collect()
}

/// What a person says of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub name: String,
    pub description: String,
}

impl Declared {
    /// Without a name, that of the file.
    pub fn parse(form: &mut Form, file_name: Option<&str>) -> Option<Self> {
        let name = match (form.given("nom"), file_name) {
            (Some(name), _) => one_line(&name),
            (None, Some(file)) => file.to_owned(),
            (None, None) => form.required("nom"),
        };
        if name.is_empty() && form.is_valid() {
            form.refuse("nom", "Ce champ est obligatoire");
        }
        if name.chars().count() > 200 {
            form.refuse("nom", "200 caractères au plus");
        }
        let description = form.text("description");
        if description.chars().count() > 2_000 {
            form.refuse("description", "Texte trop long (2 000 caractères au plus)");
        }
        form.is_valid().then_some(Self { name, description })
    }

    /// What a search compares.
    pub fn searched(&self) -> String {
        norm(&format!("{} {}", self.name, self.description))
    }
}

fn one_line(name: &str) -> String {
    let name: String = name.chars().filter(|c| !turns(*c)).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that turn the direction of what follows, and can hide an extension.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The name of a file as it may be kept and shown: no folder, no control or turning character, at
/// most 200 characters of which the extension is the last (03 §14).
pub fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = one_line(&crate::text::clean(last));
    let length = name.chars().count();
    if length <= 200 {
        return name;
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.chars().count() <= 11 { extension } else { "" };
    let stem = 200 - extension.chars().count();
    name.chars().take(stem).collect::<String>() + extension
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (given, kept) in [
            ("../../etc/passwd.txt", "passwd.txt"),
            ("C:\\Users\\Zoé\\Été 2026.pdf", "Été 2026.pdf"),
            ("facture\u{202e}fdp.exe", "facturefdp.exe"),
            ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
            ("  plan 🗺️.png ", "plan 🗺️.png"),
            ("..", ".."),
            ("dossier/", ""),
        ] {
            let name = file_name(given);
            assert!(!name.contains(['\r', '\n', '/']), "{name}");
            if !given.contains('\r') {
                assert_eq!(name, kept);
            }
        }
        let long = file_name(&format!("{}.pdf", "é".repeat(255)));
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with("é.pdf"));
        assert_eq!(file_name(&format!("a.{}", "b".repeat(300))).chars().count(), 200);
    }

    #[test]
    fn sizes_in_french() {
        for (bytes, text) in [
            (1, "1\u{a0}octet"),
            (999, "999\u{a0}octets"),
            (1_000, "1\u{a0}ko"),
            (999_499, "999\u{a0}ko"),
            (999_500, "1\u{a0}Mo"),
            (2_400_000, "2,4\u{a0}Mo"),
            (52_428_800, "52,4\u{a0}Mo"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
