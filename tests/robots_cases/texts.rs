//! Files that are not plain UTF-8: other encodings, misplaced byte order marks, binary bytes.

use backlinkd::fetch::robots_txt::{NotText, text};

use super::parse;
use crate::fetch_body::gzip;

const FILE: &str = "# ours\nUser-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /no\nDisallow: /caf\u{e9}\n\
                    Sitemap: http://a.test/map.xml\n";

/// The lines that decide on three paths, and the sitemaps.
fn read(file: &[u8]) -> ([u32; 3], Vec<String>) {
    let robots = parse(file, "ExampleBot");
    let line = |path: &str| robots.decide(path).line;
    ([line("/no/page"), line("/caf%C3%A9"), line("/yes")], robots.sitemaps().to_vec())
}

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn utf_32(text: &str, unit: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| unit(u32::from(c))).collect()
}

#[test]
fn a_file_means_the_same_in_every_encoding() {
    let expected = ([6, 7, 0], vec!["http://a.test/map.xml".to_owned()]);
    for end in ["\n", "\r", "\r\n"] {
        let file = FILE.replace('\n', end);
        for mark in ["", "\u{feff}", "\u{feff}\u{feff}", "\u{feff}\u{feff}\u{feff}"] {
            let file = format!("{mark}{file}");
            for bytes in [
                file.as_bytes().to_vec(),
                utf_16(&file, u16::to_le_bytes),
                utf_16(&file, u16::to_be_bytes),
                [file.as_bytes(), &[0; 300]].concat(),
            ] {
                assert_eq!(read(&bytes), expected, "{mark:?} {end:?}");
                assert_eq!(read(&text(&bytes).unwrap()), expected, "{mark:?} {end:?}");
            }
        }
    }
    let marked = FILE.replace("\u{e9}", "%C3%A9");
    let marked = format!("\u{feff}{marked}");
    for bytes in [utf_32(&marked, u32::to_le_bytes), utf_32(&marked, u32::to_be_bytes)] {
        assert_eq!(read(&bytes), expected);
    }
    // With a comment in another script it is still UTF-16.
    let comment = format!("# {}\n{}", "привет ".repeat(20), &FILE["# ours\n".len()..]);
    assert_eq!(read(&utf_16(&comment, u16::to_le_bytes)), expected);
    // Windows tools append UTF-16 to a file in another encoding.
    let appended = [&FILE.as_bytes()[..40], &utf_16(&FILE[40..], u16::to_le_bytes)].concat();
    assert_eq!((read(&appended).0[0], read(&appended).1), (6, expected.1));
}

#[test]
fn a_byte_order_mark_hides_no_group() {
    for file in [
        "User-agent: other\nDisallow: /a\n\u{feff}User-agent: *\nDisallow: /no\n",
        "User-agent: other\nDisallow: /a\n\u{feff} \u{feff}user-agent : *\nDisallow: /no\n",
        "# ours\u{feff}\n\n\u{feff}\u{feff}User-agent: *\nDisallow: /no\n",
        // Concatenated from files whose last lines have no line ending.
        "User-agent: other\nDisallow: /\u{feff}User-agent: *\n\nDisallow: /no\n",
        "User-agent: other\nDisallow: /a\n# end\u{feff}User-agent: *\nDisallow: /no\n",
        "\u{feff}User-agent: other\n\u{feff}User-agent: *\nDisallow: /a\nDisallow: /no\n",
    ] {
        assert_eq!(read(file.as_bytes()).0, [4, 0, 0], "{file:?}");
    }
    // Anywhere else the mark is a part of its line.
    assert_eq!(read("User-agent: *\n\u{feff}Disallow: /no\n".as_bytes()).0, [0; 3]);
    assert_eq!(read("User-agent: *\nDisallow: /\u{feff}no\nDisallow: /\n".as_bytes()).0, [3; 3]);
}

#[test]
fn binary_data_is_not_treated_as_a_file_without_rules() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let ebcdic = b"\xe4\xa2\x85\x99\x60\x81\x87\x85\x95\xa3\x7a\x40\x5c\x15\xc4\x89\xa2\x81\x93\x93\x96\xa6\x7a\x40\x61\x15";
    for bytes in [
        gzip(FILE.as_bytes()),
        png.to_vec(),
        ebcdic.to_vec(),
        vec![0; 1_000],
        b"\x01".to_vec(),
        // Half a character in the middle.
        [b"\xff\xfe\0\xd8a\0", &[0x20, 0][..]].concat(),
    ] {
        assert_eq!(text(&bytes), Err(NotText), "{bytes:?}");
    }
    for bytes in [
        &b""[..],
        b"\xef\xbb\xbf",
        b"Not found",
        b"<!doctype html><title>404</title>",
        b"caf\xe9 \x80\xff",
        b"\x1b$B\x1b(B",
        b"\xff\xfen\0o\0",
        // One odd byte does not make a rule unreadable.
        b"User-agent: *\nDisallow: /no\x08\n",
        b"\x01\x02\nSitemap: /map.xml",
    ] {
        assert!(text(bytes).is_ok(), "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_parsed(bytes: Vec<u8>, start in 0usize..4) {
        let start = [&b""[..], b"\xff\xfe", b"\0U\0s", b"User-agent: *\n\xef\xbb\xbf"][start];
        let bytes = [start, &bytes].concat();
        let _ = parse(&bytes, "ExampleBot").decide("/");
        if let Ok(once) = text(&bytes) {
            // A stored copy of a file has the meaning of the file.
            proptest::prop_assert_eq!(parse(&once, "ExampleBot"), parse(&bytes, "ExampleBot"));
        }
    }
}
