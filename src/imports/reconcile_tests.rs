// SPDX-License-Identifier: EUPL-1.2
//! Re-imports at random against a slow merge written from the table of 03 §2.5: people edit here,
//! the file changes there, some cells are chosen; the campaign must end as the table says, and the
//! undo must give back what nobody touched since (US-217, US-218).
use crate::testing::{self, Person, TestApp, TestCampaign};
use sqlx::PgPool;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A small generator with a seed, so that a failure is found again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.roll(from.len())].to_owned()
    }
}

const COLUMNS: [&str; 4] = ["nom", "poste", "lieu", "segment"];
const LABELS: [&str; 3] = ["Martin", "Petit", "Nguyen"];
const TEXTS: [&str; 4] = ["", "a", "b", "c"];
const SEGMENTS: [&str; 3] = ["Nord", "Sud", ""];

/// Identifier → column → text.
type Table = BTreeMap<String, BTreeMap<&'static str, String>>;

fn row(dice: &mut Dice) -> BTreeMap<&'static str, String> {
    COLUMNS.iter().map(|column| (*column, value(dice, column))).collect()
}

fn value(dice: &mut Dice, column: &str) -> String {
    match column {
        "nom" => dice.pick(&LABELS),
        "segment" => dice.pick(&SEGMENTS),
        _ => dice.pick(&TEXTS),
    }
}

/// The file, its columns in any order and its headers in any spelling.
fn file(dice: &mut Dice, table: &Table) -> String {
    let mut order: Vec<usize> = (0..5).collect();
    for i in (1..5).rev() {
        order.swap(i, dice.roll(i + 1));
    }
    let spelled = [
        ["Matricule", "MATRICULE"],
        ["Nom", "NOM"],
        ["Poste", "poste"],
        ["Lieu", "LIEU"],
        ["Segment", "ségment"],
    ];
    let header: Vec<_> = order.iter().map(|i| dice.pick(&spelled[*i])).collect();
    let mut out = header.join(";") + "\r\n";
    for (identifier, row) in table {
        let cells = [identifier, &row["nom"], &row["poste"], &row["lieu"], &row["segment"]];
        out += &order.iter().map(|i| cells[*i].as_str()).collect::<Vec<_>>().join(";");
        out += "\r\n";
    }
    out
}

/// The table of 03 §2.5, said once more and slowly.
fn merged(base: Option<&str>, file: &str, here: &str, chosen: Option<bool>) -> String {
    if file == here {
        return here.into();
    }
    if let Some(takes_file) = chosen {
        return if takes_file { file } else { here }.into();
    }
    let human_changed = match base {
        Some(base) => base != here,
        None => !here.is_empty(),
    };
    if file.is_empty() || human_changed { here.into() } else { file.into() }
}

struct World {
    app: TestApp,
    sophie: Person,
    campaign: TestCampaign,
}

impl World {
    async fn here(&self) -> Table {
        let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
            "select o.identifier, o.label, coalesce(o.values ->> '3', ''), coalesce(o.values ->> '4', ''), coalesce(s.name, '')
             from operations o left join segments s on s.id = o.segment_id where o.deleted_at is null",
        )
        .fetch_all(&self.app.app.db)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(id, nom, poste, lieu, segment)| {
                (id, [("nom", nom), ("poste", poste), ("lieu", lieu), ("segment", segment)].into())
            })
            .collect()
    }

    /// Everything an undo must give back, as one text.
    async fn fingerprint(&self) -> String {
        sqlx::query_scalar(
            "select string_agg(concat_ws('|', o.identifier, o.label, o.label_norm, o.values, o.segment_id, o.status_id, o.assignee_id, o.planned_at,
               o.import_base, (select string_agg(w, ' ' order by w) from regexp_split_to_table(o.search_text, ' ') w)), E'\\n' order by o.identifier) || (select coalesce(string_agg(name, ',' order by name_norm), '') from segments)
             from operations o where o.deleted_at is null",
        )
        .fetch_one(&self.app.app.db)
        .await
        .unwrap()
    }

    async fn id(&self, identifier: &str) -> Uuid {
        sqlx::query_scalar("select id from operations where identifier = $1 and deleted_at is null")
            .bind(identifier)
            .fetch_one(&self.app.app.db)
            .await
            .unwrap()
    }

    /// Sophie changes a value on the screens.
    async fn edit(&self, identifier: &str, column: &str, from: &str, to: &str) {
        let at = self.campaign.path(&format!("operations/{}", self.id(identifier).await));
        let reply = match column {
            "segment" => {
                let segment: Option<Uuid> =
                    sqlx::query_scalar("select id from segments where name = $1")
                        .bind(to)
                        .fetch_optional(&self.app.app.db)
                        .await
                        .unwrap();
                if segment.is_none() && !to.is_empty() {
                    return;
                }
                let to = segment.map_or_else(String::new, |id| id.to_string());
                self.sophie.submit(&format!("{at}/segment"), &[("segment", &to)]).await
            }
            column => {
                let number = match column {
                    "nom" => "champ-2",
                    "poste" => "champ-3",
                    _ => "champ-4",
                };
                let before = format!("avant-{number}");
                self.sophie
                    .submit(&format!("{at}/modifier"), &[(number, to), (&before, from)])
                    .await
            }
        };
        reply.is(303);
    }

    async fn undo(&self, at: &str) {
        let version: i32 = sqlx::query_scalar("select version from imports where id = $1")
            .bind(at.rsplit('/').next().unwrap().parse::<Uuid>().unwrap())
            .fetch_one(&self.app.app.db)
            .await
            .unwrap();
        self.sophie
            .submit(&format!("{at}/annulation"), &[("version", &version.to_string())])
            .await
            .is(303);
        self.app.drain().await;
    }
}

const KEYS: [(&str, &str); 4] =
    [("nom", "2"), ("poste", "3"), ("lieu", "4"), ("segment", "segment")];

async fn one_story(world: &World, seed: u64) {
    let mut dice = Dice(seed);
    let mut table: Table = (0..6).map(|n| (format!("A{n}"), row(&mut dice))).collect();
    let first = file(&mut dice, &table);
    testing::import(&world.app, &world.sophie, &world.campaign, "un.csv", first.as_bytes()).await;
    let base = world.here().await;

    for identifier in base.keys() {
        for column in COLUMNS {
            if dice.one_in(3) {
                let to = value(&mut dice, column);
                let here = world.here().await[identifier][column].clone();
                if to != here {
                    world.edit(identifier, column, &here, &to).await;
                }
            }
        }
    }
    for (identifier, row) in &mut table {
        for column in COLUMNS {
            if dice.one_in(3) {
                row.insert(column, value(&mut dice, column));
            }
        }
        let _ = identifier;
    }
    if dice.one_in(2) {
        table.remove("A0");
    }
    table.insert("A9".into(), row(&mut dice));

    let before = world.fingerprint().await;
    let here = world.here().await;
    let second = file(&mut dice, &table);
    let at =
        testing::check(&world.app, &world.sophie, &world.campaign, "deux.csv", second.as_bytes())
            .await;
    let mut expected = here.clone();
    let cells: Vec<(i64, String, String, String)> = sqlx::query_as(
        "select c.line, c.key, c.verdict, o.identifier from import_cells c join operations o on o.id = c.operation_id order by 1, 2",
    )
    .fetch_all(&world.app.app.db)
    .await
    .unwrap();
    let mut chosen = BTreeMap::new();
    for (line, key, verdict, identifier) in cells {
        if dice.one_in(3) {
            let takes_file = dice.one_in(2);
            let view = match verdict.as_str() {
                "conflict" => "conflits",
                "apply" => "modifications",
                "kept" => "gardees",
                _ => "vides",
            };
            let choice =
                format!("{line}:{key}:{}", if takes_file { "fichier" } else { "actuelle" });
            world
                .sophie
                .submit(&format!("{at}/differences"), &[("vue", view), ("cellule", &choice)])
                .await
                .is(303);
            chosen.insert((identifier, key), takes_file);
        }
    }
    for (identifier, from_file) in &table {
        match here.get(identifier) {
            None => drop(expected.insert(identifier.clone(), from_file.clone())),
            Some(standing) => {
                let row = expected.get_mut(identifier).unwrap();
                for (column, key) in KEYS {
                    let chosen = chosen.get(&(identifier.clone(), key.to_owned())).copied();
                    let base = base
                        .get(identifier)
                        .map(|row| row[column].as_str())
                        .filter(|b| !b.is_empty());
                    row.insert(column, merged(base, &from_file[column], &standing[column], chosen));
                }
            }
        }
    }
    assert_eq!(
        world.fingerprint().await,
        before,
        "seed {seed}: nothing is written before « Importer »"
    );
    world.sophie.post(&format!("{at}/apercu")).await.redirects_to(&at);
    world.app.drain().await;
    assert_eq!(world.here().await, expected, "seed {seed}");

    // Somebody edits one operation before the undo: it stays, all the rest goes back.
    let touched = dice.one_in(2).then(|| "A3".to_owned());
    if let Some(identifier) = &touched {
        let from = world.here().await[identifier]["lieu"].clone();
        world.edit(identifier, "lieu", &from, "depuis").await;
    }
    let after = world.here().await;
    world.undo(&at).await;
    let mut given_back = here.clone();
    if let Some(identifier) = &touched {
        given_back.insert(identifier.clone(), after[identifier].clone());
        assert_eq!(world.here().await, given_back, "seed {seed}: an edit made since is never lost");
    } else {
        assert_eq!(
            world.fingerprint().await,
            before,
            "seed {seed}: import then undo is the identity"
        );
    }
}

async fn world(db: PgPool) -> World {
    let app = TestApp::new(db).await;
    let sophie = app.sophie().await;
    let campaign = app.campaign().run_by(&sophie).create().await;
    World { app, sophie, campaign }
}

macro_rules! stories {
    ($($name:ident: $seed:expr),*) => {$(
        #[sqlx::test(migrator = "crate::MIGRATOR")]
        async fn $name(db: PgPool) {
            one_story(&world(db).await, $seed).await;
        }
    )*};
}

stories! {
    us_217_random_story_1: 1, us_217_random_story_2: 2, us_217_random_story_3: 3, us_217_random_story_4: 4,
    us_217_random_story_5: 5, us_217_random_story_6: 6, us_217_random_story_7: 7, us_217_random_story_8: 8,
    us_217_random_story_9: 9, us_217_random_story_10: 10, us_217_random_story_11: 11, us_217_random_story_12: 12
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_217_3_vanished_rows_are_cancelled_on_demand_and_come_back(db: PgPool) {
    let w = world(db).await;
    let all = "Matricule;Nom\r\nA1;Un\r\nA2;Deux\r\nA3;Trois\r\n";
    testing::import(&w.app, &w.sophie, &w.campaign, "un.csv", all.as_bytes()).await;
    let started = w.campaign.path(&format!("operations/{}/statut", w.id("A2").await));
    w.sophie.submit(&started, &[("transition", "start")]).await.is(303);
    let at =
        testing::check(&w.app, &w.sophie, &w.campaign, "deux.csv", b"Matricule;Nom\r\nA1;Un\r\n")
            .await;
    let page = format!("{at}/differences?vue=absentes");
    w.sophie
        .get(&page)
        .await
        .is(200)
        .shows("A2")
        .shows("A3")
        .shows("Le workflow permet d’en annuler 1.");
    w.sophie
        .submit(&format!("{at}/differences"), &[("vue", "absentes"), ("choix", "annuler")])
        .await
        .is(303);
    let categories = async || -> String {
        sqlx::query_scalar("select string_agg(identifier || ' ' || category::text, ', ' order by identifier) from operations where deleted_at is null")
            .fetch_one(&w.app.app.db)
            .await
            .unwrap()
    };
    assert_eq!(categories().await, "A1 todo, A2 in_progress, A3 todo", "not before « Importer »");
    w.sophie.post(&format!("{at}/apercu")).await.is(303);
    w.app.drain().await;
    assert_eq!(categories().await, "A1 todo, A2 in_progress, A3 cancelled");
    w.sophie.get(&at).await.shows("1 absente annulée");
    w.undo(&at).await;
    assert_eq!(categories().await, "A1 todo, A2 in_progress, A3 todo");
    w.undo(&at).await;
    assert_eq!(categories().await, "A1 todo, A2 in_progress, A3 cancelled", "the undo of the undo");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_identifier_in_the_bin_comes_back_on_demand(db: PgPool) {
    let w = world(db).await;
    let all = "Matricule;Nom;Poste\r\nA1;Un;PC-1\r\nA2;Deux;PC-2\r\n";
    testing::import(&w.app, &w.sophie, &w.campaign, "un.csv", all.as_bytes()).await;
    let old = w.id("A2").await;
    sqlx::query("update operations set deleted_at = now() where id = $1")
        .bind(old)
        .execute(&w.app.app.db)
        .await
        .unwrap();
    let new = "Matricule;Nom;Poste\r\nA1;Un;PC-1\r\na2;Deux;PC-9\r\n";
    let at = testing::check(&w.app, &w.sophie, &w.campaign, "deux.csv", new.as_bytes()).await;
    w.sophie.get(&format!("{at}/apercu")).await.shows("Dans la corbeille");
    w.sophie
        .get(&format!("{at}/differences?vue=corbeille"))
        .await
        .is(200)
        .shows("De nouvelles opérations seront créées.");
    w.sophie
        .submit(&format!("{at}/differences"), &[("vue", "corbeille"), ("choix", "restaurer")])
        .await
        .is(303);
    w.sophie.post(&format!("{at}/apercu")).await.is(303);
    w.app.drain().await;
    assert_eq!(w.id("A2").await, old, "the same operation, with its history");
    assert_eq!(w.here().await["A2"]["poste"], "PC-9");
    w.undo(&at).await;
    assert_eq!(w.here().await.keys().collect::<Vec<_>>(), ["A1"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_217_2_a_conflict_is_chosen_by_column_and_a_later_edit_wins(db: PgPool) {
    let w = world(db).await;
    let file = |poste: [&str; 3]| {
        let [a, b, c] = poste;
        format!("Matricule;Nom;Poste\r\nA1;Un;{a}\r\nA2;Deux;{b}\r\nA3;Trois;{c}\r\n")
    };
    testing::import(&w.app, &w.sophie, &w.campaign, "un.csv", file(["1", "2", "3"]).as_bytes())
        .await;
    for id in ["A1", "A2"] {
        let from = w.here().await[id]["poste"].clone();
        w.edit(id, "poste", &from, "main").await;
    }
    let at = testing::check(
        &w.app,
        &w.sophie,
        &w.campaign,
        "deux.csv",
        file(["x", "y", "z"]).as_bytes(),
    )
    .await;
    let page = format!("{at}/differences");
    w.sophie
        .get(&page)
        .await
        .is(200)
        .shows("2 conflits restent sans choix")
        .shows("main")
        .shows("au dernier import : 1");
    w.sophie
        .submit(&page, &[("vue", "conflits"), ("colonne", "3"), ("toute", "fichier")])
        .await
        .is(303);
    w.sophie.get(&page).await.shows("Tous les conflits sont tranchés.");
    w.edit("A2", "poste", "main", "plus tard").await;
    w.app.reader().await.get(&page).await.is(404);
    w.sophie.post(&format!("{at}/apercu")).await.is(303);
    w.app.drain().await;
    let poste = |table: &Table, id: &str| table[id]["poste"].clone();
    let here = w.here().await;
    assert_eq!(poste(&here, "A1"), "x", "chosen");
    assert_eq!(poste(&here, "A2"), "plus tard", "what was written after the choice stands");
    assert_eq!(poste(&here, "A3"), "z");
    w.sophie.submit(&page, &[("vue", "conflits"), ("toute", "fichier")]).await.is(422);
    // The same file again: nothing.
    let again = testing::check(
        &w.app,
        &w.sophie,
        &w.campaign,
        "deux.csv",
        file(["x", "y", "z"]).as_bytes(),
    )
    .await;
    w.sophie.get(&format!("{again}/apercu")).await.shows("3 inchangées").hides("à modifier");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_rejected_line_and_what_came_since_have_not_vanished(db: PgPool) {
    let w = world(db).await;
    let all = "Matricule;Nom\r\nA1;Un\r\nA2;Deux\r\nA3;Trois\r\n";
    testing::import(&w.app, &w.sophie, &w.campaign, "un.csv", all.as_bytes()).await;
    // A2 is in the file, without its mandatory name.
    let at = testing::check(
        &w.app,
        &w.sophie,
        &w.campaign,
        "deux.csv",
        b"Matricule;Nom\r\nA1;Un\r\nA2;\r\n",
    )
    .await;
    w.sophie
        .get(&format!("{at}/differences?vue=absentes"))
        .await
        .shows("A3")
        .hides("Deux")
        .shows("annuler 1.");
    w.campaign.operation("B1", None, None, None).await;
    w.sophie
        .submit(&format!("{at}/differences"), &[("vue", "absentes"), ("choix", "annuler")])
        .await
        .is(303);
    w.sophie.post(&format!("{at}/apercu")).await.is(303);
    w.app.drain().await;
    let cancelled: String = sqlx::query_scalar("select string_agg(identifier, ',' order by identifier) from operations where category = 'cancelled'")
        .fetch_one(&w.app.app.db)
        .await
        .unwrap();
    assert_eq!(cancelled, "A3");
    let none =
        testing::check(&w.app, &w.sophie, &w.campaign, "trois.csv", b"Matricule;Nom\r\nA1;\r\n")
            .await;
    w.sophie.post(&format!("{none}/apercu")).await.is(422).shows("Aucune ligne valide");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn choices_survive_a_database_that_lost_the_staged_lines(db: PgPool) {
    let w = world(db).await;
    testing::import(
        &w.app,
        &w.sophie,
        &w.campaign,
        "un.csv",
        b"Matricule;Nom;Poste\r\nA1;Un;1\r\nA2;Deux;2\r\n",
    )
    .await;
    let at = testing::check(
        &w.app,
        &w.sophie,
        &w.campaign,
        "deux.csv",
        b"Matricule;Nom;Poste\r\nA1;Un;x\r\nA2;Deux;y\r\n",
    )
    .await;
    w.sophie
        .submit(
            &format!("{at}/differences"),
            &[("vue", "modifications"), ("cellule", "2:3:actuelle")],
        )
        .await
        .is(303);
    w.sophie.post(&format!("{at}/apercu")).await.is(303);
    let table =
        format!("truncate import_lines_{}", at.rsplit('/').next().unwrap().replace('-', ""));
    sqlx::query(sqlx::AssertSqlSafe(table)).execute(&w.app.app.db).await.unwrap();
    w.app.drain().await;
    let here = w.here().await;
    assert_eq!((here["A1"]["poste"].as_str(), here["A2"]["poste"].as_str()), ("1", "y"));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn us_218_2_the_undo_of_the_undo_gives_segments_back_and_can_be_undone(db: PgPool) {
    let w = world(db).await;
    testing::import(
        &w.app,
        &w.sophie,
        &w.campaign,
        "un.csv",
        b"Matricule;Nom;Segment\r\nA1;Un;Nord\r\nA2;Deux;Nord\r\n",
    )
    .await;
    let before = w.fingerprint().await;
    let at = testing::import(
        &w.app,
        &w.sophie,
        &w.campaign,
        "deux.csv",
        b"Matricule;Nom;Segment\r\nA1;Un;Sud\r\nA2;Deux;Nord\r\nA3;Trois;Est\r\n",
    )
    .await;
    let after = w.here().await;
    assert_eq!(after["A1"]["segment"], "Sud");
    for _ in 0..2 {
        w.undo(&at).await;
        assert_eq!(w.fingerprint().await, before, "undone");
        w.undo(&at).await;
        assert_eq!(w.here().await, after, "done again, with its segments");
    }
}
