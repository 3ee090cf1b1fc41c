// SPDX-License-Identifier: EUPL-1.2
//! The typed fields of a campaign (RG-015, RG-061): a stable number, a label, a kind, usages.
use super::{Campaign, SortIndexes};
use crate::{
    db::{Id, Tx},
    text::norm,
    web::Result,
};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize, serde::Deserialize)]
#[sqlx(type_name = "field_kind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    ShortText,
    LongText,
    Number,
    Date,
    Choice,
    Email,
    Phone,
}

impl FieldKind {
    pub const ALL: [Self; 7] = [
        Self::ShortText,
        Self::LongText,
        Self::Number,
        Self::Date,
        Self::Choice,
        Self::Email,
        Self::Phone,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::ShortText => "short_text",
            Self::LongText => "long_text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::ShortText => "Texte court",
            Self::LongText => "Texte long",
            Self::Number => "Nombre",
            Self::Date => "Date",
            Self::Choice => "Liste",
            Self::Email => "E-mail",
            Self::Phone => "Téléphone",
        }
    }
}

/// What a field is for, declared: shown by usage on cards, field screens and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    Identifier,
    Label,
    Equipment,
    Location,
    Contact,
    AgentKey,
}

impl Usage {
    pub const ALL: [Self; 6] = [
        Self::Identifier,
        Self::Label,
        Self::Equipment,
        Self::Location,
        Self::Contact,
        Self::AgentKey,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Label => "label",
            Self::Equipment => "equipment",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::AgentKey => "agent_key",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Identifier => "Identifiant",
            Self::Label => "Libellé",
            Self::Equipment => "Équipement",
            Self::Location => "Localisation",
            Self::Contact => "Contact",
            Self::AgentKey => "Clé de l’agent",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    pub id: Uuid,
    /// The key of its values in `operations.values`; never reused.
    pub number: i32,
    pub label: String,
    pub label_norm: String,
    pub kind: FieldKind,
    pub required: bool,
    pub searchable: bool,
    pub in_list: bool,
    /// Whether a list can be sorted by it (RG-061).
    pub sortable: bool,
    pub hidden: bool,
    pub pattern: Option<String>,
    pub hint: Option<String>,
    pub choices: Vec<String>,
    pub usages: Vec<String>,
    pub position: i32,
}

impl Field {
    pub fn is(&self, usage: Usage) -> bool {
        self.usages.iter().any(|code| code == usage.code())
    }

    /// Its key in the JSON of values.
    pub fn key(&self) -> String {
        self.number.to_string()
    }

    /// The name of its control in forms.
    pub fn input(&self) -> String {
        format!("champ-{}", self.number)
    }

    /// « Identifiant », « Clé de l'agent »…
    pub fn usage_labels(&self) -> Vec<&'static str> {
        Usage::ALL.into_iter().filter(|usage| self.is(*usage)).map(Usage::label).collect()
    }

    /// Kept in a column of its own rather than among the values.
    pub fn is_column(&self) -> bool {
        self.is(Usage::Identifier) || self.is(Usage::Label)
    }
}

/// The live fields of a campaign, in their order.
pub async fn fields(conn: &mut PgConnection, campaign: Id<Campaign>) -> sqlx::Result<Vec<Field>> {
    sqlx::query_as!(
        Field,
        "select id, number, label, label_norm, kind, required, searchable, in_list, sortable, hidden, pattern, hint, choices, usages, position
         from campaign_fields where campaign_id = $1 and deleted_at is null order by position, number",
        campaign as _
    )
    .fetch_all(conn)
    .await
}

/// The type's fields become the campaign's own, after those it ever had: a number is never used twice.
pub async fn copy_from_type(tx: &mut Tx, campaign: Id<Campaign>, type_id: Uuid) -> Result<()> {
    let last = sqlx::query_scalar!(
        r#"select coalesce(max(number), 0) as "last!" from campaign_fields where campaign_id = $1"#,
        campaign as _
    )
    .fetch_one(tx.conn())
    .await?;
    let labels = sqlx::query!(
        "select id, label from type_fields where type_id = $1 order by position, label",
        type_id
    )
    .fetch_all(tx.conn())
    .await?;
    let (ids, norms): (Vec<_>, Vec<_>) =
        labels.iter().map(|row| (row.id, norm(&row.label))).unzip();
    sqlx::query!(
        "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, sortable, pattern, hint, choices, usages, position)
         select gen_random_uuid(), $1, $2 + (row_number() over (order by t.position, t.label))::int, t.label, n.label_norm, t.kind, t.required,
                t.searchable, t.in_list, t.sortable, t.pattern, t.hint, t.choices, t.usages, (row_number() over (order by t.position, t.label))::int
         from type_fields t join unnest($3::uuid[], $4::text[]) n (id, label_norm) on n.id = t.id",
        campaign as _,
        last,
        &ids,
        &norms,
    )
    .execute(tx.conn())
    .await?;
    tx.enqueue(SortIndexes { campaign: campaign.uuid() }).await?;
    Ok(())
}
