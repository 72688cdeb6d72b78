//! Real archives, some of them broken on purpose. `records.jsonl` has every record as warcio reads it.

use std::collections::BTreeMap;
use std::path::Path;

use backlinkd::fetch::{ArchivedMessage, Response};
use backlinkd::warc::{
    ArchiveError, ArchiveRecord, ReadLimits, RecordDigest, RecordKind, SkipReason, Truncation,
};
use bytes::Bytes;
use serde_json::Value;
use sha1::{Digest, Sha1};

use super::Contents;
use crate::support::shared;

/// Files whose last record has no end. warcio returns its beginning, and this reader skips it.
const CUT: [&str; 2] = ["resiliparse/clipped.warc.gz", "warcio/example-space-in-url.arc"];

#[test]
fn every_record_is_as_another_reader_sees_it() {
    let Some(folder) = shared("warc") else { return };
    let mut files: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in std::fs::read_to_string(folder.join("records.jsonl")).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        files.entry(record["file"].as_str().unwrap().to_owned()).or_default().push(record);
    }
    assert!(files.len() > 20);
    for (file, expected) in files {
        let contents = Contents::of(&std::fs::read(folder.join(&file)).unwrap());
        let reasons: Vec<SkipReason> = contents.skipped.iter().map(|skipped| skipped.reason).collect();
        let cut = usize::from(CUT.contains(&file.as_str()));
        assert_eq!(reasons, [SkipReason::Cut][..cut], "{file}");
        // warcio stops at what it takes for damage.
        assert!(contents.records.len() + cut >= expected.len(), "{file}");
        for (record, expected) in contents.records.iter().zip(&expected) {
            assert_eq!(seen(record, expected), without_file(expected), "{file}");
        }
    }
}

/// Fields that are not about the record.
fn without_file(expected: &Value) -> Value {
    let mut expected = expected.clone();
    let members = expected.as_object_mut().unwrap();
    members.remove("file");
    members.remove("n");
    expected
}

/// A record in the form of `records.jsonl`.
fn seen(record: &ArchiveRecord, expected: &Value) -> Value {
    let head = &record.head;
    let is_arc = expected["warc_length"].is_null();
    let kind = match head.kind {
        RecordKind::Info if is_arc => "arc_header",
        RecordKind::Other => "unknown",
        kind => kind.as_str(),
    };
    let date = expected["date"].as_str().unwrap();
    let is_same_date = head.unix_seconds == Some(seconds(date));
    let (status, media_type, body) = message(record, is_arc);
    serde_json::json!({
        "offset": head.position.file,
        "type": kind,
        "uri": head.target,
        "date": if is_same_date { date.to_owned() } else { format!("{:?}", head.unix_seconds) },
        "id": head.id.as_ref().map(|id| format!("<{id}>")),
        "warc_length": (!is_arc).then(|| head.length.to_string()),
        "payload_digest": head.payload_digest,
        "http_status": status,
        "http_type": media_type,
        "decoded_body_bytes": body.len(),
        "decoded_body_sha1": data_encoding::HEXLOWER.encode(&Sha1::digest(&body)),
    })
}

fn seconds(date: &str) -> u64 {
    let date = match date.len() {
        14 => {
            let [year, month, day] = [&date[..4], &date[4..6], &date[6..8]];
            format!("{year}-{month}-{day}T{}:{}:{}Z", &date[8..10], &date[10..12], &date[12..])
        }
        _ => date.to_owned(),
    };
    let time = humantime::parse_rfc3339(&date).unwrap();
    time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Status, type and decoded body. warcio names the path of a request where the status of a response is.
fn message(record: &ArchiveRecord, is_arc: bool) -> (Option<String>, Option<String>, Bytes) {
    let block = &record.block;
    match record.head.kind {
        RecordKind::Response | RecordKind::Revisit if record.head.is_http() => {
            let response = response(record);
            let media_type =
                response.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
            let body = response.decode(1 << 30).unwrap().bytes;
            (Some(response.status.to_string()), media_type, body)
        }
        RecordKind::Request => {
            let head = block.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            let line = String::from_utf8(block[..head].to_vec()).unwrap();
            let path = line.split(' ').nth(1).unwrap().to_owned();
            let type_of = |line: &str| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-type").then(|| value.to_owned())
            };
            (Some(path), line.split("\r\n").find_map(type_of), block.slice(head..))
        }
        RecordKind::Info if is_arc => (None, None, Bytes::new()),
        _ => (None, None, block.clone()),
    }
}

fn response(record: &ArchiveRecord) -> Response {
    let message = ArchivedMessage {
        bytes: record.block.clone(),
        ip: record.head.ip.unwrap_or([0; 4].into()),
        cut: record.cut,
        is_truncated: record.head.truncation == Some(Truncation::Unspecified),
        is_as_received: false,
    };
    Response::from_archive(message, 1_000).unwrap()
}

/// What cannot be an archive is refused, and the message says why.
#[test]
fn other_files_are_refused_with_a_reason() {
    let Some(folder) = shared("warc") else { return };
    let refusal = |path: &Path| {
        Contents::with_limits(std::fs::File::open(path).unwrap(), ReadLimits::default()).unwrap_err()
    };
    for file in [
        "commoncrawl/CC-MAIN-2024-22.warc.paths.gz",
        "ia-web-commons/org/archive/format/gzip/hi-2.gz",
        "ia-web-commons/org/archive/format/gzip/double-single-inflate-error.gz",
        "lic/jwarc.LICENSE",
        "README.md",
        "records.jsonl",
    ] {
        let error = refusal(&folder.join(file));
        assert!(matches!(error, ArchiveError::NotAnArchive), "{file}: {error}");
    }
    let error = refusal(&folder.join("resiliparse/warcfile.warc.lz4"));
    assert!(error.to_string().contains("LZ4"), "{error}");
}

/// Records behind those that warcio reads.
#[test]
fn reading_goes_on_where_another_reader_stops() {
    let Some(folder) = shared("warc") else { return };
    let contents = |file: &str| Contents::of(&std::fs::read(folder.join(file)).unwrap());
    let odd = contents("stormcrawler/unparsable-date.warc.gz");
    let dates: Vec<Option<u64>> = odd.records.iter().map(|record| record.head.unix_seconds).collect();
    assert_eq!(dates, [Some(1_481_500_708), None, None]);
    assert_eq!(odd.records[1].head.target.as_deref(), Some("http://www.cultural.com/robots.txt"));
    let odd = contents("warcio/example-bad-non-chunked.warc.gz");
    assert_eq!((odd.records.len(), odd.skipped.len()), (6, 0));
}

/// The digests of the archives are right, except in the archive that is about wrong ones.
#[test]
fn block_digests_are_right() {
    let Some(folder) = shared("warc") else { return };
    let mut checked = 0;
    for file in ["commoncrawl/whirlwind.warc.gz", "mockweb/wget-mockweb.warc.gz", "warcio/example.warc"] {
        for record in Contents::of(&std::fs::read(folder.join(file)).unwrap()).records {
            let Some(digest) = record.head.block_digest.as_deref().and_then(RecordDigest::parse) else {
                continue;
            };
            assert!(digest.is_of(&record.block), "{file} {:?}", record.head);
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
}
