// SPDX-License-Identifier: EUPL-1.2
//! The editor: one form holds the whole draft. Every button saves what was typed, faults or not;
//! « Publier » refuses with each fault named (US-503, US-504).
use super::{
    Compose, Definition, Fault, Phase, Step,
    definition::{MAX_PHASES, MAX_STEPS},
    templates::{self, Summary},
};
use crate::{
    configuration::ordering::Move,
    db::{Read, Tx},
    text::count,
    web::{Again, Conflict, Error, Form, Page, Redirect, Result, Shell, format},
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "checklists/draft.html")]
pub struct DraftPage {
    shell: Shell,
    template: Summary,
    definition: Definition,
    /// Of the draft when the page was read: a save from an older one is a conflict.
    version: i32,
    faults: Vec<Fault>,
    /// « Publier » was refused: the faults take the focus.
    refused: bool,
    /// What a button just made or moved: it takes the focus.
    place: String,
    /// Who changed the draft meanwhile, and when.
    conflict: Option<String>,
}

impl DraftPage {
    fn new(shell: Shell, template: Summary, definition: Definition, version: i32) -> Self {
        let mut shell = shell.under("Modèles de checklists", "/checklists");
        if template.version.is_some() {
            shell = shell.under(&template.name, template.path());
        }
        Self {
            shell,
            faults: definition.faults(),
            template,
            definition,
            version,
            refused: false,
            place: String::new(),
            conflict: None,
        }
    }

    fn path(&self) -> String {
        format!("{}/brouillon", self.template.path())
    }

    /// The number that « Publier » gives.
    fn next(&self) -> i32 {
        self.template.number.unwrap_or(0) + 1
    }

    fn fault(&self, anchor: &str) -> Option<&str> {
        self.faults.iter().find(|f| f.anchor == anchor).map(|f| f.message.as_str())
    }

    /// « Utilisé par 234 checklists. La publication créera la v4. »
    fn banner(&self) -> Option<String> {
        let used = self.template.checklists.unsigned_abs();
        (used > 0).then(|| {
            format!(
                "Utilisé par {}. La publication créera la v{} ; celles qui existent ne changent pas.",
                count(used, "checklist", "checklists"),
                self.next()
            )
        })
    }
}

pub async fn page(
    mut read: Read,
    Path(id): Path<Uuid>,
    RawQuery(query): RawQuery,
) -> Result<std::result::Result<Page<DraftPage>, Redirect>> {
    let template = Summary::find(read.conn(), id).await?;
    let Some(draft) = templates::draft(read.conn(), id).await? else {
        return Ok(Err(Redirect::to(template.path())));
    };
    let shell = read.shell(format!("Brouillon de {}", template.name));
    let place = Form::parse(query.unwrap_or_default().as_bytes()).text("place");
    let page = DraftPage::new(shell, template, draft.definition, draft.version);
    Ok(Ok(Page(DraftPage { place, ..page })))
}

pub async fn open(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Compose::of(&tx)?;
    let template = templates::lock(&mut tx, id).await?;
    templates::open(&mut tx, &may, &template).await?;
    tx.commit_quietly("an existing draft is left as it is").await?;
    Ok(Redirect::to(format!("{}/brouillon", template.path())))
}

#[derive(Template)]
#[template(path = "checklists/discard.html")]
pub struct DiscardPage {
    shell: Shell,
    template: Summary,
}

pub async fn discard_page(mut read: Read, Path(id): Path<Uuid>) -> Result<Page<DiscardPage>> {
    let template = Summary::find(read.conn(), id).await?;
    if !template.has_draft {
        return Err(Error::NotFound);
    }
    let shell = read.shell("Abandonner un brouillon").under("Modèles de checklists", "/checklists");
    Ok(Page(DiscardPage { shell, template }))
}

pub async fn discard(mut tx: Tx, Path(id): Path<Uuid>) -> Result<Redirect> {
    let may = Compose::of(&tx)?;
    let template = templates::lock(&mut tx, id).await?;
    let gone = templates::discard(&mut tx, &may, &template).await?;
    tx.commit().await?;
    let to = if gone { "/checklists".to_owned() } else { template.path() };
    Ok(Redirect::to(to).flash("Brouillon abandonné."))
}

pub async fn save(mut tx: Tx, Path(id): Path<Uuid>, form: Form) -> Result<Response> {
    let may = Compose::of(&tx)?;
    let template = templates::lock(&mut tx, id).await?;
    let stored = templates::draft(tx.conn(), id).await?.ok_or_else(|| {
        Error::Refused("Ce brouillon a été publié ou abandonné entre-temps.".into())
    })?;
    let mut definition = read(&form);
    let shell = tx.shell(format!("Brouillon de {}", template.name));
    if form.text("version") != stored.version.to_string() && definition != stored.definition {
        let said = format!(
            "{} a modifié ce brouillon le {}",
            stored.author,
            format::instant(stored.updated_at)
        );
        let page = DraftPage::new(shell, template, definition, stored.version);
        return Ok(Conflict(DraftPage { conflict: Some(said), ..page }).into_response());
    }
    let gesture = form.text("geste");
    if gesture == "publier" {
        templates::save(&mut tx, &may, &template, &definition).await?;
        return publish(tx, &may, template, definition, shell).await;
    }
    let (place, said) = obey(&mut definition, &gesture);
    templates::save(&mut tx, &may, &template, &definition).await?;
    tx.commit().await?;
    let place = if place.is_empty() { place } else { format!("?place={place}#{place}") };
    let to = format!("{}/brouillon{place}", template.path());
    Ok(Redirect::to(to).flash(said).into_response())
}

async fn publish(
    mut tx: Tx,
    may: &Compose,
    template: Summary,
    definition: Definition,
    shell: Shell,
) -> Result<Response> {
    match templates::publish(&mut tx, may, template.id, &definition).await? {
        Ok(number) => {
            tx.commit().await?;
            let said = format!(
                "Version {number} publiée. Les campagnes gardent la leur : passez-les à celle-ci depuis leurs paramètres."
            );
            Ok(Redirect::to(template.path()).flash(said).into_response())
        }
        Err(_) => {
            // What was typed is kept, even though it cannot be published.
            let version = templates::draft(tx.conn(), template.id).await?.map_or(0, |d| d.version);
            tx.commit().await?;
            let page = DraftPage::new(shell, template, definition, version);
            Ok(Again(DraftPage { refused: true, ..page }).into_response())
        }
    }
}

/// Adds, removes or moves; what takes the focus, and what is announced.
fn obey(definition: &mut Definition, gesture: &str) -> (String, String) {
    let saved = || "Brouillon enregistré.".to_owned();
    let (verb, target) = gesture.split_once(':').unwrap_or((gesture, ""));
    let (p, s) = match target.split_once('.') {
        Some((p, s)) => (p.parse().ok(), s.parse().ok()),
        None => (target.parse().ok(), None),
    };
    let how = if verb.starts_with("monter") { Move::Up } else { Move::Down };
    match (verb, p, s) {
        ("ajouter-phase", ..) => {
            definition.phases.push(Phase { steps: vec![Step::blank()], ..Phase::blank() });
            (format!("p-{}-nom", definition.phases.len() - 1), saved())
        }
        ("retirer-phase", Some(p), _) if p < definition.phases.len() => {
            definition.phases.remove(p);
            (String::new(), saved())
        }
        ("monter-phase" | "descendre-phase", Some(p), _) if p < definition.phases.len() => {
            let label = definition.phases[p].label.clone();
            let of = definition.phases.len();
            let to = how.apply(&mut definition.phases, p);
            let place = format!("p-{to}-{}", if how == Move::Up { "monter" } else { "descendre" });
            (place, format!("Phase « {label} » en position {} sur {of}.", to + 1))
        }
        ("ajouter-etape", Some(p), _) if p < definition.phases.len() => {
            let steps = &mut definition.phases[p].steps;
            steps.push(Step::blank());
            (format!("p-{p}-e-{}-nom", steps.len() - 1), saved())
        }
        ("retirer-etape", Some(p), Some(s)) => {
            if let Some(steps) = steps_with(definition, p, s) {
                steps.remove(s);
            }
            (String::new(), saved())
        }
        ("monter-etape" | "descendre-etape", Some(p), Some(s)) => {
            let Some(steps) = steps_with(definition, p, s) else { return (String::new(), saved()) };
            let (label, of) = (steps[s].label.clone(), steps.len());
            let to = how.apply(steps, s);
            let place =
                format!("p-{p}-e-{to}-{}", if how == Move::Up { "monter" } else { "descendre" });
            (place, format!("Étape « {label} » en position {} sur {of}.", to + 1))
        }
        _ => (String::new(), saved()),
    }
}

fn steps_with(definition: &mut Definition, p: usize, s: usize) -> Option<&mut Vec<Step>> {
    definition.phases.get_mut(p).map(|phase| &mut phase.steps).filter(|steps| s < steps.len())
}

/// The definition as typed. More rows than a template can have are cut: bounded whatever is sent.
fn read(form: &Form) -> Definition {
    let id = |name: &str| form.text(name).parse().unwrap_or_else(|_| Uuid::now_v7());
    let phases = (0..=MAX_PHASES)
        .map_while(|p| {
            form.given(&format!("p-{p}-id"))?;
            let steps = (0..=MAX_STEPS)
                .map_while(|s| {
                    let at = format!("p-{p}-e-{s}");
                    form.given(&format!("{at}-id"))?;
                    Some(Step {
                        id: id(&format!("{at}-id")),
                        label: form.text(&format!("{at}-nom")),
                        description: form.text(&format!("{at}-description")),
                        required: form.checked(&format!("{at}-obligatoire")),
                        minutes: form.text(&format!("{at}-minutes")),
                        capture: form.text(&format!("{at}-champ")),
                    })
                })
                .collect();
            Some(Phase {
                id: id(&format!("p-{p}-id")),
                label: form.text(&format!("p-{p}-nom")),
                locked: form.checked(&format!("p-{p}-verrou")),
                steps,
            })
        })
        .collect();
    Definition { phases }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_503_2_buttons_move_and_say_where() {
        let mut definition = Definition::starting();
        definition.phases[0].steps =
            ["A", "B", "C"].map(|label| Step { label: label.into(), ..Step::blank() }).into();
        let (place, said) = obey(&mut definition, "monter-etape:0.2");
        assert_eq!(place, "p-0-e-1-monter");
        assert_eq!(said.replace('\u{a0}', " "), "Étape « C » en position 2 sur 3.");
        let order: Vec<_> = definition.steps().map(|s| s.label.as_str()).collect();
        assert_eq!(order, ["A", "C", "B"]);
        for nonsense in
            ["monter-etape:9.9", "retirer-etape:0.7", "retirer-phase:4", "ajouter-etape:x", ""]
        {
            obey(&mut definition, nonsense);
        }
        assert_eq!(definition.steps().count(), 3);
        assert_eq!(obey(&mut definition, "ajouter-phase").0, "p-1-nom");
        assert_eq!(obey(&mut definition, "ajouter-etape:1").0, "p-1-e-1-nom");
    }
}
