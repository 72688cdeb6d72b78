//! Bodies: every content encoding, wrong declarations of it, and decompression bombs.

use std::io::Write;
use std::time::{Duration, Instant};

use backlinkd::config::FetchConfig;
use backlinkd::fetch::{ContentEncoding, DecodeError, decode};
use backlinkd::model::Cut;
use bytes::Bytes;

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::Visitor;

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    brotli::CompressorWriter::new(&mut encoded, 4096, 5, 22).write_all(bytes).unwrap();
    encoded
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Text that compresses only moderately.
fn long_text() -> String {
    (0..40_000u32).map(|n| format!("{} ", n.wrapping_mul(2_654_435_761))).collect()
}

#[tokio::test]
async fn each_content_encoding_is_decoded() {
    let text = long_text();
    let plain = text.as_bytes();
    let cases: [(&str, Vec<u8>); 13] = [
        ("identity", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("X-GZip", gzip(plain)),
        ("gzip", [gzip(&plain[..1000]), gzip(&plain[1000..]), b"garbage".to_vec()].concat()),
        ("deflate", zlib(plain)),
        ("deflate", raw_deflate(plain)),
        ("br", brotli(plain)),
        ("zstd", zstd(plain)),
        ("gzip, br", brotli(&gzip(plain))),
        ("deflate, zstd, gzip", gzip(&zstd(&zlib(plain)))),
        // An empty encoding is no encoding.
        ("UTF-8", plain.to_vec()),
        ("none, x-unknown", plain.to_vec()),
        ("iso-8859-1, gzip, utf-8", gzip(plain)),
    ];
    let mut web = FakeWeb::new();
    for (index, (encoding, body)) in cases.iter().enumerate() {
        let reply = Reply::html("").header("Content-Encoding", encoding).body(body);
        let reply = if index % 2 == 0 { reply.chunked() } else { reply };
        web = web.page("a.test", &format!("/{index}"), reply);
    }
    let web = web.start().await;
    let client = Visitor::new(&web.fetch_config());
    for (index, (encoding, _)) in cases.iter().enumerate() {
        let answer = client.answer(&format!("http://a.test/{index}")).await;
        let decoded = answer.decode(1 << 20).unwrap();
        assert!(decoded.bytes == plain, "{index}: {encoding}");
        assert!(decoded.cut.is_none(), "{index}: {encoding}");
        let decoded = answer.decode(1_000).unwrap();
        assert!(decoded.bytes == plain[..1_000], "{index}: {encoding}, capped");
        assert!(decoded.cut.is_some(), "{index}: {encoding}, capped");
        let decoded = answer.decode(plain.len()).unwrap();
        assert_eq!(
            (decoded.bytes.len(), decoded.cut.is_some()),
            (plain.len(), false),
            "{index}: {encoding}, exact"
        );
    }
}

#[tokio::test]
async fn a_body_cut_by_the_limit_is_decoded_up_to_the_cut() {
    let text = long_text();
    let plain = text.as_bytes();
    let cases = [
        ("identity", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("deflate", zlib(plain)),
        ("deflate", raw_deflate(plain)),
        ("br", brotli(plain)),
        ("zstd", zstd(plain)),
        ("zstd, gzip", gzip(&zstd(plain))),
    ];
    let mut web = FakeWeb::new();
    for (index, (encoding, body)) in cases.iter().enumerate() {
        let reply = Reply::html("").header("Content-Encoding", encoding).body(body);
        web = web.page("a.test", &format!("/{index}"), reply);
    }
    let web = web.start().await;
    let limit = 140_000;
    let client = Visitor::new(&FetchConfig { max_body_bytes: limit, ..web.fetch_config() });
    for (index, (encoding, body)) in cases.iter().enumerate() {
        assert!(body.len() > limit, "{encoding}");
        let answer = client.answer(&format!("http://a.test/{index}")).await;
        assert_eq!((answer.body.len(), answer.cut.is_some()), (limit, true), "{encoding}");
        let decoded = answer.decode(1 << 20).unwrap();
        assert!(decoded.cut.is_some(), "{encoding}");
        assert!(decoded.bytes.len() >= limit / 2, "{encoding}: {}", decoded.bytes.len());
        assert!(plain.starts_with(&decoded.bytes), "{encoding}");
    }
}

#[test]
fn a_broken_body_is_decoded_up_to_the_break_and_a_wrong_one_refused() {
    let text = long_text();
    let encoded = [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", zlib), ("br", brotli), ("zstd", zstd)];
    for (name, encode) in encoded {
        let encodings = ContentEncoding::list([name]);
        let whole = encode(text.as_bytes());
        let cut = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
        let lie = Bytes::from_static(
            b"<!doctype html><title>no</title><p>this is plain text, whatever the header says",
        );
        let mut spoilt = whole.clone();
        spoilt[whole.len() / 2..].fill(0xff);
        for (what, body) in [("cut short by the server", cut), ("spoilt", spoilt.into())] {
            let decoded = decode::decode(&encodings, &body, None, 1 << 20).unwrap();
            assert_eq!(decoded.cut, Some(Cut::Encoding), "{name}, {what}");
            assert!(!decoded.cause.is_empty(), "{name}, {what}");
            assert!(decoded.bytes.len() > text.len() / 4, "{name}, {what}: {}", decoded.bytes.len());
            assert!(text.as_bytes().starts_with(&decoded.bytes[..text.len() / 4]), "{name}, {what}");
        }
        let error = decode::decode(&encodings, &lie, None, 1 << 20);
        assert!(matches!(error, Err(DecodeError::Broken(_))), "{name}, plain: {error:?}");
        let empty = decode::decode(&encodings, &Bytes::new(), None, 1 << 20).unwrap();
        assert!(empty.bytes.is_empty() && empty.cut.is_none(), "{name}: an empty body is empty");
    }
    let body = Bytes::from(text);
    let stacked = decode::decode(&ContentEncoding::list(["gzip,gzip,gzip", "gzip, gzip"]), &body, None, 10);
    assert!(matches!(stacked, Err(DecodeError::Stacked(5))));
}

#[tokio::test]
async fn a_bomb_is_not_inflated_beyond_the_limit() {
    let layer = gzip(&vec![0u8; 200 << 20]);
    assert!(layer.len() < 300_000);
    let web = FakeWeb::new()
        .page("a.test", "/bomb", Reply::html("").header("Content-Encoding", "gzip").body(&layer))
        .page("a.test", "/twice", Reply::html("").header("Content-Encoding", "gzip, gzip").body(gzip(&layer)))
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    for path in ["bomb", "twice"] {
        let answer = client.answer(&format!("http://a.test/{path}")).await;
        let cap = FetchConfig::default().max_decoded_bytes;
        let start = Instant::now();
        let decoded = answer.decode(cap).unwrap();
        assert_eq!((decoded.bytes.len(), decoded.cut.is_some()), (cap, true), "{path}");
        assert!(start.elapsed() < Duration::from_secs(1), "{path} took {:?}", start.elapsed());
    }
    // Much input between the steps, and no output at the end.
    let nothing = gzip(b"").repeat(2_000_000);
    let start = Instant::now();
    let encodings = ContentEncoding::list(["gzip", "gzip"]);
    let decoded = decode::decode(&encodings, &gzip(&nothing).into(), None, 1 << 20).unwrap();
    assert_eq!((decoded.bytes.len(), decoded.cut.is_some()), (0, true));
    assert!(start.elapsed() < Duration::from_secs(1), "it took {:?}", start.elapsed());
}
