// SPDX-License-Identifier: EUPL-1.2
//! Files that leave as they are made: full blocks of a CSV while the next rows are read.
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use std::{io::Write, time::Duration};
use tabular::{CsvStyle, CsvWriter, Value};
use tokio::sync::{Semaphore, mpsc};

/// Bytes sent at once.
const BLOCK: usize = 64 * 1024;

/// Downloads at once: each holds a connection of the base as long as it is received.
static TURNS: Semaphore = Semaphore::const_new(4);
/// How long a receiver may take nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A CSV under way.
pub struct CsvSheet {
    csv: CsvWriter<Vec<u8>>,
    to: mpsc::Sender<Block>,
}

/// A part of the answer, or its end: a channel that closes without it was cut short.
enum Block {
    Part(Bytes),
    End,
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
        send(&self.to, Block::Part(block.into())).await
    }
}

async fn send(to: &mpsc::Sender<Block>, block: Block) -> anyhow::Result<()> {
    Ok(tokio::time::timeout(PATIENCE, to.send(block)).await??)
}

/// A CSV that `work` writes while it is received. An error cuts the answer, so that the browser
/// tells of it: a file that ends early must not look whole.
pub fn csv<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
    name: &str,
    style: CsvStyle,
    work: impl FnOnce(CsvSheet) -> F,
) -> Response {
    let (to, blocks) = mpsc::channel(4);
    if let Ok(csv) = CsvWriter::with(Vec::with_capacity(BLOCK), style) {
        let end = to.clone();
        let work = work(CsvSheet { csv, to });
        tokio::spawn(async move {
            let Ok(_turn) = TURNS.acquire().await else { return };
            match work.await {
                Ok(()) => drop(send(&end, Block::End).await),
                Err(err) => tracing::warn!(error = ?err, "download cut short"),
            }
        });
    }
    let body = stream::unfold(Some(blocks), |blocks| async move {
        let mut blocks = blocks?;
        match blocks.recv().await {
            Some(Block::Part(part)) => Some((Ok(part), Some(blocks))),
            Some(Block::End) => None,
            None => Some((Err(std::io::Error::other("download cut short")), None)),
        }
    })
    .fuse(); // compression asks once more after the end
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

    #[tokio::test]
    async fn what_is_whole_ends_and_what_is_cut_is_an_error() {
        for whole in [true, false] {
            let reply = csv("a.csv", CsvStyle::default(), move |mut sheet| async move {
                sheet.row(["a", "b"]).await?;
                sheet.send().await?;
                if whole { Ok(()) } else { Err(anyhow::anyhow!("the base is gone")) }
            });
            let mut body = reply.into_body().into_data_stream();
            assert_eq!(body.next().await.unwrap().unwrap(), "\u{feff}a;b\r\n");
            assert_eq!(body.next().await.map(|end| end.is_err()), (!whole).then_some(true));
            for _ in 0..2 {
                assert!(body.next().await.is_none(), "asking again after the end is allowed");
            }
        }
    }

    #[test]
    fn names_are_ascii_with_an_accented_variant() {
        assert_eq!(
            attachment("Opérations “Été” à l’hôpital-2026-03-12.csv"),
            "attachment; filename=\"operations-ete-a-l-hopital-2026-03-12.csv\"; filename*=UTF-8''Op%C3%A9rations%20%E2%80%9C%C3%89t%C3%A9%E2%80%9D%20%C3%A0%20l%E2%80%99h%C3%B4pital-2026-03-12.csv"
        );
    }
}
