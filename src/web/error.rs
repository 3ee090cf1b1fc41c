// SPDX-License-Identifier: EUPL-1.2
//! What a visitor can meet, in French, with what to do next (US-1604).
//!
//! `into_response` only notes what happened; [`render`], the outermost layer, writes the page with
//! the reference of the request. The inner error is logged once and never shown.
use super::{Shell, auth::Visitor};
use crate::app::App;
use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("login required")]
    LoginRequired { back: String },
    #[error("forbidden")]
    Forbidden,
    #[error("not found")]
    NotFound,
    /// A link that no longer works (RG-009): 404 with its own words.
    #[error("dead link")]
    DeadLink(&'static str),
    /// The request was understood, but the state of things refuses it.
    /// The text is French and shown as it is.
    #[error("{0}")]
    Refused(String),
    #[error("bad request")]
    BadRequest(&'static str),
    #[error("too large")]
    TooLarge(&'static str),
    /// Seconds to wait.
    #[error("too many requests")]
    TooMany(u64),
    /// RG-149.
    #[error("forged")]
    Forged,
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    /// Signing in leads back to the page asked for, when it can be asked for again.
    pub fn login_required(parts: &Parts) -> Self {
        let asked = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let back = if parts.method == http::Method::GET { asked } else { "/" };
        Self::LoginRequired { back: back.to_owned() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(err: sqlx::Error) -> Self {
        match &err {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(e) if e.code().as_deref() == Some("OT005") => {
                Self::Refused("Campagne archivée : lecture seule.".into())
            }
            // Two people waited for each other and the base let one through: nothing of this one is written.
            sqlx::Error::Database(e) if e.code().as_deref() == Some("40P01") => {
                Self::Refused("Quelqu’un d’autre modifiait les mêmes données. Recommencez.".into())
            }
            _ => Self::Internal(err.into()),
        }
    }
}

/// What the outermost layer needs to write the page.
#[derive(Clone)]
struct Told {
    title: &'static str,
    message: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut retry = None;
        let (status, title, message) = match self {
            Self::LoginRequired { back } => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair("retour", &back)
                    .finish();
                let to =
                    if back == "/" { "/connexion".into() } else { format!("/connexion?{query}") };
                return Redirect::to(&to).into_response();
            }
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "Accès refusé",
                "Vous n’avez pas le droit d’effectuer cette action.".to_owned(),
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "Requête refusée",
                "Votre session a expiré ou la requête est invalide. Rechargez la page.".to_owned(),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Page introuvable",
                "Cette page n’existe pas, n’existe plus ou ne vous est pas accessible.".to_owned(),
            ),
            Self::DeadLink(what) => {
                (StatusCode::NOT_FOUND, "Ce lien n’est plus valable.", what.to_owned())
            }
            Self::Refused(why) => (StatusCode::UNPROCESSABLE_ENTITY, "Action impossible", why),
            Self::BadRequest(why) => {
                (StatusCode::BAD_REQUEST, "Demande incomprise", why.to_owned())
            }
            Self::TooLarge(why) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "Envoi trop volumineux", why.to_owned())
            }
            Self::TooMany(seconds) => {
                retry = Some(seconds);
                let minutes = seconds.div_ceil(60);
                let delay = crate::text::count(minutes, "minute", "minutes");
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    "Trop de demandes",
                    format!(
                        "Vous avez fait trop de demandes en peu de temps. Réessayez dans {delay}."
                    ),
                )
            }
            Self::Internal(err) => {
                let busy = err.downcast_ref::<sqlx::Error>().is_some_and(|e| {
                    matches!(
                        e,
                        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
                    )
                });
                tracing::error!(error = ?err, "request failed");
                if busy {
                    (
                        StatusCode::SERVICE_UNAVAILABLE,
                        "Service momentanément indisponible",
                        "La base de données ne répond pas. Réessayez dans une minute ; rien n’a été modifié.".to_owned(),
                    )
                } else {
                    (
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "Erreur interne",
                        "L’incident a été enregistré. Rien n’a été modifié. Réessayez, ou signalez la référence ci-dessous.".to_owned(),
                    )
                }
            }
        };
        let mut response = status.into_response();
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Told { title, message });
        response
    }
}

#[derive(Template)]
#[template(path = "web/error.html")]
struct ErrorPage {
    shell: Shell,
    title: &'static str,
    message: String,
    reference: String,
    status: u16,
}

/// Writes the page of an error answer, whoever made it; HTML pages pass untouched.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let accepts_page = request.method() != http::Method::HEAD;
    let (mut parts, body) = request.into_parts();
    let seed = Visitor::of(&parts);
    let cell = super::session::Seen::default();
    parts.extensions.insert(cell.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let told = response.extensions().get::<Told>().cloned().or_else(|| told_for(&response));
    let Some(told) = told.filter(|_| accepts_page) else { return response };
    let visitor = cell.take().unwrap_or(seed);
    let reference = visitor.request.clone();
    let page = ErrorPage {
        shell: Shell::new(&app, &visitor, told.title),
        title: told.title,
        message: told.message,
        reference,
        status: status.as_u16(),
    };
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.remove(header::CONTENT_TYPE);
    let html = page.render().unwrap_or_else(|_| told.title.to_owned());
    (head.status, head.headers, Html(html)).into_response()
}

/// Answers that the framework made by itself: unknown path, wrong method, oversized body.
fn told_for(response: &Response) -> Option<Told> {
    let is_html = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
    if is_html {
        return None;
    }
    let error = match response.status() {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::BadRequest("Cette adresse ne s’utilise pas ainsi. Revenez à la page précédente.")
        }
        StatusCode::BAD_REQUEST => Error::BadRequest(
            "L’adresse ou le formulaire est mal formé. Revenez à la page précédente.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge("Réduisez la taille de l’envoi, puis recommencez.")
        }
        StatusCode::INTERNAL_SERVER_ERROR => Error::Internal(anyhow::anyhow!("a handler panicked")),
        _ => return None,
    };
    error.into_response().extensions_mut().remove()
}
