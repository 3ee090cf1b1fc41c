// SPDX-License-Identifier: EUPL-1.2
//! The demonstration says what 09 says, whatever the day.
use super::{announce, calendar::Calendar, fill, is_empty, load, renew, tell};
use crate::{
    campaigns, clock,
    db::{Actor, Tx},
    testing::TestApp,
    text::norm,
};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgPool;

const THURSDAY: &str = "2026-03-12T13:35:00Z";
const SATURDAY: &str = "2026-03-14T09:10:00Z";
/// 02:30 does not exist in Paris on that night.
const SPRING: &str = "2026-03-29T01:15:00Z";
const AUTUMN: &str = "2026-10-25T00:40:00Z";
/// A Monday, before anybody is at work.
const EARLY: &str = "2026-11-23T05:02:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn loaded(db: PgPool, now: &str) -> (TestApp, Vec<String>) {
    let app = TestApp::new(db).await;
    let lines = load(&app.app, instant(now)).await.unwrap();
    (app, lines)
}

impl TestApp {
    /// Done, planned, postponed, blocked, in progress, to do, cancelled of a campaign.
    async fn figures(&self, campaign: &str) -> [i64; 7] {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select o.category::text, count(*) from operations o join campaigns c on c.id = o.campaign_id where c.name = $1 group by 1",
        )
        .bind(campaign)
        .fetch_all(&self.app.db)
        .await
        .unwrap();
        ["done", "planned", "postponed", "blocked", "in_progress", "todo", "cancelled"]
            .map(|category| rows.iter().find(|(c, _)| c == category).map_or(0, |(_, n)| *n))
    }

    /// Karim's operations planned on this day: (hour, label, equipment, location, category).
    async fn karims_day(&self, day: NaiveDate) -> Vec<(String, String, String, String, String)> {
        sqlx::query_as(
            "select to_char(o.planned_at at time zone 'Europe/Paris', 'HH24:MI'), o.label, o.values ->> '3', o.values ->> '4' || ', ' || s.name, o.category::text
             from operations o join segments s on s.id = o.segment_id join users u on u.id = o.assignee_id
             where u.email = 'karim.benali@demo.example' and (o.planned_at at time zone 'Europe/Paris')::date = $1 order by o.planned_at",
        )
        .bind(day)
        .fetch_all(&self.app.db)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1605_figures_of_each_campaign(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    assert_eq!(app.figures("Migration Windows 11 – Siège").await, [619, 142, 52, 34, 0, 0, 0]);
    assert_eq!(app.figures("Déploiement Office 365 – Vague 2").await, [0, 30, 0, 0, 0, 20, 0]);
    assert_eq!(app.figures("Maintenance préventive – T4").await, [47, 0, 0, 0, 0, 0, 3]);
    assert_eq!(app.figures("Renouvellement des imprimantes").await, [30, 0, 0, 0, 0, 0, 0]);
    assert_eq!(app.figures("Remplacement des téléphones").await, [0; 7]);
    assert_eq!(app.figures("Photos des badges").await.iter().sum::<i64>(), 40);
    let statuses: Vec<(String, String, bool)> =
        sqlx::query_as("select name, status::text, is_public from campaigns order by name")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    let statuses: Vec<_> = statuses
        .iter()
        .map(|(name, status, public)| (name.as_str(), status.as_str(), *public))
        .collect();
    assert_eq!(
        statuses,
        [
            ("Déploiement Office 365 – Vague 2", "upcoming", false),
            ("Maintenance préventive – T4", "finished", false),
            ("Migration Windows 11 – Siège", "running", false),
            ("Photos des badges", "running", false),
            ("Remplacement des téléphones", "draft", false),
            ("Renouvellement des imprimantes", "archived", true),
        ]
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1605_segments_and_pace_of_the_large_campaign(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select s.name, count(*), count(*) filter (where o.category = 'done') from operations o join segments s on s.id = o.segment_id
         join campaigns c on c.id = o.campaign_id where c.name like 'Migration%' group by s.id, s.name order by s.id",
    )
    .fetch_all(&app.app.db)
    .await
    .unwrap();
    let rows: Vec<_> = rows.iter().map(|(name, all, done)| (name.as_str(), *all, *done)).collect();
    assert_eq!(
        rows,
        [("Bâtiment A", 312, 278), ("Bâtiment B", 300, 204), ("Bâtiment C", 235, 137)]
    );
    let days: Vec<(NaiveDate, i64)> = sqlx::query_as(
        "select (done_at at time zone 'Europe/Paris')::date, count(*) from operations o join campaigns c on c.id = o.campaign_id
         where c.name like 'Migration%' and done_at is not null group by 1 order by 1 desc",
    )
    .fetch_all(&app.app.db)
    .await
    .unwrap();
    assert_eq!(days.len(), 31, "thirty working days and today");
    assert_eq!(days[0], (NaiveDate::from_ymd_opt(2026, 3, 12).unwrap(), 12));
    assert!(days[1..11].iter().all(|(_, n)| (13..=17).contains(n)), "{days:?}");
    assert_eq!(days[30].0.to_string(), "2026-01-29");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1605_karims_day(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    let day = app.karims_day(NaiveDate::from_ymd_opt(2026, 3, 12).unwrap()).await;
    let day: Vec<_> =
        day.iter().map(|(h, l, e, p, c)| [h, l, e, p, c].map(String::as_str)).collect();
    assert_eq!(
        day,
        [
            ["09:00", "MARTIN Jean", "PC-0042", "Bureau B204, Bâtiment A", "done"],
            ["10:30", "DURAND Sophie", "PC-0089", "Bureau C102, Bâtiment A", "done"],
            ["14:00", "PETIT Marc", "PC-0156", "Bureau D301, Bâtiment B", "planned"],
            ["15:30", "LEBLANC Marie", "PC-0201", "Bureau D305, Bâtiment B", "planned"],
            ["16:00", "NGUYEN Thi Lan", "PC-0233", "Bureau D112, Bâtiment B", "planned"],
            ["16:30", "MOREAU Anne", "PC-0089B", "Bureau A108, Bâtiment A", "planned"],
        ]
    );
    let of_karim =
        "from operations o join users u on u.id = o.assignee_id where u.email like 'karim%'";
    let count = async |condition: &str| -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select count(*) {of_karim} and {condition}"
        )))
        .fetch_one(&app.app.db)
        .await
        .unwrap()
    };
    assert_eq!(count("o.category = 'planned' and o.planned_at < '2026-03-12'").await, 1, "late");
    assert_eq!(count("o.category = 'postponed' and o.planned_at is null").await, 2);
    assert_eq!(count("o.category = 'postponed'").await, 2);
    assert_eq!(count("o.category = 'blocked' and o.last_reason = 'Erreur au démarrage'").await, 1);
    assert_eq!(count("o.done_at >= timestamptz '2026-03-12 00:00+01'").await, 2, "of today");
    assert_eq!(count("o.done_at > timestamptz '2026-03-12 13:35Z' - interval '30 days'").await, 20);
    assert_eq!(count("o.label = 'MOREAU Anne' and o.postpone_count = 1 and o.last_reason = 'Utilisateur indisponible' and o.initial_planned_at < o.planned_at").await, 1);
    assert_eq!(count("o.label = 'PETIT Marc' and o.values ->> '5' = '+33199004156'").await, 1);
}

/// What must hold whatever the day of loading.
async fn coherent(app: &TestApp, now: &str) {
    let none =
        async |what: &str, sql: &'static str| assert_eq!(app.count(sql).await, 0, "{what}, {now}");
    none("category of another status", "select count(*) from operations o join workflow_statuses w on w.id = o.status_id where w.category <> o.category").await;
    none(
        "a history that breaks",
        "select count(*) from (select from_status, lag(to_status) over (partition by operation_id order by seq) as before
           from operation_events where kind in ('imported', 'created', 'transition')) e where from_status is distinct from before",
    )
    .await;
    none(
        "a history that does not end in the present",
        "select count(*) from operations o join lateral (select to_status from operation_events e where e.operation_id = o.id and to_status is not null
           order by seq desc limit 1) e on true where e.to_status <> o.status_id",
    )
    .await;
    none(
        "a planned date without its history",
        "select count(*) from operations o join lateral (select planned_after from operation_events e where e.operation_id = o.id order by seq desc limit 1) e
           on true where e.planned_after is distinct from o.planned_at",
    )
    .await;
    none(
        "an initial date that is not the first",
        "select count(*) from operations o where o.initial_planned_at is distinct from
           (select planned_after from operation_events e where e.operation_id = o.id and planned_after is not null order by seq limit 1)",
    )
    .await;
    none(
        "a date of completion that is not that of the event",
        "select count(*) from operations o where o.done_at is distinct from (select e.at from operation_events e join workflow_statuses w on w.id = e.to_status
           where e.operation_id = o.id and w.category = 'done' order by seq desc limit 1)",
    )
    .await;
    none(
        "a beginning that is not that of the event",
        "select count(*) from operations o where o.started_at is distinct from (select e.at from operation_events e join workflow_statuses w on w.id = e.to_status
           where e.operation_id = o.id and w.category = 'in_progress' order by seq limit 1)",
    )
    .await;
    none(
        "a wrong number of postponements",
        "select count(*) from operations o where o.postpone_count <> (select count(*) from operation_events e join workflow_statuses w on w.id = e.to_status
           where e.operation_id = o.id and w.category = 'postponed')",
    )
    .await;
    none(
        "a wrong last reason",
        "select count(*) from operations o where o.last_reason is distinct from
           (select reason from operation_events e where e.operation_id = o.id and reason is not null order by seq desc limit 1)",
    )
    .await;
    none("events out of order", "select count(*) from (select at, lag(at) over (order by seq) as before from operation_events) e where at < before").await;
    none(
        "a change without a trace",
        "select count(*) from operation_events e where kind <> 'imported' and not exists
           (select 1 from audit_entries a where a.object_id = e.operation_id and a.at = e.at and a.actor_id = e.actor_id)",
    )
    .await;
    none("somebody else's work", "select count(*) from operation_events e join users u on u.id = e.actor_id where not (u.active or u.email like 'jeanne%')").await;
    let worked: Vec<DateTime<Utc>> =
        sqlx::query_scalar("select at from operation_events where kind = 'transition'")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    let now = instant(now);
    assert!(
        worked.iter().all(|at| *at <= now && super::calendar::is_working(clock::day(*at))),
        "{now}"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn histories_are_true_on_a_thursday(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    coherent(&app, THURSDAY).await;
    let own: i64 = app
        .count(
            "select count(*) * 100 / (select count(*) from operation_events e join workflow_statuses w on w.id = e.to_status where w.category = 'done' and e.kind = 'transition')
             from operation_events e join workflow_statuses w on w.id = e.to_status
             where w.category = 'done' and e.kind = 'transition' and e.actor_id = e.assignee_id",
        )
        .await;
    assert!((92..100).contains(&own), "{own} %");
    let postponed = app.count("select count(*) from operation_events e join workflow_statuses w on w.id = e.to_status where w.category = 'postponed' and e.at >= '2026-03-09'").await;
    assert!((5..=20).contains(&postponed), "postponed this week: {postponed}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_saturday_prepares_the_monday(db: PgPool) {
    let (app, _) = loaded(db, SATURDAY).await;
    coherent(&app, SATURDAY).await;
    assert_eq!(app.figures("Migration Windows 11 – Siège").await, [619, 142, 52, 34, 0, 0, 0]);
    let day = app.karims_day(NaiveDate::from_ymd_opt(2026, 3, 16).unwrap()).await;
    assert_eq!((day.len(), day.iter().filter(|d| d.4 == "done").count()), (6, 2));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn clock_changes_and_early_mornings_are_days_like_others(db: PgPool) {
    let app = TestApp::new(db).await;
    for now in [SPRING, AUTUMN, EARLY] {
        let mut tx = Tx::begin(&app.app, Actor::CommandLine, instant(now)).await.unwrap();
        let cal = Calendar::new(instant(now));
        tell(&mut tx, &cal, secrets()).await.unwrap();
        let (planned, done): (i64, i64) = sqlx::query_as(
            "select count(*), count(*) filter (where category = 'done') from operations o join users u on u.id = o.assignee_id
             where u.email like 'karim%' and (planned_at at time zone 'Europe/Paris')::date = $1",
        )
        .bind(cal.day)
        .fetch_one(tx.conn())
        .await
        .unwrap();
        assert_eq!((planned, done), (6, 2), "{now}");
        let late: i64 = sqlx::query_scalar("select count(*) from operation_events where at > $1")
            .bind(cal.now)
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(late, 0, "{now}");
    }
}

/// Anything stands for a hash where nobody signs in.
fn secrets() -> Vec<(String, String)> {
    vec![("mot de passe".into(), "hash".into()); super::accounts::COUNT]
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn two_loads_of_one_day_are_the_same(db: PgPool) {
    let app = TestApp::new(db).await;
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut tx = Tx::begin(&app.app, Actor::CommandLine, instant(THURSDAY)).await.unwrap();
        tell(&mut tx, &Calendar::new(instant(THURSDAY)), secrets()).await.unwrap();
        let digest: String = sqlx::query_scalar(
            "select md5(string_agg(concat_ws('|', o.identifier, o.label, o.category, u.email, o.planned_at, o.done_at, o.last_reason, o.values), ';'
               order by c.name, o.identifier))
             from operations o join campaigns c on c.id = o.campaign_id left join users u on u.id = o.assignee_id",
        )
        .fetch_one(tx.conn())
        .await
        .unwrap();
        digests.push(digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1605_refused_where_there_is_data(db: PgPool) {
    let app = TestApp::new(db).await;
    assert!(is_empty(&app.app).await.unwrap());
    app.admin().await;
    let refused = load(&app.app, app.now()).await.unwrap_err().to_string();
    assert!(refused.starts_with("Cette instance contient déjà des données"), "{refused}");
    assert_eq!(app.count("select count(*) from campaigns").await, 0);
    // Told explicitly, it stands beside what was there; never twice.
    fill(&app.app, app.now()).await.unwrap();
    assert!(
        fill(&app.app, app.now())
            .await
            .unwrap_err()
            .to_string()
            .starts_with("Cette instance contient déjà des données")
    );
    assert_eq!(app.count("select count(*) from users").await, 12);
}

/// The address and password of each printed line.
fn printed(lines: &[String]) -> Vec<(String, String)> {
    lines
        .iter()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!((cells.len(), cells[0]), (4, "compte"), "{line}");
            assert!(!cells[3].is_empty());
            (cells[1].to_owned(), cells[2].to_owned())
        })
        .collect()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_1605_passwords_are_printed_once_and_kept_nowhere(db: PgPool) {
    let (app, lines) = loaded(db, THURSDAY).await;
    let accounts = printed(&lines);
    assert_eq!(accounts.len(), 10, "one per active account: Jeanne's is off");
    assert!(!lines[0].contains('\t') && !lines.iter().any(|l| l.contains("jeanne.petit")));
    let tables: Vec<String> = sqlx::query_scalar("select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'")
        .fetch_all(&app.app.db)
        .await
        .unwrap();
    for table in tables {
        let clear: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select count(*) from {table} t, unnest($1::text[]) p where strpos(t::text, p) > 0"
        )))
        .bind(accounts.iter().map(|(_, password)| password.clone()).collect::<Vec<_>>())
        .fetch_one(&app.app.db)
        .await
        .unwrap();
        assert_eq!(clear, 0, "{table}");
    }
    let (email, password) = accounts.iter().find(|(email, _)| email.starts_with("karim")).unwrap();
    app.stranger()
        .submit("/connexion", &[("email", email), ("mot_de_passe", password)])
        .await
        .redirects_to("/terrain");
    app.stranger()
        .submit("/connexion", &[("email", email), ("mot_de_passe", "un autre")])
        .await
        .shows("Identifiants incorrects");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn new_passwords_close_the_sessions(db: PgPool) {
    let (app, lines) = loaded(db, THURSDAY).await;
    let former = printed(&lines);
    let (email, password) = &former[1];
    app.stranger()
        .submit("/connexion", &[("email", email), ("mot_de_passe", password)])
        .await
        .is(303);
    assert_eq!(app.count("select count(*) from sessions").await, 1);
    let fresh = printed(&renew(&app.app, app.now()).await.unwrap());
    assert_eq!(fresh.len(), 10);
    assert_eq!(app.count("select count(*) from sessions").await, 0);
    app.stranger()
        .submit("/connexion", &[("email", email), ("mot_de_passe", password)])
        .await
        .shows("Identifiants incorrects");
    let (_, password) = fresh.iter().find(|(e, _)| e == email).unwrap();
    app.stranger()
        .submit("/connexion", &[("email", email), ("mot_de_passe", password)])
        .await
        .is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn nobody_sees_what_09_walls_off(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    let mut conn = app.app.db.acquire().await.unwrap();
    let mut seen = Vec::new();
    for email in [
        "sophie.martin@demo.example",
        "nadia.lambert@demo.example",
        "helene.garnier@demo.example",
        "karim.benali@demo.example",
    ] {
        let id = sqlx::query_scalar("select id from users where email = $1")
            .bind(email)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        let user = crate::accounts::find(&mut conn, id).await.unwrap().unwrap();
        let ids = campaigns::visible(&mut conn, &user).await.unwrap();
        let names: Vec<String> =
            sqlx::query_scalar("select name from campaigns where id = any($1) order by name")
                .bind(ids)
                .fetch_all(&mut *conn)
                .await
                .unwrap();
        seen.push(names.iter().map(|n| norm(n)[..10].to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(seen[0], ["deploiemen", "maintenanc", "migration ", "remplaceme", "renouvelle"]);
    assert_eq!(seen[1], ["photos des", "renouvelle"]);
    assert_eq!(seen[2], ["deploiemen", "migration ", "renouvelle"]);
    assert_eq!(seen[3], ["maintenanc"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_wizard_waits_with_three_bad_lines(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    let (state, rejected, created, step): (String, i64, i64, i16) = sqlx::query_as(
        "select i.state, (i.counters ->> 'rejected')::bigint, (i.counters ->> 'created')::bigint, c.wizard_step
         from imports i join campaigns c on c.id = i.campaign_id where c.status = 'draft'",
    )
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    assert_eq!((state.as_str(), rejected, created, step), ("validated", 3, 57, 3));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_instance_says_that_it_is_a_demonstration(db: PgPool) {
    let (app, _) = loaded(db, THURSDAY).await;
    app.app.reload_settings().await.unwrap();
    let settings = app.app.settings();
    assert!(settings.is_demo);
    assert_eq!(settings.organisation, "Organisation de démonstration");
    assert!(!settings.contact.is_empty() && !settings.dpo.is_empty());
    assert_eq!(announce("Phrase", vec![]).len(), 1);
}
