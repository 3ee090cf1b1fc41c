// SPDX-License-Identifier: EUPL-1.2
//! The relay: one SMTP conversation a message, over the address of the configuration.
use crate::config::Config;
use anyhow::{Context, anyhow};
use chrono::{DateTime, Duration, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::Mailbox, transport::smtp,
};
use std::sync::{Arc, Mutex};

/// What the relay said.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// 4xx: later perhaps.
    Later(String),
    /// 5xx: never.
    Refused(String),
    /// Nobody there: nothing to do with this message.
    Unreachable(String),
}

#[derive(Clone)]
pub struct Mailer {
    relay: Option<Relay>,
    silence: Arc<Mutex<Silence>>,
}

#[derive(Clone)]
struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

/// The relay does not answer: since when, and when to try again.
#[derive(Clone, Copy, Default)]
struct Silence {
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

impl Mailer {
    /// # Errors
    /// The relay's address or the sender's is not one.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let relay = config
            .smtp
            .as_ref()
            .map(|smtp| {
                let transport =
                    AsyncSmtpTransport::<Tokio1Executor>::from_url(&with_tls(smtp.url.expose()))
                        .map_err(|err| anyhow!("OPSTRACKER_SMTP_URL : {err}"))?
                        .timeout(Some(std::time::Duration::from_secs(20)))
                        .build();
                let from = smtp
                    .from
                    .parse()
                    .context("OPSTRACKER_MAIL_FROM : attendu une adresse de messagerie")?;
                let host = config
                    .public_url
                    .split("://")
                    .nth(1)
                    .unwrap_or("opstracker")
                    .split(':')
                    .next()
                    .unwrap_or("opstracker");
                anyhow::Ok(Relay { transport, from, host: host.to_owned() })
            })
            .transpose()?;
        Ok(Self { relay, silence: Arc::default() })
    }

    pub fn is_configured(&self) -> bool {
        self.relay.is_some()
    }

    /// Since when the relay does not answer.
    pub fn silent_since(&self) -> Option<DateTime<Utc>> {
        self.silence.lock().ok()?.since
    }

    pub(super) fn is_paused(&self, now: DateTime<Utc>) -> bool {
        self.silence.lock().is_ok_and(|silence| silence.until.is_some_and(|until| now < until))
    }

    pub(super) fn pause(&self, now: DateTime<Utc>) {
        if let Ok(mut silence) = self.silence.lock() {
            *silence = Silence {
                since: silence.since.or(Some(now)),
                until: Some(now + Duration::minutes(1)),
            };
        }
    }

    pub(super) fn resume(&self) {
        if let Ok(mut silence) = self.silence.lock() {
            *silence = Silence::default();
        }
    }

    /// The sender and the host that signs message identifiers.
    pub(super) fn sender(&self) -> Option<(&Mailbox, &str)> {
        self.relay.as_ref().map(|relay| (&relay.from, relay.host.as_str()))
    }

    pub(super) async fn send(&self, message: Message) -> Answer {
        let Some(relay) = &self.relay else {
            return Answer::Unreachable("aucun relais configuré".into());
        };
        match relay.transport.send(message).await {
            Ok(_) => Answer::Accepted,
            Err(err) => answer(&err),
        }
    }
}

fn answer(err: &smtp::Error) -> Answer {
    let told = told(err);
    if err.is_permanent() {
        Answer::Refused(told)
    } else if err.is_transient() {
        Answer::Later(told)
    } else {
        Answer::Unreachable(told)
    }
}

/// The relay's own words, with its code; bounded, since they are stored and shown.
fn told(err: &smtp::Error) -> String {
    let mut text = err.status().map(|code| format!("{code} ")).unwrap_or_default();
    let source =
        std::error::Error::source(err).map_or_else(|| err.to_string(), ToString::to_string);
    text.push_str(source.trim());
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Plain `smtp://` uses STARTTLS when the relay offers it; `?tls=required` insists, `?tls=none` never.
fn with_tls(url: &str) -> String {
    if url.starts_with("smtps://")
        || url.contains("tls=required")
        || url.contains("tls=opportunistic")
    {
        return url.to_owned();
    }
    match url.strip_suffix("?tls=none") {
        Some(plain) => plain.to_owned(),
        None => format!("{url}{}tls=opportunistic", if url.contains('?') { "&" } else { "?" }),
    }
}

#[cfg(test)]
mod tests {
    use super::with_tls;

    #[test]
    fn encryption_is_used_when_offered() {
        for (url, expected) in [
            ("smtp://relais.ops.test", "smtp://relais.ops.test?tls=opportunistic"),
            (
                "smtp://u:p@relais.ops.test:587?tls=required",
                "smtp://u:p@relais.ops.test:587?tls=required",
            ),
            ("smtps://relais.ops.test", "smtps://relais.ops.test"),
            ("smtp://relais.ops.test:25?tls=none", "smtp://relais.ops.test:25"),
        ] {
            assert_eq!(with_tls(url), expected);
        }
    }
}
