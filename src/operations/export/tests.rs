// SPDX-License-Identifier: EUPL-1.2
//! Exports: the rows of the screen, typed, inert, and back again without a change.
use crate::{
    accounts::Role,
    testing::{Person, TestApp, TestCampaign, import},
};
use sqlx::PgPool;

const FILE: &str = "MATRICULE;NOM;SITE;TEL;ACHAT;PRIX;STATUT\r\n\
    A1;MARTIN Éloïse;Bâtiment A;06 39 98 00 12;12/03/2024;12,5;'=1+1\r\n\
    A2;PETIT « Marc »;Bâtiment A;+44 20 7946 0958;;1200;\"a;b\"\"c\"\r\n\
    007;LEBLANC Marie;Bâtiment B;;01/01/2026;-3;'@x\r\n\
    A4;NGUYEN Thi Lan;;01 39 98 00 13;31/12/2025;0;\r\n";

/// A campaign whose four operations came from a file, two of them worked on since.
async fn campaign(app: &TestApp, sophie: &Person) -> TestCampaign {
    let campaign = app.campaign().named("Été à l’hôpital").run_by(sophie).create().await;
    import(app, sophie, &campaign, "parc.csv", FILE.as_bytes()).await;
    let karim = app.karim().await;
    sqlx::query("update operations set assignee_id = $1, planned_at = timestamptz '2026-07-01 12:30+02' where identifier = 'A1'")
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    sqlx::query("update operations o set status_id = w.id, category = w.category, done_at = now(), started_at = now() from workflow_statuses w
                 join campaigns c on c.workflow_version_id = w.version_id where c.id = o.campaign_id and w.category = 'done' and o.identifier = 'A2'")
        .execute(&app.app.db)
        .await
        .unwrap();
    campaign
}

const ALL: [(&str, &str); 1] = [("colonnes", "toutes")];

fn asked<'a>(format: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("format", format)].iter().chain(more).copied().collect()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_307_1_the_rows_of_the_screen_in_its_order(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = campaign(&app, &sophie).await;
    let export = campaign.path("operations/export");
    let page = sophie.get(&format!("{export}?statut=todo&tri=identifiant")).await;
    page.is(200).shows("3 opérations").shows("À planifier");
    let reply = sophie
        .submit(
            &export,
            &asked(
                "csv",
                &[
                    ("colonnes", "toutes"),
                    ("statut", "todo"),
                    ("tri", "identifiant"),
                    ("sens", "desc"),
                ],
            ),
        )
        .await;
    reply.is(200);
    let name = reply.headers["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"operations-ete-a-l-hopital-20"), "{name}");
    let text = reply.body.strip_prefix('\u{feff}').unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(
        lines[0].starts_with("Identifiant;Libellé;Statut;Catégorie;Segment;Technicien;"),
        "{}",
        lines[0]
    );
    let first = |line: &&str| line.split(';').next().unwrap().to_owned();
    assert_eq!(lines[1..].iter().map(first).collect::<Vec<_>>(), ["A1", "007", "A4"]);
    assert!(lines[1].contains(";01/07/2026;12:30"), "{}", lines[1]);
    assert!(lines[1].contains(";'=1+1") || lines[1].contains(";\"'=1+1\""), "{}", lines[1]);
    assert!(lines[2].contains("-3"), "a number is not a formula: {}", lines[2]);
    assert_eq!(app.audit().await.last().unwrap(), "operations.exported");
    let traced = "select count(*) from audit_entries e join audit_personal p on p.entry = e.seq and p.key = 'filters'
                  where e.action = 'operations.exported' and e.changes->>'rows' = '3' and p.value like '%statut=todo%'";
    assert_eq!(app.count(traced).await, 1);
    let bare =
        sophie.submit(&export, &asked("csv", &[("separateur", ","), ("marque", "non")])).await;
    assert!(bare.body.starts_with("Identifiant,Libellé,Statut,Segment,"), "{}", bare.body);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_307_3_an_untouched_export_changes_nothing(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = campaign(&app, &sophie).await;
    let state = "select string_agg(identifier || label || coalesce(segment_id::text, '') || values::text || coalesce(planned_at::text, '') || coalesce(assignee_id::text, '') || version, '|' order by identifier) from operations";
    let before: String = sqlx::query_scalar(state).fetch_one(&app.app.db).await.unwrap();
    for (format, columns) in [
        ("csv", "toutes"),
        ("csv", "affichees"),
        ("xlsx", "toutes"),
        ("xlsx", "affichees"),
        ("ods", "toutes"),
    ] {
        let pairs = asked(format, &[("colonnes", columns)]).to_vec();
        let file = sophie.submit(&campaign.path("operations/export"), &pairs).await;
        file.is(200);
        let at = import(&app, &sophie, &campaign, &format!("retour.{format}"), &file.bytes).await;
        let page = sophie.get(&at).await;
        page.is(200).shows("0 intervention créée , 4 inchangées.");
        let after: String = sqlx::query_scalar(state).fetch_one(&app.app.db).await.unwrap();
        assert_eq!(after, before, "{format}, {columns}");
    }
    assert_eq!(app.count("select count(*) from campaign_fields").await, 8, "no field was made");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_307_4_without_the_right_no_button_and_a_refusal(db: PgPool) {
    let app = TestApp::new(db).await;
    let (sophie, reader) = (app.sophie().await, app.reader().await);
    let campaign = app.campaign().run_by(&sophie).create().await;
    campaign.operation("A1", None, None, None).await;
    campaign.grant(&reader, "view").await;
    let list = campaign.path("operations");
    sophie.get(&list).await.shows("Exporter");
    reader.get(&list).await.hides("Exporter");
    reader.get(&format!("{list}/export")).await.is(403);
    reader.submit(&format!("{list}/export"), &asked("csv", &ALL)).await.is(403);
    assert_eq!(app.count("select count(*) from exports").await, 0);
    let other = app.person("Nora", "Diaz", &[Role::Reader]).await;
    campaign.grant(&other, "export").await;
    other.submit(&format!("{list}/export"), &asked("xlsx", &ALL)).await.is(200);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_182_a_large_workbook_is_made_by_a_job(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    campaign.operation("A1", None, None, None).await;
    sqlx::query("insert into operations (id, campaign_id, status_id, category, identifier, identifier_norm, label, label_norm, search_text, created_at, updated_at)
                 select gen_random_uuid(), campaign_id, status_id, category, 'B' || n, 'b' || n, 'NOM ' || n, 'nom ' || n, '', now(), now() from operations, generate_series(1, 10000) n")
        .execute(&app.app.db)
        .await
        .unwrap();
    let export = campaign.path("operations/export");
    let at = sophie.submit(&export, &asked("xlsx", &ALL)).await.is(303).location.clone().unwrap();
    sophie.get(&at).await.shows("En attente").shows("0 ligne sur 10 001");
    sophie.get(&format!("{at}/fichier")).await.is(404);
    app.drain().await;
    sophie.get(&at).await.shows("Le fichier est prêt : 10 001 lignes.");
    let file = sophie.get(&format!("{at}/fichier")).await;
    file.is(200);
    assert_eq!(file.headers["content-length"], file.bytes.len().to_string().as_str());
    assert!(file.bytes.starts_with(b"PK"));
    // Its author only, whoever else may export.
    let admin = app.admin().await;
    admin.get(&at).await.is(404);
    admin.get(&format!("{at}/fichier")).await.is(404);

    let second = sophie.submit(&export, &asked("ods", &ALL)).await.location.unwrap();
    sophie.post(&format!("{second}/annulation")).await.redirects_to(&second);
    app.drain().await;
    sophie.get(&second).await.shows("Export annulé");

    sqlx::query("update exports set expires_at = now() - interval '1 minute'")
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.get(&format!("{at}/fichier")).await.is(404);
    super::forget_old(&app.app, app.now() + chrono::Duration::hours(2)).await.unwrap();
    let files = std::fs::read_dir(app.app.config.files_dir()).unwrap();
    let left =
        files.filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().starts_with("export-"));
    assert_eq!(left.count(), 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_006_ten_exports_a_minute_are_enough(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = campaign(&app, &sophie).await;
    let export = campaign.path("operations/export");
    for _ in 0..10 {
        sophie.submit(&export, &asked("csv", &[])).await.is(200);
    }
    sophie.submit(&export, &asked("csv", &[])).await.is(429);
}
