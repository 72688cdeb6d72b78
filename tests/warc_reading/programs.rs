//! Archives of other programs, and of the writer of this one.

use std::net::IpAddr;
use std::process::Command;

use backlinkd::fetch::{ArchivedMessage, Response};
use backlinkd::model::Cut;
use backlinkd::warc::{
    ArchiveRecord, HttpExchange, RecordDigest, RecordKind, Truncation, WarcOptions, WarcWriter,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::Contents;
use crate::support::dice::Dice;
use crate::support::python::python_with;
use crate::support::visitor::url;

fn response(record: &ArchiveRecord, is_as_received: bool) -> Response {
    let message = ArchivedMessage {
        bytes: record.block.clone(),
        ip: record.head.ip.unwrap_or([0; 4].into()),
        cut: record.cut,
        is_truncated: record.head.truncation == Some(Truncation::Unspecified),
        is_as_received,
    };
    Response::from_archive(message, 100).unwrap()
}

/// What the writer is given comes back: headers, bodies of any bytes, cuts, dates and addresses.
#[test]
fn what_the_writer_writes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        WarcOptions { max_file_bytes: 1 << 30, software: "backlinkd/1".to_owned(), operator: String::new() };
    let writer = WarcWriter::create(folder.path(), options).unwrap();
    let (mut dice, mut given) = (Dice(3), Vec::new());
    let truncations = [
        None,
        Some(Truncation::Length),
        Some(Truncation::Time),
        Some(Truncation::Disconnect),
        Some(Truncation::Unspecified),
    ];
    for number in 0..200_u64 {
        let body: Vec<u8> = (0..dice.below(3_000)).map(|_| dice.roll().to_le_bytes()[0]).collect();
        let mut headers = HeaderMap::new();
        for field in 0..dice.below(9) {
            let name = HeaderName::try_from(format!("x-{}", dice.below(5))).unwrap();
            headers.append(name, HeaderValue::from_bytes(format!("ü {field}").as_bytes()).unwrap());
        }
        headers.append("transfer-encoding", HeaderValue::from_static("chunked"));
        let status = if number % 10 == 9 { 304 } else { 200 + u16::try_from(number % 300).unwrap() };
        let body = if status == 304 { Vec::new() } else { body };
        let truncation = truncations[usize::try_from(number % 5).unwrap()];
        let page = url(&format!("http://a.test/{number}"));
        let exchange = HttpExchange {
            url: &page,
            unix_seconds: 1_700_000_000 + number,
            ip: IpAddr::from([192, 0, 2, u8::try_from(number).unwrap()]),
            request_headers: &HeaderMap::new(),
            status,
            version: Version::HTTP_11,
            headers: &headers,
            body: &body,
            truncation,
        };
        writer.write(&exchange).unwrap();
        given.push((status, headers, body, truncation));
    }
    writer.close().unwrap();
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let contents = Contents::of(&std::fs::read(file).unwrap());
    assert_eq!((contents.records.len(), contents.skipped.len()), (401, 0));
    let is_response =
        |record: &&ArchiveRecord| matches!(record.head.kind, RecordKind::Response | RecordKind::Revisit);
    let responses: Vec<&ArchiveRecord> = contents.records.iter().filter(is_response).collect();
    for (number, (record, (status, headers, body, truncation))) in
        responses.into_iter().zip(&given).enumerate()
    {
        let (head, response) = (&record.head, response(record, true));
        assert_eq!(head.target.as_deref(), Some(&*format!("http://a.test/{number}")));
        assert_eq!(head.unix_seconds, Some(1_700_000_000 + number as u64));
        assert_eq!((response.status, response.ip), (*status, [192, 0, 2, number as u8].into()));
        assert_eq!((head.truncation, response.body.as_ref()), (*truncation, &body[..]));
        assert_eq!(head.kind == RecordKind::Revisit, *status == 304);
        assert!(RecordDigest::parse(head.block_digest.as_deref().unwrap()).unwrap().is_of(&record.block));
        for name in headers.keys().filter(|name| *name != "transfer-encoding") {
            let values = |headers: &HeaderMap| headers.get_all(name).iter().cloned().collect::<Vec<_>>();
            assert_eq!(values(&response.headers), values(headers), "{number}");
        }
        let cut = match truncation {
            Some(Truncation::Unspecified) if !body.is_empty() => Some(Cut::Disconnect),
            other => other.and_then(Truncation::cut),
        };
        assert_eq!(response.cut, cut, "{number}");
    }
}

/// warcio writes an archive of coded bodies, and says what is in it.
#[test]
fn what_warcio_writes_is_read() {
    let python = match python_with(&["warcio"]) {
        Ok(python) => python,
        Err(lack) => {
            eprintln!("SKIPPED: {lack}; pip install warcio to run this test");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/warc_reading/write.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    for name in ["made.warc.gz", "made.warc"] {
        let contents = Contents::of(&std::fs::read(folder.path().join(name)).unwrap());
        assert_eq!(contents.skipped, []);
        assert_eq!(contents.records.len(), expected.len());
        for (record, expected) in contents.records.iter().zip(&expected) {
            assert_eq!(record.head.kind.as_str(), expected["type"].as_str().unwrap());
            assert_eq!(record.head.target.as_deref(), expected["url"].as_str());
            // The version of the standard is in the middle of the URI.
            let profile = record.head.profile.as_deref().map(|profile| profile.rsplit('/').next().unwrap());
            assert_eq!(profile, expected["profile"].as_str());
            assert_eq!(record.head.refers_to.as_deref(), expected["refers_to"].as_str());
            if record.head.kind != RecordKind::Response {
                continue;
            }
            let response = response(record, false);
            let body = response.decode(1 << 20).unwrap();
            assert_eq!(String::from_utf8(body.bytes.to_vec()).unwrap(), expected["body"].as_str().unwrap());
            assert_eq!((body.cut, response.headers.get("x-n").is_some()), (None, true));
        }
    }
}
