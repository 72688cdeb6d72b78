//! The special hosts of the shared test web: an independent HTTP server, configured to misbehave.

use std::fmt::Write as _;
use std::time::SystemTime;

use backlinkd::model::Day;
use backlinkd::model::FailureKind::{Decode, Protocol, Timeout};

use super::Fate::{self, Cut, Failed, NotVisited, Read};
use super::{
    ANSWER, Index, LITTLE, assert_bounded, assert_fates, assert_went_on, crawl, much, place, with_good_host,
};
use crate::cli::process::Place;
use crate::support::fake_web::FakeWeb;
use crate::support::served_web::ServedWeb;
use crate::support::shared;

const FATES: [(&str, &str, Fate); 64] = [
    ("errors", "/status/400", Read(400, 0)),
    ("errors", "/status/401", Read(401, 0)),
    ("errors", "/status/403", Read(403, 0)),
    ("errors", "/status/404", Read(404, 0)),
    ("errors", "/status/410", Read(410, 0)),
    ("errors", "/status/418", Read(418, 0)),
    ("errors", "/status/429", Read(429, 0)),
    ("errors", "/status/451", Read(451, 0)),
    ("errors", "/status/500", Read(500, 0)),
    ("errors", "/status/502", Read(502, 0)),
    ("errors", "/status/503", Read(503, 0)),
    ("errors", "/status/999", Read(999, 0)),
    ("errors", "/reset", Failed(Protocol)),
    ("errors", "/reset-mid", Cut(200, 1)),
    ("errors", "/truncated", Cut(200, 1)),
    ("errors", "/bad-gzip", Failed(Decode)),
    ("errors", "/bad-chunk", Failed(Protocol)),
    ("errors", "/empty", Read(200, 0)),
    ("errors", "/no-type", Read(200, 1)),
    ("errors", "/pdf-as-html", Read(200, 0)),
    ("errors", "/html-as-text", Read(200, 0)),
    ("errors", "/html-as-octet", Read(200, 0)),
    ("errors", "/bad-header", Read(200, 1)),
    ("errors", "/huge-header", Read(200, 1)),
    ("errors", "/http09", Failed(Protocol)),
    ("errors", "/soft404", Read(200, 0)),
    ("errors", "/flaky", Read(503, 0)),
    ("errors", "/retry-after", Read(429, 0)),
    ("errors", "/head-405", Read(200, 0)),
    ("errors", "/unknown-encoding", Read(200, 1)),
    ("errors", "/brotli-lie", Failed(Decode)),
    ("errors", "/image.png", Read(200, 0)),
    ("errors", "/xhtml", Read(200, 2)),
    ("errors", "/nul", Read(200, 1)),
    ("redirects", "/301", Read(301, 1)),
    ("redirects", "/302", Read(302, 1)),
    ("redirects", "/303", Read(303, 1)),
    ("redirects", "/307", Read(307, 1)),
    ("redirects", "/308", Read(308, 1)),
    ("redirects", "/chain/5", Read(302, 1)),
    ("redirects", "/chain/25", Read(302, 1)),
    ("redirects", "/loop/a", Read(302, 1)),
    ("redirects", "/self", Read(301, 1)),
    ("redirects", "/relative/dir/x", Read(302, 1)),
    ("redirects", "/cross", Read(301, 1)),
    ("redirects", "/to-http", Read(302, 1)),
    ("redirects", "/query?a=1&b=2", Read(302, 1)),
    ("redirects", "/fragment", Read(302, 1)),
    ("redirects", "/slash", Read(301, 1)),
    ("redirects", "/to-mailto", Read(302, 0)),
    ("redirects", "/no-location", Read(302, 0)),
    ("redirects", "/bad-location", Read(302, 0)),
    ("redirects", "/meta-refresh", Read(200, 1)),
    ("redirects", "/header-refresh", Read(200, 1)),
    ("redirects", "/space", Read(302, 1)),
    ("redirects", "/unicode", Read(302, 1)),
    ("redirects", "/300", Read(300, 0)),
    ("redirects", "/304", Read(304, 0)),
    ("redirects", "/js", Read(200, 1)),
    ("slow", "/fast", Read(200, 1)),
    ("slow", "/ttfb/1", Read(200, 1)),
    ("slow", "/ttfb/600", Failed(Timeout)),
    ("slow", "/drip/20", Cut(200, 1)),
    ("slow", "/hang", Failed(Timeout)),
];

/// Pages that keep the server busy, so that they are crawled separately.
const BIG: [(&str, &str, Fate); 8] = [
    ("big", "/50mb.html", Cut(200, 1)),
    ("big", "/50mb-chunked.html", Cut(200, 1)),
    ("big", "/bomb.html", Cut(200, 1)),
    ("big", "/manylinks.html", Read(200, 100_000)),
    ("big", "/longurl.html", Read(200, 2)),
    ("big", "/deepnest.html", Read(200, 1)),
    ("big", "/longattr.html", Cut(200, 0)),
    ("big", "/endless.html", Cut(200, 100_000)),
];

/// The pages of the host of charsets: the place of the declaration (the header, a meta tag, a byte order mark, none, or
/// two that differ), and the title.
const CHARSETS: [(&str, &str, &str); 22] = [
    ("windows-1252", "h", "Café – €"),
    ("iso-8859-1", "m", "Straße"),
    ("iso-8859-2", "m", "Łódź"),
    ("windows-1251", "h", "Привет"),
    ("koi8-r", "m", "Привет"),
    ("shift_jis", "m", "日本語"),
    ("euc-jp", "h", "日本語"),
    ("iso-2022-jp", "m", "日本語"),
    ("gb18030", "h", "中文"),
    ("big5", "m", "繁體"),
    ("euc-kr", "m", "한국어"),
    ("utf-8", "h", "Ümläut"),
    ("utf-8", "m", "Ümläut"),
    ("utf-8", "b", "Ümläut"),
    ("utf-16-le", "b", "Ümläut"),
    ("utf-16-be", "b", "Ümläut"),
    ("windows-1252", "none", "Café – €"),
    ("utf-8", "none", "Ümläut"),
    ("utf-8", "conflict", "Ümläut"),
    ("windows-1254", "m", "İstanbul"),
    ("windows-1255", "h", "שלום"),
    ("windows-874", "m", "ไทย"),
];

fn page(host: &str, path: &str) -> String {
    format!("http://{host}.mock.test{path}")
}

fn charset_page(at: usize) -> String {
    let (charset, told, _) = CHARSETS[at];
    page("charset", &format!("/{at}-{charset}-{told}.html"))
}

/// The special hosts, and the web of the good host next to them; a file contains their addresses.
async fn start() -> Option<(ServedWeb, FakeWeb, Place)> {
    let folder = shared("web")?;
    let server = ServedWeb::start(&folder, false)?;
    let web = with_good_host(FakeWeb::new()).start().await;
    let hosts = std::fs::read_to_string(folder.join("conf/hosts.tsv")).unwrap();
    let mut overrides = std::fs::read_to_string(web.overrides()).unwrap();
    for row in hosts.lines().filter(|row| row.contains(".mock.test")) {
        let mut columns = row.split('\t');
        let (host, address) = (columns.next().unwrap(), columns.next().unwrap());
        let at = format!("{address}:{}", server.port);
        writeln!(overrides, "{host}\t{at}\t{at}").unwrap();
    }
    let place = place(&web);
    let file = place.file("overrides.tsv", &overrides);
    let place = place.set(&format!("fetch.host_overrides={file}"));
    Some((server, web, place))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_special_hosts_of_the_test_web_have_the_expected_results() {
    let Some((_server, web, place)) = start().await else { return };
    let mut urls: Vec<String> = FATES.iter().map(|(host, path, _)| page(host, path)).collect();
    urls.extend((0..CHARSETS.len()).map(charset_page));
    // A failing host is retried in the same crawl.
    let place = place.set("crawl.dead_host_retry=0s");
    let (place, ended) = crawl(place, &urls, 0).await;
    let index = Index::of(&place);
    assert_fates(&index, urls.iter().map(String::as_str).zip(FATES.map(|(_, _, fate)| fate)));
    for (at, (charset, told, title)) in CHARSETS.into_iter().enumerate() {
        let found = index.page(&charset_page(at)).unwrap();
        assert_eq!(found.facts.title, title, "{charset}, {told}, read as {}", found.facts.charset);
    }
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}

/// The spaces of the trap host: a page of each with further links, and the depth at which they are no longer followed.
#[tokio::test(flavor = "multi_thread")]
async fn the_endless_spaces_of_the_test_web_end_where_expected() {
    let Some((_server, web, place)) = start().await else { return };
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let year = Day::from_unix_seconds(seconds).as_number() / 10_000 + 2;
    let seeds = [
        format!("/calendar/{year}/12"),
        "/session?sid=1".to_owned(),
        "/rel/x/".to_owned(),
        "/deep/a/".to_owned(),
        "/facet?brand=1&color=red&size=1".to_owned(),
        "/finite/499".to_owned(),
    ];
    let urls: Vec<String> = seeds.iter().map(|path| page("trap", path)).collect();
    let (place, ended) = crawl(place, &urls, 3).await;
    let index = Index::of(&place);
    let visited = [
        format!("/calendar/{year}/9"),
        format!("/calendar/{year}/12/28"),
        format!("/calendar/{year}/12/29"),
        "/rel/x/x/x/".to_owned(),
        "/deep/a/a/a/".to_owned(),
        "/deep/a/a/b/".to_owned(),
        "/facet?brand=2&color=red&size=3".to_owned(),
        "/finite/500".to_owned(),
    ];
    let not_visited = [
        format!("/calendar/{}/1", year + 1),
        "/rel/x/x/x/x/".to_owned(),
        "/deep/a/a/a/a/".to_owned(),
        "/facet?brand=1&color=red&size=1&sort=1".to_owned(),
    ];
    for path in seeds.iter().chain(&visited) {
        assert!(matches!(index.fate(&page("trap", path)), Read(200, _)), "{path} was not read");
    }
    let sessions = index.links(&page("trap", &seeds[1]));
    assert_eq!(sessions.len(), 1);
    let urls = not_visited.iter().map(|path| page("trap", path));
    let urls: Vec<String> = urls.chain([sessions[0].target.to_string()]).collect();
    assert_fates(&index, urls.iter().map(|url| (url.as_str(), NotVisited)));
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_big_pages_of_the_test_web_stay_within_their_limits() {
    let Some((_server, web, place)) = start().await else { return };
    // The server generates its pages while it sends them, one at a time.
    let place = place.set("fetch.first_byte_timeout=20s").set("fetch.timeout=20s");
    let place = place.set("fetch.slow_body_grace=20s").set("crawl.delay=60ms");
    let urls: Vec<String> = BIG.iter().map(|(host, path, _)| page(host, path)).collect();
    let (place, ended) = crawl(place, &urls, 0).await;
    assert_fates(&Index::of(&place), urls.iter().map(String::as_str).zip(BIG.map(|(_, _, fate)| fate)));
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, much()).await;
}
