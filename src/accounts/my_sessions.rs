// SPDX-License-Identifier: EUPL-1.2
//! « Mes sessions »: where I am signed in, and how to end it (US-113).
use super::sessions;
use crate::{
    audit::Entry,
    db::{Read, Tx},
    web::{Error, Page, Redirect, Result, Shell, auth::Visitor, format},
};
use askama::Template;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use uuid::Uuid;

const HERE: &str = "/profil/sessions";

struct Line {
    id: Uuid,
    agent: String,
    ip: String,
    seen_at: DateTime<Utc>,
    /// « Rester connecté » was ticked there.
    remembered: bool,
    /// No session is open: only the remembered browser may open one.
    asleep: bool,
}

impl Line {
    fn browser(&self) -> String {
        browser(&self.agent)
    }
}

#[derive(Template)]
#[template(path = "accounts/my_sessions.html")]
struct MySessions {
    shell: Shell,
    lines: Vec<Line>,
    current: Option<Uuid>,
    now: DateTime<Utc>,
}

impl MySessions {
    fn is_current(&self, line: &Line) -> bool {
        self.current == Some(line.id)
    }
}

pub async fn page(visitor: Visitor, mut read: Read) -> Result<Page<impl Template>> {
    let (me, now) = (read.user().id, read.now());
    let lines = sqlx::query_as!(
        Line,
        r#"select s.id as "id!", s.agent as "agent!", s.ip as "ip!", s.seen_at as "seen_at!",
                  s.family_id is not null as "remembered!", false as "asleep!"
           from sessions s join users u on u.id = s.user_id and u.security_stamp = s.security_stamp
           where s.user_id = $1 and s.expires_at > $2
           union all
           select f.id, f.agent, f.ip, f.rotated_at, true, true
           from remember_families f
           where f.user_id = $1 and f.expires_at > $2
             and not exists (select 1 from sessions s where s.family_id = f.id and s.expires_at > $2)
           order by 4 desc, 1 limit 100"#,
        me as _,
        now
    )
    .fetch_all(read.conn())
    .await?;
    let current = visitor.session;
    let shell = read.shell("Mes sessions").under("Mon profil", "/profil");
    Ok(Page(MySessions { shell, lines, current, now }))
}

/// Ends one of my sessions, and the remembered browser it came from.
pub async fn close(mut tx: Tx, Path(session): Path<Uuid>) -> Result<Redirect> {
    let me = tx.user()?.id;
    if !sessions::close_own(tx.conn(), me, session).await? {
        return Err(Error::NotFound);
    }
    tx.record(Entry::on("session.revoked", "user", me.uuid())).await?;
    tx.commit().await?;
    Ok(Redirect::to(HERE).flash("Session fermée"))
}

/// « Déconnecter partout »: everywhere but here.
pub async fn close_all(mut tx: Tx) -> Result<Redirect> {
    let me = tx.user()?.id;
    let keep = tx.visitor().and_then(|v| v.session);
    sessions::revoke(&mut tx, me, keep).await?;
    tx.record(Entry::on("sessions.revoked", "user", me.uuid())).await?;
    tx.commit().await?;
    Ok(Redirect::to(HERE).flash("Vos autres sessions sont fermées"))
}

/// « Firefox sur Windows »; what the browser says of itself, in short.
fn browser(agent: &str) -> String {
    let first = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // Each claims to be those that follow it.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} sur {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Navigateur inconnu".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn us_113_a_browser_in_two_words() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox sur Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
                "Edge sur Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
                "Chrome sur Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari sur iPhone",
            ),
            ("curl/8.14.1", "Navigateur inconnu"),
            ("", "Navigateur inconnu"),
        ] {
            assert_eq!(browser(agent), expected);
        }
    }
}
