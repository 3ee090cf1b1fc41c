// SPDX-License-Identifier: EUPL-1.2
//! A relay that really speaks SMTP, and keeps what it is given.
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

pub struct Relay {
    pub address: String,
    verdict: Arc<Mutex<String>>,
    letters: Arc<Mutex<Vec<String>>>,
}

/// What arrived, decoded.
pub struct Letter {
    pub headers: String,
    pub text: String,
    pub html: String,
}

impl Relay {
    /// `verdict`: the answer to the end of each message.
    pub async fn start(verdict: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap().to_string(),
            verdict: Arc::new(Mutex::new(verdict.into())),
            letters: Arc::default(),
        };
        let (verdict, letters) = (relay.verdict.clone(), relay.letters.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, verdict.clone(), letters.clone()));
            }
        });
        relay
    }

    pub fn answer(&self, verdict: &str) {
        *self.verdict.lock().unwrap() = verdict.into();
    }

    /// The accepted letters.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().iter().map(|raw| Letter::read(raw)).collect()
    }
}

async fn converse(
    stream: TcpStream,
    verdict: Arc<Mutex<String>>,
    letters: Arc<Mutex<Vec<String>>>,
) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let _ = write.write_all(b"220 relais.ops.test ESMTP\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => "250-relais.ops.test\r\n250 8BITMIME".to_owned(),
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 Ok".to_owned(),
            "DATA" => {
                let _ = write.write_all(b"354 Go on\r\n").await;
                let mut letter = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    letter.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.push('\n');
                }
                let verdict = verdict.lock().unwrap().clone();
                if verdict.starts_with("250") {
                    letters.lock().unwrap().push(letter);
                }
                verdict
            }
            "QUIT" => "221 Bye".to_owned(),
            _ => "502 Unknown".to_owned(),
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err()
            || answer.starts_with("221")
        {
            break;
        }
    }
}

impl Letter {
    fn read(raw: &str) -> Self {
        let (headers, body) = raw.split_once("\n\n").unwrap();
        let boundary = headers.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let parts: Vec<&str> = body
            .split(&format!("--{boundary}"))
            .filter(|part| part.contains("Content-Type"))
            .collect();
        let part = |kind: &str| decode(parts.iter().find(|part| part.contains(kind)).unwrap());
        Self { headers: headers.to_owned(), text: part("text/plain"), html: part("text/html") }
    }

    /// The path of the link inside.
    pub fn link(&self, purpose: &str) -> String {
        super::link_in(&self.text, purpose)
    }
}

fn decode(part: &str) -> String {
    let (head, body) = part.trim_start().split_once("\n\n").unwrap();
    if head.contains("quoted-printable") {
        quoted_printable(body)
    } else {
        assert!(!head.contains("base64"), "{head}");
        body.to_owned()
    }
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
