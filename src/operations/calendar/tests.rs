// SPDX-License-Identifier: EUPL-1.2
//! Stories of the calendar (US-313).
use crate::{
    clock,
    testing::{Person, TestApp, TestCampaign},
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::PgPool;

fn at(day: &str, hour: u32) -> Option<DateTime<Utc>> {
    let day: NaiveDate = day.parse().unwrap();
    clock::instant(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
}

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_313_1_a_week_by_technician_with_the_count_of_the_day(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    for n in 1..=5 {
        campaign.operation(&format!("K{n}"), Some(&karim), None, at("2026-03-10", 8 + n)).await;
    }
    let only = campaign.operation("N1", None, None, at("2026-03-12", 9)).await;
    campaign.operation("N2", None, None, at("2026-03-16", 9)).await;
    campaign.operation("N3", None, None, None).await;
    // 23 h 30 UTC is the next civil day.
    campaign.operation("NUIT", Some(&karim), None, "2026-03-14T23:30:00Z".parse().ok()).await;
    let cancelled = campaign.operation("X1", Some(&karim), None, at("2026-03-10", 9)).await;
    sqlx::query("update operations o set category = 'cancelled', status_id = w.id from workflow_statuses w where w.code = 'cancelled' and w.version_id = (select workflow_version_id from campaigns limit 1) and o.id = $1")
        .bind(cancelled)
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = sophie.get(&campaign.path("calendrier?periode=semaine&le=2026-03-12")).await;
    page.is(200)
        .shows("Semaine du 9 au 15 mars 2026")
        .shows("7 opérations planifiées")
        .shows("Karim BENALI, mardi 10 mars 2026 : 5 opérations")
        .shows("et 2 autres")
        .shows("NOM K1")
        .hides("NOM K4")
        .hides("NOM X1")
        .hides("NOM N2")
        .hides("NOM N3")
        .shows("Karim BENALI, dimanche 15 mars 2026 : 1 opération")
        .shows("Non assigné, jeudi 12 mars 2026 : 1 opération")
        .shows("Non assigné, lundi 9 mars 2026 : aucune")
        .shows("mardi 10 mars 2026 : 5 au total");
    assert!(
        page.body.contains(&format!("href=\"operations/{only}\" data-calendar-open")),
        "one operation is opened itself"
    );
    let day = format!("operations?technicien={}&#38;du=10/03/2026&#38;au=10/03/2026", karim.id());
    assert!(page.body.contains(&day), "several open the day's list");
    let list = day.replace("&#38;", "&");
    sophie.get(&campaign.path(&list)).await.shows("6 résultats").shows("NOM K5");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_313_2_the_same_as_a_list_and_by_month(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    campaign.operation("K1", Some(&karim), None, at("2026-03-02", 9)).await;
    campaign.operation("K2", Some(&karim), None, at("2026-03-31", 9)).await;
    campaign.operation("N1", None, None, at("2026-03-31", 14)).await;
    let month = sophie.get(&campaign.path("calendrier?periode=mois&le=2026-03-12")).await;
    month
        .shows("Mars 2026")
        .shows("3 opérations planifiées")
        .shows("Karim BENALI, mardi 31 mars 2026 : 1 opération")
        .shows("mardi 31 mars 2026 : 2 au total")
        .shows("Voir la même chose en liste");
    assert!(
        month.body.contains("calendrier?periode=mois&#38;le=2026-04-01")
            && month.body.contains("calendrier?periode=mois&#38;le=2026-02-01")
    );
    let list =
        sophie.get(&campaign.path("calendrier?periode=mois&le=2026-03-12&forme=liste")).await;
    list.shows("Lundi 2 mars 2026")
        .shows("Mardi 31 mars 2026")
        .shows("2 opérations")
        .shows("Non assigné")
        .hides("mercredi 4 mars");
    let week =
        sophie.get(&campaign.path("calendrier?periode=semaine&le=2026-03-31&forme=liste")).await;
    week.shows("NOM K2").shows("14 h 00").shows("NOM N1").hides("NOM K1");
    sophie
        .get(&campaign.path("calendrier?forme=liste"))
        .await
        .is(200)
        .shows("Aucune opération planifiée sur cette période.");
    let reader = app.reader().await;
    reader.get(&campaign.path("calendrier")).await.is(404);
    campaign.grant(&reader, "view").await;
    reader
        .get(&campaign.path("calendrier?periode=semaine&le=2026-03-31"))
        .await
        .is(200)
        .shows("NOM K2");
}

/// A hundred thousand planned operations: counts by the index, three names a cell.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_313_a_week_of_thousands_shows_counts_and_first_names_only(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let karim = app.karim().await;
    let model = campaign.operation("M0", Some(&karim), None, at("2026-03-09", 8)).await;
    sqlx::query(
        "insert into operations (id, campaign_id, status_id, category, assignee_id, identifier, identifier_norm, label, label_norm, search_text, planned_at, created_at, updated_at)
         select gen_random_uuid(), campaign_id, status_id, category, case when n % 2 = 0 then assignee_id end, 'M' || n, 'm' || n, 'NOM M' || n, 'nom m' || n, 'm' || n,
                planned_at + (n % 5) * interval '1 day', created_at, updated_at
         from operations, generate_series(1, 4999) n where id = $1",
    )
    .bind(model)
    .execute(&app.app.db)
    .await
    .unwrap();
    let page = sophie.get(&campaign.path("calendrier?periode=semaine&le=2026-03-09")).await;
    page.is(200)
        .shows("5 000 opérations planifiées")
        .shows("et 497 autres")
        .shows("1 000 au total");
    assert_eq!(page.body.matches("calendar__hour").count(), 2 * 5 * 3);
}
