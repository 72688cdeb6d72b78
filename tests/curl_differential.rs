//! Compares how backlinkd and curl read the same responses.
//!
//! Servers send responses that no standard allows, and browsers show the pages nevertheless. curl has learned its
//! leniency from them over decades, so it is the reference. If curl reads a body, backlinkd reads the same bytes, or
//! [`differences`] lists the response with the reason. A response that curl calls incomplete is stored as cut. A listed
//! difference that has vanished fails the test too, unless curl has another version than [`LISTED_FOR`].
//!
//! Skipped with a message if there is no `curl` that decodes gzip, brotli and zstd.

mod differences;
mod rows;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use backlinkd::config::{FetchConfig, Span};
use backlinkd::fetch::{FetchOutcome, RobotsAnswer};

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, fetch};
use differences::{DIFFERENCES, WHOLE};
use rows::rows;

/// The version of curl for which the lists were written: that of Debian 12.
const LISTED_FOR: &str = "curl 7.88.";

/// One response, and the further state of its connection.
pub struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    end: fn(Reply) -> Reply,
}

impl Row {
    /// The connection is closed after the response.
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes, end: |reply| reply }
    }

    fn held(self) -> Self {
        Self { end: Reply::then_held, ..self }
    }

    fn reset(self) -> Self {
        Self { end: Reply::then_reset, ..self }
    }

    /// A response without its body.
    fn cut_to_head(mut self) -> Self {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        self.bytes.truncate(end);
        self
    }
}

/// The result of a client for a response.
#[derive(Debug)]
struct Reading {
    body: Vec<u8>,
    is_whole: bool,
    /// The result as text.
    result: String,
}

/// The version of a usable `curl`; `None`, with a message, if there is none.
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
    let result = format!("status {status}, {} bytes, exit {}", body.len(), exit.unwrap_or(-1));
    // 18: a partial file; 56: the connection broke.
    Reading { is_whole: !matches!(exit, Some(18 | 56)), result, body }
}

async fn read_by_us(name: &str, client: &Visitor, config: &FetchConfig) -> Reading {
    let page = format!("http://{name}.test/");
    let RobotsAnswer::Allowed(permit) = client.ask(&page).await.0 else { panic!("{name} is not allowed") };
    let answer = match fetch(&client.fetcher, permit, None).await {
        FetchOutcome::Responded(answer) => answer,
        FetchOutcome::Failed(kind, detail) => {
            return Reading {
                body: Vec::new(),
                is_whole: false,
                result: format!("{}: {detail}", kind.as_str()),
            };
        }
    };
    let status = answer.status;
    match answer.decode(config.decoded_cap(answer.body.len())) {
        Ok(decoded) => {
            let cut = decoded.cut.map_or(String::new(), |cut| format!(", cut ({})", cut.as_str()));
            let unread = if answer.unread { ", unread" } else { "" };
            let result = format!("status {status}, {} bytes{cut}{unread}", decoded.bytes.len());
            Reading { body: decoded.bytes.to_vec(), is_whole: decoded.cut.is_none(), result }
        }
        Err(error) => {
            Reading { body: Vec::new(), is_whole: false, result: format!("status {status}, {error}") }
        }
    }
}

/// Each row's name, with the results of curl and backlinkd.
async fn read_all(rows: Vec<Row>) -> Vec<(&'static str, Reading, Reading)> {
    let names: Vec<&'static str> = rows.iter().map(|row| row.name).collect();
    let mut web = FakeWeb::new();
    for Row { name, bytes, end } in rows {
        // Each response has its own host, so that it never shares a connection with another.
        web = web.page(&format!("{name}.test"), "/", end(Reply::raw(bytes)));
    }
    let web = web.start().await;
    let patience = Span::seconds(5);
    let config = FetchConfig { timeout: patience, first_byte_timeout: patience, ..web.fetch_config() };
    let client = Visitor::new(&config);
    let at = std::fs::read_to_string(web.overrides()).unwrap();
    let at: SocketAddr = at.split('\t').nth(1).unwrap().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut readings = Vec::new();
    for name in names {
        let into = folder.path().to_owned();
        let by_curl = tokio::task::spawn_blocking(move || read_by_curl(name, at, &into)).await.unwrap();
        readings.push((name, by_curl, read_by_us(name, &client, &config).await));
    }
    readings
}

/// Compares the rows that satisfy a condition with the list of rows that may, and, if `exactly`, must.
fn compare(found: &[(&'static str, String)], listed: &[(&str, &str)], exactly: bool) -> String {
    let unlisted = found.iter().filter(|(name, _)| !listed.iter().any(|(known, _)| known == name));
    let gone = listed.iter().filter(|(known, _)| exactly && !found.iter().any(|(name, _)| known == name));
    let unlisted = unlisted.map(|(name, how)| format!("{name:28} {how}\n"));
    unlisted.chain(gone.map(|(name, _)| format!("{name:28} is listed, but read alike\n"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_that_curl_reads_are_read_or_listed_with_a_reason() {
    let Some(version) = curl_version() else { return };
    let (mut differing, mut whole) = (Vec::new(), Vec::new());
    for (name, curl, us) in read_all(rows()).await {
        let how = format!("curl: {:40} backlinkd: {}", curl.result, us.result);
        if curl.body != us.body {
            differing.push((name, how));
        } else if !curl.is_whole && us.is_whole {
            whole.push((name, how));
        }
    }
    let exactly = version.starts_with(LISTED_FOR);
    let differing = compare(&differing, &DIFFERENCES, exactly);
    assert!(differing.is_empty(), "Read otherwise than by {version}:\n{differing}");
    let whole = compare(&whole, &WHOLE, exactly);
    assert!(whole.is_empty(), "Incomplete for {version}, but not for us:\n{whole}");
}

#[test]
fn each_response_has_a_unique_name_and_each_difference_a_reason() {
    let mut names: Vec<&str> = rows().iter().map(|row| row.name).collect();
    assert!(names.len() >= 60);
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
    for (name, reason) in DIFFERENCES.into_iter().chain(WHOLE) {
        assert!(names.contains(&name), "{name} is no answer");
        assert!(reason.ends_with('.') && reason.contains(' '), "{name} has no reason");
    }
}
