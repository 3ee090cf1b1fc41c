// SPDX-License-Identifier: EUPL-1.2
//! Types with their extra fields, and the custom workflow « Remise de badge » (09 §4).
use crate::text::norm;
use sqlx::PgConnection;
use uuid::{Uuid, uuid};

pub const STANDARD: Uuid = uuid!("0198a000-0000-7000-8000-000000000011");
pub const BOOKED: Uuid = uuid!("0198a000-0000-7000-8000-000000000012");
pub const MIGRATION: Uuid = uuid!("0198a000-0000-7000-8000-000000000021");
pub const SOFTWARE: Uuid = uuid!("0198a000-0000-7000-8000-000000000022");
pub const MAINTENANCE: Uuid = uuid!("0198a000-0000-7000-8000-000000000023");

pub const MODELS: [&str; 3] = ["Latitude 5440", "ThinkPad T14", "EliteBook 840"];

/// What the badge campaign is made with.
pub struct Badges {
    pub type_id: Uuid,
    pub workflow_version: Uuid,
}

pub async fn write(conn: &mut PgConnection) -> sqlx::Result<Badges> {
    extra_fields(conn).await?;
    let (workflow, version) = badge_workflow(conn).await?;
    let type_id = badge_type(conn, workflow).await?;
    Ok(Badges { type_id, workflow_version: version })
}

/// « Étage », « Modèle », « Fin de garantie » after the default fields of RG-060.
async fn extra_fields(conn: &mut PgConnection) -> sqlx::Result<()> {
    let types = [MIGRATION, SOFTWARE, MAINTENANCE];
    let models = MODELS.map(String::from);
    sqlx::query!(
        "insert into type_fields (id, type_id, code, label, label_norm, kind, searchable, in_list, choices, position)
         select gen_random_uuid(), t.id, f.code, f.label, replace(f.code, '_', ' '), f.kind::field_kind, f.searchable, f.in_list,
                case when f.kind = 'choice' then $2::text[] else '{}' end, f.position
         from unnest($1::uuid[]) as t (id),
              (values ('etage', 'Étage', 'number', false, false, 6), ('modele', 'Modèle', 'choice', true, false, 7),
                      ('fin_de_garantie', 'Fin de garantie', 'date', false, false, 8))
                as f (code, label, kind, searchable, in_list, position)",
        &types,
        &models,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// (code, name, category)
const STATUSES: [(&str, &str, &str); 6] = [
    ("to_prepare", "À préparer", "todo"),
    ("ready", "Prêt", "planned"),
    ("photographed", "Photo prise", "in_progress"),
    ("handed", "Remis", "done"),
    ("redo", "À refaire", "blocked"),
    ("abandoned", "Abandonné", "cancelled"),
];

/// (code, label, from, to, technician, reason, date, position)
type TransitionRow =
    (&'static str, &'static str, &'static str, &'static str, bool, &'static str, &'static str, i16);

const TRANSITIONS: [TransitionRow; 8] = [
    ("prepare", "Préparer", "to_prepare", "ready", true, "none", "optional", 1),
    ("abandon", "Abandonner", "to_prepare", "abandoned", false, "required", "untouched", 9),
    ("photograph", "Prendre la photo", "ready", "photographed", true, "none", "untouched", 1),
    ("abandon", "Abandonner", "ready", "abandoned", false, "required", "untouched", 9),
    ("hand", "Remettre le badge", "photographed", "handed", true, "none", "untouched", 1),
    ("redo", "Photo à refaire", "photographed", "redo", true, "required", "untouched", 2),
    ("photograph", "Reprendre la photo", "redo", "photographed", true, "optional", "untouched", 1),
    ("abandon", "Abandonner", "redo", "abandoned", false, "required", "untouched", 9),
];

async fn badge_workflow(conn: &mut PgConnection) -> sqlx::Result<(Uuid, Uuid)> {
    let (workflow, version) = (Uuid::now_v7(), Uuid::now_v7());
    sqlx::query!("insert into workflows (id, name, name_norm) values ($1, 'Remise de badge', 'remise de badge')", workflow)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into workflow_versions (id, workflow_id, number) values ($1, $2, 1)",
        version,
        workflow
    )
    .execute(&mut *conn)
    .await?;
    for (position, (code, name, category)) in (1i16..).zip(STATUSES) {
        sqlx::query!(
            "insert into workflow_statuses (version_id, code, name, category, position, is_initial)
             values ($1, $2, $3, $4::text::status_category, $5, $6)",
            version,
            code,
            name,
            category,
            position,
            position == 1
        )
        .execute(&mut *conn)
        .await?;
    }
    for (code, label, from, to, technician, reason, date, position) in TRANSITIONS {
        sqlx::query!(
            "insert into workflow_transitions
               (version_id, code, label, from_status, to_status, for_technician, for_manager, reason_mode, date_mode, position)
             select $1, $2, $3, f.id, t.id, $6, true, $7, $8, $9
             from workflow_statuses f join workflow_statuses t on t.version_id = f.version_id
             where f.version_id = $1 and f.code = $4 and t.code = $5",
            version,
            code,
            label,
            from,
            to,
            technician,
            reason,
            date,
            position
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok((workflow, version))
}

/// A type of its own: a badge is neither a workstation nor a program.
async fn badge_type(conn: &mut PgConnection, workflow: Uuid) -> sqlx::Result<Uuid> {
    let (id, name) = (Uuid::now_v7(), "Remise de badge");
    sqlx::query!(
        "insert into operation_types (id, name, name_norm, icon, color, minutes, workflow_id, position)
         values ($1, $2, $3, 'users', 'complete', 10, $4, 4)",
        id,
        name,
        norm(name),
        workflow
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into type_fields (id, type_id, code, label, label_norm, kind, required, searchable, in_list, choices, usages, position)
         select gen_random_uuid(), $1, f.code, f.label, f.code, f.kind::field_kind, f.required, true, true, f.choices, f.usages, f.position
         from (values
           ('matricule', 'Matricule', 'short_text', true, '{}'::text[], '{identifier,agent_key}'::text[], 1),
           ('nom', 'Nom', 'short_text', true, '{}', '{label}', 2),
           ('bureau', 'Bureau', 'short_text', false, '{}', '{location}', 3),
           ('telephone', 'Téléphone', 'phone', false, '{}', '{contact}', 4)) as f (code, label, kind, required, choices, usages, position)",
        id
    )
    .execute(conn)
    .await?;
    Ok(id)
}
