//! Sitemaps in every encoding that a file or its server can declare, with every line ending, and compressed repeatedly.

use backlinkd::config::SitemapsConfig;
use backlinkd::sitemap::{SitemapError, SitemapKind, read};
use encoding_rs::Encoding;

use super::{limits, locs, numbered, urlset, whole};
use crate::fetch_body::gzip;

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// The result for a file whose server declares this charset.
fn named(bytes: &[u8], charset: &str) -> Vec<String> {
    let sitemap = read(bytes, false, Some(charset), &limits()).unwrap();
    assert!(!sitemap.is_cut);
    locs(&sitemap).into_iter().map(str::to_owned).collect()
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let (bytes, _, has_unmappable) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!has_unmappable, "{label}");
    bytes.into_owned()
}

#[test]
fn any_declared_encoding_is_decoded() {
    for (label, word) in [
        ("iso-8859-1", "café"),
        ("windows-1251", "привет"),
        ("koi8-r", "привет"),
        ("shift_jis", "日本ソ"),
        ("euc-jp", "日本語"),
        ("iso-2022-jp", "日本語"),
        ("gb18030", "中文"),
        ("big5", "中文"),
        ("euc-kr", "한국어"),
        ("utf-8", "日本語"),
    ] {
        let url = format!("http://a.test/{word}");
        let entry = format!("<url><loc>{url}</loc></url>");
        let bare = encoded(&format!("<urlset>{entry}</urlset>"), label);
        assert_eq!(named(&bare, &label.to_uppercase()), [url.as_str()], "{label} in the header");
        assert_eq!(named(&encoded(&url, label), label), [url.as_str()], "{label} of a list");
        let declared = format!("\r\n<?xml version='1.0' encoding = \"{label}\"?><urlset>{entry}</urlset>");
        let declared = encoded(&declared, label);
        for bytes in [&declared, &gzip(&declared)] {
            assert_eq!(locs(&whole(bytes)), [url.as_str()], "{label} declared");
        }
        assert_eq!(named(&declared, "no-such-charset"), [url.as_str()], "{label} declared");
    }
    // The header takes precedence over the declaration, and a byte order mark over both.
    let both = encoded("<?xml encoding='koi8-r'?><urlset><url><loc>/ä</loc></url></urlset>", "iso-8859-1");
    assert_eq!(named(&both, "latin1"), ["/ä"]);
    assert_eq!(named("\u{feff}http://a.test/ä".as_bytes(), "koi8-r"), ["http://a.test/ä"]);
}

#[test]
fn utf_16_is_decoded_with_and_without_a_byte_order_mark() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<urlset><url><loc>http://a.test/日本?a=1&amp;b=2</loc></url></urlset>";
    let feed = "<rss><channel><item><link>http://a.test/日本?a=1&amp;b=2</link></item></channel></rss>";
    let list = "http://a.test/日本?a=1&b=2\r";
    for text in [xml, feed, list] {
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            for mark in ["", "\u{feff}", "\n", "\u{feff} \r\n"] {
                let bytes = utf_16(&format!("{mark}{text}"), unit);
                for bytes in [&bytes, &gzip(&bytes)] {
                    assert_eq!(locs(&whole(bytes)), ["http://a.test/日本?a=1&b=2"], "{mark:?} {text}");
                }
                assert_eq!(named(&bytes, "utf-8"), ["http://a.test/日本?a=1&b=2"], "{mark:?} {text}");
            }
        }
        // Written by a program with a wrong declaration.
        assert_eq!(locs(&whole(text.as_bytes())), ["http://a.test/日本?a=1&b=2"], "{text}");
        assert_eq!(named(text.as_bytes(), "utf-16"), ["http://a.test/日本?a=1&b=2"], "{text}");
    }
    // Cut within a character.
    let bytes = utf_16(&urlset(&numbered(3)), u16::to_be_bytes);
    let cut = read(&bytes[..bytes.len() - 61], true, None, &limits()).unwrap();
    assert_eq!((locs(&cut).len(), cut.is_cut), (2, true));
}

#[test]
fn every_line_ending_is_accepted() {
    for end in ["\r", "\n", "\r\n", "\n\r", "\r\r"] {
        let lines = ["# ours", "http://a.test/1", " HTTPS://a.test/2\t", "", "\u{feff}http://a.test/3"];
        let list = lines.map(|line| format!("{line}{end}")).concat();
        let expected = ["http://a.test/1", "HTTPS://a.test/2", "http://a.test/3"];
        assert_eq!(locs(&whole(list.as_bytes())), expected, "{end:?}");
        assert_eq!(locs(&whole(list.trim_end().as_bytes())), expected, "{end:?}");
        let xml = urlset("\n<url>\n<loc\n>\nhttp://a.test/1\n</loc>\n</url>\n").replace('\n', end);
        assert_eq!(locs(&whole(xml.as_bytes())), ["http://a.test/1"], "{end:?}");
    }
    // The last line of a cut file may be incomplete.
    let cut = |text: &str| read(text.as_bytes(), true, None, &limits()).unwrap();
    assert_eq!(locs(&cut("http://a.test/1\rhttp://a.te")), ["http://a.test/1"]);
    assert_eq!(locs(&cut("http://a.test/1\rhttp://a.test/2\r")), ["http://a.test/1", "http://a.test/2"]);
    let short = SitemapsConfig { max_bytes: 1_030, ..limits() };
    let lines: String = (100..300).map(|n| format!("http://a.test/{n}\r")).collect();
    let sitemap = read(lines.as_bytes(), false, None, &short).unwrap();
    assert!(sitemap.is_cut);
    assert_eq!(locs(&sitemap).last(), Some(&"http://a.test/156"));
}

#[test]
fn every_layer_of_gzip_is_removed() {
    let text = urlset(&numbered(50));
    let twice = gzip(&gzip(text.as_bytes()));
    let members = |parts: &[&[u8]]| parts.iter().flat_map(|part| gzip(part)).collect::<Vec<u8>>();
    let (start, end) = text.as_bytes().split_at(700);
    for (name, bytes) in [
        ("once", gzip(text.as_bytes())),
        ("twice", twice.clone()),
        ("three times", gzip(&twice)),
        ("members", members(&[start, b"", end, b""])),
        ("members within members", members(&[&twice[..90], &twice[90..]])),
        ("what follows the last member", [&gzip(text.as_bytes())[..], b"\0\0\0\n<!-- -->"].concat()),
    ] {
        let sitemap = whole(&bytes);
        assert_eq!((sitemap.entries.len(), sitemap.is_cut), (50, false), "{name}");
    }
    let list: String = (0..3).map(|n| format!("http://a.test/{n}\r")).collect();
    assert_eq!(locs(&whole(&gzip(&gzip(list.as_bytes())))).len(), 3);
    let layers = (0..4).fold(text.into_bytes(), |bytes, _| gzip(&bytes));
    assert_eq!(read(&layers, false, None, &limits()), Err(SitemapError::Layers(3)));
    assert!(SitemapError::Layers(3).to_string().contains("max_gzip_layers"));
}

#[test]
fn entries_before_a_break_are_kept() {
    let text = urlset(&numbered(1_000));
    let file = gzip(text.as_bytes());
    let mut bad_sum = file.clone();
    let sum = file.len() - 8;
    bad_sum[sum] ^= 1;
    let twice = gzip(&file);
    for (name, bytes, least) in [
        ("no trailer", file[..file.len() - 8].to_vec(), 1_000),
        ("half a trailer", file[..file.len() - 3].to_vec(), 1_000),
        ("another checksum", bad_sum, 1_000),
        ("broken off in the middle", file[..file.len() / 2].to_vec(), 100),
        ("broken off within two layers", twice[..twice.len() / 2].to_vec(), 100),
        ("UTF-16 broken off", gzip(&utf_16(&text, u16::to_le_bytes)[..30_001]), 100),
    ] {
        let sitemap = whole(&bytes);
        assert!(sitemap.is_cut && sitemap.entries.len() >= least, "{name}: {}", sitemap.entries.len());
        assert_eq!(sitemap.kind, SitemapKind::Urls);
    }
    let index = format!("<sitemapindex>{}", "<sitemap><loc>/1.xml</loc></sitemap><sitemap><loc>/2.x");
    assert_eq!((locs(&whole(index.as_bytes())), whole(index.as_bytes()).is_cut), (vec!["/1.xml"], true));
}

#[test]
fn no_layer_expands_beyond_the_limit() {
    let tight = SitemapsConfig { max_bytes: 1 << 20, ..limits() };
    // Two layers of 2 GB, in some 8 kB.
    let blanks = gzip(&[b' '; 1 << 20]);
    let bomb = gzip(&blanks.repeat(2_048));
    let start = std::time::Instant::now();
    let sitemap = read(&bomb, false, None, &tight);
    assert_eq!(sitemap, Err(SitemapError::Neither));
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}
