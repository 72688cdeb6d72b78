//! Walls in front of sites: cookies and session ids that redirects set, and challenges instead of pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use backlinkd::model::{Cut, FailureKind, OutlinkRecord, StoredPage};

use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply, Request};

const LINK: &str = "<title>t</title><a href=http://target.test/>x</a>";

fn site(web: FakeWeb) -> Site {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.max_depth = 1;
    site
}

fn crawl(site: &Site, seeds: &[&str]) {
    let seeds: Vec<String> = seeds.iter().map(|seed| (*seed).to_owned()).collect();
    site.crawl(&job(&seeds), &AtomicBool::new(false));
}

fn page(site: &Site, text: &str) -> StoredPage {
    site.store.snapshot().page(&url(text)).unwrap().unwrap()
}

/// The targets of the current links of a page.
fn targets(site: &Site, text: &str) -> Vec<String> {
    let links = site.store.snapshot().outlinks(&url(text)).unwrap();
    links.iter().filter(|link| link.is_active()).map(|link| link.target.to_string()).collect()
}

fn asked(site: &Site, host: &str) -> Vec<String> {
    let log = site.web.log();
    let of_host = log.iter().filter(|request| request.host == host && request.path != "/robots.txt");
    of_host.map(|request| request.path.clone()).collect()
}

fn cookie(request: &Request) -> &str {
    request.header("cookie").unwrap_or_default()
}

/// A page that is served only to clients that return the cookie of a redirect.
fn walled(request: &Request, to: &str) -> Reply {
    if cookie(request).contains("seen=1") {
        return Reply::html(LINK);
    }
    Reply::redirect(302, to).header("Set-Cookie", "seen=1; Path=/")
}

#[test]
fn a_cookie_is_sent_along_its_chain_and_nowhere_else() {
    let web = FakeWeb::new()
        .answer("self.test", "/", |request| walled(request, "/"))
        .answer("around.test", "/", |request| match cookie(request) {
            "a=1; b=2" | "b=2; a=1" => Reply::html(LINK),
            _ => Reply::redirect(302, "/check?to=/").header("Set-Cookie", "a=1"),
        })
        .answer("around.test", "/check*", |request| match cookie(request) {
            "a=1" => Reply::redirect(303, "/").header("Set-Cookie", "b=2; Path=/"),
            _ => Reply::redirect(302, "/denied"),
        })
        .answer("home.test", "/", |_| Reply::redirect(301, "/home").header("Set-Cookie", "s=1"))
        .answer("home.test", "/home", |request| match cookie(request) {
            "s=1" => Reply::html(LINK),
            _ => Reply::redirect(302, "/login"),
        })
        .answer("other.test", "/", |_| {
            Reply::redirect(302, "http://self.test/elsewhere")
                .header("Set-Cookie", "seen=1; Domain=test; Path=/")
        })
        .page("self.test", "/elsewhere", Reply::html(LINK));
    let site = site(web);
    crawl(&site, &["http://self.test/", "http://around.test/", "http://home.test/", "http://other.test/"]);
    for walled in ["http://self.test/", "http://around.test/", "http://home.test/home"] {
        assert_eq!(targets(&site, walled), ["http://target.test/"], "{walled}");
        assert_eq!(page(&site, walled).facts.status, 200, "{walled}");
    }
    assert_eq!(targets(&site, "http://home.test/"), ["http://home.test/home"]);
    assert_eq!(targets(&site, "http://around.test/check?to=/"), ["http://around.test/"]);
    assert_eq!(asked(&site, "self.test"), ["/", "/", "/elsewhere"]);
    assert_eq!(asked(&site, "around.test"), ["/", "/check?to=/", "/"]);
    assert_eq!(asked(&site, "home.test"), ["/", "/home"]);
    let log = site.web.log();
    let sent: Vec<&Request> = log.iter().filter(|request| !cookie(request).is_empty()).collect();
    assert!(
        sent.iter().all(|request| ["self.test", "around.test", "home.test"].contains(&request.host.as_str()))
    );
    assert!(sent.iter().all(|request| !["/elsewhere", "/robots.txt"].contains(&request.path.as_str())));

    // The next visit begins without a cookie.
    let before = site.web.log().len();
    crawl(&site, &["http://self.test/"]);
    let again: Vec<String> = site.web.log()[before..]
        .iter()
        .filter(|request| request.host == "self.test" && request.path == "/")
        .map(|request| cookie(request).to_owned())
        .collect();
    assert_eq!(again, ["", "seen=1"]);
}

#[test]
fn a_redirect_that_only_adds_a_session_id_is_followed_and_the_page_has_one_url() {
    let with_id = |request: &Request| match request.path.split_once("1234567890ABCDEF") {
        Some(_) => Reply::html(LINK),
        None => {
            let (path, query) =
                request.path.split_once('?').map_or((request.path.as_str(), ""), |(p, q)| (p, q));
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            Reply::redirect(302, &format!("{path};jsessionid=1234567890ABCDEF1234567890ABCDEF{query}"))
        }
    };
    let in_query = |request: &Request| match request.path.contains("PHPSESSID=") {
        true => Reply::html(LINK),
        false => Reply::redirect(302, "/q?PHPSESSID=0123456789abcdef0123456789abcdef"),
    };
    let in_path = |request: &Request| match request.path.contains("(S(") {
        true => Reply::html(LINK),
        false => Reply::redirect(302, "/(S(lit3py55t21z5v55vlm25s55))/n"),
    };
    let web = FakeWeb::new()
        .answer("a.test", "/", with_id)
        .answer("a.test", "/;*", with_id)
        .answer("a.test", "/p*", with_id)
        .answer("a.test", "/q*", in_query)
        .answer("a.test", "/n", in_path)
        .answer("a.test", "/(S*", in_path);
    let site = site(web);
    let pages = ["http://a.test/", "http://a.test/p?x=1", "http://a.test/q", "http://a.test/n"];
    crawl(&site, &pages);
    for known in pages {
        assert_eq!(
            (page(&site, known).facts.status, targets(&site, known)),
            (200, vec!["http://target.test/".to_owned()]),
            "{known}"
        );
    }
    assert_eq!(site.store.stats().unwrap().visited, pages.len() as u64, "no other URL is known as a page");
}

#[test]
fn an_endless_chain_is_given_up_and_recorded_as_a_redirect() {
    let web = FakeWeb::new()
        .answer("a.test", "/", |_| Reply::redirect(302, "/").header("Set-Cookie", "n=1"))
        .answer("a.test", "/on*", |request| {
            let number: u32 = request.path[3..].parse().unwrap();
            Reply::redirect(302, &format!("/on{}", number + 1)).header("Set-Cookie", format!("n={number}"))
        });
    let mut site = site(web);
    site.config.fetch.max_chain_redirects = 3;
    crawl(&site, &["http://a.test/", "http://a.test/on0"]);
    assert_eq!(asked(&site, "a.test").iter().filter(|path| *path == "/").count(), 1 + 3);
    assert_eq!(page(&site, "http://a.test/").facts.status, 302);
    assert_eq!(targets(&site, "http://a.test/on0"), ["http://a.test/on1"]);
    assert_eq!(targets(&site, "http://a.test/on3"), ["http://a.test/on4"]);
    assert!(asked(&site, "a.test").len() < 16, "{:?}", asked(&site, "a.test"));
}

#[test]
fn robots_txt_and_sitemaps_behind_a_cookie_are_read() {
    let rules = "User-agent: *\nDisallow: /no\nSitemap: http://a.test/map.xml\n";
    let behind = |request: &Request, reply: Reply| match cookie(request).contains("k=") {
        true => reply,
        false => Reply::redirect(302, &request.path).header("Set-Cookie", "k=v; Path=/"),
    };
    let map = "<urlset><url><loc>http://a.test/listed</loc></url></urlset>";
    let web = FakeWeb::new()
        .answer("a.test", "/robots.txt", move |request| behind(request, Reply::text(rules)))
        .answer("a.test", "/map.xml", move |request| behind(request, Reply::text(map)))
        .page("a.test", "/", Reply::html("<a href=/no>no</a>"))
        .page("a.test", "/listed", Reply::html(LINK));
    let site = site(web);
    crawl(&site, &["http://a.test/"]);
    assert_eq!(targets(&site, "http://a.test/listed"), ["http://target.test/"]);
    assert!(!asked(&site, "a.test").contains(&"/no".to_owned()));
}

/// A page that is served on the first visit, and replaced from the second on.
fn then(flag: &Arc<AtomicBool>, later: Reply) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let flag = Arc::clone(flag);
    move |_| if flag.load(Ordering::Relaxed) { later.clone() } else { Reply::html(LINK) }
}

#[test]
fn challenges_and_responses_without_the_page_change_nothing() {
    let flag = Arc::new(AtomicBool::new(false));
    let challenge = |text: &str| Reply::html(&format!("<title>Just a moment</title><script>{text}</script>"));
    let cases = [
        ("cf-header", challenge("x").header("cf-mitigated", "challenge"), Some(true)),
        ("cf-200", challenge("window._cf_chl_opt={}"), Some(true)),
        ("waf-202", Reply::status(202).header("x-amzn-waf-action", "challenge"), Some(true)),
        ("waf-405", Reply::status(405).header("x-amzn-waf-action", "CAPTCHA"), Some(true)),
        (
            "datadome",
            Reply::status(403)
                .header("Content-Type", "text/html")
                .body("<script src=https://ct.captcha-delivery.com/c.js></script>"),
            Some(true),
        ),
        ("anubis", challenge("x").body("<p id=anubis_challenge>"), Some(true)),
        ("s202", Reply::status(202), Some(false)),
        ("s205", Reply::status(205), Some(false)),
        ("s226", Reply::status(226).body("x"), Some(false)),
        ("s300", Reply::status(300), Some(false)),
        ("s407", Reply::status(407), Some(false)),
        ("s999", Reply::status(999), Some(false)),
        ("gone", Reply::status(410), None),
        ("empty", Reply::html(""), None),
        (
            "background",
            Reply::html("<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script>"),
            None,
        ),
    ];
    let mut web = FakeWeb::new();
    for (name, reply, _) in &cases {
        web = web.answer(&format!("{name}.test"), "/", then(&flag, reply.clone()));
    }
    let site = site(web);
    let pages: Vec<String> = cases.iter().map(|(name, ..)| format!("http://{name}.test/")).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    crawl(&site, &pages);
    assert!(pages.iter().all(|page| targets(&site, page).len() == 1));
    flag.store(true, Ordering::Relaxed);
    let before = site.crawler().progress().figures();
    let figures = site.crawl(
        &job(&pages.iter().map(|page| (*page).to_owned()).collect::<Vec<_>>()),
        &AtomicBool::new(false),
    );
    let at = FailureKind::ALL.iter().position(|kind| *kind == FailureKind::Challenge).unwrap();
    // A challenge is not retried at once, unless its status suggests that another attempt may help.
    assert_eq!(figures.failures[at] - before.failures[at], 6);
    for ((_, _, unsettled), address) in cases.iter().zip(&pages) {
        let stays = unsettled.is_some();
        assert_eq!(targets(&site, address).len(), usize::from(stays), "{address}");
        let page = page(&site, address);
        let is_challenge = page.last_failure == FailureKind::Challenge as u8;
        assert_eq!(is_challenge, *unsettled == Some(true), "{address}");
        assert_eq!(page.cause.contains("challenge"), is_challenge, "{address}: {}", page.cause);
    }
}

#[test]
fn a_page_behind_a_challenge_is_requested_in_full_until_it_comes() {
    let visits = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&visits);
    let web = FakeWeb::new().answer("a.test", "/", move |request| {
        let tagged = |reply: Reply| reply.header("ETag", "\"1\"");
        match (number.fetch_add(1, Ordering::Relaxed), request.header("if-none-match")) {
            (0, _) => {
                tagged(Reply::html("<title>Just a moment</title><script>window._cf_chl_opt={}</script>"))
            }
            // A wall whose page never changes, and a page that it lets through later with the same tag.
            (_, Some(_)) => tagged(Reply::status(304)),
            _ => tagged(Reply::html(LINK)),
        }
    });
    let site = site(web);
    let address = "http://a.test/";
    crawl(&site, &[address]);
    assert_eq!(page(&site, address).last_failure, FailureKind::Challenge as u8);
    crawl(&site, &[address]);
    assert_eq!(targets(&site, address), ["http://target.test/"]);
    // From now on its visits are conditional.
    crawl(&site, &[address]);
    let log = site.web.log();
    let conditional = log.iter().filter(|request| request.path == "/" && request.host == "a.test");
    let conditional: Vec<bool> =
        conditional.map(|request| request.header("if-none-match").is_some()).collect();
    assert_eq!(conditional, [false, false, true]);
}

#[test]
fn links_beyond_a_cut_stay_unchanged_until_a_complete_visit() {
    let links = |names: &[&str]| {
        names.iter().map(|name| format!("<a href=http://t.test/{name}>{name}</a>")).collect::<String>()
    };
    let stage = Arc::new(std::sync::Mutex::new(Reply::html(&links(&["a", "b", "c"]))));
    let shown = Arc::clone(&stage);
    let web = FakeWeb::new().answer("a.test", "/", move |_| shown.lock().unwrap().clone());
    let mut site = site(web);
    site.config.crawl.max_depth = 0;
    site.config.crawl.max_attempts = 1;
    let visit = |reply: Reply| {
        *stage.lock().unwrap() = reply;
        crawl(&site, &["http://a.test/"]);
        let links: Vec<OutlinkRecord> = site.store.snapshot().outlinks(&url("http://a.test/")).unwrap();
        let state: Vec<String> = links
            .iter()
            .map(|link| format!("{}{}", if link.is_active() { "" } else { "-" }, &link.target.as_str()[14..]))
            .collect();
        (page(&site, "http://a.test/").facts.cut, state.join(" "))
    };
    let whole = |names: &[&str]| Reply::html(&links(names));
    assert_eq!(visit(whole(&["a", "b", "c"])), (None, "a b c".to_owned()));
    assert_eq!(visit(whole(&["b"]).claiming(5_000)), (Some(Cut::Disconnect), "b c -a".to_owned()));
    assert_eq!(visit(whole(&["new", "b"]).claiming(5_000)), (Some(Cut::Disconnect), "new b c -a".to_owned()));
    assert_eq!(visit(whole(&["b", "a"])), (None, "b a -new -c".to_owned()));
    let gzip = crate::fetch_body::gzip(links(&["b"]).as_bytes());
    let gzip = Reply::html("").header("Content-Encoding", "gzip").body(&gzip[..gzip.len() - 8]);
    assert_eq!(visit(gzip), (Some(Cut::Encoding), "b a -new -c".to_owned()));
    assert_eq!(visit(whole(&["b"])), (None, "b -a -new -c".to_owned()));
    // A vanished page is lost, whatever the text of the response is.
    assert_eq!(visit(Reply::status(404).body("no").claiming(500)).1, "-b -a -new -c");
}
