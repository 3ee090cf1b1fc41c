// SPDX-License-Identifier: EUPL-1.2
//! Before « Importer »: the counts, what is wrong, what will be created. Nothing is written yet (03 §2.4).
use super::{Counters, Import, State, cells, job, model};
use crate::{
    audit::Entry,
    campaigns::{self, Campaign, Configure, Status},
    db::{Id, Read, Tx},
    text::count,
    web::{Error, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Issues shown on the page; the log has them all.
const SHOWN: i64 = 20;

pub struct Issue {
    pub line: i64,
    pub field: String,
    pub message: String,
    pub is_error: bool,
}

#[derive(Template)]
#[template(path = "imports/preview.html")]
pub struct Preview {
    shell: Shell,
    campaign: Campaign,
    import: Import,
    step: usize,
    counters: Counters,
    plan: model::Preview,
    totals: cells::Totals,
    decisions: cells::Decisions,
    issues: Vec<Issue>,
}

impl Preview {
    fn valid(&self) -> i64 {
        self.counters.read - self.counters.rejected
    }

    /// « 844 lignes valides, dont 2 avertissements, 3 erreurs »
    fn sentence(&self) -> String {
        format!(
            "{}, dont {}, {}",
            count(self.valid() as u64, "ligne valide", "lignes valides"),
            count(self.counters.warnings as u64, "avertissement", "avertissements"),
            count(self.counters.rejected as u64, "erreur", "erreurs")
        )
    }

    fn button(&self) -> String {
        format!("Importer {}", count(self.valid() as u64, "ligne", "lignes"))
    }

    /// Lines that the choices leave as they are.
    fn unchanged(&self) -> i64 {
        self.valid() - self.counters.created - self.totals.updated
    }

    /// (view, title, count, what happens, class, icon) of what differs from the campaign.
    fn differences(
        &self,
    ) -> Vec<(&'static str, &'static str, i64, String, &'static str, &'static str)> {
        let undecided = match self.totals.undecided {
            0 => "tous tranchés".to_owned(),
            _ => "la valeur saisie à la main est gardée".to_owned(),
        };
        let vanished = if self.decisions.cancel_vanished {
            "seront annulées si le workflow le permet"
        } else {
            "gardées"
        };
        let binned = if self.decisions.restore_binned {
            "seront restaurées"
        } else {
            "seront créées à nouveau"
        };
        [
            ("conflits", "Conflits", self.totals.conflicts, undecided, "blocked", "octagon-alert"),
            (
                "modifications",
                "Modifications",
                self.totals.changes,
                "cellules changées dans le fichier".into(),
                "planned",
                "edit",
            ),
            (
                "gardees",
                "Gardées à la main",
                self.totals.kept,
                "cellules changées à la main seulement".into(),
                "done",
                "user",
            ),
            (
                "vides",
                "Vides dans le fichier",
                self.totals.emptied,
                "cellules sans valeur dans le fichier".into(),
                "todo",
                "minus",
            ),
            (
                "absentes",
                "Absentes du fichier",
                self.counters.missing,
                vanished.into(),
                "postponed",
                "slash",
            ),
            (
                "corbeille",
                "Dans la corbeille",
                self.counters.binned,
                binned.into(),
                "cancelled",
                "trash",
            ),
        ]
        .into_iter()
        .filter(|line| line.2 > 0)
        .collect()
    }

    /// What the import does to the campaign's own status, when it does.
    fn effect(&self) -> Option<&'static str> {
        match self.campaign.status {
            Status::Running => Some(
                "La campagne est en cours : les interventions importées seront aussitôt visibles.",
            ),
            Status::Finished if self.counters.created > 0 => {
                Some("La campagne est terminée : cet import la rouvrira.")
            }
            _ => None,
        }
    }
}

pub async fn page(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let import = model::find(read.conn(), id, import).await?;
    let (State::Validated, Some(counters), Some(plan)) =
        (import.state, import.counters.clone(), import.preview.clone())
    else {
        return Ok(Redirect::to(import.url()).into_response());
    };
    let totals = cells::totals(read.conn(), import.id).await?;
    let decisions = cells::decisions(read.conn(), import.id).await?;
    let issues = sqlx::query_as!(
        Issue,
        r#"select line, field, message, level = 'error' as "is_error!" from import_issues where import_id = $1 order by level, line limit $2"#,
        import.id as _,
        SHOWN
    )
    .fetch_all(read.conn())
    .await?;
    let step = if campaign.is_draft { 3 } else { 0 };
    let tabs = campaigns::tabs(&campaign, read.user(), "imports");
    let shell = read
        .shell("Vérification")
        .with_tabs(tabs)
        .under("Campagnes", "/campagnes")
        .under(campaign.name.clone(), campaign.url());
    Ok(Page(Preview { shell, campaign, import, step, counters, plan, totals, decisions, issues })
        .into_response())
}

/// « Importer n lignes »: confirmed once, whatever the clicks (RG-181).
pub async fn create(
    mut tx: Tx,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let import = model::find_to_decide(tx.conn(), id, import).await?;
    match import.state {
        State::Running | State::Done => return Ok(Redirect::to(import.url())),
        State::Validated => {}
        _ => {
            return Err(Error::Refused(
                "Cet import n’est pas prêt. Vérifiez d’abord les lignes.".into(),
            ));
        }
    }
    if import.counters.as_ref().is_none_or(|c| c.read <= c.rejected) {
        return Err(Error::Refused(
            "Aucune ligne valide : corrigez le fichier ou les colonnes.".into(),
        ));
    }
    job::next_stage(&mut tx, import.id, "commit", "running").await?;
    tx.record(
        Entry::on("import.confirmed", "import", import.id.uuid())
            .campaign(id)
            .changes(json!({ "counters": import.counters })),
    )
    .await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(import.url()))
}
