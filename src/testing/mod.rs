// SPDX-License-Identifier: EUPL-1.2
//! The vocabulary of story tests: people do things, and see what comes back.
mod builders;
mod files;
mod people;

pub use self::{
    builders::{CampaignBuilder, TestCampaign},
    files::{check, import, proposed, send},
    people::{Person, Reply, plain},
};

use crate::{
    accounts::Role,
    app::App,
    config::Config,
    db::{Actor, Tx},
};
use chrono::{DateTime, Utc};
use sqlx::PgPool;

pub struct TestApp {
    pub app: App,
}

impl TestApp {
    pub async fn new(db: PgPool) -> Self {
        Self::with(db, |_| ()).await
    }

    /// With these changes to the configuration.
    pub async fn with(db: PgPool, change: impl FnOnce(&mut Config)) -> Self {
        let dir = std::env::temp_dir().join(format!("opstracker-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(dir.join("files")).unwrap();
        let mut config = Config::for_tests(dir);
        change(&mut config);
        let (app, _) = App::new(config, db.clone(), db).await.unwrap();
        Self { app }
    }

    pub fn now(&self) -> DateTime<Utc> {
        crate::clock::now()
    }

    pub async fn tx(&self) -> Tx {
        Tx::begin(&self.app, Actor::System, self.now()).await.unwrap()
    }

    pub async fn person(&self, first: &str, last: &str, roles: &[Role]) -> Person {
        Person::create(&self.app, first, last, roles).await
    }

    pub async fn admin(&self) -> Person {
        self.person("Marc", "Lefèvre", &[Role::Admin]).await
    }

    /// A gestionnaire, Sophie.
    pub async fn sophie(&self) -> Person {
        self.person("Sophie", "Martin", &[Role::CampaignManager]).await
    }

    /// A technician, Karim.
    pub async fn karim(&self) -> Person {
        self.person("Karim", "Benali", &[Role::Technician]).await
    }

    pub async fn reader(&self) -> Person {
        self.person("Hélène", "Garnier", &[Role::Reader]).await
    }

    /// Somebody who has not signed in.
    pub fn stranger(&self) -> Person {
        Person::stranger(&self.app)
    }

    pub fn campaign(&self) -> CampaignBuilder<'_> {
        CampaignBuilder::new(&self.app)
    }

    /// Runs the queue until nothing is due.
    pub async fn drain(&self) {
        while crate::jobs::run_one(&self.app, self.now()).await.unwrap() {}
    }

    /// The audit's actions, oldest first.
    pub async fn audit(&self) -> Vec<String> {
        sqlx::query_scalar("select action from audit_entries order by seq")
            .fetch_all(&self.app.db)
            .await
            .unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.app.db).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.app.config.data_dir);
    }
}
