//! WARC files, parsed by a strict parser of the standard's grammar, and by warcio.

use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use backlinkd::urls::CanonicalUrl;
use backlinkd::warc::{HttpExchange, Truncation, WarcError, WarcOptions, WarcWriter};
use flate2::bufread::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use sha1::{Digest, Sha1};

use crate::support::dice::Dice;
use crate::support::visitor::url;

/// 2024-02-29T12:30:15Z
const THEN: u64 = 1_709_209_815;

fn headers(lines: &[(&str, &[u8])]) -> HeaderMap {
    let pair = |(name, value): &(&str, &[u8])| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap())
    };
    let mut headers = HeaderMap::new();
    lines.iter().map(pair).for_each(|(name, value)| _ = headers.append(name, value));
    headers
}

fn writer(folder: &Path, max_file_bytes: u64) -> WarcWriter {
    let options = WarcOptions {
        max_file_bytes,
        software: "backlinkd/1.2".to_owned(),
        operator: "Jo\nBlow https://a.test/about".to_owned(),
    };
    WarcWriter::create(folder, options).unwrap()
}

/// The properties of an exchange that tests vary.
struct Given {
    url: CanonicalUrl,
    status: u16,
    version: Version,
    headers: HeaderMap,
    body: Vec<u8>,
    truncation: Option<Truncation>,
}

impl Given {
    fn new(text: &str, lines: &[(&str, &[u8])], body: &[u8]) -> Self {
        Self {
            url: url(text),
            status: 200,
            version: Version::HTTP_11,
            headers: headers(lines),
            body: body.to_vec(),
            truncation: None,
        }
    }

    fn write(&self, writer: &WarcWriter) {
        let request = headers(&[("user-agent", b"backlinkd/1.2"), ("host", self.url.authority().as_bytes())]);
        let exchange = HttpExchange {
            url: &self.url,
            unix_seconds: THEN,
            ip: IpAddr::from([127, 0, 0, 9]),
            request_headers: &request,
            status: self.status,
            version: self.version,
            headers: &self.headers,
            body: &self.body,
            truncation: self.truncation,
        };
        writer.write(&exchange).unwrap();
    }
}

#[derive(Debug)]
struct Record {
    fields: Vec<(String, String)>,
    block: Vec<u8>,
}

impl Record {
    #[track_caller]
    fn field(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.fields))
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found: Vec<&str> =
            self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        assert!(found.len() <= 1, "{name} stands there {} times", found.len());
        found.first().copied()
    }

    /// Head and body of an HTTP message; the head as text, byte for byte.
    fn http(&self) -> (String, &[u8]) {
        let end = self.block.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        (self.block[..end].iter().copied().map(char::from).collect(), &self.block[end..])
    }
}

/// The records of a file: each is its own gzip member, by the grammar of the standard, with correct digests. `None`
/// instead of an incomplete last one.
fn read(path: &Path) -> Vec<Option<Record>> {
    let bytes = std::fs::read(path).unwrap();
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let mut member = GzDecoder::new(rest);
        let mut text = Vec::new();
        if member.read_to_end(&mut text).is_err() {
            records.push(None);
            break;
        }
        rest = member.into_inner();
        records.push(Some(record(&text)));
    }
    records
}

fn record(bytes: &[u8]) -> Record {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("WARC/1.1"));
    let fields: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
            assert!(!value.is_empty() && !value.chars().any(char::is_control), "{value:?}");
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let block = bytes[end + 4..].strip_suffix(b"\r\n\r\n").expect("two line breaks end a record").to_vec();
    let record = Record { fields, block };
    assert_eq!(record.field("Content-Length"), record.block.len().to_string());
    assert_eq!(record.field("WARC-Block-Digest"), sha1(&record.block));
    let id = record.field("WARC-Record-ID");
    let id = id.strip_prefix("<urn:uuid:").unwrap().strip_suffix('>').unwrap();
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
    record
}

/// In base 32 (RFC 4648), implemented here.
fn sha1(bytes: &[u8]) -> String {
    let digest = Sha1::digest(bytes);
    let bits: String = digest.iter().map(|byte| format!("{byte:08b}")).collect();
    let letters: String = bits
        .as_bytes()
        .chunks(5)
        .map(|five| usize::from_str_radix(std::str::from_utf8(five).unwrap(), 2).unwrap())
        .map(|value| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value]))
        .collect();
    format!("sha1:{letters}")
}

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The records of one exchange: warcinfo, request and response.
fn written(given: &Given) -> [Record; 3] {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), 1 << 30);
    given.write(&writer);
    writer.close().unwrap();
    let records = read(&files(folder.path())[0]);
    records.into_iter().map(Option::unwrap).collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn an_exchange_is_a_request_and_a_response_that_refer_to_each_other() {
    let given = Given::new(
        "http://a.test:8080/p?q=1",
        &[
            ("content-type", b"text/html"),
            ("transfer-encoding", b"chunked"),
            ("content-encoding", b"gzip"),
            ("set-cookie", b"a=1"),
            ("set-cookie", b"b=\xfc"),
        ],
        b"\x1f\x8b not really\r\n\r\n",
    );
    let [info, request, response] = written(&given);
    assert_eq!(info.field("WARC-Type"), "warcinfo");
    assert_eq!(info.field("Content-Type"), "application/warc-fields");
    let told = String::from_utf8(info.block.clone()).unwrap();
    assert!(told.contains("software: backlinkd/1.2\r\n"), "{told}");
    assert!(told.contains("operator: Jo Blow https://a.test/about\r\n"), "{told}");

    for record in [&request, &response] {
        assert_eq!(record.field("WARC-Target-URI"), "http://a.test:8080/p?q=1");
        assert_eq!(record.field("WARC-Date"), "2024-02-29T12:30:15Z");
        assert_eq!(record.field("WARC-IP-Address"), "127.0.0.9");
        assert_eq!(record.field("WARC-Warcinfo-ID"), info.field("WARC-Record-ID"));
    }
    assert_eq!(request.field("WARC-Type"), "request");
    assert_eq!(request.field("Content-Type"), "application/http; msgtype=request");
    assert_eq!(request.field("WARC-Concurrent-To"), response.field("WARC-Record-ID"));
    let (head, body) = request.http();
    assert_eq!(head, "GET /p?q=1 HTTP/1.1\r\nuser-agent: backlinkd/1.2\r\nhost: a.test:8080\r\n\r\n");
    assert!(body.is_empty());

    assert_eq!(response.field("WARC-Type"), "response");
    assert_eq!(response.field("Content-Type"), "application/http; msgtype=response");
    assert_eq!(response.field("WARC-Payload-Digest"), sha1(&given.body));
    assert_eq!((response.find("WARC-Truncated"), response.find("WARC-Protocol")), (None, None));
    let (head, body) = response.http();
    assert_eq!(body, given.body);
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "HTTP/1.1 200 OK");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "content-encoding: gzip",
            "content-length: 17",
            "content-type: text/html",
            "set-cookie: a=1",
            "set-cookie: b=\u{fc}",
            "x-crawler-transfer-encoding: chunked",
        ]
    );
}

#[test]
fn truncated_and_unchanged_responses_are_marked() {
    let mut cut = Given::new("https://a.test/", &[("content-length", b"1000")], b"beginning");
    (cut.truncation, cut.version, cut.status) = (Some(Truncation::Length), Version::HTTP_2, 599);
    let [_, _, response] = written(&cut);
    assert_eq!((response.field("WARC-Truncated"), response.field("WARC-Protocol")), ("length", "h2"));
    let (head, body) = response.http();
    assert_eq!(
        (head.as_str(), body),
        ("HTTP/1.1 599 \r\nx-crawler-content-length: 1000\r\ncontent-length: 9\r\n\r\n", &b"beginning"[..])
    );

    let mut same = Given::new("https://a.test/", &[("etag", b"\"v1\""), ("content-length", b"1000")], b"");
    (same.status, same.version) = (304, Version::HTTP_10);
    let [_, request, revisit] = written(&same);
    assert_eq!(revisit.field("WARC-Type"), "revisit");
    assert_eq!(revisit.field("WARC-Profile"), "http://netpreserve.org/warc/1.1/revisit/server-not-modified");
    assert_eq!(request.field("WARC-Concurrent-To"), revisit.field("WARC-Record-ID"));
    assert_eq!(revisit.http().0, "HTTP/1.0 304 Not Modified\r\netag: \"v1\"\r\ncontent-length: 1000\r\n\r\n");

    for (truncation, word) in [
        (Truncation::Time, "time"),
        (Truncation::Disconnect, "disconnect"),
        (Truncation::Unspecified, "unspecified"),
    ] {
        cut.truncation = Some(truncation);
        assert_eq!(written(&cut)[2].field("WARC-Truncated"), word);
    }

    let [_, _, empty] = written(&Given::new("http://a.test/", &[], b""));
    assert!(empty.fields.iter().all(|(name, _)| name != "WARC-Truncated"));
    assert_eq!(empty.http().0, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

/// Pages with incompressible bytes.
fn write_pages(writer: &WarcWriter, count: usize) {
    let mut dice = Dice(5);
    for n in 0..count {
        let body: Vec<u8> = (0..250).flat_map(|_| dice.roll().to_le_bytes()).collect();
        Given::new(&format!("http://a.test/{n}"), &[("content-type", b"text/html")], &body).write(writer);
    }
}

#[test]
fn a_full_file_gets_its_name_and_the_next_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/on/the/way");
    let writer = writer(&folder, 10_000);
    write_pages(&writer, 23);
    let open: Vec<PathBuf> =
        files(&folder).into_iter().filter(|file| name(file).ends_with(".open")).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(read(&open[0]).iter().flatten().count(), 7, "records are readable while the file is open");
    writer.close().unwrap();

    let (mut pages, mut ids) = (Vec::new(), std::collections::HashSet::new());
    for (serial, file) in files(&folder).iter().enumerate() {
        let (start, rest) = name(file).split_at("backlinkd-".len());
        let (time, end) = rest.split_at(14);
        assert!(start == "backlinkd-" && time.bytes().all(|b| b.is_ascii_digit()), "{}", name(file));
        assert_eq!(end, format!("-{serial:05}.warc.gz"));
        let records: Vec<Record> = read(file).into_iter().map(Option::unwrap).collect();
        assert_eq!(records[0].field("WARC-Filename"), name(file));
        let size = std::fs::metadata(file).unwrap().len();
        assert!(serial == 5 || (10_000..13_000).contains(&size), "{size}");
        for record in &records {
            assert!(ids.insert(record.field("WARC-Record-ID").to_owned()));
            if record.field("WARC-Type") == "response" {
                assert_eq!(record.field("WARC-Warcinfo-ID"), records[0].field("WARC-Record-ID"));
                pages.push(record.field("WARC-Target-URI").to_owned());
            }
        }
    }
    let expected: Vec<String> = (0..23).map(|n| format!("http://a.test/{n}")).collect();
    assert_eq!(pages, expected);
    assert_eq!(files(&folder).len(), 6);
}

#[test]
fn later_and_simultaneous_writers_never_reuse_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let writers: Vec<WarcWriter> = (0..3).map(|_| writer(folder.path(), 1 << 30)).collect();
    writers.iter().for_each(|writer| write_pages(writer, 2));
    // Dropping closes.
    drop(writers);
    let again = writer(folder.path(), 1 << 30);
    write_pages(&again, 1);
    again.close().unwrap();
    let files = files(folder.path());
    assert!(files.iter().all(|file| name(file).ends_with(".warc.gz")), "{files:?}");
    let records: Vec<usize> = files.iter().map(|file| read(file).iter().flatten().count()).collect();
    assert_eq!((records.len(), records.iter().sum::<usize>()), (4, 18));
}

#[test]
fn threads_share_a_writer_and_every_record_names_the_first_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), 20_000);
    std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(|| write_pages(&writer, 40))));
    writer.close().unwrap();
    // Later records are not kept.
    write_pages(&writer, 1);
    let mut answers = 0;
    for file in files(folder.path()) {
        let records: Vec<Record> = read(&file).into_iter().map(Option::unwrap).collect();
        let info = records[0].field("WARC-Record-ID");
        assert!(records[1..].iter().all(|record| record.field("WARC-Warcinfo-ID") == info));
        answers += records[1..].len();
    }
    assert_eq!(answers, 4 * 40 * 2);
}

#[test]
fn every_complete_record_of_a_file_left_by_a_crash_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), 1 << 30);
    write_pages(&writer, 3);
    let open = files(folder.path()).remove(0);
    let bytes = std::fs::read(&open).unwrap();
    let cut = folder.path().join("cut");
    let mut last = 0;
    for end in (0..=bytes.len()).step_by(97).chain([bytes.len()]) {
        std::fs::write(&cut, &bytes[..end]).unwrap();
        let whole = read(&cut).iter().flatten().count();
        assert!((last..=last + 2).contains(&whole));
        last = whole;
    }
    assert_eq!(last, 7);
}

#[test]
fn a_file_left_open_by_a_crash_is_completed_by_the_next_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = writer(folder.path(), 1 << 30);
    write_pages(&first, 3);
    let open = files(folder.path()).remove(0);
    let name = open.with_extension("");
    let bytes = std::fs::read(&open).unwrap();
    // A file in use is not changed, and neither is a foreign one.
    std::fs::write(folder.path().join("notes.open"), "mine").unwrap();
    drop(writer(folder.path(), 1 << 30));
    assert!(open.exists() && !name.exists());
    drop(first);
    assert_eq!(std::fs::read(&name).unwrap(), bytes);
    std::fs::remove_file(&name).unwrap();

    let mut lengths = std::collections::BTreeSet::new();
    for end in (0..=bytes.len()).step_by(61).chain([bytes.len()]) {
        std::fs::write(&open, &bytes[..end]).unwrap();
        let whole = read(&open).iter().flatten().count();
        drop(writer(folder.path(), 1 << 30));
        assert_eq!((name.exists(), open.exists()), (whole > 0, false), "{end}");
        if whole > 0 {
            let records = read(&name);
            assert!(records.iter().all(Option::is_some), "{end}");
            assert_eq!(records.len(), whole, "{end}");
            assert!(bytes.starts_with(&std::fs::read(&name).unwrap()), "{end}");
            std::fs::remove_file(&name).unwrap();
        }
        lengths.insert(whole);
    }
    assert_eq!(lengths, (0..=7).collect());
    assert_eq!(std::fs::read_to_string(folder.path().join("notes.open")).unwrap(), "mine");
}

#[test]
fn an_impossible_folder_is_an_error_that_names_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("below");
    let options = WarcOptions { max_file_bytes: 1, software: String::new(), operator: String::new() };
    let error = WarcWriter::create(&folder, options).unwrap_err();
    assert!(matches!(&error, WarcError::File { path, .. } if *path == folder));
    assert!(error.to_string().contains("crawl.warc_dir"), "{error}");
}

/// warcio (PyPI) recomputes digests and lengths, and finds every record by its offset.
#[test]
fn warcio_reads_the_files_without_errors() {
    let has_warcio = Command::new("python3").args(["-c", "import warcio"]).output();
    if !has_warcio.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: warcio is absent; pip install warcio to run this test");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path(), 20_000);
    write_pages(&writer, 12);
    for (status, version) in [(304, Version::HTTP_11), (404, Version::HTTP_2), (301, Version::HTTP_10)] {
        let mut given =
            Given::new("https://a.test/x?y=%20", &[("content-length", b"5"), ("x", b"\xff")], b"");
        (given.status, given.version) = (status, version);
        given.write(&writer);
    }
    writer.close().unwrap();
    let warcio = |arguments: &[&str]| {
        let code = "import sys; from warcio.cli import main; main(sys.argv[1:])";
        let mut command = Command::new("python3");
        let output = command.args(["-c", code]).args(arguments).args(files(folder.path())).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        told
    };
    let checked = warcio(&["check", "-v"]);
    assert!(!checked.contains("fail") && !checked.contains("unknown hash"), "{checked}");
    // Every record but the revisit, which warcio skips.
    assert_eq!(checked.matches("digest pass").count(), 29 + files(folder.path()).len(), "{checked}");
    let index = warcio(&["index", "-f", "warc-type,warc-target-uri,http:status,offset"]);
    let rows: Vec<serde_json::Value> = index.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let of = |kind: &str| rows.iter().filter(|row| row["warc-type"] == kind).count();
    assert_eq!(
        (of("warcinfo"), of("request"), of("response"), of("revisit")),
        (files(folder.path()).len(), 15, 14, 1)
    );
    assert_eq!(rows.iter().filter(|row| row["http:status"] == "200").count(), 12);
}
