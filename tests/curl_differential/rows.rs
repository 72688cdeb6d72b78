//! Responses as on the web, and stranger ones: each is the output of a server, byte for byte.

use super::Row;
use crate::fetch_body::{brotli, gzip, raw_deflate, zlib, zstd};

/// The page in the response of this name; each page is different.
pub fn page(name: &str) -> Vec<u8> {
    let filler: String = (0..60).map(|n| format!("<p>paragraph {n} of {name}\n")).collect();
    format!(
        "<!doctype html><title>{name}</title><p><a href=http://target.test/{name}>link</a>\n{filler}</html>\n"
    )
    .into_bytes()
}

/// All responses.
pub fn rows() -> Vec<Row> {
    [
        content_types(),
        gzip_frames(),
        deflate_frames(),
        other_frames(),
        encoding_names(),
        lengths(),
        chunks(),
        chunk_faults(),
        transfer_encodings(),
        status_lines(),
        statuses(),
        heads(),
        header_faults(),
        large_heads(),
        interim(),
        endings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A response: a status line, header lines, and a body.
fn answer(status: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = status.as_bytes().to_vec();
    for line in lines {
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

const OK: &str = "HTTP/1.1 200 OK";
const HTML: &str = "Content-Type: text/html";
const CHUNKED: &str = "Transfer-Encoding: chunked";

/// A page with its correct length and these header lines.
fn sized(name: &'static str, status: &str, lines: &[&str]) -> Row {
    let length = format!("Content-Length: {}", page(name).len());
    Row::new(name, answer(status, &[lines, &[&length]].concat(), &page(name)))
}

/// A page that ends with the connection, and these header lines.
fn open(name: &'static str, status: &str, lines: &[&str]) -> Row {
    Row::new(name, answer(status, lines, &page(name)))
}

/// A body with a declared encoding.
fn encoded(name: &'static str, encoding: &str, encode: impl FnOnce(&[u8]) -> Vec<u8>) -> Row {
    let body = encode(&page(name));
    let encoding = format!("Content-Encoding: {encoding}");
    let length = format!("Content-Length: {}", body.len());
    Row::new(name, answer(OK, &[HTML, &encoding, &length], &body))
}

/// A page with this declared length; `{}` is its real length.
fn said(name: &'static str, lines: &[&str]) -> Row {
    let length = page(name).len();
    let fill =
        |line: &&str| line.replace("{}", &length.to_string()).replace("{+2}", &(length + 2).to_string());
    let lines: Vec<String> = lines.iter().map(fill).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Row::new(name, answer(OK, &[&[HTML], lines.as_slice()].concat(), &page(name)))
}

/// A body in chunks, which `frame` generates from the page.
fn chunked(name: &'static str, frame: impl FnOnce(&[u8]) -> Vec<u8>) -> Row {
    Row::new(name, answer(OK, &[HTML, CHUNKED], &frame(&page(name))))
}

/// One chunk; this function writes its size.
fn chunk(data: &[u8], size: impl FnOnce(usize) -> String) -> Vec<u8> {
    [size(data.len()).as_bytes(), b"\r\n", data, b"\r\n"].concat()
}

fn hex(length: usize) -> String {
    format!("{length:x}")
}

/// The bytes without the last ones.
fn without_last(mut bytes: Vec<u8>, count: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - count);
    bytes
}

/// The bytes with one of them changed, counted from the end.
fn spoilt_at(mut bytes: Vec<u8>, from_end: usize) -> Vec<u8> {
    let at = bytes.len() - from_end;
    bytes[at] ^= 0x55;
    bytes
}

fn content_types() -> Vec<Row> {
    vec![
        sized("type-plain", OK, &[HTML]),
        sized("type-upper", OK, &["CONTENT-TYPE: TEXT/HTML;CHARSET=UTF-8"]),
        sized("type-xhtml", OK, &["Content-Type: application/xhtml+xml"]),
        sized("type-list", OK, &["Content-Type: text/html, text/html; charset=utf-8"]),
        sized("type-list-charset-first", OK, &["Content-Type: text/html; charset=utf-8, text/html"]),
        sized("type-two-lines", OK, &[HTML, "Content-Type: text/html; charset=utf-8"]),
        sized("type-last-line-html", OK, &["Content-Type: text/plain", HTML]),
        sized("type-last-line-plain", OK, &[HTML, "Content-Type: text/plain"]),
        sized("type-list-then-any", OK, &["Content-Type: text/html, */*"]),
        sized("type-list-then-empty", OK, &["Content-Type: text/html,"]),
        sized("type-list-then-invalid", OK, &["Content-Type: text/html, html"]),
        sized("type-quoted-comma", OK, &["Content-Type: text/html; x=\"a,text/plain\""]),
        sized("type-empty", OK, &["Content-Type:"]),
        sized("type-invalid", OK, &["Content-Type: html"]),
        sized("type-none", OK, &[]),
        sized("type-folded", OK, &["Content-Type: text/html;\r\n charset=utf-8"]),
        sized("type-image", OK, &["Content-Type: image/png"]),
    ]
}

fn gzip_frames() -> Vec<Row> {
    let sync_flushed = |page: &[u8]| {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(page).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    };
    let with_fields = |page: &[u8]| {
        use std::io::Write;
        let builder =
            flate2::GzBuilder::new().filename("page.html").comment("a page").extra(b"ab\x02\x00xy".to_vec());
        let mut encoder = builder.write(Vec::new(), flate2::Compression::default());
        encoder.write_all(page).unwrap();
        encoder.finish().unwrap()
    };
    vec![
        encoded("gzip-whole", "gzip", gzip),
        encoded("gzip-fields", "gzip", with_fields),
        encoded("gzip-no-trailer", "gzip", |page| without_last(gzip(page), 8)),
        encoded("gzip-half-trailer", "gzip", |page| without_last(gzip(page), 4)),
        encoded("gzip-cut", "gzip", |page| without_last(gzip(page), 40)),
        encoded("gzip-bad-crc", "gzip", |page| spoilt_at(gzip(page), 8)),
        encoded("gzip-bad-size", "gzip", |page| spoilt_at(gzip(page), 4)),
        encoded("gzip-text-after", "gzip", |page| [&gzip(page)[..], b"\n\n<!-- x -->"].concat()),
        encoded("gzip-zeros-after", "gzip", |page| [&gzip(page)[..], &[0; 100]].concat()),
        encoded("gzip-magic-after", "gzip", |page| [&gzip(page)[..], b"\x1f\x8b\x00rest"].concat()),
        encoded("gzip-sync-flush-only", "gzip", sync_flushed),
        encoded("gzip-two-members", "gzip", |page| [gzip(&page[..90]), gzip(&page[90..])].concat()),
        encoded("gzip-second-member-cut", "gzip", |page| {
            [gzip(&page[..90]), without_last(gzip(&page[90..]), 8)].concat()
        }),
        encoded("gzip-spoilt", "gzip", |page| {
            let whole = gzip(page);
            let half = whole.len() / 2;
            [&whole[..half], &vec![0xff; half][..]].concat()
        }),
        encoded("gzip-empty", "gzip", |_| Vec::new()),
        encoded("gzip-of-nothing", "gzip", |_| gzip(b"")),
        encoded("gzip-head-only", "gzip", |page| gzip(page)[..10].to_vec()),
        encoded("gzip-blank-before", "gzip", |page| [b"\r\n", &gzip(page)[..]].concat()),
    ]
}

fn deflate_frames() -> Vec<Row> {
    vec![
        encoded("zlib-whole", "deflate", zlib),
        encoded("zlib-no-adler", "deflate", |page| without_last(zlib(page), 4)),
        encoded("zlib-half-adler", "deflate", |page| without_last(zlib(page), 2)),
        encoded("zlib-bad-adler", "deflate", |page| spoilt_at(zlib(page), 1)),
        encoded("zlib-text-after", "deflate", |page| [&zlib(page)[..], b"text after"].concat()),
        encoded("zlib-cut", "deflate", |page| without_last(zlib(page), 40)),
        encoded("deflate-raw", "deflate", raw_deflate),
        encoded("deflate-raw-cut", "deflate", |page| without_last(raw_deflate(page), 40)),
        encoded("deflate-raw-text-after", "deflate", |page| [&raw_deflate(page)[..], b"text after"].concat()),
        encoded("deflate-is-gzip", "deflate", gzip),
        encoded("gzip-is-zlib", "gzip", zlib),
        encoded("gzip-is-raw-deflate", "gzip", raw_deflate),
    ]
}

fn other_frames() -> Vec<Row> {
    vec![
        encoded("br-whole", "br", brotli),
        encoded("br-cut", "br", |page| without_last(brotli(page), 40)),
        encoded("br-no-last-byte", "br", |page| without_last(brotli(page), 1)),
        encoded("br-text-after", "br", |page| [&brotli(page)[..], b"text after"].concat()),
        encoded("zstd-whole", "zstd", zstd),
        encoded("zstd-cut", "zstd", |page| without_last(zstd(page), 40)),
        encoded("zstd-two-frames", "zstd", |page| [zstd(&page[..90]), zstd(&page[90..])].concat()),
        encoded("zstd-skippable-frame", "zstd", |page| {
            [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], &zstd(page)[..]].concat()
        }),
        encoded("zstd-text-after", "zstd", |page| [&zstd(page)[..], b"text after"].concat()),
    ]
}

fn encoding_names() -> Vec<Row> {
    let two_lines = |name: &'static str| {
        let body = brotli(&gzip(&page(name)));
        let length = format!("Content-Length: {}", body.len());
        Row::new(name, answer(OK, &[HTML, "Content-Encoding: gzip", "Content-Encoding: br", &length], &body))
    };
    vec![
        encoded("name-x-gzip", "x-gzip", gzip),
        encoded("name-upper", "GZIP", gzip),
        encoded("name-identity", "identity", <[u8]>::to_vec),
        encoded("name-none", "none", <[u8]>::to_vec),
        encoded("name-charset", "utf-8", <[u8]>::to_vec),
        encoded("name-empty", "", <[u8]>::to_vec),
        encoded("name-gzip-and-comma", "gzip,", gzip),
        encoded("name-gzip-identity", "gzip, identity", gzip),
        encoded("name-stacked", "gzip, br", |page| brotli(&gzip(page))),
        encoded("name-gzip-twice", "gzip, gzip", |page| gzip(&gzip(page))),
        encoded("name-gzip-twice-once-done", "gzip, gzip", gzip),
        two_lines("name-two-lines"),
        encoded("name-gzip-is-plain", "gzip", <[u8]>::to_vec),
        encoded("name-deflate-is-plain", "deflate", <[u8]>::to_vec),
        encoded("name-br-is-plain", "br", <[u8]>::to_vec),
        encoded("name-zstd-is-plain", "zstd", <[u8]>::to_vec),
        encoded("name-none-is-gzip", "identity", gzip),
    ]
}

fn lengths() -> Vec<Row> {
    vec![
        said("length-exact", &["Content-Length: {}"]),
        said("length-lower-case", &["content-length:{}"]),
        said("length-long", &["Content-Length: {+2}"]),
        said("length-far-too-long", &["Content-Length: 1000000"]),
        said("length-short", &["Content-Length: 500"]),
        said("length-zero", &["Content-Length: 0"]),
        said("length-doubled-equal", &["Content-Length: {}", "Content-Length: {}"]),
        said("length-doubled-unequal", &["Content-Length: {}", "Content-Length: {+2}"]),
        said("length-list-equal", &["Content-Length: {}, {}"]),
        said("length-list-unequal", &["Content-Length: {}, {+2}"]),
        said("length-negative", &["Content-Length: -1"]),
        said("length-plus", &["Content-Length: +{}"]),
        said("length-empty", &["Content-Length:"]),
        said("length-word", &["Content-Length: unknown"]),
        said("length-with-unit", &["Content-Length: {} bytes"]),
        said("length-fraction", &["Content-Length: {}.0"]),
        said("length-hex", &["Content-Length: 0x400"]),
        said("length-zeros-before", &["Content-Length: 000{}"]),
        said("length-blanks-around", &["Content-Length: \t {} \t"]),
        said("length-overflow", &["Content-Length: 99999999999999999999999"]),
        said("length-quoted", &["Content-Length: \"{}\""]),
        said("length-none", &[]),
        said("length-none-keep-alive", &["Connection: keep-alive"]),
        said("length-exact-held", &["Content-Length: {}"]).held(),
    ]
}

fn chunks() -> Vec<Row> {
    let last = b"0\r\n\r\n";
    vec![
        chunked("chunk-one", |page| [&chunk(page, hex)[..], last].concat()),
        chunked("chunk-many", |page| {
            let pieces: Vec<u8> = page.chunks(7).flat_map(|piece| chunk(piece, hex)).collect();
            [&pieces[..], last].concat()
        }),
        chunked("chunk-upper-hex", |page| [&chunk(page, |size| format!("{size:X}"))[..], last].concat()),
        chunked("chunk-zeros-before", |page| {
            [&chunk(page, |size| format!("0000{size:x}"))[..], last].concat()
        }),
        chunked("chunk-many-zeros-before", |page| {
            [&chunk(page, |size| format!("{size:020x}"))[..], last].concat()
        }),
        chunked("chunk-blanks-after-size", |page| {
            [&chunk(page, |size| format!("{size:x}  "))[..], last].concat()
        }),
        chunked("chunk-blank-before-size", |page| {
            [&chunk(page, |size| format!(" {size:x}"))[..], last].concat()
        }),
        chunked("chunk-extension", |page| {
            [&chunk(page, |size| format!("{size:x};name=value"))[..], last].concat()
        }),
        chunked("chunk-extension-quoted", |page| {
            [&chunk(page, |size| format!("{size:x} ; name=\"a;b\\\"c\""))[..], last].concat()
        }),
        chunked("chunk-trailers", |page| {
            [&chunk(page, hex)[..], b"0\r\nX-Checksum: abc\r\nExpires: now\r\n\r\n"].concat()
        }),
        chunked("chunk-last-of-zeros", |page| [&chunk(page, hex)[..], b"0000\r\n\r\n"].concat()),
        chunked("chunk-text-after", |page| [&chunk(page, hex)[..], last, b"text after"].concat()),
        chunked("chunk-lf-only", |page| {
            [format!("{:x}\n", page.len()).as_bytes(), page, b"\n0\n\n"].concat()
        }),
        chunked("chunk-held", |page| [&chunk(page, hex)[..], last].concat()).held(),
        chunked("chunk-none", |_| last.to_vec()),
    ]
}

fn chunk_faults() -> Vec<Row> {
    let last = b"0\r\n\r\n";
    vec![
        chunked("chunk-no-last", |page| chunk(page, hex)),
        chunked("chunk-no-end-of-last", |page| [&chunk(page, hex)[..], b"0\r\n"].concat()),
        chunked("chunk-half-of-last", |page| [&chunk(page, hex)[..], b"0"].concat()),
        chunked("chunk-cut-in-data", |page| without_last(chunk(page, hex), 102)),
        chunked("chunk-cut-in-size", |page| [&chunk(page, hex)[..], b"2"].concat()),
        chunked("chunk-bad-second-size", |page| [&chunk(page, hex)[..], b"zz\r\nrest"].concat()),
        chunked("chunk-bad-first-size", |page| chunk(page, |_| "xyz".to_owned())),
        chunked("chunk-0x-size", |page| [&chunk(page, |size| format!("0x{size:x}"))[..], last].concat()),
        chunked("chunk-negative-size", |page| [&chunk(page, |size| format!("-{size:x}"))[..], last].concat()),
        chunked("chunk-huge-size", |page| chunk(page, |_| "ffffffffffffffffff".to_owned())),
        chunked("chunk-large-size", |page| chunk(page, |_| "7fffffffffffffff".to_owned())),
        chunked("chunk-no-crlf-after-data", |page| {
            [format!("{:x}\r\n", page.len()).as_bytes(), page, last].concat()
        }),
        chunked("chunk-data-longer-than-size", |page| {
            [format!("{:x}\r\n", page.len() - 5).as_bytes(), page, b"\r\n", last].concat()
        }),
        chunked("chunk-none-at-all", <[u8]>::to_vec),
        chunked("chunk-bad-trailer", |page| [&chunk(page, hex)[..], b"0\r\nno colon here\r\n\r\n"].concat()),
    ]
}

fn transfer_encodings() -> Vec<Row> {
    let with = |name: &'static str, status: &str, lines: &[&str], whole: bool| {
        let body = [&chunk(&page(name), hex)[..], if whole { b"0\r\n\r\n" } else { b"" }].concat();
        Row::new(name, answer(status, &[&[HTML], lines].concat(), &body))
    };
    let gzipped = |name: &'static str, lines: &[&str]| {
        let body = [&chunk(&gzip(&page(name)), hex)[..], b"0\r\n\r\n"].concat();
        Row::new(name, answer(OK, &[&[HTML], lines].concat(), &body))
    };
    vec![
        with("te-upper", OK, &["TRANSFER-ENCODING: CHUNKED"], true),
        with("te-and-length", OK, &[CHUNKED, "Content-Length: 10"], true),
        with("length-and-te", OK, &["Content-Length: 10", CHUNKED], true),
        with("te-two-lines", OK, &[CHUNKED, CHUNKED], true),
        with("te-chunked-twice", OK, &["Transfer-Encoding: chunked, chunked"], true),
        with("te-identity-chunked", OK, &["Transfer-Encoding: identity, chunked"], true),
        with("te-trailing-comma", OK, &["Transfer-Encoding: chunked,"], true),
        with("te-http-1.0", "HTTP/1.0 200 OK", &[CHUNKED], true),
        with("te-http-1.0-and-length", "HTTP/1.0 200 OK", &[CHUNKED, "Content-Length: 10"], true),
        with("te-http-1.0-keep-alive", "HTTP/1.0 200 OK", &[CHUNKED, "Connection: keep-alive"], true),
        open("te-identity", OK, &[HTML, "Transfer-Encoding: identity"]),
        open("te-unknown", OK, &[HTML, "Transfer-Encoding: x-unknown"]),
        open("te-empty", OK, &[HTML, "Transfer-Encoding:"]),
        gzipped("te-gzip-chunked", &["Transfer-Encoding: gzip, chunked"]),
        gzipped("te-gzip-content-encoding", &[CHUNKED, "Content-Encoding: gzip"]),
    ]
}

fn status_lines() -> Vec<Row> {
    vec![
        sized("status-http-1.0", "HTTP/1.0 200 OK", &[HTML]),
        open("status-http-1.0-open", "HTTP/1.0 200 OK", &[HTML]),
        sized("status-http-1.0-keep-alive", "HTTP/1.0 200 OK", &[HTML, "Connection: keep-alive"]).held(),
        sized("status-two-blanks", "HTTP/1.1  200 OK", &[HTML]),
        sized("status-two-blanks-later", "HTTP/1.1 200  OK", &[HTML]),
        sized("status-tab", "HTTP/1.1\t200\tOK", &[HTML]),
        sized("status-no-reason", "HTTP/1.1 200", &[HTML]),
        sized("status-blank-no-reason", "HTTP/1.1 200 ", &[HTML]),
        sized("status-lower-case", "http/1.1 200 OK", &[HTML]),
        sized("status-mixed-case", "Http/1.1 200 OK", &[HTML]),
        sized("status-http-1.2", "HTTP/1.2 200 OK", &[HTML]),
        sized("status-http-1.9", "HTTP/1.9 200 OK", &[HTML]),
        sized("status-http-2", "HTTP/2 200 OK", &[HTML]),
        sized("status-http-2.0", "HTTP/2.0 200 OK", &[HTML]),
        sized("status-http-3", "HTTP/3 200 OK", &[HTML]),
        sized("status-http-1", "HTTP/1 200 OK", &[HTML]),
        sized("status-http-1.10", "HTTP/1.10 200 OK", &[HTML]),
        sized("status-no-version", "HTTP 200 OK", &[HTML]),
        sized("status-icy", "ICY 200 OK", &[HTML]),
        sized("status-no-number", "HTTP/1.1 OK", &[HTML]),
        sized("status-two-digits", "HTTP/1.1 20 OK", &[HTML]),
        sized("status-four-digits", "HTTP/1.1 2000 OK", &[HTML]),
        sized("status-glued-reason", "HTTP/1.1 200OK", &[HTML]),
        sized("status-utf8-reason", "HTTP/1.1 200 Schön", &[HTML]),
        Row::new("status-latin1-reason", {
            let bytes = answer(OK, &[HTML, "Connection: close"], &page("status-latin1-reason"));
            [b"HTTP/1.1 200 Sch\xf6n", &bytes[OK.len()..]].concat()
        }),
        sized("status-control-in-reason", "HTTP/1.1 200 O\x01K", &[HTML]),
        sized("status-blank-line-before", "\r\nHTTP/1.1 200 OK", &[HTML]),
        sized("status-blank-before", " HTTP/1.1 200 OK", &[HTML]),
        sized("status-text-before", "text before\r\nHTTP/1.1 200 OK", &[HTML]),
        Row::new("status-none", page("status-none")),
    ]
}

fn statuses() -> Vec<Row> {
    vec![
        sized("status-000", "HTTP/1.1 000 Nothing", &[HTML]),
        sized("status-099", "HTTP/1.1 099 Low", &[HTML]),
        sized("status-199", "HTTP/1.1 199 Unknown", &[HTML]),
        sized("status-201", "HTTP/1.1 201 Created", &[HTML]),
        sized("status-204", "HTTP/1.1 204 No Content", &[HTML]),
        open("status-204-open", "HTTP/1.1 204 No Content", &[HTML]),
        sized("status-205", "HTTP/1.1 205 Reset Content", &[HTML]),
        sized("status-206", "HTTP/1.1 206 Partial Content", &[HTML]),
        sized("status-299", "HTTP/1.1 299 Whatever", &[HTML]),
        sized("status-301", "HTTP/1.1 301 Moved", &[HTML]),
        sized("status-304", "HTTP/1.1 304 Not Modified", &[HTML]),
        sized("status-404", "HTTP/1.1 404 Not Found", &[HTML]),
        sized("status-500", "HTTP/1.1 500 Broken", &[HTML]),
        sized("status-600", "HTTP/1.1 600 Odd", &[HTML]),
        sized("status-999", "HTTP/1.1 999 Denied", &[HTML]),
    ]
}

/// A response with another line ending than CR LF in its head.
fn with_line_ends(name: &'static str, end: &str) -> Row {
    let length = page(name).len();
    let head = format!("{OK}\r\n{HTML}\r\nContent-Length: {length}\r\n\r\n").replace("\r\n", end);
    Row::new(name, [head.as_bytes(), &page(name)].concat())
}

fn heads() -> Vec<Row> {
    let mixed = |name: &'static str| {
        let head = format!("{OK}\n{HTML}\r\nContent-Length: {}\n\r\n", page(name).len());
        Row::new(name, [head.as_bytes(), &page(name)].concat())
    };
    vec![
        open("head-no-headers", OK, &[]),
        with_line_ends("head-lf-only", "\n"),
        with_line_ends("head-cr-only", "\r"),
        with_line_ends("head-two-crs", "\r\r\n"),
        mixed("head-mixed-line-ends"),
        sized("head-folded-blank", OK, &[HTML, "X-Long: one\r\n two"]),
        sized("head-folded-tab", OK, &[HTML, "X-Long: one\r\n\ttwo\r\n\tthree"]),
        sized("head-folded-at-once", OK, &[" X-Folded: from the status line", HTML]),
        sized("head-folded-empty", OK, &[HTML, "X-Long:\r\n one"]),
        sized("head-folded-length-before", OK, &[HTML, "Content-Encoding:\r\n identity"]),
        sized("head-blank-before-colon", OK, &["Content-Type : text/html", "X-A\t: b"]),
        sized("head-no-blank-after-colon", OK, &["Content-Type:text/html"]),
        sized("head-blanks-around-value", OK, &["Content-Type: \t text/html \t "]),
        sized("head-cookies", OK, &[HTML, "Set-Cookie: a=b; Path=/", "Set-Cookie: c=\"d e\"; HttpOnly"]),
    ]
}

fn header_faults() -> Vec<Row> {
    let raw = |name: &'static str, line: &[u8]| {
        let length = format!("\r\nContent-Length: {}\r\n\r\n", page(name).len());
        let head = [OK.as_bytes(), b"\r\n", HTML.as_bytes(), b"\r\n", line, length.as_bytes()].concat();
        Row::new(name, [head, page(name)].concat())
    };
    vec![
        raw("header-nul-in-value", b"X-Odd: a\0b"),
        raw("header-nul-in-name", b"X-\0Odd: ab"),
        raw("header-cr-in-value", b"X-Odd: a\rb"),
        raw("header-control-in-value", b"X-Odd: a\x01\x1f\x7fb"),
        raw("header-latin1-value", b"X-Odd: sch\xf6n"),
        raw("header-latin1-name", b"X-Sch\xf6n: a"),
        raw("header-utf8-name", "X-Schön: a".as_bytes()),
        raw("header-no-colon", b"this line has no colon"),
        raw("header-no-name", b": value"),
        raw("header-no-value", b"X-Odd:"),
        raw("header-blank-in-name", b"X Odd: value"),
        raw("header-bracket-in-name", b"X(Odd)[1]: value"),
        raw("header-quote-in-name", b"\"X-Odd\": value"),
        raw("header-status-line-again", b"HTTP/1.1 200 OK"),
        raw("header-only-blanks", b"  \t "),
        raw("header-html", b"<!-- made in 5 ms -->"),
        sized("header-first-no-colon", OK, &["this line has no colon", HTML]),
    ]
}

fn large_heads() -> Vec<Row> {
    let many = |name: &'static str, count: usize| {
        let lines: Vec<String> = (0..count).map(|n| format!("X-Header-{n}: {n}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        sized(name, OK, &[&[HTML], lines.as_slice()].concat())
    };
    let large = |name: &'static str, bytes: usize| {
        sized(name, OK, &[HTML, &format!("X-Large: {}", "x".repeat(bytes))])
    };
    let in_all = |name: &'static str, count: usize| {
        let line = format!("Set-Cookie: c={}", "x".repeat(4_000));
        sized(name, OK, &[&[HTML], vec![line.as_str(); count].as_slice()].concat())
    };
    vec![
        many("headers-90", 90),
        many("headers-150", 150),
        many("headers-300", 300),
        many("headers-1000", 1_000),
        large("header-of-10k", 10 << 10),
        large("header-of-60k", 60 << 10),
        large("header-of-90k", 90 << 10),
        large("header-of-200k", 200 << 10),
        in_all("headers-of-40k", 10),
        in_all("headers-of-200k", 50),
    ]
}

fn interim() -> Vec<Row> {
    let before = |name: &'static str, first: &str| {
        Row::new(name, [first.as_bytes(), &sized(name, OK, &[HTML]).bytes].concat())
    };
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    vec![
        before("interim-100", "HTTP/1.1 100 Continue\r\n\r\n"),
        before("interim-100-lf-only", "HTTP/1.1 100 Continue\n\n"),
        before("interim-100-http-1.0", "HTTP/1.0 100 Continue\r\n\r\n"),
        before("interim-102", "HTTP/1.1 102 Processing\r\n\r\n"),
        before("interim-103", hint),
        before("interim-103-several", &hint.repeat(3)),
        before("interim-many", &"HTTP/1.1 100 Continue\r\n\r\n".repeat(40)),
        before("interim-with-length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"),
        before("interim-101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        before("interim-150", "HTTP/1.1 150 Odd\r\n\r\n"),
        Row::new("interim-alone", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Row::new("interim-101-upgrade", {
            let upgrade = ["Upgrade: h2c", "Connection: Upgrade"];
            answer("HTTP/1.1 101 Switching Protocols", &upgrade, &page("interim-101-upgrade"))
        }),
        sized("interim-upgrade-offered", OK, &[HTML, "Upgrade: h2,h2c", "Connection: Upgrade, Keep-Alive"]),
    ]
}

fn endings() -> Vec<Row> {
    let cut = |name: &'static str, count: usize| {
        Row::new(name, without_last(sized(name, OK, &[HTML]).bytes, count))
    };
    let reset_chunks = |name: &'static str, last: &[u8]| {
        chunked(name, |page| [&chunk(page, hex)[..], last].concat()).reset()
    };
    vec![
        cut("end-early", 100),
        cut("end-early-and-reset", 100).reset(),
        sized("end-whole-and-reset", OK, &[HTML]).reset(),
        open("end-open-and-reset", OK, &[HTML]).reset(),
        reset_chunks("end-chunks-and-reset", b""),
        reset_chunks("end-last-chunk-and-reset", b"0\r\n\r\n"),
        encoded("end-gzip-cut-and-reset", "gzip", |page| without_last(gzip(page), 8)).reset(),
        Row::new("end-at-once", Vec::new()),
        Row::new("end-at-once-and-reset", Vec::new()).reset(),
        Row::new("end-in-status-line", b"HTTP/1.1 20".to_vec()),
        Row::new("end-after-status-line", b"HTTP/1.1 200 OK\r\n".to_vec()),
        Row::new("end-in-head", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-".to_vec()),
        Row::new("end-before-blank-line", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n".to_vec()),
        sized("end-no-body", OK, &[HTML]).cut_to_head(),
        said("end-next-answer-after", &["Content-Length: 1000"]),
    ]
}
