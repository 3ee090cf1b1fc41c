// SPDX-License-Identifier: EUPL-1.2
//! `opstracker import`: the same reading, checks and writing as the screens, for operators and
//! scripts, without limit of lines (03 §1.1).
use super::{
    Counters, Import, State, files, job,
    mapping::{self, Column, Confidence, Target},
    model, receive,
    stats::ColumnStats,
};
use crate::{
    accounts::User,
    app::App,
    audit::Entry,
    campaigns::{self, Campaign, FieldKind, Usage},
    clock,
    db::{Actor, Id, Tx},
    text::norm,
    web::format,
};
use anyhow::{Context, Result, anyhow, bail};
use chrono::{Days, NaiveDate};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Instant,
};
use tabular::{Limits, Options};
use uuid::Uuid;

#[derive(clap::Subcommand)]
pub enum Cli {
    /// Lit un fichier sans rien écrire et dit ce qui y a été trouvé
    Inspect(Inspect),
    /// Importe un fichier dans une campagne, créée au besoin
    Run(Run),
}

#[derive(clap::Args)]
pub struct Inspect {
    file: PathBuf,
    /// Un objet JSON sur une ligne
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Run {
    file: PathBuf,
    /// Nom de la campagne
    #[arg(long)]
    campaign: String,
    /// Type d’opération d’une campagne à créer (le premier par défaut)
    #[arg(long = "type")]
    kind: Option<String>,
    /// Colonne de l’identifiant
    #[arg(long)]
    identifier: Option<String>,
    /// Colonne du libellé
    #[arg(long)]
    label: Option<String>,
    /// Colonne du segment
    #[arg(long)]
    segment: Option<String>,
    /// Début de la campagne à créer, jj/mm/aaaa (aujourd’hui par défaut)
    #[arg(long)]
    start: Option<String>,
    /// Fin de la campagne à créer, jj/mm/aaaa (dans 30 jours par défaut)
    #[arg(long)]
    end: Option<String>,
    /// E-mail du propriétaire d’une campagne à créer (le premier administrateur par défaut)
    #[arg(long)]
    owner: Option<String>,
    /// Un objet JSON sur une ligne
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Needs no database.
    pub fn run(self) -> Result<()> {
        let name =
            self.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let found = tabular::inspect(
            &self.file,
            &name,
            &Options::default(),
            &Limits::command_line(),
            &mut |_| true,
        )?;
        if self.json {
            let object = json!({
                "format": found.format, "encoding": found.encoding, "delimiter": found.delimiter, "sheet": found.sheet,
                "header_line": found.header_line, "header": found.header, "data_rows": found.data_rows, "empty_rows": found.empty_rows,
                "short_rows": found.short_rows, "long_rows": found.long_rows, "warnings": found.warnings,
            });
            println!("{object}");
            return Ok(());
        }
        println!("Colonnes  : {}", found.header.join(" | "));
        println!("Lignes    : {} de données, {} vides", found.data_rows, found.empty_rows);
        if let Some(encoding) = found.encoding {
            println!("Encodage  : {}", encoding.label());
        }
        if let Some(delimiter) = found.delimiter {
            println!(
                "Séparateur: {}",
                if delimiter == '\t' { "tabulation".into() } else { delimiter.to_string() }
            );
        }
        if let Some(sheet) = found.sheet {
            println!("Feuille   : {sheet}");
        }
        for warning in found.warnings {
            println!("Attention : {warning}");
        }
        Ok(())
    }
}

impl Cli {
    pub async fn run(self, app: App) -> Result<()> {
        match self {
            Self::Inspect(inspect) => inspect.run(),
            Self::Run(run) => run.run(&app).await,
        }
    }
}

impl Run {
    async fn run(self, app: &App) -> Result<()> {
        let started = Instant::now();
        let campaign = self.campaign(app).await?;
        let import = self.receive(app, campaign).await?;
        let import = stage(app, import).await?;
        let columns = self.columns(app, &import).await?;
        sqlx::query!(
            "update imports set mapping = $2, stage = 'validate' where id = $1",
            import.id as _,
            serde_json::to_value(columns)?
        )
        .execute(&app.db)
        .await?;
        let import = stage(app, import.id).await?;
        sqlx::query!(
            "update imports set state = 'running', stage = 'commit' where id = $1",
            import.id as _
        )
        .execute(&app.db)
        .await?;
        let import = stage(app, import.id).await?;
        let counters = import.counters.unwrap_or_default();
        self.print(campaign, &counters, started);
        Ok(())
    }

    fn print(&self, campaign: Id<Campaign>, counters: &Counters, started: Instant) {
        let seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        if self.json {
            println!(
                "{}",
                json!({
                    "campaign_id": campaign, "read": counters.read, "created": counters.created, "updated": counters.updated,
                    "unchanged": counters.unchanged, "rejected": counters.rejected, "warnings": counters.warnings, "seconds": seconds,
                })
            );
        } else {
            println!(
                "{} lignes lues : {} créées, {} modifiées, {} inchangées, {} rejetées ({} avec avertissement), en {seconds} s.",
                counters.read,
                counters.created,
                counters.updated,
                counters.unchanged,
                counters.rejected,
                counters.warnings
            );
        }
    }

    /// The campaign of that name, created if need be.
    async fn campaign(&self, app: &App) -> Result<Id<Campaign>> {
        let known = sqlx::query_scalar!(
            "select id from campaigns where name_norm = $1 and deleted_at is null",
            norm(&self.campaign)
        )
        .fetch_optional(&app.db)
        .await?;
        if let Some(id) = known {
            return Ok(id);
        }
        let today = clock::day(clock::now());
        let start = date(self.start.as_deref())?.unwrap_or(today);
        let end = date(self.end.as_deref())?
            .or_else(|| start.checked_add_days(Days::new(30)))
            .context("date de fin")?;
        if end < start {
            bail!("La date de fin doit être postérieure ou égale à la date de début");
        }
        let owner = self.owner(app).await?;
        let kind =
            match &self.kind {
                Some(name) => sqlx::query_scalar!(
                    "select id from operation_types where name_norm = $1 and active",
                    norm(name)
                )
                .fetch_optional(&app.db)
                .await?
                .with_context(|| format!("Aucun type d’opération actif ne s’appelle « {name} »"))?,
                None => sqlx::query_scalar!(
                    "select id from operation_types where active order by position, name limit 1"
                )
                .fetch_one(&app.db)
                .await?,
            };
        let mut tx = Tx::begin(app, Actor::CommandLine, clock::now()).await?;
        let id = Id::<Campaign>::new();
        let now = tx.now();
        sqlx::query!(
            "insert into campaigns (id, name, name_norm, type_id, start_date, end_date, owner_id, workflow_version_id, activated_at, status, wizard_step, created_at, updated_at)
             select $1, $2, $3, t.id, $5, $6, $7, (select v.id from workflow_versions v where v.workflow_id = t.workflow_id order by v.number desc limit 1),
                    $8, 'upcoming', 5, $8, $8 from operation_types t where t.id = $4",
            id as _, self.campaign, norm(&self.campaign), kind, start, end, owner as _, now
        )
        .execute(tx.conn())
        .await
        .context("création de la campagne (le nom compte de 3 à 255 caractères)")?;
        campaigns::copy_from_type(&mut tx, id, kind).await?;
        tx.record(
            Entry::on("campaign.created", "campaign", id.uuid())
                .campaign(id)
                .changes(json!({ "name": [null, self.campaign] })),
        )
        .await?;
        campaigns::status::refresh(&mut tx, id).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn owner(&self, app: &App) -> Result<Id<User>> {
        match &self.owner {
            Some(email) => sqlx::query_scalar!(
                "select id from users where email = lower($1) and active and (roles && array['admin', 'campaign_manager'])",
                email.trim()
            )
            .fetch_optional(&app.db)
            .await?
            .with_context(|| format!("Aucun gestionnaire actif n’a l’adresse {email}")),
            None => sqlx::query_scalar!("select id from users where active and 'admin' = any (roles) order by created_at, id limit 1")
                .fetch_optional(&app.db)
                .await?
                .context("Aucun administrateur actif : créez-en un avec « opstracker admin create »"),
        }
    }

    /// The file is read where it is: the store only holds a link, removed at the end.
    async fn receive(&self, app: &App, campaign: Id<Campaign>) -> Result<Id<Import>> {
        let source = self
            .file
            .canonicalize()
            .with_context(|| format!("lecture de {}", self.file.display()))?;
        let name = source.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let (size, sha256) = digest(&source)?;
        let key = format!("import-{}", Uuid::new_v4());
        std::os::unix::fs::symlink(&source, files::path(app, &key)).context("dépôt du fichier")?;
        let mut tx = Tx::begin(app, Actor::CommandLine, clock::now()).await?;
        let file = files::Stored { key, size, sha256 };
        let id = receive::receive(&mut tx, campaign, &name, &file).await?;
        // This process does the work itself: no worker of a running server takes it.
        sqlx::query!(
            "delete from jobs where kind = 'import.work' and payload ->> 'import' = $1",
            id.to_string()
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn columns(&self, app: &App, import: &Import) -> Result<Vec<Column>> {
        let analysis = import.analysis.as_ref().ok_or_else(|| anyhow!("analysis missing"))?;
        let mut conn = app.db.acquire().await?;
        let fields = campaigns::fields(&mut conn, import.campaign_id).await?;
        let mut columns = analysis.proposed.clone();
        // Nobody is there to check: what merely resembles becomes a field of its own.
        for (i, column) in columns.iter_mut().enumerate() {
            if column.confidence == Confidence::ToCheck {
                let kind = analysis.columns.get(i).map_or(FieldKind::ShortText, ColumnStats::kind);
                column.target = Target::New(kind.code().into());
            }
        }
        let usage = |usage| fields.iter().find(|f| f.is(usage)).map(|f| Target::Field(f.number));
        for (wanted, target) in [
            (&self.identifier, usage(Usage::Identifier)),
            (&self.label, usage(Usage::Label)),
            (&self.segment, Some(Target::Segment)),
        ] {
            let (Some(header), Some(target)) = (wanted, target) else { continue };
            let key = mapping::header_key(header);
            let at = columns
                .iter()
                .position(|c| c.header == *header || mapping::header_key(&c.header) == key)
                .with_context(|| {
                    format!(
                        "Aucune colonne ne s’appelle « {header} ». Colonnes : {}",
                        analysis.file.header.join(", ")
                    )
                })?;
            for column in columns.iter_mut().filter(|c| c.target == target) {
                *column = Column {
                    header: column.header.clone(),
                    target: Target::New(FieldKind::ShortText.code().into()),
                    confidence: Confidence::ToCheck,
                    opens_list: false,
                };
            }
            columns[at].target = target;
        }
        let faults = mapping::faults(&columns, &fields);
        if !faults.is_empty() {
            let list: Vec<_> = faults.into_iter().map(|(_, message)| message).collect();
            bail!(
                "{}. Précisez --identifier, --label ou --segment. Colonnes : {}",
                list.join(" ; "),
                analysis.file.header.join(", ")
            );
        }
        Ok(columns)
    }
}

/// Runs the stage that waits and gives the import back, or its refusal.
async fn stage(app: &App, id: Id<Import>) -> Result<Import> {
    job::run_stage(app, id, None, clock::now()).await?;
    let mut conn = app.db.acquire().await?;
    let import =
        model::load(&mut conn, id).await?.ok_or_else(|| anyhow!("import {id} vanished"))?;
    if import.state == State::Failed {
        bail!("{}", import.error.unwrap_or_else(|| "L’import a échoué.".into()));
    }
    Ok(import)
}

fn date(text: Option<&str>) -> Result<Option<NaiveDate>> {
    text.map(|t| {
        format::parse_date(t)
            .with_context(|| format!("Date invalide « {t} » (attendu : jj/mm/aaaa)"))
    })
    .transpose()
}

fn digest(path: &Path) -> Result<(i64, Vec<u8>)> {
    let (mut file, mut hash, mut buffer, mut size) =
        (std::fs::File::open(path)?, Sha256::new(), vec![0u8; 1 << 16], 0i64);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hash.finalize().to_vec()));
        }
        hash.update(&buffer[..read]);
        size += read as i64;
    }
}
