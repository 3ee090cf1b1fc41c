// SPDX-License-Identifier: EUPL-1.2
//! Stories of « Paramètres »: settings, fields, grants, owner (US-210, 215, 219, 808).
use super::tests::general;
use crate::{
    accounts::Role,
    db::{Actor, Tx},
    testing::{Person, TestApp, TestCampaign},
};
use sqlx::PgPool;

async fn world(db: PgPool) -> (TestApp, Person, TestCampaign) {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    (app, sophie, campaign)
}

async fn gestionnaire(app: &TestApp, first: &str) -> Person {
    app.person(first, "Moreau", &[Role::CampaignManager]).await
}

async fn text(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.app.db).await.unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_215_1_every_setting_is_editable_and_checked(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let path = campaign.path("parametres/general");
    sophie
        .get(&path)
        .await
        .is(200)
        .shows("Heure par défaut")
        .shows("Verrouillage")
        .shows("Texte pour les agents");
    let changes = [
        ("heure", "09:00", "8h15"),
        ("verrou", "2", "30"),
        ("rappel", "2", "0"),
        ("temps", "", "oui"),
        ("niveau", "warn", "block"),
        ("contact", "", "Support, poste 12"),
        ("texte", "", "Sauvez vos documents."),
    ];
    sophie.submit(&path, &general("Migration", &changes)).await.redirects_to(&path);
    let stored = text(&app, "select concat_ws('|', to_char(default_time, 'HH24:MI'), lock_days, reminder_days, time_tracking, finish_level, contact, agent_text) from campaigns").await;
    assert_eq!(stored, "08:15|30|0|t|block|Support, poste 12|Sauvez vos documents.");
    for (changes, message) in [
        ([("verrou", "30", "31")], "Indiquez un nombre de jours de 0 à 30"),
        ([("rappel", "0", "")], "Ce champ est obligatoire"),
        ([("heure", "08:15", "99h")], "Heure invalide « 99h » (attendu : hh:mm)"),
        ([("niveau", "block", "autre")], "Ce champ est obligatoire"),
    ] {
        sophie.submit(&path, &general("Migration", &changes)).await.is(422).shows(message);
    }
    app.campaign().named("Autre").run_by(&sophie).create().await;
    let reply = sophie
        .submit(
            &path,
            &[general("Migration", &[("nom", "Migration", "AUTRE")]).as_slice(), &[]].concat(),
        )
        .await;
    reply.is(422).shows("Une campagne porte déjà ce nom");
    assert_eq!(app.audit().await, ["campaign.edited"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_editors_keep_their_fields_and_choose_the_common_one(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let admin = app.admin().await;
    let path = campaign.path("parametres/general");
    admin.submit(&path, &general("Migration", &[("contact", "", "Poste 1")])).await.is(303);
    sophie.submit(&path, &general("Migration", &[("verrou", "2", "7")])).await.is(303);
    assert_eq!(
        text(&app, "select contact || lock_days from campaigns").await,
        "Poste 17",
        "different fields: both kept"
    );
    let conflict = sophie
        .submit(&path, &general("Migration", &[("contact", "", "Poste 2"), ("verrou", "2", "2")]))
        .await;
    conflict
        .is(409)
        .shows("Modifié entre-temps")
        .shows("Sophie MARTIN a modifié cette campagne le")
        .shows("Poste 1")
        .shows("Poste 2")
        .shows("Garder la mienne")
        .shows("Prendre la sienne");
    assert_eq!(
        text(&app, "select contact || lock_days from campaigns").await,
        "Poste 17",
        "nothing is overwritten in silence"
    );
    let mut again =
        general("Migration", &[("contact", "Poste 1", "Poste 2"), ("verrou", "7", "7")]);
    again.extend([("conflit-contact", "Poste 1")]);
    sophie.submit(&path, &again).await.is(409);
    again.push(("choix-contact", "mienne"));
    sophie.submit(&path, &again).await.is(303);
    assert_eq!(text(&app, "select contact || lock_days from campaigns").await, "Poste 27");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_210_1_transfer_leaves_view_and_tells_both(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (paul, karim) = (gestionnaire(&app, "Paul").await, app.karim().await);
    let path = campaign.path("parametres/proprietaire");
    sophie.get(&path).await.is(200).shows("Paul MOREAU").hides("Karim BENALI");
    sophie
        .submit(&path, &[("proprietaire", &karim.id().to_string())])
        .await
        .is(422)
        .shows("Choisissez un gestionnaire actif.");
    let reply = sophie.submit(&path, &[("proprietaire", &paul.id().to_string())]).await;
    assert!(
        reply
            .redirects_to("/campagnes")
            .flash()
            .unwrap()
            .contains("Vous gardez le droit de la voir")
    );
    sophie
        .get("/campagnes")
        .await
        .shows("Transférée à Paul MOREAU le")
        .hides("Paramètres de Migration");
    paul.get("/campagnes")
        .await
        .shows("Sophie MARTIN vous a transféré cette campagne le")
        .shows("Paramètres de Migration");
    sophie.get(&path).await.is(403);
    assert_eq!(
        app.count(
            "select count(*) from grants where can_view and not can_configure and not can_export"
        )
        .await,
        1
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_111_without_an_active_owner_an_admin_reassigns(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (admin, paul) = (app.admin().await, gestionnaire(&app, "Paul").await);
    sqlx::query("update users set active = false where id = $1")
        .bind(sophie.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    admin.get("/campagnes").await.shows("Sans propriétaire actif");
    let path = campaign.path("parametres/proprietaire");
    admin.get(&path).await.shows("Sans propriétaire actif.").shows("Sophie MARTIN est désactivé");
    admin.submit(&path, &[("proprietaire", &paul.id().to_string())]).await.redirects_to(&path);
    admin.get("/campagnes").await.hides("Sans propriétaire actif");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_808_1_the_table_shows_rights_and_their_origin(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (paul, reader) = (gestionnaire(&app, "Paul").await, app.reader().await);
    campaign.grant(&paul, "configure").await;
    let group = uuid::Uuid::now_v7();
    sqlx::query(
        "insert into user_groups (id, name, name_norm) values ($1, 'Direction', 'direction')",
    )
    .bind(group)
    .execute(&app.app.db)
    .await
    .unwrap();
    sqlx::query("insert into group_members (group_id, user_id) values ($1, $2)")
        .bind(group)
        .bind(reader.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    sqlx::query("insert into grants (id, campaign_id, group_id, can_export) values (gen_random_uuid(), $1, $2, true)").bind(campaign.id).bind(group).execute(&app.app.db).await.unwrap();
    let page = sophie.get(&campaign.path("parametres/habilitations")).await;
    page.shows("Paul MOREAU Voir, Configurer nommément")
        .shows("Hélène GARNIER Voir, Exporter via groupe Direction")
        .shows("Sophie MARTIN Voir, Positionner, Configurer, Exporter propriétaire");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_808_2_view_comes_along_and_nobody_grants_beyond_his_own(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let (paul, lea) = (gestionnaire(&app, "Paul").await, gestionnaire(&app, "Léa").await);
    let path = campaign.path("parametres/habilitations");
    sophie
        .submit(&path, &[("personne", "Paul Moreau"), ("droit", "configurer")])
        .await
        .redirects_to(&path);
    paul.get(&path).await.is(200);
    paul.submit(&path, &[("personne", "lea.moreau@ops.test"), ("droit", "exporter")])
        .await
        .is(422)
        .shows("Vous ne pouvez donner que les droits que vous avez. Il vous manque : Exporter.");
    paul.submit(&path, &[("personne", "Léa MOREAU <lea.moreau@ops.test>"), ("droit", "voir")])
        .await
        .is(303);
    lea.get(&campaign.path("operations")).await.is(200);
    let row = text(
        &app,
        "select g.id::text from grants g join users u on u.id = g.user_id and u.first_name = 'Léa'",
    )
    .await;
    let (before, box_) = (format!("avant-{row}"), format!("droit-{row}"));
    paul.submit(&format!("{path}/droits"), &[(&before, "voir"), (&box_, "exporter")])
        .await
        .is(422)
        .shows("Il vous manque : Exporter.");
    sophie
        .submit(&format!("{path}/droits"), &[(&before, "voir"), (&box_, "exporter")])
        .await
        .is(303);
    paul.submit(&format!("{path}/droits"), &[(&before, "voir"), (&box_, "configurer")])
        .await
        .is(409)
        .shows("Modifié entre-temps : Voir, Exporter.");
    sophie
        .submit(&path, &[("personne", "inconnu@ops.test"), ("droit", "voir")])
        .await
        .is(422)
        .shows("Aucun compte actif n'a ce nom ou cette adresse");
    sophie
        .submit(&path, &[("personne", "Paul Moreau"), ("droit", "voir")])
        .await
        .is(422)
        .shows("figure déjà dans la liste");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_115_a_lecteur_holds_view_and_export_only(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    app.reader().await;
    let path = campaign.path("parametres/habilitations");
    sophie
        .submit(&path, &[("personne", "helene.garnier@ops.test"), ("droit", "configurer")])
        .await
        .is(422)
        .shows("Un lecteur ne peut recevoir que « Voir » et « Exporter ».");
    sophie
        .submit(&path, &[("personne", "helene.garnier@ops.test"), ("droit", "exporter")])
        .await
        .is(303);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_808_3_removal_is_effective_at_the_next_request(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let paul = gestionnaire(&app, "Paul").await;
    campaign.grant(&paul, "configure").await;
    paul.get(&campaign.path("operations")).await.is(200);
    let row = text(&app, "select id::text from grants").await;
    sophie.post(&campaign.path(&format!("parametres/habilitations/{row}/retrait"))).await.is(303);
    paul.get(&campaign.path("operations")).await.is(404);
    paul.get("/campagnes").await.hides("Migration");
    assert_eq!(app.audit().await, ["grant.removed"]);
}

const NEW_FIELD: [(&str, &str); 4] =
    [("libelle", "Étage"), ("nature", "short_text"), ("liste", "oui"), ("recherche", "oui")];

async fn field_id(app: &TestApp, label: &str) -> String {
    sqlx::query_scalar("select id::text from campaign_fields where label = $1")
        .bind(label)
        .fetch_one(&app.app.db)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_219_1_add_rename_reorder_hide_without_touching_values(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    campaign.operation("A1", None, None, None).await;
    let path = campaign.path("parametres/champs");
    sophie.submit(&format!("{path}/nouveau"), &NEW_FIELD).await.redirects_to(&path);
    sophie
        .submit(&format!("{path}/nouveau"), &[("libelle", " etage "), ("nature", "date")])
        .await
        .is(422)
        .shows("Un champ de cette campagne porte déjà ce nom");
    let poste = field_id(&app, "Poste").await;
    let edit = format!("{path}/{poste}");
    sophie.get(&edit).await.is(200).shows("Nom du champ");
    let renamed = [
        ("avant-libelle", "Poste"),
        ("libelle", "Poste de travail"),
        ("nature", "short_text"),
        ("avant-nature", "short_text"),
        ("liste", "oui"),
        ("avant-liste", "oui"),
        ("recherche", "oui"),
        ("avant-recherche", "oui"),
    ];
    sophie.submit(&edit, &renamed).await.is(303);
    sophie.get(&campaign.path("operations")).await.shows("Poste de travail").shows("PC-1");
    sophie.submit(&format!("{path}/{poste}/position"), &[("sens", "haut")]).await.is(303);
    let order: Vec<String> =
        sqlx::query_scalar("select label from campaign_fields order by position")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
    assert_eq!(order, ["Matricule", "Poste de travail", "Nom", "Lieu", "Étage"]);
    let mut hidden = renamed.to_vec();
    hidden[0] = ("avant-libelle", "Poste de travail");
    hidden.push(("masque", "oui"));
    sophie.submit(&edit, &hidden).await.is(303);
    sophie.get(&campaign.path("operations")).await.hides("Poste de travail");
    assert_eq!(text(&app, "select values ->> '3' from operations").await, "PC-1");
    assert_eq!(app.audit().await, ["field.added", "field.edited", "field.moved", "field.edited"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_219_2_another_identifier_only_without_empty_nor_double(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    for n in 1..=3 {
        campaign.operation(&format!("A{n}"), None, None, None).await;
    }
    let path = campaign.path("parametres/champs/usages");
    let wanted = [("identifier", "3"), ("label", "2"), ("location", "4")];
    sophie
        .submit(&path, &wanted)
        .await
        .is(422)
        .shows("Valeurs portées par plusieurs opérations")
        .shows("PC-1 : 3 opérations");
    sqlx::query("update operations set values = '{}' where identifier = 'A3'")
        .execute(&app.app.db)
        .await
        .unwrap();
    sophie
        .submit(&path, &wanted)
        .await
        .is(422)
        .shows("1 opération n'aurait pas de valeur")
        .shows("A3 (NOM A3)");
    assert_eq!(
        text(&app, "select string_agg(identifier, ',' order by identifier) from operations").await,
        "A1,A2,A3"
    );
    // PC-2 → A1 is the former identifier of another row: no moment of the change may break.
    sqlx::query("update operations set values = jsonb_build_object('3', case identifier when 'A1' then 'A2' when 'A2' then 'a1' else 'PC-3' end)").execute(&app.app.db).await.unwrap();
    sophie.submit(&path, &wanted).await.redirects_to(&campaign.path("parametres/champs"));
    assert_eq!(text(&app, "select string_agg(identifier || '<' || (values ->> '1') || '>' || identifier_norm, ' ' order by identifier_norm) from operations").await, "a1<A2>a1 A2<A1>a2 PC-3<A3>pc-3");
    assert_eq!(app.count("select count(*) from operations where values ? '3' or search_text not like '%' || identifier_norm || '%'").await, 0);
    sophie.get(&campaign.path("parametres/champs")).await.shows("Poste Identifiant");
    sophie.get(&campaign.path("operations")).await.shows("PC-3").shows("A3");
    sophie
        .submit(&path, &[("identifier", "3"), ("label", "3")])
        .await
        .is(422)
        .shows("L'identifiant et le libellé doivent être deux champs différents.");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_180_two_people_rename_a_field(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let admin = app.admin().await;
    let edit = campaign.path(&format!("parametres/champs/{}", field_id(&app, "Poste").await));
    let renamed = |label: &'static str| {
        [
            ("avant-libelle", "Poste"),
            ("libelle", label),
            ("avant-nature", "short_text"),
            ("nature", "short_text"),
            ("avant-liste", "oui"),
            ("liste", "oui"),
            ("avant-recherche", "oui"),
            ("recherche", "oui"),
        ]
    };
    sophie.submit(&edit, &renamed("Poste remis")).await.is(303);
    admin
        .submit(&edit, &renamed("Poste repris"))
        .await
        .is(409)
        .shows("Sophie MARTIN a modifié ce champ le")
        .shows("Poste remis")
        .shows("Poste repris");
    assert_eq!(
        text(&app, "select label from campaign_fields where number = 3").await,
        "Poste remis"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_219_3_a_kind_changes_after_a_preview_of_what_does_not_convert(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    for (identifier, value) in [("A1", "01/02/2026"), ("A2", "demain"), ("A3", "demain")] {
        campaign.operation(identifier, None, None, None).await;
        sqlx::query("update operations set values = jsonb_build_object('3', $1::text) where identifier = $2").bind(value).bind(identifier).execute(&app.app.db).await.unwrap();
    }
    let edit = campaign.path(&format!("parametres/champs/{}", field_id(&app, "Poste").await));
    let mut form = vec![
        ("avant-libelle", "Poste"),
        ("libelle", "Poste"),
        ("avant-nature", "short_text"),
        ("nature", "date"),
        ("avant-liste", "oui"),
        ("liste", "oui"),
        ("avant-recherche", "oui"),
        ("recherche", "oui"),
    ];
    sophie
        .submit(&edit, &form)
        .await
        .is(422)
        .shows("2 valeurs ne conviennent pas")
        .shows("« demain » (2 opérations) : Date invalide « demain » (attendu : jj/mm/aaaa)");
    assert_eq!(
        text(&app, "select kind::text from campaign_fields where number = 3").await,
        "short_text"
    );
    form.push(("accepter", "oui"));
    sophie.submit(&edit, &form).await.is(303);
    assert_eq!(
        text(&app, "select string_agg(values ->> '3', ' ' order by identifier) from operations")
            .await,
        "2026-02-01 demain demain"
    );
    app.drain().await;
    assert_eq!(
        app.count("select count(*) from operations where search_text like '%2026-02-01%'").await,
        1,
        "the search follows"
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_219_3_deletion_says_how_many_values_and_keeps_them_30_days(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    campaign.operation("A1", None, None, None).await;
    let (path, poste) = (campaign.path("parametres/champs"), field_id(&app, "Poste").await);
    sophie
        .get(&format!("{path}/{poste}/suppression"))
        .await
        .shows("Supprimer « Poste » ?")
        .shows("1 valeur");
    sophie.post(&format!("{path}/{poste}/suppression")).await.redirects_to(&path);
    sophie.get(&path).await.shows("Gardés 30 jours").shows("Rétablir Poste");
    sophie.get(&campaign.path("operations")).await.hides("PC-1");
    sophie.post(&format!("{path}/{poste}/retablissement")).await.redirects_to(&path);
    sophie.get(&campaign.path("operations")).await.shows("PC-1");
    let identifier = field_id(&app, "Matricule").await;
    sophie
        .post(&format!("{path}/{identifier}/suppression"))
        .await
        .is(422)
        .shows("L'identifiant et le libellé ne se suppriment pas.");
    sqlx::query(
        "update campaign_fields set deleted_at = now() - interval '31 days' where number = 3",
    )
    .execute(&app.app.db)
    .await
    .unwrap();
    sophie.post(&format!("{path}/{poste}/retablissement")).await.is(404);
    sophie.get(&path).await.hides("Rétablir Poste");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_093_segments_are_created_and_renamed_under_one_normal_form(db: PgPool) {
    let (app, sophie, campaign) = world(db).await;
    let mut tx =
        Tx::begin(&app.app, Actor::User(sophie.user.clone().unwrap()), app.now()).await.unwrap();
    let allowed = tx.authorize(super::Configure, campaign.id).await.unwrap();
    let wanted = |name: &str| super::Wanted { name: name.into(), color: None };
    let first =
        super::create_segment(&mut tx, &allowed, &wanted("Étage 1")).await.unwrap().unwrap();
    let stored = super::lock_segment(&mut tx, &allowed, first).await.unwrap();
    super::edit_segment(&mut tx, &allowed, &stored, &wanted("Étage 2")).await.unwrap();
    for refused in ["sans  segment", "  ", "A"] {
        assert!(super::check_segment_name(refused).is_err(), "{refused}");
    }
    super::create_segment(&mut tx, &allowed, &wanted("0")).await.unwrap();
    let segments = super::segments(tx.conn(), campaign.id).await.unwrap();
    assert_eq!(segments.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Étage 2", "0"]);
    assert_eq!(super::create_segment(&mut tx, &allowed, &wanted("ETAGE 2")).await.unwrap(), None);
}
