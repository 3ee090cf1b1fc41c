// SPDX-License-Identifier: EUPL-1.2
//! Templates of 09 §4, and the checklists of the Windows 11 campaign: done when the operation is,
//! begun when it is.
use super::{
    story::{AuditRow, Chronicle, EventRow},
    windows11,
};
use crate::{
    checklists::{
        Compose, Definition, Phase, Step, create_template, publish_template, save_template_draft,
    },
    db::Tx,
    workflows::Category,
};
use anyhow::{Context, Result};
use chrono::Duration;
use serde_json::json;
use uuid::Uuid;

const PREPARATION: [&str; 3] = [
    "Sauvegarder le profil utilisateur",
    "Vérifier l’espace disque",
    "Inventorier les logiciels spécifiques",
];
const MIGRATION: [&str; 3] =
    ["Lancer le script de migration", "Vérifier le démarrage", "Restaurer le profil"];
const CHECKING: [&str; 2] = ["Contrôler l’impression", "Faire signer l’utilisateur"];
const SOFTWARE: [&str; 5] = [
    "Vérifier la licence",
    "Installer le logiciel",
    "Contrôler le démarrage du logiciel",
    "Présenter les nouveautés à l’utilisateur",
    "Désinstaller l’ancienne version",
];

fn phase(label: &str, locked: bool, steps: &[&str]) -> Phase {
    let steps =
        steps.iter().map(|label| Step { label: (*label).into(), ..Step::blank() }).collect();
    Phase { label: label.into(), locked, steps, ..Phase::blank() }
}

/// Version 3 of « Migration Windows 11 ».
fn migration() -> Definition {
    let mut last = phase("Validation", true, &CHECKING);
    if let Some(step) = last.steps.last_mut() {
        step.capture = "Numéro de série".into();
    }
    Definition {
        phases: vec![
            phase("Préparation", false, &PREPARATION),
            phase("Migration", true, &MIGRATION),
            last,
        ],
    }
}

/// The templates; the one of the campaign, and what its version 3 says.
pub async fn write(tx: &mut Tx) -> Result<(Uuid, Definition)> {
    let may = Compose::of(tx).map_err(|err| anyhow::anyhow!("{err:?}"))?;
    let third = migration();
    let mut first = third.clone();
    first.phases[0].steps.truncate(2);
    first.phases.iter_mut().for_each(|phase| phase.locked = false);
    let mut second = third.clone();
    second.phases[2].locked = false;
    let mut fourth = third.clone();
    fourth.phases[0].steps.push(Step {
        label: "Prévenir l’utilisateur une heure avant".into(),
        required: false,
        ..Step::blank()
    });
    let template = create_template(
        tx,
        &may,
        "Migration Windows 11",
        "Du profil sauvegardé à la signature",
        &first,
    )
    .await
    .map_err(internal)?
    .context("the name of a template of the demonstration is taken")?;
    for version in [&first, &second, &third] {
        publish_template(tx, &may, template, version)
            .await
            .map_err(internal)?
            .map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    }
    save_template_draft(tx, template, &fourth).await.map_err(internal)?;
    let mut software = Definition { phases: vec![phase("", false, &SOFTWARE)] };
    software.phases[0].steps[3].required = false;
    let other = create_template(tx, &may, "Installation logiciel", "", &software)
        .await
        .map_err(internal)?
        .context("the name of a template of the demonstration is taken")?;
    publish_template(tx, &may, other, &software)
        .await
        .map_err(internal)?
        .map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    Ok((template, third))
}

fn internal(err: crate::web::Error) -> anyhow::Error {
    anyhow::anyhow!("{err:?}")
}

/// What was ticked, told with the rest: everything of what is done, the beginning of what is begun.
pub fn tell(told: &mut Chronicle, definition: &Definition) {
    let steps: Vec<&Step> = definition.steps().collect();
    for operation in told.operations.iter().filter(|o| o.import_id.is_some()) {
        let ticked = match operation.category {
            Category::Done => steps.len(),
            Category::InProgress => 4,
            Category::Blocked => 3,
            _ => 0,
        };
        let (Some(start), Some(who)) = (operation.started_at, operation.assignee_id) else {
            continue;
        };
        for (n, step) in (1i32..).zip(steps.iter().take(ticked)) {
            let left = Duration::seconds(i64::from(steps.len() as i32 - n) * 30);
            let at = start + Duration::minutes(i64::from(n) * 4);
            let at = operation.done_at.map_or(at, |done| at.min(done - left)).max(start);
            told.events.push(EventRow {
                operation_id: operation.id,
                campaign_id: operation.campaign_id,
                at,
                actor_id: who,
                kind: "ticked",
                from_status: None,
                to_status: None,
                assignee_id: Some(who),
                planned_before: operation.planned_at,
                planned_after: operation.planned_at,
                reason: None,
                changes: Some(json!({ "step": step.label })),
                batch_id: None,
            });
            told.audit.push(AuditRow {
                at,
                actor_id: Some(who),
                action: "operation.ticked",
                object_kind: "operation",
                object_id: Some(operation.id.uuid()),
                campaign_id: Some(operation.campaign_id),
                changes: json!({ "step": step.id }),
                reason: None,
            });
        }
    }
}

/// The campaign follows version 3, and so do all its operations, with the ticks that were told.
pub async fn give(tx: &mut Tx, template: Uuid, definition: &Definition) -> Result<()> {
    sqlx::query!(
        "update campaigns c set checklist_version_id = v.id from checklist_versions v where v.template_id = $1 and v.number = 3 and c.name = $2",
        template,
        windows11::NAME
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into checklists (operation_id, campaign_id, version_id, required_total, optional_total, created_at)
         select o.id, o.campaign_id, v.id, cardinality(v.required), cardinality(v.optional), o.created_at
         from operations o join campaigns c on c.id = o.campaign_id join checklist_versions v on v.id = c.checklist_version_id
         where c.name = $1 on conflict (operation_id) do nothing",
        windows11::NAME
    )
    .execute(tx.conn())
    .await?;
    let (ids, labels): (Vec<Uuid>, Vec<String>) =
        definition.steps().map(|step| (step.id, step.label.clone())).unzip();
    sqlx::query!(
        "insert into ticks (operation_id, step_id, by_id, at)
         select e.operation_id, l.id, e.actor_id, e.at from operation_events e
         join checklists k on k.operation_id = e.operation_id
         join unnest($1::uuid[], $2::text[]) l (id, label) on l.label = e.changes ->> 'step'
         where e.kind = 'ticked'",
        &ids,
        &labels
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
