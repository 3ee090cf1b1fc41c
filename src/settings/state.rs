// SPDX-License-Identifier: EUPL-1.2
//! « État du système » (US-812): each line has a state, a value and what to do.
use crate::{
    app::App,
    clock,
    db::Read,
    text::{count, number},
    web::{Page, Result, Shell, format},
};
use askama::Template;
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Good,
    Watch,
    Bad,
    /// Something to know, neither good nor bad.
    Note,
}

impl Level {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "done",
            Self::Watch => "postponed",
            Self::Bad => "blocked",
            Self::Note => "todo",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Good => "check",
            Self::Watch => "alert",
            Self::Bad => "octagon-alert",
            Self::Note => "info",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "Bon",
            Self::Watch => "À surveiller",
            Self::Bad => "À traiter",
            Self::Note => "Information",
        }
    }
}

pub(super) struct Line {
    title: &'static str,
    level: Level,
    value: String,
    /// Empty when there is nothing to do.
    advice: String,
}

fn line(title: &'static str, level: Level, value: impl Into<String>, advice: &str) -> Line {
    let advice = if level == Level::Good { "" } else { advice };
    Line { title, level, value: value.into(), advice: advice.to_owned() }
}

#[derive(Template)]
#[template(path = "settings/state.html")]
struct State {
    shell: Shell,
    lines: Vec<Line>,
    worst: Level,
}

pub async fn page(mut read: Read) -> Result<Page<impl Template>> {
    let (app, now, shell) = (read.app().clone(), read.now(), read.shell("État du système"));
    let mut lines = program(&app);
    lines.extend(base(read.conn(), &app).await?);
    lines.extend(work(read.conn(), &app, now).await?);
    lines.push(disk(&app));
    lines.push(line(
        "Dernière sauvegarde vérifiée",
        Level::Watch,
        "Jamais enregistrée",
        "Le programme ne fait ni ne contrôle de sauvegarde. Sauvegardez la base et le répertoire de données avec les outils du serveur, et essayez une restauration.",
    ));
    let worst = [Level::Bad, Level::Watch]
        .into_iter()
        .find(|level| lines.iter().any(|line| line.level == *level))
        .unwrap_or(Level::Good);
    let shell = shell.under("Administration", "/administration");
    Ok(Page(State { shell, lines, worst }))
}

/// The version, and whether the exchanges are encrypted (10-decisions 8).
fn program(app: &App) -> Vec<Line> {
    let host = app.config.public_url.split("://").nth(1).unwrap_or_default();
    let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.starts_with(name));
    let exchange = if app.config.is_https() {
        line("Chiffrement des échanges", Level::Good, "https", "")
    } else if local {
        line(
            "Chiffrement des échanges",
            Level::Note,
            "http, sur cette machine seulement",
            "Rien tant que personne n’y accède d’une autre machine.",
        )
    } else {
        line(
            "Chiffrement des échanges",
            Level::Bad,
            "http : mots de passe et données circulent en clair",
            "Placez le programme derrière un serveur https et réglez OPSTRACKER_PUBLIC_URL.",
        )
    };
    vec![line("Version", Level::Good, env!("CARGO_PKG_VERSION"), ""), exchange]
}

async fn base(conn: &mut PgConnection, app: &App) -> sqlx::Result<Vec<Line>> {
    let facts = sqlx::query!(
        r#"select current_setting('server_version') as "version!", pg_size_pretty(pg_database_size(current_database())) as "size!",
                  clock_timestamp() as "clock!""#
    )
    .fetch_one(&mut *conn)
    .await?;
    let drift = (clock::now() - facts.clock).num_milliseconds().abs();
    let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(conn)
        .await?;
    let known = crate::MIGRATOR.iter().filter(|m| !m.migration_type.is_down_migration()).count();
    let applied = usize::try_from(applied).unwrap_or_default();
    let (level, value) = if applied == known {
        (Level::Good, format!("{}, aucune en attente", count(known, "appliquée", "appliquées")))
    } else {
        (Level::Bad, format!("{} appliquées sur {}", number(applied), number(known)))
    };
    let pool = app.db.options().get_max_connections();
    let busy = app.db.size().saturating_sub(u32::try_from(app.db.num_idle()).unwrap_or_default());
    Ok(vec![
        line(
            "Migrations",
            level,
            value,
            "Arrêtez les autres versions du programme, puis lancez « opstracker migrate ».",
        ),
        line(
            "Base de données",
            Level::Good,
            format!("PostgreSQL {}, {}", facts.version, french(&facts.size)),
            "",
        ),
        line(
            "Connexions à la base",
            if busy * 10 > pool * 9 { Level::Watch } else { Level::Good },
            format!(
                "{} sur {} employées par ce processus",
                number(u64::from(busy)),
                number(u64::from(pool))
            ),
            "Si cela dure, les pages attendent : cherchez dans le journal technique les requêtes lentes.",
        ),
        line(
            "Écart d’horloge",
            if drift > 5_000 {
                Level::Bad
            } else if drift > 1_000 {
                Level::Watch
            } else {
                Level::Good
            },
            format!(
                "{} entre le programme et la base",
                if drift < 1_000 {
                    "moins d’une seconde".to_owned()
                } else {
                    count(drift / 1_000, "seconde", "secondes")
                }
            ),
            "Synchronisez l’horloge des deux machines (NTP) : les codes de connexion et les dates en dépendent.",
        ),
    ])
}

/// « 20 MB » as it is written in French.
fn french(size: &str) -> String {
    [("bytes", "octets"), ("kB", "ko"), ("MB", "Mo"), ("GB", "Go"), ("TB", "To")]
        .iter()
        .fold(size.to_owned(), |text, (unit, french)| text.replace(unit, french))
}

async fn work(conn: &mut PgConnection, app: &App, now: DateTime<Utc>) -> sqlx::Result<Vec<Line>> {
    let facts = sqlx::query!(
        r#"select (select max(seen_at) from workers) as seen, (select count(*) from workers where seen_at > $1::timestamptz - interval '1 minute') as "workers!",
                  (select count(*) from jobs where attempts < 8) as "jobs!", (select min(run_at) from jobs where attempts < 8 and run_at <= $1) as oldest,
                  (select count(*) from jobs where attempts >= 8) as "stuck!",
                  (select count(*) from messages where state in ('pending', 'sending', 'retrying')) as "waiting!",
                  (select count(*) from messages where state = 'failed' and created_at > $1 - interval '24 hours') as "failed!""#,
        now
    )
    .fetch_one(conn)
    .await?;
    let alive = facts.seen.is_some_and(|seen| now - seen < Duration::seconds(60));
    let heartbeat = facts.seen.map_or("Jamais vu".to_owned(), |seen| {
        format!(
            "Vu à {}, {}",
            format::second(seen),
            count(facts.workers, "processus actif", "processus actifs")
        )
    });
    let late = facts.oldest.is_some_and(|at| now - at > Duration::minutes(5));
    let jobs = match (facts.stuck, facts.jobs) {
        (0, 0) => "Aucun en attente".to_owned(),
        (0, n) => count(n, "traitement en attente", "traitements en attente"),
        (stuck, n) => format!(
            "{}, {}",
            count(stuck, "traitement abandonné", "traitements abandonnés"),
            count(n, "en attente", "en attente")
        ),
    };
    let silent = app.mailer.silent_since();
    let (mail, told) = match (app.mailer.is_configured(), silent, facts.failed) {
        (false, ..) => (Level::Watch, "Aucun relais configuré".to_owned()),
        (true, Some(since), _) => {
            (Level::Bad, format!("Le relais ne répond pas depuis {}", format::hour(since)))
        }
        (true, None, 0) => (Level::Good, "Relais configuré".to_owned()),
        (true, None, n) => {
            (Level::Watch, count(n, "échec depuis 24 heures", "échecs depuis 24 heures"))
        }
    };
    Ok(vec![
        line(
            "Traitements de fond",
            if alive { Level::Good } else { Level::Bad },
            heartbeat,
            "Aucun processus ne fait les traitements : redémarrez le programme et lisez le journal technique.",
        ),
        line(
            "File des traitements",
            if facts.stuck > 0 {
                Level::Bad
            } else if late {
                Level::Watch
            } else {
                Level::Good
            },
            jobs,
            if facts.stuck > 0 {
                "Un traitement est abandonné après huit essais : le journal technique en dit la cause."
            } else {
                "Le plus ancien attend depuis plus de cinq minutes : vérifiez la ligne « Traitements de fond »."
            },
        ),
        line(
            "Messages",
            mail,
            format!(
                "{told}, {}",
                count(facts.waiting, "message en attente", "messages en attente")
            ),
            "Ouvrez « Messagerie » dans les paramètres, et « Messages » pour relancer ou annuler.",
        ),
    ])
}

/// The room left where files and, without DATABASE_URL, the base are kept.
fn disk(app: &App) -> Line {
    let advice = "Libérez de la place ou agrandissez le volume : sans place, rien ne s’enregistre.";
    match rustix::fs::statvfs(&app.config.data_dir) {
        Ok(found) => {
            let free = u128::from(found.f_bavail) * u128::from(found.f_frsize);
            let whole = (u128::from(found.f_blocks) * u128::from(found.f_frsize)).max(1);
            line("Disque", room(free, whole), size(free, whole), advice)
        }
        Err(err) => line("Disque", Level::Bad, format!("Illisible : {err}"), advice),
    }
}

fn room(free: u128, whole: u128) -> Level {
    const GIGABYTE: u128 = 1 << 30;
    if free < GIGABYTE {
        Level::Bad
    } else if free * 10 < whole {
        Level::Watch
    } else {
        Level::Good
    }
}

/// « 12,4 Go libres (31 %) »
fn size(free: u128, whole: u128) -> String {
    let tenths = free * 10 / (1 << 30);
    let percent = u8::try_from(free * 100 / whole).unwrap_or(100);
    format!("{},{} Go libres ({})", tenths / 10, tenths % 10, format::percent(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_it_is_full() {
        let gigabyte = 1u128 << 30;
        for (free, whole, expected) in
            [(50, 100, "Bon"), (9, 100, "À surveiller"), (0, 100, "À traiter")]
        {
            assert_eq!(room(free * gigabyte, whole * gigabyte).word(), expected);
        }
        assert!(
            crate::testing::plain(&size(25 * gigabyte / 2, 50 * gigabyte))
                .starts_with("12,5 Go libres (25 %")
        );
    }
}
