// SPDX-License-Identifier: EUPL-1.2
//! What each column becomes (US-204): examples, a labelled choice, its state in words; and how
//! the file is read, correctable.
use super::{
    Import, State, job,
    mapping::{self, Column, Confidence, Target},
    model,
};
use crate::{
    audit::Entry,
    campaigns::{self, Campaign, Configure, Field, FieldKind, Usage},
    db::{Id, Read, Tx},
    web::{Again, Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tabular::Encoding;

/// One column as the page shows it.
pub struct Line {
    pub index: usize,
    pub header: String,
    pub examples: String,
    pub code: String,
    pub state: (&'static str, &'static str, &'static str),
}

#[derive(Template)]
#[template(path = "imports/columns.html")]
pub struct Columns {
    shell: Shell,
    campaign: Campaign,
    import: Import,
    step: usize,
    form: Form,
    lines: Vec<Line>,
    /// (group, options as (code, label))
    options: Vec<(&'static str, Vec<(String, String)>)>,
    preview: Vec<(u64, Vec<String>)>,
    encodings: Vec<(String, String, bool)>,
    delimiters: Vec<(&'static str, &'static str, bool)>,
    /// The campaign has a list that the file may complete.
    has_list: bool,
    opens_list: bool,
}

impl Columns {
    fn summary(&self) -> String {
        let count = |icon: &str| self.lines.iter().filter(|l| l.state.1 == icon).count();
        let (sure, check, ignored) = (count("done"), count("postponed"), count("todo"));
        let plural = |n: usize| if n < 2 { "" } else { "s" };
        format!(
            "{sure} automatique{}, {check} à vérifier, {ignored} ignorée{}",
            plural(sure),
            plural(ignored)
        )
    }
}

pub async fn page(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let import = model::find(read.conn(), id, import).await?;
    if import.state == State::Received || import.is_working() || import.analysis.is_none() {
        return Ok(Redirect::to(import.url()).into_response());
    }
    let fields = campaigns::fields(read.conn(), id).await?;
    let tabs = campaigns::tabs(&campaign, read.user(), "imports");
    let shell = read.shell("Colonnes").with_tabs(tabs);
    Ok(Page(view(shell, campaign, import, &fields, Form::default())?).into_response())
}

/// « Vérifier »: keeps the choices and has every line checked.
pub async fn create(
    mut tx: Tx,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
    mut form: Form,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let import = model::find_to_decide(tx.conn(), id, import).await?;
    if !matches!(import.state, State::Analysed | State::Validated) || import.is_working() {
        return Err(Error::Refused(
            "Cet import n’attend pas de choix de colonnes. Revenez à la liste des imports.".into(),
        ));
    }
    let fields = campaigns::fields(tx.conn(), id).await?;
    let columns = chosen(&import, &form)?;
    for (column, message) in mapping::faults(&columns, &fields) {
        form.refuse(&column.map(|i| format!("colonne-{i}")).unwrap_or_default(), message);
    }
    if !form.is_valid() {
        let tabs = campaigns::tabs(&campaign, tx.user()?, "imports");
        let shell = tx.shell("Colonnes").with_tabs(tabs);
        return Ok(Again(view(shell, campaign.clone(), import, &fields, form)?).into_response());
    }
    let mapping = serde_json::to_value(&columns).map_err(anyhow::Error::from)?;
    sqlx::query!("update imports set mapping = $2 where id = $1", import.id as _, mapping)
        .execute(tx.conn())
        .await?;
    job::next_stage(&mut tx, import.id, "validate", "analysed").await?;
    tx.record(
        Entry::on("import.mapped", "import", import.id.uuid())
            .campaign(id)
            .changes(json!({ "mapping": columns })),
    )
    .await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(import.url()).into_response())
}

/// Another encoding, delimiter, sheet or header line: the file is read again.
pub async fn reread(
    mut tx: Tx,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
    form: Form,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let import = model::find_to_decide(tx.conn(), id, import).await?;
    if !matches!(import.state, State::Analysed | State::Validated | State::Failed)
        || import.is_working()
        || import.file_key.is_none()
    {
        return Err(Error::Refused(
            "Ce fichier ne peut plus être relu. Envoyez-le à nouveau.".into(),
        ));
    }
    let options = tabular::Options {
        encoding: Encoding::named(form.raw("encodage")),
        delimiter: form.raw("separateur").bytes().next().map(|b| if b == b't' { b'\t' } else { b }),
        sheet: form.given("feuille"),
        header_line: form.text("ligne").parse().ok().filter(|n| *n > 0),
    };
    let value = serde_json::to_value(&options).map_err(anyhow::Error::from)?;
    sqlx::query!("update imports set options = $2 where id = $1", import.id as _, value)
        .execute(tx.conn())
        .await?;
    job::next_stage(&mut tx, import.id, "analyse", "received").await?;
    tx.record(
        Entry::on("import.reread", "import", import.id.uuid())
            .campaign(id)
            .changes(json!({ "options": options })),
    )
    .await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(format!("{}/colonnes", import.url())))
}

fn chosen(import: &Import, form: &Form) -> Result<Vec<Column>> {
    let analysis = import.analysis.as_ref().ok_or(Error::NotFound)?;
    analysis
        .file
        .header
        .iter()
        .enumerate()
        .map(|(i, header)| {
            let target = Target::from_code(form.raw(&format!("colonne-{i}")))
                .ok_or(Error::BadRequest("Une colonne n’a pas de choix. Rechargez la page."))?;
            let proposed = analysis.proposed.get(i).filter(|p| p.target == target);
            let confidence = proposed.map_or(
                if target == Target::Ignore { Confidence::Ignored } else { Confidence::Sure },
                |p| p.confidence,
            );
            Ok(Column {
                header: header.clone(),
                target,
                confidence,
                opens_list: form.checked("ajouter-choix"),
            })
        })
        .collect()
}

fn view(
    shell: Shell,
    campaign: Campaign,
    import: Import,
    fields: &[Field],
    form: Form,
) -> Result<Columns> {
    let analysis = import.analysis.clone().ok_or(Error::NotFound)?;
    let former = import.mapping.as_ref().filter(|m| m.len() == analysis.proposed.len());
    let lines = analysis
        .proposed
        .iter()
        .enumerate()
        .map(|(index, proposed)| {
            let typed = form.raw(&format!("colonne-{index}"));
            let kept = former.map_or(proposed, |m| &m[index]);
            let code = if typed.is_empty() { kept.target.code() } else { typed.to_owned() };
            let examples =
                analysis.columns.get(index).map(|s| s.examples.join(", ")).unwrap_or_default();
            let confidence = if code == "ignorer" { Confidence::Ignored } else { kept.confidence };
            let state = match confidence {
                Confidence::Sure => ("check", "done", "Automatique"),
                Confidence::ToCheck => ("alert", "postponed", "À vérifier"),
                Confidence::Ignored => ("circle", "todo", "Ignorée"),
            };
            Line { index, header: proposed.header.clone(), examples, code, state }
        })
        .collect();
    let width = analysis.file.header.len();
    let preview = analysis
        .file
        .preview
        .iter()
        .map(|row| {
            (row.line, (0..width).map(|i| row.cell(i).text.chars().take(60).collect()).collect())
        })
        .collect();
    let encodings = Encoding::CHOICES
        .into_iter()
        .map(|e| {
            (
                e.name().to_owned(),
                e.label().to_owned(),
                analysis.file.encoding.is_some_and(|found| found.label() == e.label()),
            )
        })
        .collect();
    let is = |d: char| analysis.file.delimiter == Some(d);
    let delimiters = vec![
        (";", "Point-virgule", is(';')),
        (",", "Virgule", is(',')),
        ("t", "Tabulation", is('\t')),
        ("|", "Barre verticale", is('|')),
    ];
    let has_list = fields.iter().any(|f| f.kind == FieldKind::Choice);
    let opens_list =
        form.checked("ajouter-choix") || former.is_some_and(|m| m.iter().any(|c| c.opens_list));
    let step = if campaign.is_draft { 3 } else { 0 };
    let shell = shell.under("Campagnes", "/campagnes").under(campaign.name.clone(), campaign.url());
    Ok(Columns {
        shell,
        campaign,
        import,
        step,
        form,
        lines,
        options: options(fields),
        preview,
        encodings,
        delimiters,
        has_list,
        opens_list,
    })
}

fn options(fields: &[Field]) -> Vec<(&'static str, Vec<(String, String)>)> {
    let field = |f: &Field| {
        let note = if f.is(Usage::Identifier) {
            " — identifiant (obligatoire)".to_owned()
        } else if f.is(Usage::Label) {
            " — libellé".to_owned()
        } else {
            format!(" ({})", f.kind.label().to_lowercase())
        };
        (Target::Field(f.number).code(), format!("{}{note}", f.label))
    };
    vec![
        ("", vec![("ignorer".into(), "— Ignorer —".into())]),
        ("Champs de la campagne", fields.iter().map(field).collect()),
        (
            "Intervention",
            [
                (Target::Segment, "Segment"),
                (Target::PlannedDate, "Date prévue"),
                (Target::PlannedTime, "Heure prévue"),
                (Target::Technician, "Technicien (e-mail)"),
                (Target::Notes, "Notes"),
            ]
            .into_iter()
            .map(|(target, label)| (target.code(), label.to_owned()))
            .collect(),
        ),
        (
            "Créer un champ",
            FieldKind::ALL
                .into_iter()
                .map(|k| {
                    (
                        format!("nouveau-{}", k.code()),
                        format!("Créer un champ ({})", k.label().to_lowercase()),
                    )
                })
                .collect(),
        ),
    ]
}
