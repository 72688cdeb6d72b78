//! Redirects that never end, or lead to forbidden addresses, and endless spaces.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use backlinkd::model::Day;

use super::Fate::{NotVisited, Read};
use super::{
    ANSWER, Index, LITTLE, assert_bounded, assert_fates, assert_went_on, crawl, place, with_good_host,
};
use crate::cli::process::{Ended, Place};
use crate::support::fake_web::{FakeWeb, Reply};

const DEPTH: usize = 12;
const MOST_PAGES: usize = 200;

/// The number of requests for each page, without robots.txt files.
fn visits(web: &FakeWeb) -> BTreeMap<String, usize> {
    let mut visits = BTreeMap::new();
    for request in web.log().into_iter().filter(|request| request.path != "/robots.txt") {
        *visits.entry(format!("{}{}", request.host, request.path)).or_insert(0) += 1;
    }
    visits
}

async fn crawl_beside(place: Place, urls: &[&str]) -> (Place, Ended) {
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    crawl(place, &urls, DEPTH).await
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_and_endless_chains_of_redirects_end() {
    let web = with_good_host(FakeWeb::new())
        .page("circle.test", "/a", Reply::redirect(302, "/b"))
        .page("circle.test", "/b", Reply::redirect(301, "/c"))
        .page("circle.test", "/c", Reply::redirect(307, "/a"))
        .page("self.test", "/", Reply::redirect(301, "/"))
        .page("there.test", "/", Reply::redirect(308, "http://back.test/"))
        .page("back.test", "/", Reply::redirect(303, "http://there.test/"))
        .page("chain.test", "/robots.txt", Reply::status(404))
        .answer("chain.test", "/*", |request| Reply::redirect(302, &format!("{}x", request.path)))
        .page("odd.test", "/none", Reply::status(302))
        .page("odd.test", "/bad", Reply::redirect(302, "http://[bad"))
        .page("odd.test", "/mail", Reply::redirect(302, "mailto:nobody@a.test"))
        .page("odd.test", "/file", Reply::redirect(302, "file:///etc/passwd"))
        .page("odd.test", "/empty", Reply::redirect(302, ""))
        .start()
        .await;
    let odd = ["none", "bad", "mail", "file"].map(|path| format!("http://odd.test/{path}"));
    let mut seeds =
        vec!["http://circle.test/a", "http://self.test/", "http://there.test/", "http://chain.test/"];
    seeds.extend(odd.iter().map(String::as_str));
    let (place, ended) = crawl_beside(place(&web), &seeds).await;
    let visits = visits(&web);
    assert!(visits.values().all(|times| *times == 1), "{visits:#?}");
    let of = |host: &str| visits.keys().filter(|page| page.starts_with(host)).count();
    let counts = ["circle.test", "self.test", "there.test", "back.test", "chain.test"].map(of);
    assert_eq!(counts, [3, 1, 1, 1, 1 + DEPTH]);
    let index = Index::of(&place);
    assert_fates(
        &index,
        [("http://circle.test/a", Read(302, 1)), ("http://circle.test/c", Read(307, 1))]
            .into_iter()
            .chain(odd.iter().map(|url| (url.as_str(), Read(302, 0)))),
    );
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_or_redirect_leads_to_a_private_address() {
    let secret = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = secret.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    std::thread::spawn(move || {
        secret.incoming().for_each(|_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
    });
    let addresses = [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "0",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2a00:1450::5efe:127.0.0.1]",
        "169.254.169.254",
    ];
    let targets = addresses.map(|address| format!("http://{address}:{port}/latest/meta-data/"));
    let links: String = targets.iter().map(|target| format!("<a href='{target}'>in</a>")).collect();
    let mut web = with_good_host(FakeWeb::new())
        .host("links.test", "127.41.0.1")
        .page("links.test", "/", Reply::html(&links))
        .host("robots.test", "127.41.0.2")
        .page("robots.test", "/robots.txt", Reply::redirect(302, &targets[0]));
    let mut seeds = vec!["http://links.test/".to_owned(), "http://robots.test/".to_owned()];
    for (at, target) in targets.iter().enumerate() {
        let path = format!("/{at}");
        web = web.page("links.test", &path, Reply::redirect(302, target));
        seeds.push(format!("http://links.test{path}"));
    }
    let web = web.start().await;
    let place = place(&web)
        .set("fetch.allow_private_addresses=[\"127.40.0.0/16\", \"127.41.0.0/16\"]")
        .set("fetch.ports=[\"1-65535\"]");
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    let (place, ended) = crawl_beside(place, &seeds).await;
    let index = Index::of(&place);
    let redirects = seeds[2..].iter().map(|url| (*url, Read(302, 1)));
    assert_fates(&index, redirects.chain(targets.iter().map(|url| (url.as_str(), NotVisited))));
    assert_fates(&index, [("http://robots.test/", NotVisited)]);
    assert_eq!(connections.load(Ordering::Relaxed), 0);
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}

/// Hosts whose pages link on without an end: three beyond a trap rule, and one that only the limits of the crawl stop.
fn endless_hosts() -> FakeWeb {
    with_good_host(FakeWeb::new())
        .host("calendar.test", "127.41.0.1")
        .answer("calendar.test", "/*", |request| {
            let numbers = request.path.split('/').skip(2).map(|n| n.parse::<u64>().unwrap());
            let months = numbers.fold(0, |all, number| 12 * all + number);
            Reply::html(&format!("<a href='/calendar/{}/{}'>next</a>", months / 12, months % 12 + 1))
        })
        .host("session.test", "127.41.0.2")
        .answer("session.test", "/*", |request| {
            let seen = request.path.rsplit('=').next().and_then(|id| u64::from_str_radix(id, 16).ok());
            let id = (seen.unwrap_or(0) ^ 0xa1b2_c3d4_e5f6).wrapping_mul(0x5851_f42d_4c95_7f2d);
            Reply::html(&format!("<a href='/?sid={id:016x}'>again</a><a href='/page'>page</a>"))
        })
        .host("relative.test", "127.41.0.3")
        .answer("relative.test", "/*", |_| Reply::html("<a href='x/'>deeper</a>"))
        .host("plain.test", "127.41.0.4")
        .answer("plain.test", "/*", |request| {
            let at: u64 = request.path.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let more: String = (1..40).map(|more| format!("<a href='/day/{}'>day</a>", at + more)).collect();
            Reply::html(&more)
        })
}

/// The requested URLs of a host, in alphabetical order.
fn asked(visits: &BTreeMap<String, usize>, host: &str) -> Vec<String> {
    visits.keys().filter_map(|page| page.strip_prefix(host)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_spaces_are_left_where_the_rules_detect_them() {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let year = u64::from(Day::from_unix_seconds(seconds).as_number() / 10_000);
    let calendar = format!("http://calendar.test/calendar/{}/10", year + 2);
    let seeds = [calendar.as_str(), "http://session.test/", "http://relative.test/", "http://plain.test/"];
    let months: Vec<String> = [10, 11, 12].map(|month| format!("/calendar/{}/{month}", year + 2)).into();
    let expected = [
        ("calendar.test", months),
        ("session.test", ["/", "/page"].map(str::to_owned).into()),
        ("relative.test", ["/", "/x/", "/x/x/", "/x/x/x/"].map(str::to_owned).into()),
    ];

    let web = endless_hosts().start().await;
    let place_of = |web: &FakeWeb| place(web).set(&format!("crawl.max_pages_per_host={MOST_PAGES}"));
    let (_, ended) = crawl_beside(place_of(&web), &seeds).await;
    let found = visits(&web);
    assert!(found.values().all(|times| *times == 1), "{found:#?}");
    for (host, expected) in &expected {
        assert_eq!(asked(&found, host), *expected, "{host}");
    }
    // A trap is detected by the form of its URL only; the seed does not count towards a budget.
    let plain = asked(&found, "plain.test").len();
    assert!((MOST_PAGES / 2..=MOST_PAGES + 1).contains(&plain), "{plain} pages of plain.test");
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;

    // Without the rules, all of them continue as far as links are followed.
    let web = endless_hosts().start().await;
    let place = place_of(&web)
        .set("traps.calendar_future_years=1000")
        .set("traps.session_min_length=1000")
        .set("urls.session_params=[]")
        .set("traps.max_segment_repeats=1000");
    crawl_beside(place, &seeds).await;
    let found = visits(&web);
    for (host, _) in &expected {
        assert!(asked(&found, host).len() > DEPTH, "{host}: {:?}", asked(&found, host));
    }
}
