//! The parser of sitemaps: valid ones, common mistakes, and hostile ones.

use std::io::Read;
use std::time::{Duration, Instant};

use backlinkd::config::SitemapsConfig;
use backlinkd::sitemap::{Sitemap, SitemapEntry, SitemapError, SitemapKind, read};

mod encodings;

use crate::fetch_body::gzip;
use crate::support::shared;

const NAMESPACE: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";

fn limits() -> SitemapsConfig {
    SitemapsConfig::default()
}

fn whole(bytes: &[u8]) -> Sitemap {
    read(bytes, false, None, &limits()).unwrap()
}

fn locs(sitemap: &Sitemap) -> Vec<&str> {
    sitemap.entries.iter().map(|entry| entry.loc.as_str()).collect()
}

fn urlset(entries: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset {NAMESPACE}>{entries}</urlset>\n")
}

fn numbered(count: usize) -> String {
    (0..count).map(|n| format!("<url><loc>http://a.test/{n}</loc></url>\n")).collect()
}

#[test]
fn the_protocols_own_example_is_read() {
    let sitemap = whole(
        urlset(
            "\n<!-- ours -->\n<url>\n  <loc>http://www.example.com/</loc>\n  <lastmod>2005-01-01</lastmod>\n  \
             <changefreq>monthly</changefreq><priority>0.8</priority>\n</url>\n<url><loc>\n \
             http://www.example.com/catalog?item=12&amp;desc=a&#x26;b=&#252;\n</loc></url>\
             <url><lastmod>2004-12-23T18:00:15+00:00</lastmod><loc><![CDATA[http://www.example.com/?a&b]]></loc></url>",
        )
        .as_bytes(),
    );
    let entry = |loc: &str, lastmod| SitemapEntry { loc: loc.to_owned(), lastmod };
    assert_eq!(
        sitemap,
        Sitemap {
            kind: SitemapKind::Urls,
            entries: vec![
                entry("http://www.example.com/", Some(1_104_537_600)),
                entry("http://www.example.com/catalog?item=12&desc=a&b=ü", None),
                entry("http://www.example.com/?a&b", Some(1_103_824_815)),
            ],
            is_cut: false,
            is_broken: false,
        }
    );
    let index = whole(
        format!(
            "<sitemapindex {NAMESPACE}><sitemap><loc>http://a.test/1.xml.gz</loc></sitemap>\
             <sitemap><loc>/2.xml</loc><lastmod>2024</lastmod></sitemap></sitemapindex>"
        )
        .as_bytes(),
    );
    assert_eq!((index.kind, locs(&index)), (SitemapKind::Index, vec!["http://a.test/1.xml.gz", "/2.xml"]));
}

#[test]
fn common_mistakes_are_read_as_intended() {
    for text in [
        // Blanks and a byte order mark before the declaration; no namespace; a custom namespace.
        "\u{feff}\n  <?xml version='1.0'?><urlset><url><loc>http://a.test/?x=1&amp;y=2</loc></url></urlset>",
        "<sm:urlset xmlns:sm='x'><sm:url><sm:loc>http://a.test/?x=1&amp;y=2</sm:loc></sm:url></sm:urlset>",
        // A bare ampersand.
        "<urlset><url><loc>http://a.test/?x=1&y=2</loc></url></urlset>",
        // URLs of other things within the entry, and fields elsewhere.
        "<urlset><loc>http://a.test/no</loc><url><loc>http://a.test/?x=1&amp;y=2</loc><image:image>\
         <image:loc>http://a.test/i.png</image:loc><loc>http://a.test/no</loc></image:image>\
         <image:loc>http://a.test/i.png</image:loc><x:link rel='alternate' href='/de'/></url></urlset>",
        // Markup within a URL.
        "<urlset><url><loc>http://a.test/?x=1<b>no</b>&amp;y=2<!-- no --></loc></url></urlset>",
        // Entries without a URL.
        "<urlset><url/><url><loc/></url><url><loc> </loc></url>\
         <url><loc>http://a.test/?x=1&amp;y=2</loc></url></urlset>",
    ] {
        assert_eq!(locs(&whole(text.as_bytes())), ["http://a.test/?x=1&y=2"], "{text}");
        assert_eq!(whole(&gzip(text.as_bytes())), whole(text.as_bytes()));
    }
    assert_eq!(whole(b"<urlset/>").entries, []);
}

#[test]
fn feeds_are_read() {
    let rss = whole(
        b"<rss version='2.0'><channel><title>t</title><link>http://a.test/</link>\
          <item><atom:link href='/no'/><link>http://a.test/1</link><pubDate>Mon, 06 Sep 2009 16:20:00 GMT</pubDate></item>\
          <item><title>none</title></item><item><link><![CDATA[http://a.test/2]]></link></item></channel></rss>",
    );
    assert_eq!((rss.kind, locs(&rss)), (SitemapKind::Urls, vec!["http://a.test/1", "http://a.test/2"]));
    let atom = whole(
        b"<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://a.test/'/><entry>\
          <link rel='edit' href='/edit'/><link rel='alternate' href='http://a.test/1?a=1&amp;b=2'/><link href='/later'/>\
          <updated>1970-01-01T00:00:07Z</updated></entry><entry><link href='/2'></link></entry></feed>",
    );
    assert_eq!(locs(&atom), ["http://a.test/1?a=1&b=2", "/2"]);
    assert_eq!(atom.entries[0].lastmod, Some(7));
    let rdf = whole(
        b"<rdf:RDF xmlns:rdf='r'><channel><link>http://a.test/</link></channel>\
          <item><link>http://a.test/1</link><dc:date>1970-01-02</dc:date></item></rdf:RDF>",
    );
    assert_eq!((locs(&rdf), rdf.entries[0].lastmod), (vec!["http://a.test/1"], Some(86_400)));
}

#[test]
fn plain_text_is_one_url_a_line() {
    let text =
        "\u{feff}http://a.test/1\r\n\n  HTTPS://a.test/2?a&b  \n# a comment\nftp://a.test/3\nhttp://a.test/4";
    let sitemap = whole(text.as_bytes());
    assert_eq!(locs(&sitemap), ["http://a.test/1", "HTTPS://a.test/2?a&b", "http://a.test/4"]);
    assert!(!sitemap.is_cut);
    // In the beginning of a longer file, the last line may be half a URL.
    let cut = read(text.as_bytes(), true, None, &limits()).unwrap();
    assert_eq!((locs(&cut).len(), cut.is_cut), (2, true));
}

#[test]
fn dates_are_parsed_in_every_form_of_the_profile_and_no_other() {
    for (text, expected) in [
        ("1970", Some(0)),
        ("1971", Some(365 * 86_400)),
        ("2024-02", Some(1_706_745_600)),
        (" 2024-02-29\n", Some(1_709_164_800)),
        ("2024-02-29T12:30Z", Some(1_709_209_800)),
        ("2024-02-29T12:30:15Z", Some(1_709_209_815)),
        ("2024-02-29T12:30:15.987+02:00", Some(1_709_202_615)),
        ("2024-02-29T23:30:15-05:30", Some(1_709_269_215)),
        ("2024-02-29 12:30:15", Some(1_709_209_815)),
        ("2024-02-29T12:30:15+0200", Some(1_709_202_615)),
        ("1970-01-01T00:30:00+01:00", None),
        ("1969-12-31", None),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("2024-2-9", None),
        ("2024-02-29T25:00Z", None),
        ("2024-02-29T12", None),
        ("20240229", None),
        ("yesterday", None),
        ("2024-02-29T12:30:15Europe", None),
        ("", None),
    ] {
        let xml = urlset(&format!("<url><loc>/</loc><lastmod>{text}</lastmod></url>"));
        assert_eq!(whole(xml.as_bytes()).entries[0].lastmod, expected, "{text}");
    }
}

#[test]
fn a_broken_file_gives_the_entries_before_the_break() {
    let full = urlset(&numbered(100));
    for (bytes, least) in [
        (full.as_bytes()[..full.len() - 300].to_vec(), 90),
        (full.replacen("/50</loc>", "/50</lok>", 1).into_bytes(), 50),
        (full.replacen("<loc>http://a.test/50", "<loc <http://a.test/50", 1).into_bytes(), 50),
        (gzip(full.as_bytes())[..300].to_vec(), 1),
    ] {
        let sitemap = whole(&bytes);
        assert!(sitemap.is_cut && sitemap.is_broken);
        assert!((least..100).contains(&sitemap.entries.len()), "{} of {least}", sitemap.entries.len());
        for (n, loc) in locs(&sitemap).iter().enumerate() {
            assert_eq!(*loc, format!("http://a.test/{n}"));
        }
    }
    // Wherever the file is cut, no URL is half of one.
    let short = urlset(&numbered(3));
    for end in short.find("<urlset").unwrap() + 8..short.len() {
        let Ok(sitemap) = read(&short.as_bytes()[..end], true, None, &limits()) else { continue };
        assert!(sitemap.is_cut);
        assert!(locs(&sitemap).iter().all(|loc| loc.len() == "http://a.test/0".len()), "{end}");
    }
}

#[test]
fn limits_cut_only_the_excess() {
    let text = urlset(&numbered(100));
    let exact = SitemapsConfig { max_bytes: text.len(), max_urls: 100, ..limits() };
    for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
        let sitemap = read(&bytes, false, None, &exact).unwrap();
        assert_eq!((sitemap.entries.len(), sitemap.is_cut), (100, false));
        for tight in [
            SitemapsConfig { max_bytes: text.len() - 1, ..exact.clone() },
            SitemapsConfig { max_urls: 99, ..exact.clone() },
        ] {
            let sitemap = read(&bytes, false, None, &tight).unwrap();
            assert!(sitemap.is_cut && sitemap.entries.len() >= 99);
        }
        let few = SitemapsConfig { max_urls: 7, ..exact.clone() };
        assert_eq!(read(&bytes, false, None, &few).unwrap().entries.len(), 7);
    }
    let lines: String = (0..10).map(|n| format!("http://a.test/{n}\n")).collect();
    let few = SitemapsConfig { max_urls: 7, ..limits() };
    let sitemap = read(lines.as_bytes(), false, None, &few).unwrap();
    assert_eq!((sitemap.entries.len(), sitemap.is_cut), (7, true));
}

#[test]
fn decompression_and_entity_bombs_are_bounded() {
    // A billion laughs: entities that a document declares are not expanded.
    let laughs = "<!DOCTYPE urlset [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY x SYSTEM 'file:///etc/passwd'>]>\
                  <urlset><url><loc>http://a.test/&b;&x;</loc></url></urlset>";
    assert_eq!(locs(&whole(laughs.as_bytes())), ["http://a.test/&b;&x;"]);
    // 200 MB of blanks, of nested elements and of one text, in some 200 kB: decompression stops at the limit.
    let tight = SitemapsConfig { max_bytes: 1 << 20, ..limits() };
    for (start, repeated) in [
        ("<urlset>", "          "),
        ("<urlset>", "<url><loc>"),
        ("<urlset><url><loc>", "aaaaaaaaaa"),
        ("", "          "),
    ] {
        let mut bomb = start.as_bytes().to_vec();
        bomb.extend(repeated.as_bytes().iter().copied().cycle().take(20 << 20));
        let bytes = gzip(&bomb);
        let start = Instant::now();
        let sitemap = read(&bytes, false, None, &tight);
        assert!(
            sitemap.is_err() || sitemap.is_ok_and(|sitemap| sitemap.is_cut && sitemap.entries.is_empty())
        );
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

#[test]
fn other_documents_are_distinguished_from_an_empty_sitemap() {
    let root = |text: &str| read(text.as_bytes(), false, None, &limits()).unwrap_err();
    assert_eq!(root("<!doctype html><html><body>404</body></html>"), SitemapError::Root("html".to_owned()));
    for text in ["", "   \n", "Not found", "{\"error\": 404}", "<", "<!-- nothing -->", "\u{1f}\u{8b}"] {
        assert_eq!(root(text), SitemapError::Neither, "{text:?}");
    }
    let broken = read(&[0x1f, 0x8b, 1, 2], false, None, &limits()).unwrap_err();
    assert!(matches!(broken, SitemapError::Broken(_)), "{broken}");
    assert!(root("<html>").to_string().contains("<html>"));
}

/// The sitemaps of the test web, compared with a count of their tags that does not parse XML.
#[test]
fn real_sitemaps_are_read_to_their_last_entry() {
    let Some(folder) = shared("web/sitemaps") else { return };
    let mut read_files = 0;
    for host in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(host.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let mut text = String::new();
            match bytes.starts_with(&[0x1f, 0x8b]) {
                true => _ = flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
                false => text = String::from_utf8(bytes.clone()).unwrap(),
            }
            let sitemap = whole(&bytes);
            assert!(!sitemap.is_cut);
            let between = |tag: &str| -> Vec<String> {
                let tag = format!("<{tag}>");
                let parts = text.split(&tag).skip(1);
                parts.map(|part| part.split('<').next().unwrap().trim().replace("&amp;", "&")).collect()
            };
            assert_eq!(locs(&sitemap), between("loc"));
            let dated = sitemap.entries.iter().filter(|entry| entry.lastmod.is_some()).count();
            assert_eq!(dated, between("lastmod").len());
            read_files += 1;
        }
    }
    assert!(read_files >= 18, "{read_files}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_parsed(bytes: Vec<u8>, truncated: bool) {
        let _ = read(&bytes, truncated, None, &limits());
        let _ = read(&[b"<urlset><url><loc>", bytes.as_slice()].concat(), truncated, None, &limits());
        let _ = read(&[&[0x1f, 0x8b, 8], bytes.as_slice()].concat(), truncated, None, &limits());
        for charset in ["shift_jis", "utf-16be", "iso-2022-jp", "nonsense"] {
            let _ = read(&[b"\xff\xfe<\0", bytes.as_slice()].concat(), truncated, Some(charset), &limits());
            let _ = read(&[b"http://a.test/", bytes.as_slice()].concat(), truncated, Some(charset), &limits());
        }
    }
}
