//! What backlinkd reads of an answer, beside what curl reads of it.
//!
//! Servers send answers that no standard allows, and people read the pages all the same. curl, whose leniency has been
//! learnt from them over decades, is the measure: where it reads a body, so does backlinkd, byte for byte, or the
//! answer stands in [`differences`] with the reason. A listed difference that no longer is one fails the test too.
//!
//! Skipped visibly where there is no `curl` that decodes gzip, brotli and zstd.

mod differences;
mod rows;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use backlinkd::config::{FetchConfig, Span};
use backlinkd::fetch::{FetchOutcome, RobotsAnswer};

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, fetch};
use differences::DIFFERENCES;
use rows::rows;

/// One answer, and what becomes of its connection.
pub struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    end: fn(Reply) -> Reply,
}

impl Row {
    /// The connection is closed after it.
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes, end: |reply| reply }
    }

    fn held(self) -> Self {
        Self { end: Reply::then_held, ..self }
    }

    fn reset(self) -> Self {
        Self { end: Reply::then_reset, ..self }
    }

    /// Without its body.
    fn cut_to_head(mut self) -> Self {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        self.bytes.truncate(end);
        self
    }
}

/// What a client made of an answer.
#[derive(Debug)]
struct Reading {
    body: Vec<u8>,
    /// For people.
    result: String,
}

/// The version of a `curl` that can be compared with; `None`, visibly, where there is none.
fn curl_version() -> Option<String> {
    let output = Command::new("curl").arg("--version").output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let usable = |text: &String| ["libz", "brotli", "zstd"].iter().all(|feature| text.contains(feature));
    let Some(text) = text.filter(usable) else {
        eprintln!("SKIPPED: no curl with libz, brotli and zstd is installed, which this test compares with");
        return None;
    };
    text.lines().next().map(str::to_owned)
}

fn read_by_curl(name: &str, at: SocketAddr, folder: &Path) -> Reading {
    let file = folder.join(name);
    let output = Command::new("curl")
        .args(["--disable", "--silent", "--compressed", "--http1.1", "--max-time", "5", "--noproxy", "*"])
        .args(["--connect-to", &format!("{name}.test:80:{at}"), "--write-out", "%{http_code}", "--output"])
        .arg(&file)
        .arg(format!("http://{name}.test/"))
        .output()
        .unwrap();
    let status = String::from_utf8_lossy(&output.stdout).into_owned();
    let body = std::fs::read(&file).unwrap_or_default();
    let exit = output.status.code();
    Reading { result: format!("status {status}, {} bytes, exit {}", body.len(), exit.unwrap_or(-1)), body }
}

async fn read_by_us(name: &str, client: &Visitor, config: &FetchConfig) -> Reading {
    let page = format!("http://{name}.test/");
    let RobotsAnswer::Allowed(permit) = client.ask(&page).await.0 else { panic!("{name} is not allowed") };
    let answer = match fetch(&client.fetcher, permit, None).await {
        FetchOutcome::Answered(answer) => answer,
        FetchOutcome::Failed(kind, detail) => {
            return Reading { body: Vec::new(), result: format!("{}: {detail}", kind.as_str()) };
        }
    };
    let status = answer.status;
    match answer.decode(config.decoded_cap(answer.body.len())) {
        Ok(decoded) => {
            let cut = decoded.cut.map_or(String::new(), |cut| format!(", cut ({})", cut.as_str()));
            let unread = if answer.unread { ", unread" } else { "" };
            let result = format!("status {status}, {} bytes{cut}{unread}", decoded.bytes.len());
            Reading { body: decoded.bytes.to_vec(), result }
        }
        Err(error) => Reading { body: Vec::new(), result: format!("status {status}, {error}") },
    }
}

/// By row: both readings, where they differ.
async fn differing(rows: Vec<Row>) -> BTreeMap<&'static str, [Reading; 2]> {
    let names: Vec<&'static str> = rows.iter().map(|row| row.name).collect();
    let mut web = FakeWeb::new();
    for Row { name, bytes, end } in rows {
        // A host of its own, so that no other answer's connection is used.
        web = web.page(&format!("{name}.test"), "/", end(Reply::raw(bytes)));
    }
    let web = web.start().await;
    let patience = Span::seconds(5);
    let config = FetchConfig { timeout: patience, first_byte_timeout: patience, ..web.fetch_config() };
    let client = Visitor::new(&config);
    let at = std::fs::read_to_string(web.overrides()).unwrap();
    let at: SocketAddr = at.split('\t').nth(1).unwrap().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut differing = BTreeMap::new();
    for name in names {
        let into = folder.path().to_owned();
        let by_curl = tokio::task::spawn_blocking(move || read_by_curl(name, at, &into)).await.unwrap();
        let by_us = read_by_us(name, &client, &config).await;
        if by_curl.body != by_us.body {
            differing.insert(name, [by_curl, by_us]);
        }
    }
    differing
}

#[tokio::test(flavor = "multi_thread")]
async fn what_curl_reads_is_read_or_there_is_a_reason() {
    let Some(version) = curl_version() else { return };
    let rows = rows();
    let count = rows.len();
    let differing = differing(rows).await;
    let unlisted: Vec<String> = differing
        .iter()
        .filter(|(name, _)| !DIFFERENCES.iter().any(|(listed, _)| listed == *name))
        .map(|(name, [curl, us])| format!("{name:28} curl: {:40} backlinkd: {}", curl.result, us.result))
        .collect();
    let gone: Vec<&str> =
        DIFFERENCES.iter().map(|(name, _)| *name).filter(|name| !differing.contains_key(name)).collect();
    assert!(
        unlisted.is_empty() && gone.is_empty(),
        "Of {count} answers, {} are read otherwise than by {version}:\n{}\nListed, but read alike: {gone:?}",
        unlisted.len(),
        unlisted.join("\n"),
    );
}

#[test]
fn each_answer_has_a_name_of_its_own_and_each_difference_a_reason() {
    let mut names: Vec<&str> = rows().iter().map(|row| row.name).collect();
    assert!(names.len() >= 60);
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
    for (name, reason) in DIFFERENCES {
        assert!(names.contains(&name), "{name} is no answer");
        assert!(reason.ends_with('.') && reason.contains(' '), "{name} has no reason");
    }
}
