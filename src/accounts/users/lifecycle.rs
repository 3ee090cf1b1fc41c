// SPDX-License-Identifier: EUPL-1.2
//! Turning an account off and on (US-105), lifting a lock, ending sessions, a new link.
use super::show::{Facts, facts};
use crate::{
    accounts::{Account, Manage, account, links::discreet, second_factor},
    db::{Id, Read, Tx},
    text,
    web::{Error, Page, Redirect, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::{extract::Path, response::Response};

#[derive(Template)]
#[template(path = "accounts/users/deactivate.html")]
struct Confirm {
    shell: Shell,
    account: Account,
    facts: Facts,
}

impl Confirm {
    fn open(&self) -> u64 {
        self.facts.open.iter().map(|open| open.number().unsigned_abs()).sum()
    }
}

pub async fn confirm(mut read: Read, Path(id): Path<Id<Account>>) -> Result<Page<impl Template>> {
    let account = read.authorize(Manage, id).await?.into_subject();
    if !account.active {
        return Err(Error::Refused("Ce compte est déjà désactivé.".into()));
    }
    let (now, me) = (read.now(), read.user().clone());
    let facts = facts(read.conn(), &account, &me, true, now).await?;
    let shell = read
        .shell("Désactiver le compte")
        .under("Administration", "/administration")
        .under("Utilisateurs", "/administration/utilisateurs")
        .under(account.name(), account.url());
    Ok(Page(Confirm { shell, account, facts }))
}

pub async fn deactivate(mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Redirect> {
    let account = tx.authorize_to_change(Manage, id).await?;
    account::set_active(&mut tx, &account, false).await?;
    tx.commit().await?;
    Ok(Redirect::to(account.url()).flash("Compte désactivé"))
}

pub async fn reactivate(mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Redirect> {
    let account = tx.authorize_to_change(Manage, id).await?;
    account::set_active(&mut tx, &account, true).await?;
    tx.commit().await?;
    Ok(Redirect::to(account.url()).flash("Compte réactivé"))
}

pub async fn unlock(mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Redirect> {
    let account = tx.authorize_to_change(Manage, id).await?;
    account::lift_lock(&mut tx, &account).await?;
    tx.commit().await?;
    Ok(Redirect::to(account.url()).flash("Verrouillage levé"))
}

pub async fn disconnect(mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Redirect> {
    let account = tx.authorize_to_change(Manage, id).await?;
    account::disconnect(&mut tx, &account).await?;
    tx.commit().await?;
    Ok(Redirect::to(account.url()).flash("Sessions fermées"))
}

/// For who has lost telephone and codes (US-111.2).
pub async fn reset_factor(mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Redirect> {
    let account = tx.authorize_to_change(Manage, id).await?;
    second_factor::reset(&mut tx, &account).await?;
    tx.commit().await?;
    Ok(Redirect::to(account.url()).flash("Double authentification réinitialisée"))
}

#[derive(Template)]
#[template(path = "accounts/users/link.html")]
struct Link {
    shell: Shell,
    account: Account,
    link: String,
}

/// The answer to the POST shows the link, once; it is stored nowhere.
pub async fn link(visitor: Visitor, mut tx: Tx, Path(id): Path<Id<Account>>) -> Result<Response> {
    let account = tx.authorize_to_change(Manage, id).await?;
    let link = account::reissue(&mut tx, &account).await?;
    let shell = Shell::new(tx.app(), &visitor, "Lien personnel")
        .under("Administration", "/administration")
        .under("Utilisateurs", "/administration/utilisateurs")
        .under(account.name(), account.url());
    tx.commit().await?;
    Ok(discreet(Page(Link { shell, account: account.into_subject(), link })))
}
