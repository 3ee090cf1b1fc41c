// SPDX-License-Identifier: EUPL-1.2
//! The matrix of RG-117, walked over every route that the program declares: a route added tomorrow
//! is in it. Who may not see gets 404, who may only see gets 403, who may gets an answer (P-001).
use crate::{
    accounts::{Role, User},
    app,
    campaigns::{Campaign, visible},
    db::Id,
    testing::{Person, Reply, TestApp, TestCampaign},
    web::{Access, Declared, Right, auth::Subject},
};
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What somebody is to a campaign: the rows of the matrix.
struct Kind {
    name: &'static str,
    person: Person,
    sees: bool,
    configures: bool,
    exports: bool,
    owns: bool,
    /// The technician to whom the operations are assigned.
    assigned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It does not exist for them.
    Hidden,
    /// They see it and may not do that.
    Refused,
    /// Anything else that is not a failure of the program.
    Given,
}

impl Kind {
    /// RG-117 for a route of a campaign. A technician's own operations are under `/terrain`: on the
    /// campaign's side, whoever does not see the campaign meets nothing (operations/at.rs).
    fn expected(&self, right: Right) -> Answer {
        let may = match right {
            Right::View => true,
            Right::Configure | Right::Audit => self.configures,
            Right::Export => self.exports,
            Right::Own => self.owns,
            Right::Transition => self.configures || self.assigned,
            Right::Copy => {
                let roles = &self.person.user.as_ref().unwrap().roles;
                roles.has(Role::Admin) || roles.has(Role::CampaignManager)
            }
        };
        match (self.sees, may) {
            (false, _) => Answer::Hidden,
            (true, false) => Answer::Refused,
            (true, true) => Answer::Given,
        }
    }
}

/// The one step of the checklist that every operation of the matrix has.
const STEP: &str = "01990000-0000-7000-8000-00000000e7a9";

struct World {
    app: TestApp,
    campaign: TestCampaign,
    kinds: Vec<Kind>,
    /// To whom operations are assigned when the person asking is nobody's technician.
    technician: Id<User>,
}

impl World {
    async fn new(db: PgPool, public: bool) -> Self {
        let app = TestApp::new(db).await;
        let sophie = app.sophie().await;
        let builder = app.campaign().run_by(&sophie);
        let campaign = if public { builder.public() } else { builder }.create().await;
        let karim = app.karim().await;
        let technician = karim.id();
        for sql in [
            "insert into checklist_templates (id, name, name_norm, created_at) values ($1::uuid, 'Essai', 'essai', now())",
            "insert into checklist_versions (id, template_id, number, definition, required, optional, published_at)
             values ($1::uuid, $1::uuid, 1, jsonb_build_object('phases', jsonb_build_array(jsonb_build_object('id', $1, 'label', '', 'locked', false, 'steps',
               jsonb_build_array(jsonb_build_object('id', $1, 'label', 'Essai', 'description', '', 'required', true, 'minutes', '', 'capture', ''))))),
               array[$1::uuid], '{}', now())",
            "update campaigns set checklist_version_id = $1::uuid",
        ] {
            sqlx::query(sql).bind(STEP).execute(&app.app.db).await.unwrap();
        }
        let mut kinds = vec![
            Kind {
                name: "owner",
                person: sophie,
                sees: true,
                configures: true,
                exports: true,
                owns: true,
                assigned: false,
            },
            Kind {
                name: "admin",
                person: app.admin().await,
                sees: true,
                configures: true,
                exports: true,
                owns: true,
                assigned: false,
            },
            Kind {
                name: "assigned technician",
                person: karim,
                sees: false,
                configures: false,
                exports: false,
                owns: false,
                assigned: true,
            },
        ];
        for (name, roles, right) in [
            ("gestionnaire", &[Role::CampaignManager][..], ""),
            ("gestionnaire, voir", &[Role::CampaignManager], "view"),
            ("gestionnaire, configurer", &[Role::CampaignManager], "configure"),
            ("gestionnaire, exporter", &[Role::CampaignManager], "export"),
            ("lecteur, exporter", &[Role::Reader], "export"),
            ("gestionnaire, configurer by a group", &[Role::CampaignManager], "group configure"),
            ("gestionnaire, voir by a group", &[Role::CampaignManager], "group view"),
            ("assigned technician, voir", &[Role::Technician], "view"),
            ("other technician", &[Role::Technician], ""),
            ("technician, voir", &[Role::Technician], "view"),
            ("lecteur", &[Role::Reader], ""),
            ("lecteur, voir", &[Role::Reader], "view"),
            ("lecteur, configurer (ignored)", &[Role::Reader], "configure"),
            ("coordinateur", &[Role::Coordinator], ""),
            ("coordinateur and technician", &[Role::Coordinator, Role::Technician], ""),
        ] {
            let person = app.person(&format!("Jean{}", kinds.len()), "Essai", roles).await;
            match right.strip_prefix("group ") {
                Some(right) => grant_by_group(&app, &campaign, &person, right).await,
                None if right.is_empty() => {}
                None => campaign.grant(&person, right).await,
            }
            let open = public
                && roles.iter().any(|role| matches!(role, Role::CampaignManager | Role::Reader));
            let configures = right.ends_with("configure") && roles != [Role::Reader];
            kinds.push(Kind {
                name,
                person,
                sees: open || !right.is_empty(),
                configures,
                exports: right.ends_with("export"),
                owns: false,
                assigned: name.starts_with("assigned"),
            });
        }
        Self { app, campaign, kinds, technician }
    }

    /// The address of a route, with a fresh object for each parameter: what one request
    /// does to it does not change the answer to the next.
    async fn address(&self, path: &str, kind: &Kind) -> String {
        let mut out = path.replace("{id}", &self.campaign.id.to_string());
        while let Some(start) = out.find('{') {
            let end = out[start..].find('}').unwrap() + start;
            let assignee = if kind.assigned { kind.person.id() } else { self.technician };
            let asker = kind.person.id();
            let value = self.fresh(&out[start + 1..end], path, assignee, asker).await;
            out.replace_range(start..=end, &value);
        }
        out
    }

    async fn fresh(
        &self,
        parameter: &str,
        path: &str,
        assignee: Id<User>,
        asker: Id<User>,
    ) -> String {
        let id = Uuid::now_v7();
        let db = &self.app.app.db;
        match parameter {
            "op" => {
                let op = self.campaign.operation(&id.to_string(), None, None, None).await;
                sqlx::query("update operations set assignee_id = $2 where id = $1")
                    .bind(op)
                    .bind(assignee)
                    .execute(db)
                    .await
                    .unwrap();
                return op.to_string();
            }
            "transition" => return "start".into(),
            "step" => return STEP.into(),
            "segment" => return self.campaign.segment(&format!("Segment {id}")).await.to_string(),
            "view" => {
                let row = "insert into saved_views (id, campaign_id, author_id, slot, name, name_norm, shared, query, columns, mode, created_at)
                           select $1, $2, $3, coalesce(max(slot), 0) + 1, $1::text, $1::text, false, '', '{}', 'table', now() from saved_views where author_id = $3";
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(asker)
                    .execute(db)
                    .await
                    .unwrap();
            }
            "prerequisite" => {
                let row = "insert into prerequisites (id, campaign_id, label, gate_start, position, created_at, updated_at) values ($1, $2, 'Essai', true, 1, now(), now())";
                sqlx::query(row).bind(id).bind(self.campaign.id).execute(db).await.unwrap();
            }
            "document" => self.document(id, path.ends_with("/retablissement")).await,
            "file" => {
                // One that was replaced, of the document made just before.
                let row = "insert into document_files (id, document_id, campaign_id, file_name, kind, size, sha256, store_key, uploaded_at, replaced_at)
                           select $1, document_id, campaign_id, 'a.txt', 'txt', 1, sha256('a'), 'document-' || $1, now(), now()
                           from document_files order by uploaded_at desc, document_id desc limit 1";
                let key = format!("document-{id}");
                std::fs::write(self.app.app.config.files_dir().join(&key), b"x").unwrap();
                sqlx::query(row).bind(id).execute(db).await.unwrap();
            }
            "grant" => {
                let guest = Person::create(
                    &self.app.app,
                    &format!("Invite{id}"),
                    "Essai",
                    &[Role::CampaignManager],
                )
                .await;
                let row = "insert into grants (id, campaign_id, user_id) values ($1, $2, $3)";
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(guest.id())
                    .execute(db)
                    .await
                    .unwrap();
            }
            "share_link" => {
                let row = "insert into share_links (id, campaign_id, label, token_hash, created_at, created_by, expires_at, revoked_at)
                           values ($1, $2, 'Essai', sha256($1::text::bytea), now(), $3, now() + interval '1 day', now())";
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(asker)
                    .execute(db)
                    .await
                    .unwrap();
            }
            "field" => {
                let row = "insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, position, deleted_at)
                           select $1, $2, max(number) + 1, $1::text, $1::text, 'short_text', max(number) + 1, case when $3 then now() end
                           from campaign_fields where campaign_id = $2";
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(path.ends_with("/retablissement"))
                    .execute(db)
                    .await
                    .unwrap();
            }
            "lot" => {
                let row = r#"insert into bulk_actions (id, campaign_id, author_id, gesture, created_at) values ($1, $2, $3, '{"kind":"note","body":"Essai"}', now())"#;
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(asker)
                    .execute(db)
                    .await
                    .unwrap();
            }
            "export" => {
                let row = "insert into exports (id, campaign_id, author_id, format, every_column, query, total, state, file_key, created_at, expires_at)
                           values ($1, $2, $3, 'xlsx', true, '', 1, 'ready', $4, now(), now() + interval '1 hour')";
                let key = format!("export-{id}");
                std::fs::write(self.app.app.config.files_dir().join(&key), b"x").unwrap();
                sqlx::query(row)
                    .bind(id)
                    .bind(self.campaign.id)
                    .bind(asker)
                    .bind(key)
                    .execute(db)
                    .await
                    .unwrap();
            }
            "import" => {
                let row = "insert into imports (id, campaign_id, file_name, file_size, created_at, updated_at) values ($1, $2, 'a.csv', 1, now(), now())";
                sqlx::query(row).bind(id).bind(self.campaign.id).execute(db).await.unwrap();
            }
            // A deleted one, which these people may not know.
            "campaign" => {}
            _ if !path.starts_with("/campagnes/") && !path.starts_with("/terrain/") => {}
            unknown => panic!("teach the matrix how to make a « {unknown} », of {path}"),
        }
        id.to_string()
    }

    /// With its file in the store.
    async fn document(&self, id: Uuid, deleted: bool) {
        let db = &self.app.app.db;
        for sql in [
            "insert into documents (id, campaign_id, name, name_norm, search_text, created_at, updated_at, deleted_at)
             values ($1, $2, 'Essai', 'essai', 'essai', now(), now(), case when $3 then now() end)",
            "insert into document_files (id, document_id, campaign_id, file_name, kind, size, sha256, store_key, uploaded_at)
             select gen_random_uuid(), $1, $2, 'a.txt', 'txt', 1, sha256('a'), 'document-' || $1, now() where $3 is not null",
        ] {
            let query = sqlx::query(sql).bind(id).bind(self.campaign.id).bind(deleted);
            query.execute(db).await.unwrap();
        }
        let key = format!("document-{id}");
        std::fs::write(self.app.app.config.files_dir().join(key), b"x").unwrap();
    }

    /// Every disagreement between the matrix and the program.
    async fn disagreements(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let routes = app::routes().table;
        for route in &routes {
            for kind in &self.kinds {
                let Some(expected) = expected(kind, route) else { continue };
                let address = self.address(route.path, kind).await;
                let reply = ask(&kind.person, route, &address).await;
                let answer = match reply.status.as_u16() {
                    404 => Answer::Hidden,
                    403 => Answer::Refused,
                    ..500
                        if reply
                            .location
                            .as_deref()
                            .is_none_or(|to| !to.starts_with("/connexion")) =>
                    {
                        Answer::Given
                    }
                    status => {
                        wrong.push(format!(
                            "{} {} as {}: {status}",
                            route.method, route.path, kind.name
                        ));
                        continue;
                    }
                };
                if answer != expected {
                    wrong.push(format!(
                        "{} {} as {}: {answer:?}, expected {expected:?}",
                        route.method, route.path, kind.name
                    ));
                }
            }
        }
        wrong
    }
}

/// An empty form, or a file where one is expected.
async fn ask(person: &Person, route: &Declared, address: &str) -> Reply {
    match route.method {
        "GET" => person.get(address).await,
        _ if route.path.ends_with("/imports") => {
            person.upload(address, "a.csv", b"Matricule;Nom\nA1;MARTIN\n").await
        }
        _ if route.path.ends_with("/documents/nouveau")
            || route.path.ends_with("/remplacement") =>
        {
            person.upload(address, "a.txt", b"Texte").await
        }
        _ => person.post(address).await,
    }
}

/// What the declaration promises to this person; `None` when it promises nothing in particular.
fn expected(kind: &Kind, route: &Declared) -> Option<Answer> {
    match route.access {
        Access::Campaign(right) => Some(kind.expected(right)),
        Access::OwnOperation if kind.assigned => Some(Answer::Given),
        // Somebody who sees the campaign sees the operation, and is refused the technician's screen.
        Access::OwnOperation => Some(if kind.sees { Answer::Refused } else { Answer::Hidden }),
        Access::Roles(roles)
            if !roles.iter().any(|role| kind.person.user.as_ref().unwrap().roles.has(*role)) =>
        {
            Some(Answer::Refused)
        }
        Access::Roles(_) | Access::SignedIn | Access::Public => None,
    }
}

async fn grant_by_group(app: &TestApp, campaign: &TestCampaign, person: &Person, right: &str) {
    let (group, db) = (Uuid::now_v7(), &app.app.db);
    sqlx::query("insert into user_groups (id, name, name_norm) values ($1, $1::text, $1::text)")
        .bind(group)
        .execute(db)
        .await
        .unwrap();
    sqlx::query("insert into group_members (group_id, user_id) values ($1, $2)")
        .bind(group)
        .bind(person.id())
        .execute(db)
        .await
        .unwrap();
    sqlx::query(
        "insert into grants (id, campaign_id, group_id, can_configure) values ($1, $2, $3, $4)",
    )
    .bind(Uuid::now_v7())
    .bind(campaign.id)
    .bind(group)
    .bind(right == "configure")
    .execute(db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_117_the_matrix_of_a_restricted_campaign(db: PgPool) {
    let world = World::new(db, false).await;
    assert_eq!(world.disagreements().await, Vec::<String>::new());
    let untouched = "select count(*) from campaigns where archived_at is null and not is_public and transferred_at is null";
    assert_eq!(world.app.count(untouched).await, 1, "the walk left the campaign as it was");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_117_the_matrix_of_a_public_campaign(db: PgPool) {
    let world = World::new(db, true).await;
    assert_eq!(world.disagreements().await, Vec::<String>::new());
    assert_eq!(
        world
            .app
            .count("select count(*) from campaigns where is_public and transferred_at is null")
            .await,
        1
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_016_an_archived_campaign_refuses_every_write_of_everybody(db: PgPool) {
    let world = World::new(db, false).await;
    let mut addresses = Vec::new();
    for route in app::routes().table {
        if let (Access::Campaign(_), "POST") = (route.access, route.method) {
            let address = world.address(route.path, &world.kinds[0]).await;
            addresses.push((route, address));
        }
    }
    sqlx::query("update campaigns set archived_at = now(), status = 'archived'")
        .execute(&world.app.app.db)
        .await
        .unwrap();
    for (route, address) in addresses {
        let path = route.path;
        // Restoring and exporting are allowed, and how a person shows a list is not a write on the campaign.
        if route.access == Access::Campaign(Right::Export)
            || path.ends_with("/restauration")
            || path.ends_with("/operations/colonnes")
            || path.ends_with("/operations/affichage")
            || path.ends_with("/favori")
            || route.access == Access::Campaign(Right::Copy)
        {
            continue;
        }
        for kind in &world.kinds[..2] {
            let reply = ask(&kind.person, &route, &address).await;
            assert_eq!(reply.status.as_u16(), 422, "{path} as {}: {}", kind.name, reply.text());
            reply.shows("Campagne archivée : lecture seule.");
        }
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_116_a_stranger_is_sent_to_sign_in_by_every_route_that_is_not_public(db: PgPool) {
    let app = TestApp::new(db).await;
    let stranger = app.stranger();
    for route in app::routes().table.iter().filter(|route| route.access != Access::Public) {
        let address = route.path.split('/').map(|part| {
            if part.starts_with('{') { "01990000-0000-7000-8000-000000000000" } else { part }
        });
        let address = address.collect::<Vec<_>>().join("/");
        let reply = if route.method == "GET" {
            stranger.get(&address).await
        } else {
            stranger.post(&address).await
        };
        assert_eq!(reply.status.as_u16(), 303, "{} {}", route.method, route.path);
        assert!(
            reply.location.as_deref().is_some_and(|to| to.starts_with("/connexion")),
            "{} {}",
            route.method,
            route.path
        );
    }
}

/// Lists filter in SQL, pages decide in Rust, the stream and the search ask again: one policy.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn scope_and_policy_agree(db: PgPool) {
    let world = World::new(db, false).await;
    let (app, sophie) = (&world.app, &world.kinds[0].person);
    let other = app.person("Paul", "Moreau", &[Role::CampaignManager]).await;
    let mut campaigns: BTreeMap<String, Id<Campaign>> =
        [("Migration".to_owned(), world.campaign.id)].into();
    for (name, owner, public, draft) in [
        ("Publique", &other, true, false),
        ("Brouillon", sophie, false, true),
        ("Secrète", &other, false, false),
        ("Effacée", sophie, true, false),
    ] {
        let builder = app.campaign().named(name).run_by(owner);
        let builder = if public { builder.public() } else { builder };
        let campaign = if draft { builder.draft() } else { builder }.create().await;
        campaigns.insert(name.to_owned(), campaign.id);
        campaign.operation(&format!("ZX-{name}"), None, None, None).await;
    }
    world.campaign.operation("ZX-Migration", None, None, None).await;
    sqlx::query("update campaigns set deleted_at = now() where name = 'Effacée'")
        .execute(&app.app.db)
        .await
        .unwrap();
    let former = app.person("Ancienne", "Gestionnaire", &[Role::Technician]).await;
    sqlx::query("update campaigns set owner_id = $1 where name = 'Secrète'")
        .bind(former.id())
        .execute(&app.app.db)
        .await
        .unwrap();
    let people = world
        .kinds
        .iter()
        .map(|kind| (kind.name, &kind.person))
        .chain([("another owner", &other), ("owner who lost the role", &former)]);
    for (name, person) in people {
        let user = person.user.as_ref().unwrap();
        let mut conn = app.app.db.acquire().await.unwrap();
        let scope: BTreeSet<String> =
            visible(&mut conn, user).await.unwrap().into_iter().map(|id| id.to_string()).collect();
        let (portfolio, search) =
            (person.get("/campagnes").await, person.get("/recherche?q=ZX-").await);
        for (title, id) in &campaigns {
            let rule = Campaign::find(&mut conn, user, *id)
                .await
                .unwrap()
                .is_some_and(|campaign| campaign.visible_to(user));
            let seen = [
                ("policy", rule),
                ("portfolio", portfolio.body.contains(&id.to_string())),
                ("search", search.body.contains(&id.to_string())),
                (
                    "stream",
                    person.status(&format!("/flux?sujet=campagne-{id}")).await.as_u16() == 200,
                ),
                (
                    "page",
                    person.status(&format!("/campagnes/{id}/tableau-de-bord")).await.as_u16()
                        == 200,
                ),
            ];
            for (place, shown) in seen {
                assert_eq!(
                    shown,
                    scope.contains(&id.to_string()),
                    "« {title} » as {name}: {place} against the scope"
                );
            }
        }
    }
}
