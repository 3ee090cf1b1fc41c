// SPDX-License-Identifier: EUPL-1.2
//! What a person sees and does on the list of operations.
use super::ROWS;
use crate::{
    accounts::Role,
    campaigns::Segment,
    db::Id,
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;

/// `n` operations « P001 … » of a segment.
async fn fill(campaign: &TestCampaign, prefix: &str, n: usize, segment: Option<Id<Segment>>) {
    for i in 1..=n {
        campaign.operation(&format!("{prefix}{i:03}"), None, segment, None).await;
    }
}

async fn setup(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

/// The labels of the rows, in order.
fn labels(html: &str) -> Vec<String> {
    let cells = html.split(r#"<th scope="row">"#).skip(1);
    cells
        .map(|cell| cell.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned())
        .collect()
}

fn link(html: &str, id: &str) -> Option<String> {
    let at = html.find(&format!(r#"id="{id}" href=""#))?;
    let url = html[at..].split('"').nth(3)?.replace("&#38;", "&").replace("&amp;", "&");
    Some(url)
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_301_1_columns_groups_counts(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let a = campaign.segment("Bâtiment A").await;
    fill(&campaign, "A", 3, Some(a)).await;
    fill(&campaign, "S", 1, None).await;
    sqlx::query("update operations o set status_id = w.id, category = w.category from workflow_statuses w join campaigns c on c.workflow_version_id = w.version_id where w.code = 'done' and c.id = o.campaign_id and o.identifier = 'A001'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = sophie.get(&campaign.path("operations")).await;
    page.is(200)
        .shows("Matricule Nom Poste Lieu Statut Technicien Prévue le")
        .shows("Bâtiment A (3 interventions) — 33 %")
        .shows("Sans segment (1 intervention) — 0 %")
        .shows("1-4 sur 4")
        .shows("PC-1")
        .shows("4 interventions • 1 réalisée • 3 à planifier");
    assert_eq!(labels(&page.body), ["NOM A001", "NOM A002", "NOM A003", "NOM S001"]);
    let fold = link(&page.body, &format!("replier-{a}")).unwrap();
    let folded = sophie.get(&campaign.path(&fold)).await;
    folded.shows("Bâtiment A (3 interventions)").shows("1-1 sur 1");
    assert_eq!(labels(&folded.body), ["NOM S001"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_301_3_pages_lose_and_repeat_nothing_in_every_order(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    for name in ["C", "A", "B"] {
        let segment = campaign.segment(name).await;
        fill(&campaign, name, 41, Some(segment)).await;
    }
    fill(&campaign, "S", 20, None).await;
    let karim = app.karim().await;
    sqlx::query("update operations set assignee_id = $1, planned_at = timestamptz '2026-03-01 09:00+00' + (right(identifier, 2)::int % 5) * interval '1 day' where right(identifier, 1)::int % 2 = 0")
        .bind(karim.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    // A field of numbers: some empty, some that are not numbers, many equal.
    sqlx::query("update campaign_fields set kind = 'number' where number = 4")
        .execute(&app.app.db)
        .await
        .unwrap();
    sqlx::query(
        "update operations set values = values || jsonb_build_object('4', case right(identifier, 1)::int % 4 when 0 then 'douze' when 1 then '' when 2 then '-3.5' else right(identifier, 2) end),
                updated_at = updated_at + interval '1 second' where right(identifier, 1)::int % 5 > 0",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    sqlx::query(
        "update operations set values = values - '3' where right(identifier, 1)::int % 3 = 0",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    let total = 3 * 41 + 20;
    for sort in
        ["identifiant", "libelle", "statut", "technicien", "prevue", "maj", "champ-3", "champ-4"]
    {
        for way in ["asc", "desc"] {
            for filter in ["", "&q=nom", "&statut=todo"] {
                let first = campaign.path(&format!("operations?tri={sort}&sens={way}{filter}"));
                let (mut seen, mut pages, mut url) = (Vec::new(), Vec::new(), first.clone());
                loop {
                    let page = sophie.get(&url).await;
                    page.is(200).shows(&format!(
                        "{}-{} sur {total}",
                        seen.len() + 1,
                        (seen.len() + ROWS).min(total)
                    ));
                    seen.extend(labels(&page.body));
                    pages.push(labels(&page.body));
                    match link(&page.body, "p-suivant") {
                        Some(next) => url = campaign.path(&next),
                        None => break,
                    }
                }
                let mut unique = seen.clone();
                unique.sort();
                unique.dedup();
                assert_eq!((unique.len(), pages.len()), (total, 3), "{first}");
                let mut page = sophie.get(&url).await;
                for expected in pages.iter().rev().skip(1) {
                    page =
                        sophie.get(&campaign.path(&link(&page.body, "p-precedent").unwrap())).await;
                    assert_eq!(&labels(&page.body), expected, "{first}");
                }
                page.shows(&format!("1-50 sur {total}"));
                assert!(link(&page.body, "p-precedent").is_none());
            }
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_305_order_inside_groups_empty_last_ties_by_identifier(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    for (identifier, label, planned) in [
        ("3", "Émile", None),
        ("1", "eva", Some("2026-03-02")),
        ("2", "Zoé", Some("2026-03-01")),
        ("4", "Abel", Some("2026-03-01")),
    ] {
        let id = campaign.operation(identifier, None, None, None).await;
        sqlx::query("update operations set label = $2, label_norm = $3, planned_at = $4::timestamptz, values = jsonb_build_object('3', $5::text) where id = $1")
            .bind(id)
            .bind(label)
            .bind(crate::text::norm(label))
            .bind(planned)
            .bind(if identifier == "1" { "" } else { label })
            .execute(&app.app.db)
            .await
            .unwrap();
    }
    for (order, expected) in [
        ("", ["Abel", "Émile", "eva", "Zoé"]),
        ("?sens=desc", ["Zoé", "eva", "Émile", "Abel"]),
        ("?tri=identifiant", ["eva", "Zoé", "Émile", "Abel"]),
        ("?tri=prevue", ["Zoé", "Abel", "eva", "Émile"]),
        ("?tri=prevue&sens=desc", ["eva", "Abel", "Zoé", "Émile"]),
        ("?tri=champ-3", ["Abel", "Émile", "Zoé", "eva"]),
        ("?tri=champ-3&sens=desc", ["Zoé", "Émile", "Abel", "eva"]),
    ] {
        let page = sophie.get(&campaign.path(&format!("operations{order}"))).await;
        assert_eq!(labels(&page.body), expected, "{order}");
    }
    let page = sophie.get(&campaign.path("operations?tri=prevue")).await;
    assert!(page.body.contains(r#"<th scope="col" aria-sort="ascending"><a class="table__sort" id="tri-7" href="operations?tri=prevue&#38;sens=desc""#) || page.body.contains("aria-sort=\"ascending\""));
    assert_eq!(page.body.matches("aria-sort").count(), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_303_filters_combine_and_live_in_the_address(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let karim = app.karim().await;
    let a = campaign.segment("Bâtiment A").await;
    let planned = "2026-03-12T13:30:00Z".parse().ok();
    campaign.operation("A1", Some(&karim), Some(a), planned).await;
    campaign.operation("A2", None, Some(a), None).await;
    campaign.operation("S1", Some(&karim), None, None).await;
    campaign.operation("S2", None, None, None).await;
    sqlx::query("update operations set search_text = 's2 leaf 50%_a' where identifier = 'S2'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let a_filter = format!("?segment={a}");
    let karim_filter = format!("?technicien={}", karim.id());
    for (filter, expected) in [
        (a_filter.as_str(), &["NOM A1", "NOM A2"][..]),
        ("?segment=aucun", &["NOM S1", "NOM S2"]),
        ("?technicien=aucun", &["NOM A2", "NOM S2"]),
        (&karim_filter, &["NOM A1", "NOM S1"]),
        ("?segment=aucun&technicien=aucun", &["NOM S2"]),
        ("?du=12/03/2026&au=12/03/2026", &["NOM A1"]),
        ("?du=13/03/2026", &[]),
        ("?q=L%C3%89AF", &["NOM S2"]),
        ("?q=50%25_", &["NOM S2"]),
        ("?q=%25", &["NOM S2"]),
        ("?statut=done", &[]),
        ("?statut=done&statut=todo", &["NOM A1", "NOM A2", "NOM S1", "NOM S2"]),
        ("?categorie=planned", &[]),
    ] {
        let page = sophie.get(&campaign.path(&format!("operations{filter}"))).await;
        assert_eq!(labels(&page.body), expected, "{filter}");
        let n = expected.len();
        page.is(200)
            .shows(&format!("{n} {} (sur 4)", if n < 2 { "résultat" } else { "résultats" }))
            .shows("Réinitialiser");
    }
    let page = sophie.get(&campaign.path("operations?segment=aucun&technicien=aucun&q=s2")).await;
    page.shows("« s2 »").shows("Sans segment").shows("Non assigné");
    assert!(
        page.body.contains(
            r#"href="operations?segment=aucun&#38;technicien=aucun" aria-label="Retirer le filtre"#
        ),
        "{}",
        page.body
    );
    sophie
        .get(&campaign.path("operations?du=31/02/2026"))
        .await
        .is(200)
        .shows("Date invalide « 31/02/2026 »");
    sophie
        .get(&campaign.path("operations?statut=done"))
        .await
        .shows("Aucune opération ne correspond.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_301_4_columns_are_kept_by_person_and_campaign(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let marc = app.admin().await;
    campaign.operation("A1", None, None, None).await;
    let list = campaign.path("operations");
    sophie
        .submit(
            &campaign.path("operations/colonnes"),
            &[("colonne", "maj"), ("colonne", "champ-4"), ("retour", &list)],
        )
        .await
        .redirects_to(&list);
    sophie.get(&list).await.shows("Matricule Nom Lieu Mise à jour Sans segment");
    marc.get(&list)
        .await
        .shows("Matricule Nom Poste Lieu Statut Technicien Prévue le Sans segment");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_the_list_of_others_does_not_exist_and_readers_have_no_buttons(db: PgPool) {
    let (app, _, campaign) = setup(db).await;
    let (reader, karim) = (app.reader().await, app.karim().await);
    campaign.operation("A1", Some(&karim), None, None).await;
    let list = campaign.path("operations");
    reader.get(&list).await.is(404);
    karim.get(&list).await.is(404);
    campaign.grant(&reader, "view").await;
    let page = reader.get(&list).await;
    page.is(200).hides("Ajouter une intervention").hides("modifier le statut");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn p_101_the_page_weighs_the_same_whatever_the_number_of_technicians(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    campaign.operation("A1", None, None, None).await;
    let before = sophie.get(&campaign.path("operations")).await.body.len();
    for i in 0..20 {
        app.person("Luc", &format!("Bernard{i}"), &[Role::Technician]).await;
    }
    assert_eq!(sophie.get(&campaign.path("operations")).await.body.len(), before);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_016_an_archived_campaign_is_read_only(db: PgPool) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).archived().create().await;
    sophie
        .get(&campaign.path("operations"))
        .await
        .is(200)
        .shows("Campagne archivée : lecture seule.")
        .hides("Ajouter une intervention");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn hostile_data_and_addresses_are_only_text(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    let id = campaign.operation("<b>1", None, None, None).await;
    sqlx::query("update operations set label = '<script>alert(1)</script>', values = '{\"3\": \"\\\"><img>\"}' where id = $1")
        .bind(id)
        .execute(&app.app.db)
        .await
        .unwrap();
    let page = sophie.get(&campaign.path("operations")).await;
    assert!(
        !page.body.contains("<script>alert")
            && !page.body.contains("<img>")
            && !page.body.contains("<b>1")
    );
    for odd in [
        "?apres=zz",
        "?apres=00",
        "?tri=%27;--&sens=x",
        "?segment=xyz&technicien=1",
        "?q=%00%27",
        "?replier=zz",
        "?rang=-4&apres=6161",
    ] {
        sophie.get(&campaign.path(&format!("operations{odd}"))).await.is(200);
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_061_only_sortable_fields_sort_and_the_head_says_so(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    fill(&campaign, "A", 3, None).await;
    sqlx::query("update operations set values = '{\"3\":\"PC-9\"}' where identifier = 'A001'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let sorted = campaign.path("operations?tri=champ-3&sens=desc");
    let by_post = sophie.get(&sorted).await;
    assert_eq!(labels(&by_post.body), ["NOM A001", "NOM A003", "NOM A002"]);
    assert!(by_post.body.contains("tri=champ-3"), "the head of « Poste » is a link");
    sqlx::query("update campaign_fields set sortable = false where number = 3")
        .execute(&app.app.db)
        .await
        .unwrap();
    let by_label = sophie.get(&sorted).await;
    assert_eq!(labels(&by_label.body), ["NOM A003", "NOM A002", "NOM A001"]);
    assert!(by_label.body.contains(r#"<th scope="col">Poste</th>"#));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_303_fields_filter_by_exact_value_everywhere(db: PgPool) {
    let (app, sophie, campaign) = setup(db).await;
    fill(&campaign, "A", 4, None).await;
    for (number, kind) in [(3, "choice"), (4, "number")] {
        sqlx::query("update campaign_fields set kind = $2::field_kind, choices = '{Fixe,Portable}' where number = $1")
            .bind(number)
            .bind(kind)
            .execute(&app.app.db)
            .await
            .unwrap();
    }
    sqlx::query(
        "update operations o set values = v.held from (values
           ('A001', '{\"3\":\"Fixe\",\"4\":\"1200.5\"}'::jsonb), ('A002', '{\"3\":\"Portable\",\"4\":\"1200.5\"}'),
           ('A003', '{\"3\":\"Fixe\",\"4\":\"\"}'), ('A004', '{}')) v (identifier, held) where o.identifier = v.identifier",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    let page = async |query: &str| sophie.get(&campaign.path(&format!("operations?{query}"))).await;
    let found = async |query: &str| labels(&page(query).await.body);
    assert_eq!(found("champ-3=Fixe").await, ["NOM A001", "NOM A003"]);
    assert_eq!(found("champ-4=1+200,5").await, ["NOM A001", "NOM A002"]);
    assert_eq!(found("champ-3=Fixe&champ-4=1200.5").await, ["NOM A001"]);
    assert_eq!(found("champ-4=-").await, ["NOM A003", "NOM A004"]);
    assert_eq!(found("champ-3=Fixe&champ-4=-").await, ["NOM A003"]);
    page("champ-3=Fixe&champ-4=1200,5")
        .await
        .shows("1 résultat (sur 4)")
        .shows("Poste : Fixe")
        .shows("Lieu : 1200,5")
        .shows("2 champs");
    let wrong = page("champ-4=douze").await;
    wrong.is(200).shows("Nombre invalide").shows("4 opérations");
    let asked = [("format", "csv"), ("colonnes", "affichees"), ("champ-3", "Portable")];
    let csv = sophie.submit(&campaign.path("operations/export"), &asked).await;
    csv.is(200);
    assert_eq!(csv.body.lines().count(), 2, "{}", csv.body);
}
