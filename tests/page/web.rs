//! The webs that the page shows: one with every case that figures distinguish, and one that is hostile.

use std::time::UNIX_EPOCH;

use backlinkd::model::VisitRecord;

use crate::api::web::{DAY, LEAP_DAY, later, link, page, random};
use crate::support::fake_web::{FakeWeb, Reply};

/// Days that the history lasts; the last one is yesterday.
const DAYS: u64 = 60;
/// Visits of the random web on one day.
const VISITS_A_DAY: usize = 10;

/// Titles and anchor texts that act if they are taken for more than text.
const TEXTS: [&str; 7] = [
    "<script>window.owned = 1</script>",
    "<img src=x onerror=\"window.owned = 2\">",
    "\"><svg onload=window.owned=3>",
    "javascript:window.owned=4",
    "safe\u{202e}txt.exe",
    "=HYPERLINK(\"http://evil.example/\",\"click\")",
    "{{constructor.constructor('window.owned=5')()}}",
];

/// Domains whose names are in Unicode: two that can be read, and two that imitate Latin names.
const UNICODE: [&str; 4] =
    ["xn--bcher-kva.example", "xn--r8jz45g.xn--zckzah", "xn--pple-43d.com", "xn--80ak6aa92e.com"];

/// Visits up to yesterday: the random web with its eleven domains, a page with more than a thousand links, a domain
/// whose only link was lost, domains with names in Unicode, and a link to a domain that was not visited.
pub fn with_history() -> Vec<VisitRecord> {
    let mut records = random(11, DAYS as usize * VISITS_A_DAY);
    let many = (0..1_200).map(|at| link(&format!("http://example.org/{}", at % 90), &format!("Text {at}")));
    let many = many.chain([link("http://waiting.example/", "later")]).collect();
    records.push(later(page("http://hub.example/", "198.51.100.1", "SE", many), 45));
    let only = page("http://gone.example/", "198.51.100.2", "DE", vec![link("http://example.com/", "only")]);
    let without = page("http://gone.example/", "198.51.100.2", "DE", Vec::new());
    records.extend([later(only, 5), later(without, 50)]);
    for (at, host) in UNICODE.iter().enumerate() {
        let next = format!("http://{}/", UNICODE[(at + 1) % UNICODE.len()]);
        let links = vec![
            link("http://example.org/", "one"),
            link("http://example.com/", "two"),
            link(&next, "three"),
        ];
        records.push(later(page(&format!("http://{host}/"), "198.51.100.3", "DE", links), 20));
    }
    let begin = UNIX_EPOCH.elapsed().unwrap().as_secs() - DAYS * DAY;
    for record in &mut records {
        record.visited = record.visited - LEAP_DAY + begin;
    }
    records
}

/// Pages of `evil.example`, each with one of the texts as its title and as the anchor text of a link.
pub fn hostile() -> FakeWeb {
    let list: String = (0..TEXTS.len()).map(|at| format!("<a href=/{at}>{at}</a>")).collect();
    let target = Reply::html("<title>Target</title>");
    let web =
        FakeWeb::new().page("evil.example", "/", Reply::html(&list)).page("target.example", "/*", target);
    TEXTS.iter().enumerate().fold(web, |web, (at, text)| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let body = format!("<title>{text}</title><a href=http://target.example/{at}>{text}</a>");
        web.page("evil.example", &format!("/{at}"), Reply::html(&body))
    })
}

/// A web that a crawl is busy with: pages that link to more pages than it gets to, and each kind of failure.
pub fn busy() -> FakeWeb {
    let links: String = (0..400).map(|at| format!("<a href=/{at}>{at}</a>")).collect();
    let others = UNICODE.map(|host| format!("<a href=http://{host}/>{host}</a>")).concat();
    let page = Reply::html(&format!("<title>Page</title>{others}{links}"));
    let mut web = FakeWeb::new();
    for (at, host) in ["busy.example"].iter().chain(&UNICODE).enumerate() {
        let page = page.clone();
        web =
            web.host(host, &format!("127.1.0.{}", at + 1)).answer(host, "/*", move |request| {
                match request.path.bytes().last() {
                    Some(b'1') => Reply::status(404),
                    Some(b'2') => Reply::status(500),
                    Some(b'3') => Reply::redirect(301, "/4"),
                    Some(b'5') => Reply::raw("no HTTP"),
                    _ => page.clone(),
                }
            });
    }
    web
}
