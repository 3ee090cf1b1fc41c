// SPDX-License-Identifier: EUPL-1.2
//! The wizard of a new campaign: informations, file, columns, configuration (US-202 to US-205).
//! Steps 2 and 3 are the screens of `imports`. It can be left and resumed: the campaign is « En préparation ».
pub mod configuration;
pub mod information;

use super::Campaign;
use crate::{
    db::{Id, Tx},
    web::{Error, Redirect, Result},
};
use axum::extract::Path;
use sqlx::PgConnection;

/// The four steps, as `_stepper.html` names them.
pub const STEPS: [&str; 4] = ["Informations", "Fichier", "Colonnes", "Configuration"];

impl Campaign {
    /// The address of a step of its wizard.
    pub fn step(&self, n: i16) -> String {
        self.path(&format!("assistant/{n}"))
    }

    /// « Reprendre la création ».
    pub fn resume(&self) -> String {
        self.step(self.wizard_step.clamp(1, 4))
    }
}

/// A campaign that is no longer being prepared has no wizard.
///
/// # Errors
/// `Refused`.
fn still_draft(campaign: &Campaign) -> Result<()> {
    if campaign.is_draft {
        Ok(())
    } else {
        Err(Error::Refused(
            "Cette campagne est déjà créée. Modifiez-la dans ses paramètres.".into(),
        ))
    }
}

/// « Saisir à la main »: no file, no columns (US-203.3).
pub async fn by_hand(mut tx: Tx, Path(id): Path<Id<Campaign>>) -> Result<Redirect> {
    let campaign = tx.authorize_to_change(super::Configure, id).await?;
    still_draft(&campaign)?;
    super::commands::remember_step(&mut tx, &campaign, 4).await?;
    tx.commit_quietly("where the wizard resumes, not business data").await?;
    Ok(Redirect::to(campaign.step(4)))
}

/// The operation types offered: (id, name).
async fn types(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, String)>> {
    let rows =
        sqlx::query!("select id, name from operation_types where active order by position, name")
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
