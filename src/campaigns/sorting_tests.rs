// SPDX-License-Identifier: EUPL-1.2
use super::*;
use crate::testing::{Person, TestApp, TestCampaign};

async fn setup(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

/// The form of a field as a browser sends it back, « Triable » ticked or not.
async fn tick(app: &TestApp, sophie: &Person, campaign: &TestCampaign, number: i32, on: bool) {
    let mut conn = app.app.db.acquire().await.unwrap();
    let all = fields(&mut conn, campaign.id).await.unwrap();
    let field = all.into_iter().find(|field| field.number == number).unwrap();
    let was = if field.sortable { "oui" } else { "" };
    let mut form =
        vec![("libelle", field.label.as_str()), ("nature", field.kind.code()), ("avant-tri", was)];
    form.extend([
        ("recherche", "oui"),
        ("liste", "oui"),
        ("avant-recherche", "oui"),
        ("avant-liste", "oui"),
    ]);
    form.extend([("avant-libelle", field.label.as_str()), ("avant-nature", field.kind.code())]);
    if on {
        form.push(("tri", "oui"));
    }
    sophie.submit(&campaign.path(&format!("parametres/champs/{}", field.id)), &form).await.is(303);
}

async fn indexes(app: &TestApp, campaign: &TestCampaign) -> Vec<(String, bool)> {
    let mut found = existing(&mut app.app.db.acquire().await.unwrap(), campaign.id).await.unwrap();
    found.sort();
    found
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_061_a_sortable_field_has_an_index_while_its_campaign_is_open(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    tick(&app, &sophie, &campaign, 3, false).await;
    tick(&app, &sophie, &campaign, 3, true).await;
    let settings = campaign.path("parametres/champs");
    sophie.get(&settings).await.shows("tri en préparation");
    app.drain().await;
    let mut made = indexes(&app, &campaign).await;
    assert_eq!(made.len(), 2, "{made:?}"); // « Poste » and « Lieu »
    assert!(made.iter().all(|(_, valid)| *valid));
    let page = sophie.get(&settings).await;
    page.shows("tri");
    assert!(!page.body.contains("en préparation"));
    // A program stopped in the middle leaves an index that PostgreSQL does not trust.
    sqlx::query("update pg_index set indisvalid = false where indexrelid = $1::text::regclass")
        .bind(&made[0].0)
        .execute(&app.app.db)
        .await
        .unwrap();
    tick(&app, &sophie, &campaign, 4, false).await;
    app.drain().await;
    made.truncate(1);
    assert_eq!(indexes(&app, &campaign).await, made);
    sqlx::query("update campaigns set status = 'finished' where id = $1")
        .bind(campaign.id)
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie.post(&campaign.path("archivage")).await.is(303);
    app.drain().await;
    assert_eq!(indexes(&app, &campaign).await, []);
    sophie.post(&campaign.path("restauration")).await.is(303);
    app.drain().await;
    assert_eq!(indexes(&app, &campaign).await, made);
}

/// What the list asks is answered from the index, in both directions, without sorting.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_061_the_index_gives_the_order_of_the_list(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    for (kind, letter) in [("short_text", 't'), ("number", 'n'), ("date", 'd')] {
        sqlx::query("update campaign_fields set kind = $1::field_kind where number = 3")
            .bind(kind)
            .execute(&app.app.db)
            .await
            .unwrap();
        tick(&app, &sophie, &campaign, 3, false).await;
        tick(&app, &sophie, &campaign, 3, true).await;
        app.drain().await;
        let kind = crate::campaigns::FieldKind::from_code(kind).unwrap();
        let key = field_key("o.values", 3, kind, false);
        for way in ["asc", "desc"] {
            let mut conn = app.app.db.acquire().await.unwrap();
            run(&mut conn, "set enable_sort = off; set enable_seqscan = off".into()).await.unwrap();
            let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "explain select o.id from operations o where o.campaign_id = '{}' and o.deleted_at is null
                 and o.segment_sort = 'ffffffff-ffff-ffff-ffff-ffffffffffff' order by {key} {way}, o.identifier_norm {way} limit 51",
                campaign.id
            )))
            .fetch_all(&mut *conn)
            .await
            .unwrap();
            let (plan, index) = (plan.join("\n"), format!("{}3_{letter}", prefix(campaign.id)));
            assert!(plan.contains(&index) && !plan.contains("Sort Key"), "{plan}");
            run(&mut conn, "reset enable_sort; reset enable_seqscan".into()).await.unwrap();
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_061_a_sixth_sortable_field_is_refused(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let new = campaign.path("parametres/champs/nouveau");
    for n in 1..=4 {
        let label = format!("Champ {n}");
        let form = [("libelle", label.as_str()), ("nature", "short_text"), ("tri", "oui")];
        let reply = sophie.submit(&new, &form).await;
        if n < 4 {
            reply.is(303);
        } else {
            reply.is(422).shows("Cinq champs sont déjà triables");
            assert!(reply.body.contains(r#"value="Champ 4""#));
        }
    }
    // The base holds it against any other way in.
    let sixth = sqlx::query("update campaign_fields set sortable = true where campaign_id = $1")
        .bind(campaign.id)
        .execute(&app.app.db)
        .await;
    assert_eq!(crate::db::sqlstate(&sixth.unwrap_err()).as_deref(), Some("OT011"));
    // A field that comes back when five others are sortable is no longer so.
    let gone: Uuid = sqlx::query_scalar(
        "select id from campaign_fields where campaign_id = $1 and label = 'Champ 1'",
    )
    .bind(campaign.id)
    .fetch_one(&app.app.db)
    .await
    .unwrap();
    let path = campaign.path(&format!("parametres/champs/{gone}"));
    sophie.post(&format!("{path}/suppression")).await.is(303);
    sophie
        .submit(&new, &[("libelle", "Champ 4"), ("nature", "date"), ("tri", "oui")])
        .await
        .is(303);
    sophie.post(&format!("{path}/retablissement")).await.is(303);
    let sortable = app
        .count("select count(*) from campaign_fields where sortable and deleted_at is null")
        .await;
    assert_eq!(sortable, 5);
}

/// Two indexes of one table built at once wait for each other, whoever's campaigns they are.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_061_campaigns_get_their_indexes_at_the_same_time(db: PgPool) {
    let (app, sophie, first) = setup(db).await;
    let second = app.campaign().named("Badges").run_by(&sophie).create().await;
    let third = app.campaign().named("Imprimantes").run_by(&sophie).create().await;
    let built = |campaign: &TestCampaign| {
        SortIndexes { campaign: campaign.id.uuid() }.run(&app.app, crate::clock::now())
    };
    let (a, b, c) = tokio::join!(built(&first), built(&second), built(&third));
    a.and(b).and(c).unwrap();
    for campaign in [&first, &second, &third] {
        let made = indexes(&app, campaign).await;
        assert!(made.len() == 2 && made.iter().all(|(_, valid)| *valid), "{made:?}");
    }
}
