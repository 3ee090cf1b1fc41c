// SPDX-License-Identifier: EUPL-1.2
//! Cookies: `__Host-` and `Secure` when the public address is https (10-decisions 8).
use crate::app::App;
use axum::http::{HeaderMap, header};

/// The cookie's name on this instance.
pub fn name(app: &App, base: &str) -> String {
    if app.config.is_https() { format!("__Host-{base}") } else { format!("opstracker-{base}") }
}

/// The decoded value of a cookie.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decode(value))
}

fn decode(value: &str) -> String {
    let plus_safe = value.replace('+', "%2B");
    form_urlencoded::parse(format!("v={plus_safe}").as_bytes())
        .next()
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

/// A secret: sent to this host only, out of reach of scripts. `days` = `None` dies with the browser.
pub fn secret(app: &App, base: &str, value: &str, days: Option<i64>) -> String {
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    let age = days.map(|d| format!("; Max-Age={}", d * 86_400)).unwrap_or_default();
    format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}", name(app, base))
}

pub fn forget_secret(app: &App, base: &str) -> String {
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    format!("{}=; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=0", name(app, base))
}

/// A sentence for the next page. Not a secret: it is escaped like any text.
pub fn flash(text: &str) -> String {
    let value: String =
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    format!("flash={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60")
}

pub fn forget(name: &str) -> String {
    format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}
