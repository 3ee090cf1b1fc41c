// SPDX-License-Identifier: EUPL-1.2
//! Archives that somebody made by hand: each is refused with its reason, and nothing is written.
use super::{
    archive::{METADATA, hex},
    exchange_tests::export,
};
use crate::testing::TestApp;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::io::{Cursor, Read, Write};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The entries of an archive, to be changed.
pub struct Envelope {
    pub entries: Vec<(String, Vec<u8>)>,
}

impl Envelope {
    pub fn read(bytes: &[u8]) -> Self {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let entries = (0..zip.len()).map(|n| {
            let mut entry = zip.by_index(n).unwrap();
            let (name, mut content) = (entry.name().unwrap().into_owned(), Vec::new());
            entry.read_to_end(&mut content).unwrap();
            (name, content)
        });
        Self { entries: entries.collect() }
    }

    pub fn edit(&mut self, name: &str, change: impl FnOnce(String) -> String) {
        let entry = self.entries.iter_mut().find(|entry| entry.0 == name).unwrap();
        entry.1 = change(String::from_utf8(entry.1.clone()).unwrap()).into_bytes();
    }

    pub fn version(&mut self, version: &str) {
        let written = format!("\"format_version\": \"{version}\"");
        self.edit(METADATA, |text| text.replace("\"format_version\": \"1.0\"", &written));
    }

    /// With digests that are those of the entries.
    pub fn pack(mut self) -> Vec<u8> {
        let digests: serde_json::Map<_, _> = self
            .entries
            .iter()
            .filter(|(name, _)| name != METADATA)
            .map(|(name, bytes)| (name.clone(), hex(&Sha256::digest(bytes)).into()))
            .collect();
        self.edit(METADATA, |text| {
            let mut metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
            metadata["sha256"] = digests.into();
            metadata.to_string()
        });
        self.raw()
    }

    /// As they are.
    pub fn raw(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.entries {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn without(mut self, name: &str) -> Self {
        self.entries.retain(|entry| entry.0 != name);
        self
    }

    fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.entries.push((name.to_owned(), bytes.to_vec()));
        self
    }

    /// Its metadata says this.
    fn told(mut self, name: &str, text: &str) -> Self {
        self.edit(METADATA, |metadata| {
            let mut metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
            metadata[name] = text.into();
            metadata.to_string()
        });
        self
    }

    fn edited(mut self, name: &str, from: &str, to: &str) -> Self {
        self.edit(name, |text| text.replacen(from, to, 1));
        self
    }
}

/// Two entries of the same name, which no honest writer makes: the name is changed in the bytes.
fn doubled(archive: Envelope) -> Vec<u8> {
    let mut bytes = archive.with("workflowx.csv", b"x").raw();
    let (from, to) = (b"workflowx.csv", b"workflows.csv");
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_101_hostile_archives_are_refused_and_nothing_is_written(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let exported = export(&admin).await;
    let archive = || Envelope::read(&exported);
    let (types, segments) = ("types_operations.csv", "segments.csv");
    let newer = |version| {
        let mut archive = archive();
        archive.version(version);
        archive.pack()
    };
    let many = || (0..10_000).fold(archive(), |a, n| a.with(&format!("{n}.csv"), b""));
    let dated = |date: &str| archive().told("exported_at", date);
    let cut = exported[..exported.len() / 2].to_vec();
    let zeros = vec![0; 200 << 20];
    let bomb = archive().with("zeros.csv", &zeros).pack();
    assert!(bomb.len() < 1 << 20);
    let mut endless = archive();
    let line = "Essai;transition;;;t;T;;;a;b;oui;oui;none;untouched\r\n".repeat(1_801);
    endless.edit("workflows.csv", |head| format!("{head}Essai;workflow;;oui;;;;;;;;;;\r\n{line}"));
    let lone = archive().edited(types, "identifier,agent_key", "agent_key");
    let hostile = [
        (many().pack(), "L'archive compte plus de 50 fichiers"),
        (archive().with("../evil.csv", b"x").pack(), "L'archive contient un chemin"),
        (archive().with("dossier/evil.csv", b"x").pack(), "L'archive contient un chemin"),
        (archive().with("c:\\evil.csv", b"x").pack(), "L'archive contient un chemin"),
        (doubled(archive()), "L’archive contient deux fois le même fichier"),
        (
            archive().edited(types, "Matricule", "Matricole").raw(),
            "L’empreinte de « types_operations.csv »",
        ),
        (archive().with("intrus.csv", b"x").raw(), "L’empreinte de « intrus.csv »"),
        (archive().without(types).raw(), "L’empreinte de « types_operations.csv »"),
        (archive().without(types).pack(), "« types_operations.csv » manque"),
        (
            archive().without(segments).with(segments, &zeros[..6 << 20]).pack(),
            "« segments.csv » dépasse 5 Mo",
        ),
        (
            archive().without(segments).with(segments, &[b';'; 50]).pack(),
            "segments.csv, ligne 1 : le tableau compte trop de colonnes",
        ),
        (endless.pack(), "ligne 2 : le workflow « Essai » compte trop de transitions"),
        (zip64(many().pack()), "L’archive compte plus de 50 fichiers"),
        (
            [exported.as_slice(), b"PK\x05\x06", &[0; 18]].concat(),
            "n’est pas une archive ZIP lisible",
        ),
        (dated("9999-01-01T00:00:00Z").pack(), "« config_metadata.json » est illisible"),
        (dated("+99999-01-01T00:00:00Z").pack(), "« config_metadata.json » est illisible"),
        (bomb, "L’archive dépasse 100 Mo une fois décompressée"),
        (newer("2.0"), "Configuration issue d’une version plus récente. Mettez à jour l’instance."),
        (newer("0.1"), "Configuration issue d'une version trop ancienne (v0.1)."),
        (newer("x"), "« config_metadata.json » est illisible"),
        (b"PK, mais pas un zip".to_vec(), "n'est pas une archive ZIP lisible"),
        (Vec::new(), "n'est pas une archive ZIP lisible"),
        (cut, "n'est pas une archive ZIP lisible"),
        (archive().without(METADATA).raw(), "« config_metadata.json » manque"),
        (
            lone.pack(),
            "types_operations.csv, ligne 2 : le type « Migration PC Windows 11 » n’a pas de champ « Identifiant »",
        ),
        (
            archive().edited(types, "Sur rendez-vous", "Inconnu").pack(),
            "ligne 2 : le workflow « Inconnu » n’est ni dans l’archive, ni ici",
        ),
        (archive().edited(types, "monitor", "chat").pack(), "ligne 2 : Choisissez une icône"),
        (vec![0; (20 << 20) + 1], "Archive trop volumineuse (max 20 Mo)"),
    ];
    for (bytes, reason) in hostile {
        let reply = admin.upload("/administration/configuration/imports", "a.zip", &bytes).await;
        assert_eq!(reply.status, 422, "{reason}: {}", reply.text());
        reply.shows(reason);
    }
    admin.post("/administration/configuration/imports").await.is(400);
    assert_eq!(app.count("select count(*) from configuration_imports").await, 0);
    assert_eq!(app.audit().await, ["configuration.exported"]);
}

/// The end record sends elsewhere for its numbers.
fn zip64(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06").unwrap();
    bytes[end + 8..end + 12].fill(0xff);
    bytes
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_101_what_the_metadata_says_is_cleaned_and_cut(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let archive = Envelope::read(&export(&admin).await)
        .told("author", &format!("A\u{0}nne{}", "e".repeat(300)))
        .told("product_version", "1\u{0}.0");
    let reply =
        admin.upload("/administration/configuration/imports", "a.zip", &archive.pack()).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let author: String =
        sqlx::query_scalar("select content #>> '{metadata,author}' from configuration_imports")
            .fetch_one(&app.app.db)
            .await
            .unwrap();
    assert!(author.starts_with("Anne") && author.len() == 200, "{author}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn rg_062_a_workflow_with_faults_is_refused_with_its_lines(db: PgPool) {
    let app = TestApp::new(db).await;
    let admin = app.admin().await;
    let mut archive = Envelope::read(&export(&admin).await);
    archive.edit("workflows.csv", |head| {
        format!(
            "{head}Essai;workflow;;oui;;;;;;;;;;\r\n\
             Essai;statut;;;debut;Début;todo;oui;;;;;;\r\n\
             Essai;statut;;;fin;Fin;done;non;;;;;;\r\n\
             Essai;statut;;;perdu;Perdu;cancelled;non;;;;;;\r\n\
             Essai;transition;;;aller;Aller;;;debut;fin;oui;oui;none;jamais\r\n\
             Essai;transition;;;Aller!;Partir;;;nulle;fin;oui;peut-être;none;untouched\r\n\
             Autre;statut;;;a;A;todo;oui;;;;;;\r\n"
        )
    });
    let reply =
        admin.upload("/administration/configuration/imports", "a.zip", &archive.pack()).await;
    reply
        .is(422)
        .shows("workflows.csv, ligne 5 : Le statut « Perdu » n'est jamais atteint")
        .shows("ligne 6 : « jamais » dans la colonne « date » n'existe pas")
        .shows("ligne 7 : le code « Aller! » n'est pas fait")
        .shows("ligne 7 : « peut-être » dans la colonne « gestionnaire »")
        .shows("ligne 7 : le statut de départ « nulle » n'existe pas")
        .shows("ligne 8 : cette ligne précède celle du workflow « Autre »");
}
