// SPDX-License-Identifier: EUPL-1.2
//! Files that leave as they are made: full blocks of a CSV while the next rows are read.
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use std::io::Write;
use tabular::{CsvStyle, CsvWriter, Value};
use tokio::sync::mpsc;

/// Bytes sent at once.
const BLOCK: usize = 64 * 1024;

/// A CSV under way.
pub struct CsvSheet {
    csv: CsvWriter<Vec<u8>>,
    to: mpsc::Sender<Bytes>,
}

impl CsvSheet {
    /// A record of texts.
    ///
    /// # Errors
    /// Nobody receives any more.
    pub async fn row<'a>(
        &mut self,
        cells: impl IntoIterator<Item = &'a str>,
    ) -> anyhow::Result<()> {
        self.csv.record(cells)?;
        self.send_full().await
    }

    /// A record of typed cells: texts are neutralised, the rest is not (03 §13).
    ///
    /// # Errors
    /// Nobody receives any more.
    pub async fn values(&mut self, cells: &[Value]) -> anyhow::Result<()> {
        for cell in cells {
            let shown = cell.shown();
            if cell.is_text() { self.csv.text(&shown)? } else { self.csv.value(&shown)? }
        }
        self.csv.end_record()?;
        self.send_full().await
    }

    async fn send_full(&mut self) -> anyhow::Result<()> {
        if self.csv.get_mut().len() >= BLOCK { self.send().await } else { Ok(()) }
    }

    /// Sends what is written so far.
    ///
    /// # Errors
    /// Nobody receives any more.
    pub async fn send(&mut self) -> anyhow::Result<()> {
        let block = std::mem::take(self.csv.get_mut());
        self.csv.get_mut().flush()?;
        Ok(self.to.send(block.into()).await?)
    }
}

/// A CSV that `work` writes while it is received. An error cuts the answer, so that the browser
/// tells of it: a file that ends early must not look whole.
pub fn csv<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
    name: &str,
    style: CsvStyle,
    work: impl FnOnce(CsvSheet) -> F,
) -> Response {
    let (to, blocks) = mpsc::channel(4);
    let failed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    if let Ok(csv) = CsvWriter::with(Vec::with_capacity(BLOCK), style) {
        let (work, failed) = (work(CsvSheet { csv, to }), failed.clone());
        tokio::spawn(async move {
            if let Err(err) = work.await {
                tracing::warn!(error = ?err, "download cut short");
                failed.store(true, std::sync::atomic::Ordering::Release);
            }
        });
    }
    let body = stream::unfold((blocks, failed), |(mut blocks, failed)| async move {
        if let Some(block) = blocks.recv().await {
            return Some((Ok(block), (blocks, failed)));
        }
        failed
            .swap(false, std::sync::atomic::Ordering::AcqRel)
            .then(|| (Err(std::io::Error::other("download cut short")), (blocks, failed)))
    });
    let mut response = Body::from_stream(body).into_response();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(name));
    response
}

/// `attachment` with an ASCII name, and the accented one for browsers that read it (RFC 6266).
pub fn attachment(name: &str) -> HeaderValue {
    let encoded: String = name
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(b).to_string()
            }
            b => format!("%{b:02X}"),
        })
        .collect();
    let text = format!("attachment; filename=\"{}\"; filename*=UTF-8''{encoded}", slug(name));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Lower-case ASCII words joined by hyphens; dots stay.
fn slug(name: &str) -> String {
    let plain = crate::text::norm(name);
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_with_an_accented_variant() {
        assert_eq!(
            attachment("Opérations “Été” à l’hôpital-2026-03-12.csv"),
            "attachment; filename=\"operations-ete-a-l-hopital-2026-03-12.csv\"; filename*=UTF-8''Op%C3%A9rations%20%E2%80%9C%C3%89t%C3%A9%E2%80%9D%20%C3%A0%20l%E2%80%99h%C3%B4pital-2026-03-12.csv"
        );
    }
}
