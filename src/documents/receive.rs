// SPDX-License-Identifier: EUPL-1.2
//! An upload: its texts, then its file, judged by its name before a byte is kept and by its content
//! before anything is written in the base (RG-050).
use super::{
    kind::Kind,
    may_deposit_executables,
    model::file_name,
    store::{self, MAX, Received},
};
use crate::{
    accounts::User,
    app::App,
    web::{Error, Form, Result},
};
use axum::{
    extract::{Multipart, multipart::Field},
    http::{HeaderMap, header},
};
use futures::{Stream, stream};

const FORBIDDEN: &str = "Format non autorisé";
const ASKS_FOR_MORE: &str =
    "Seul un administrateur ou un gestionnaire peut déposer un fichier exécutable";
/// Of a text, in bytes: more than any that is accepted.
const MAX_TEXT: usize = 64 << 10;
/// What surrounds the file in the request, at most.
const ENVELOPE: u64 = 1 << 20;

/// A file that may be kept.
#[derive(Debug)]
pub struct Arrived {
    pub name: String,
    pub kind: &'static Kind,
    pub stored: Received,
}

/// What was sent, and the file when it may be kept; else the form says why. What follows a refused
/// file is not read.
///
/// # Errors
/// The upload was cut short, or the store failed.
pub async fn receive(
    app: &App,
    user: &User,
    headers: &HeaderMap,
    multipart: Multipart,
) -> Result<(Form, Option<Arrived>)> {
    let mut form = Form::default();
    if announces_too_much(headers) {
        form.refuse("fichier", store::TOO_LARGE);
        return Ok((form, None));
    }
    match read(app, user, multipart, &mut form).await {
        Ok(Some(arrived)) => Ok((form, Some(arrived))),
        Ok(None) => {
            form.refuse("fichier", "Choisissez un fichier");
            Ok((form, None))
        }
        Err(Error::Refused(why)) => {
            form.refuse("fichier", why);
            Ok((form, None))
        }
        Err(err) => Err(err),
    }
}

fn announces_too_much(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length > MAX + ENVELOPE)
}

async fn read(
    app: &App,
    user: &User,
    mut multipart: Multipart,
    form: &mut Form,
) -> Result<Option<Arrived>> {
    let mut arrived = None;
    while let Some(field) = multipart.next_field().await.map_err(cut_short)? {
        match field.name().unwrap_or_default().to_owned().as_str() {
            name @ ("nom" | "description") => form.set(name, text(field).await?),
            "fichier" if arrived.is_none() => arrived = file(app, user, field).await?,
            _ => {}
        }
    }
    Ok(arrived)
}

fn cut_short(_: axum::extract::multipart::MultipartError) -> Error {
    Error::BadRequest("L’envoi du fichier a été interrompu. Recommencez.")
}

async fn text(mut field: Field<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(cut_short)? {
        if bytes.len() + chunk.len() > MAX_TEXT {
            return Err(Error::TooLarge("Réduisez la taille de l’envoi, puis recommencez."));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `None` when no file was chosen.
async fn file(app: &App, user: &User, field: Field<'_>) -> Result<Option<Arrived>> {
    let given = field.file_name().unwrap_or_default().to_owned();
    if given.is_empty() {
        return Ok(None);
    }
    let name = file_name(&given);
    let kind = Kind::of_name(&name).ok_or_else(|| Error::Refused(FORBIDDEN.into()))?;
    if kind.is_executable() && !may_deposit_executables(user) {
        return Err(Error::Refused(ASKS_FOR_MORE.into()));
    }
    let stored = store::receive(app, chunks(field)).await?;
    if stored.size == 0 {
        return Err(Error::Refused("Le fichier est vide".into()));
    }
    let path = stored.path().to_owned();
    let agrees = tokio::task::spawn_blocking(move || kind.agrees(&mut std::fs::File::open(path)?))
        .await
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?;
    if !agrees {
        return Err(Error::Refused(format!(
            "{FORBIDDEN} : le contenu n’est pas celui d’un fichier .{}",
            kind.extension
        )));
    }
    Ok(Some(Arrived { name, kind, stored }))
}

fn chunks(
    field: Field<'_>,
) -> impl Stream<Item = Result<axum::body::Bytes, axum::extract::multipart::MultipartError>> {
    stream::unfold(field, |mut field| async move {
        field.chunk().await.transpose().map(|chunk| (chunk, field))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn rg_050_what_announces_too_much_is_not_read_at_all() {
        for (length, refused) in [
            ("52428801", false),
            ("53477377", true),
            ("99999999999999999999999", false),
            ("x", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static(length));
            assert_eq!(announces_too_much(&headers), refused, "{length}");
        }
        assert!(!announces_too_much(&HeaderMap::new()));
    }
}
