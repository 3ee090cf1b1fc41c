// SPDX-License-Identifier: EUPL-1.2
//! A type and its fields, as stored.
use crate::{
    campaigns::{Declaration, FieldKind, Usage},
    web::{Error, Result},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// (code, name) of the 15 icons of RG-060.
pub const ICONS: [(&str, &str); 15] = [
    ("monitor", "Écran"),
    ("laptop", "Portable"),
    ("server", "Serveur"),
    ("printer", "Imprimante"),
    ("network", "Réseau"),
    ("hard-drive", "Disque"),
    ("cpu", "Processeur"),
    ("smartphone", "Téléphone"),
    ("settings", "Réglages"),
    ("wrench", "Outil"),
    ("refresh", "Renouvellement"),
    ("download", "Installation"),
    ("upload", "Envoi"),
    ("shield", "Sécurité"),
    ("users", "Personnes"),
];

/// (code, name, class of the status that has this colour) of the 6 colours of RG-060 (10-decisions 10).
pub const COLORS: [(&str, &str, &str); 6] = [
    ("primary", "Bleu", "planned"),
    ("success", "Vert", "done"),
    ("warning", "Ocre", "postponed"),
    ("danger", "Rouge", "blocked"),
    ("complete", "Violet", "in-progress"),
    ("muted", "Gris", "cancelled"),
];

/// The class that gives a colour its look.
pub fn color_class(code: &str) -> &'static str {
    COLORS.iter().find(|(known, ..)| *known == code).map_or("", |(_, _, class)| class)
}

#[derive(Clone, Debug)]
pub struct OperationType {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub icon: String,
    pub color: String,
    pub minutes: i32,
    pub workflow_id: Uuid,
    pub workflow_name: String,
    pub active: bool,
    /// Campaigns that were made from it, deleted ones included: they still name it.
    pub campaigns: i64,
    pub fields: i64,
}

impl OperationType {
    pub fn path(&self) -> String {
        format!("/administration/types/{}", self.id)
    }

    pub fn class(&self) -> &'static str {
        color_class(&self.color)
    }

    /// Every type, in the order of the wizard.
    pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select t.id, t.name, t.description, t.icon, t.color, t.minutes, t.workflow_id, w.name as workflow_name, t.active,
                      (select count(*) from campaigns c where c.type_id = t.id) as "campaigns!",
                      (select count(*) from type_fields f where f.type_id = t.id) as "fields!"
               from operation_types t join workflows w on w.id = t.workflow_id order by t.position, t.name"#
        )
        .fetch_all(conn)
        .await
    }

    /// # Errors
    /// `NotFound`.
    pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Self> {
        Self::all(conn).await?.into_iter().find(|kind| kind.id == id).ok_or(Error::NotFound)
    }
}

#[derive(Clone, Debug)]
pub struct TypeField {
    pub id: Uuid,
    /// Its name in exchanges; given once, kept for life.
    pub code: String,
    pub label: String,
    pub kind: FieldKind,
    pub required: bool,
    pub searchable: bool,
    pub in_list: bool,
    pub sortable: bool,
    pub pattern: Option<String>,
    pub hint: Option<String>,
    pub choices: Vec<String>,
    pub usages: Vec<String>,
}

impl TypeField {
    pub fn is(&self, usage: Usage) -> bool {
        self.usages.iter().any(|code| code == usage.code())
    }

    /// Identifier or label: a short text, always asked.
    pub fn is_column(&self) -> bool {
        self.is(Usage::Identifier) || self.is(Usage::Label)
    }

    pub fn usage_labels(&self) -> Vec<&'static str> {
        Usage::ALL.into_iter().filter(|usage| self.is(*usage)).map(Usage::label).collect()
    }

    pub fn declaration(&self) -> Declaration {
        Declaration {
            label: self.label.clone(),
            kind: self.kind,
            required: self.required,
            searchable: self.searchable,
            in_list: self.in_list,
            sortable: self.sortable,
            hidden: false,
            pattern: self.pattern.clone(),
            hint: self.hint.clone(),
            choices: self.choices.clone(),
        }
    }
}

/// The fields of a type, in their order.
pub async fn type_fields(conn: &mut PgConnection, kind: Uuid) -> sqlx::Result<Vec<TypeField>> {
    sqlx::query_as!(
        TypeField,
        "select id, code, label, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages
         from type_fields where type_id = $1 order by position, label",
        kind
    )
    .fetch_all(conn)
    .await
}
