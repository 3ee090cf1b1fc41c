// SPDX-License-Identifier: EUPL-1.2
//! Reads a form whole before its handler begins: a slow or silent sender never holds a
//! transaction, hence a connection, that the others wait for.
use super::Error;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use std::{task::Poll, time::Duration};

/// F-04.
pub const LIMIT: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(15);

/// Uploads stream: they have a limit and a handler of their own.
pub async fn layer(request: Request, next: Next) -> Response {
    let streams = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    if streams {
        return next.run(request.map(a_chunk_at_a_time)).await;
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(PATIENCE, to_bytes(body, LIMIT)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => {
            Error::TooLarge("Réduisez la taille de l’envoi, puis recommencez.").into_response()
        }
        Err(_) => {
            Error::BadRequest("L’envoi n’est pas arrivé à temps. Recommencez.").into_response()
        }
    }
}

/// The reader of uploads first takes all that is there: a sender faster than the disk would fill the
/// memory. Between two chunks there is nothing, once.
fn a_chunk_at_a_time(body: Body) -> Body {
    let mut chunks = body.into_data_stream();
    let mut rests = false;
    Body::from_stream(stream::poll_fn(move |context| {
        if std::mem::take(&mut rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let chunk = chunks.poll_next_unpin(context);
        rests = matches!(chunk, Poll::Ready(Some(Ok(_))));
        chunk
    }))
}
