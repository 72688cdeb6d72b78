//! The responses that are pages: by the types in all `Content-Type` lines, and for XML by the root element. A crawl
//! extracts the links of pages, and stores the type of each response.

use std::sync::atomic::AtomicBool;

use backlinkd::model::StoredPage;
use encoding_rs::Encoding;

use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};

/// Crawls these paths of one host; returns the stored data of each page, and the texts of its links.
fn crawled(replies: Vec<(String, Reply)>) -> Vec<(StoredPage, Vec<String>)> {
    let mut web = FakeWeb::new();
    for (path, reply) in &replies {
        web = web.page("a.test", path, reply.clone());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let site = Site::over(runtime, web);
    let urls: Vec<String> = replies.iter().map(|(path, _)| format!("http://a.test{path}")).collect();
    site.crawl(&job(&urls), &AtomicBool::new(false));
    let known = |page: &String| {
        let page = url(page);
        let links = site.store.snapshot().outlinks(&page).unwrap();
        let texts = links.into_iter().map(|link| link.anchor).collect();
        (site.store.page(&page).unwrap().unwrap(), texts)
    };
    urls.iter().map(known).collect()
}

fn of_types(types: &[&str], body: &[u8]) -> Reply {
    types.iter().fold(Reply::status(200).body(body), |reply, value| reply.header("Content-Type", value))
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[test]
fn a_page_is_html_by_its_last_valid_type() {
    // The beginning is unlike HTML, so that only the type identifies it; 0x8e is an é in macintosh.
    let body = b"<article><a href='http://b.test/'>caf\x8e</a>";
    let cases: [(&[&str], &str, Option<&str>); 17] = [
        (&["text/html;charset=macintosh"], "text/html", Some("café")),
        (&["text/html;charset=macintosh,text/html"], "text/html", Some("café")),
        (&["text/html; charset=\"macintosh\"", "TEXT/HTML", "*/*"], "text/html", Some("café")),
        (&["*/*, text/html;;charset=x-mac-roman,"], "text/html", Some("café")),
        (&["application/unknown", "text/html;x=\",\";charset=macintosh"], "text/html", Some("café")),
        (&["text/html;charset=macintosh", "", "nonsense, /"], "text/html", Some("café")),
        (&["text/plain, application/xhtml+xml;charset=macintosh"], "application/xhtml+xml", Some("café")),
        (&["text/plain;charset=koi8-r", "text/html"], "text/html", Some("caf\u{17d}")),
        (&["text/html;charset=koi8-r, text/html;charset=macintosh"], "text/html", Some("café")),
        (&["text/html", "text/plain"], "text/plain", None),
        (&["text/html,text/plain,*/*"], "text/plain", None),
        (&["text/html;x=\"", "\", image/png"], "image/png", None),
        (&["text/html, unknown/unknown"], "unknown/unknown", None),
        (&["text/xml;charset=macintosh"], "text/xml", None),
        (&["*/*"], "", None),
        (&["html"], "", None),
        (&[], "", None),
    ];
    let paths = (0..).map(|number| format!("/{number}"));
    let found = crawled(paths.zip(cases).map(|(path, (types, ..))| (path, of_types(types, body))).collect());
    for ((types, content_type, text), (page, texts)) in cases.into_iter().zip(found) {
        assert_eq!(
            (page.facts.content_type.as_str(), page.facts.html),
            (content_type, text.is_some()),
            "{types:?}"
        );
        assert_eq!(texts.first().map(String::as_str), text, "{types:?}");
    }
}

#[test]
fn xml_is_a_page_if_its_root_is_html() {
    let xhtml = |declaration: &str| {
        format!(
            "{declaration}<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x.dtd'>\n\
             <html xmlns='http://www.w3.org/1999/xhtml'><head><title>t</title></head><body>\
             <a href='http://b.test/' title='x'>Łódź</a></body></html>"
        )
    };
    let latin = |declaration: &str| {
        Encoding::for_label(b"iso-8859-2").unwrap().encode(&xhtml(declaration)).0.into_owned()
    };
    let declared = latin("<?xml version='1.0' encoding='iso-8859-2'?>");
    let plain = xhtml("").into_bytes();
    let feed = b"<?xml version='1.0'?><rss><channel><item><a href='http://b.test/'>x</a><html>";
    let other = String::from_utf8(plain.clone()).unwrap().replace("1999/xhtml", "1999/other");
    let bare = String::from_utf8(plain.clone()).unwrap().replace(" xmlns='http://www.w3.org/1999/xhtml'", "");
    let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        ("application/xml", plain.clone(), Some("utf-8")),
        ("text/xml; charset=utf-8", plain.clone(), Some("utf-8")),
        ("application/vnd.wap.xhtml+xml", plain.clone(), Some("utf-8")),
        ("text/xml", bare.into_bytes(), Some("utf-8")),
        ("text/xml", declared.clone(), Some("iso-8859-2")),
        ("application/xhtml+xml", declared.clone(), Some("iso-8859-2")),
        ("application/xml;charset=iso-8859-2", latin(""), Some("iso-8859-2")),
        ("text/xml;charset=iso-8859-2", latin("<?xml version='1.0' encoding='koi8-r'?>"), Some("iso-8859-2")),
        (
            "application/xml",
            utf_16(&xhtml("\u{feff}<?xml version='1.0' encoding='utf-8'?>")),
            Some("utf-16be"),
        ),
        ("application/xml", utf_16(&xhtml("<?xml version='1.0'?>")), Some("utf-16be")),
        ("application/xhtml+xml", utf_16(&xhtml("")), Some("utf-16be")),
        ("", declared.clone(), Some("iso-8859-2")),
        ("application/xml", feed.to_vec(), None),
        ("application/rss+xml", feed.to_vec(), None),
        ("application/xml", other.into_bytes(), None),
        ("text/plain", plain.clone(), None),
        ("application/xml-dtd", plain, None),
    ];
    let replies = cases.iter().enumerate().map(|(number, (kind, body, _))| {
        let types: &[&str] = if kind.is_empty() { &[] } else { &[kind] };
        (format!("/{number}"), of_types(types, body))
    });
    for ((kind, _, charset), (page, texts)) in cases.iter().zip(crawled(replies.collect())) {
        assert_eq!(page.facts.html, charset.is_some(), "{kind}");
        assert_eq!(page.facts.charset, charset.unwrap_or_default(), "{kind}");
        assert_eq!(texts, charset.map(|_| "Łódź").into_iter().collect::<Vec<_>>(), "{kind}");
    }
}

#[test]
fn a_sitemap_is_read_in_the_encoding_of_its_response() {
    let list = Encoding::for_label(b"koi8-r").unwrap().encode("http://a.test/привет\r").0.into_owned();
    let robots = "Sitemap: /list.txt\rSitemap: /map.xml\r";
    let map = utf_16("<urlset><url><loc>http://a.test/wide</loc></url></urlset>");
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", of_types(&["text/plain"], robots.as_bytes()))
        .page("a.test", "/list.txt", of_types(&["text/plain;charset=koi8-r", "text/plain"], &list))
        .page("a.test", "/map.xml", of_types(&["image/png"], &map))
        .answer("a.test", "/*", |request| Reply::html(&request.path));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let site = Site::over(runtime, web);
    site.crawl(&job(&["http://a.test/".to_owned()]), &AtomicBool::new(false));
    for page in ["http://a.test/привет", "http://a.test/wide"] {
        assert!(site.store.page(&url(page)).unwrap().is_some_and(|page| page.facts.html), "{page}");
    }
}
