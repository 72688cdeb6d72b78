//! `try`: one site, within its robots.txt, with the page open meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use super::process::{Place, Running, get};
use crate::support::fake_web::{FakeWeb, Reply};

/// A site of forty pages that link to each other and to another site.
async fn web() -> FakeWeb {
    let links: String = (1..40).map(|number| format!("<a href=/{number}>{number}</a>")).collect();
    let mut web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text("User-agent: *\nDisallow: /3\n"))
        .page("a.test", "/", Reply::html(&format!("<a href=http://b.test/>b</a>{links}")))
        .page("www.a.test", "/", Reply::html("a page"))
        .page("broken.test", "/", Reply::reset())
        .page("b.test", "/", Reply::html("elsewhere"));
    for number in 1..40 {
        web = web.page("a.test", &format!("/{number}"), Reply::html("<a href=/>start</a>"));
    }
    web.start().await
}

/// The address of the page, in the first line of standard output.
fn opened(trial: &mut Running) -> SocketAddr {
    trial.says("Open http://");
    let out = trial.out();
    let (address, rest) = out.strip_prefix("Open http://").unwrap().split_once('/').unwrap();
    assert!(rest.starts_with("?url=a.test\n"), "{out}");
    address.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_crawled_ranked_and_served_until_the_end() {
    let web = web().await;
    let place = Place::at(&web).set("crawl.delay=200ms");
    let mut trial = place.start(&["try", "a.test", "--pages", "12", "--listen", "127.0.0.1:0"]);
    let address = opened(&mut trial);
    // The page is open while the site is crawled.
    assert_eq!(get(address, "/?url=a.test", None).0, 200);
    let (status, crawl) = get(address, "/crawl", None);
    assert!(status == 200 && crawl.contains("\"running\""), "{crawl}");
    assert!(!trial.out().contains("Crawled in"), "{}", trial.out());
    assert_eq!(place.run(&["ping"]).with(0).err, format!("{address} is well.\n"));

    trial.says("is served until Ctrl-C");
    let pages: Vec<String> = web
        .log()
        .into_iter()
        .filter(|request| request.path != "/robots.txt")
        .map(|request| request.host + &request.path)
        .collect();
    assert_eq!(pages.len(), 12, "{pages:?}");
    assert!(
        pages.iter().all(|page| page.starts_with("a.test/") && !page.starts_with("a.test/3")),
        "{pages:?}"
    );
    let agents: Vec<String> =
        web.log().iter().map(|request| request.header("user-agent").unwrap_or_default().to_owned()).collect();
    assert!(
        agents.iter().all(|agent| agent == concat!("backlinkd/", env!("CARGO_PKG_VERSION"))),
        "{agents:?}"
    );
    assert!(trial.err().contains("--set fetch.contact=URL adds one"), "{}", trial.err());
    let (_, rank) = get(address, "/sr?url=http%3A%2F%2Fa.test%2F", None);
    assert!(!rank.contains("\"sr\":0,") && !rank.contains("\"sr\":0}"), "{rank}");
    let (_, links) = get(address, "/backlinks?url=b.test&fields=backlinkpage", None);
    assert!(links.contains("http://a.test/"), "{links}");
    place.run(&["rank"]).with(0);

    trial.signal("INT");
    let ended = trial.end().with(0);
    assert!(ended.out.contains("Ranked in"), "{}", ended.out);
    // Repeated, it goes on where it was.
    let mut again = place.start(&["try", "a.test", "--pages", "100", "--listen", "127.0.0.1:0"]);
    again.says("is served until Ctrl-C");
    again.signal("TERM");
    again.end().with(0);
    assert_eq!(place.run(&["stats"]).with(0).row("URLs visited"), 29);
    assert!(web.log().iter().all(|request| request.host == "a.test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_in_the_middle_and_a_site_that_is_not_there_at_once() {
    let web = web().await;
    let place = Place::at(&web).set("crawl.delay=500ms");
    let mut trial = place.start(&["try", "a.test", "--listen", "127.0.0.1:0"]);
    opened(&mut trial);
    tokio::time::sleep(Duration::from_millis(700)).await;
    trial.signal("INT");
    let ended = trial.end().with(0);
    assert!(ended.out.contains("Crawled in") && !ended.out.contains("Ranked in"), "{}", ended.out);
    assert!(ended.took < Duration::from_secs(60));

    for (site, status, told) in
        [("broken.test", 1, "no page of http://broken.test/"), ("not a site", 1, "is not a URL"), ("", 1, "")]
    {
        let ended = Place::at(&web).run(&["try", site, "--listen", "127.0.0.1:0"]).with(status);
        assert!(ended.err.contains(told), "{}", ended.err);
    }
}

/// Runs a trial that finds nothing. Returns what it says.
#[track_caller]
fn finds_nothing(place: &Place, site: &str) -> String {
    place.run(&["try", site, "--listen", "127.0.0.1:0"]).with(1).err
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_without_a_page_says_why() {
    let web = FakeWeb::new()
        .page("forbidden.test", "/", Reply::status(403))
        .page("paper.test", "/", Reply::text("a text"))
        .page("moved.test", "/", Reply::redirect(301, "http://elsewhere.test/x"))
        .page("private.test", "/robots.txt", Reply::text("User-agent: *\nDisallow: /\n"))
        .page("private.test", "/", Reply::html("a page"))
        .page("busy.test", "/", Reply::status(429))
        .start()
        .await;
    let place = Place::at(&web).set("crawl.retry_delay=10min");
    for (site, told) in [
        ("forbidden.test", &["403"][..]),
        ("paper.test", &["It answered with text/plain, which is not HTML."]),
        ("moved.test", &["redirects to http://elsewhere.test/x", "backlinkd try elsewhere.test"]),
        ("private.test", &["robots.txt"]),
        ("busy.test", &["429"]),
    ] {
        let place = Place::at(&web).over(&place.data().join(site)).set("crawl.retry_delay=10min");
        for _ in 0..2 {
            let err = finds_nothing(&place, site);
            let why = err.split_once("could be read.\n").unwrap_or_else(|| panic!("{err}")).1;
            assert!(told.iter().all(|part| why.contains(part)), "{site}: {err}");
        }
    }
    let refused = place.run(&["try", "a.test", "--pages", "0"]).with(2);
    assert!(refused.err.contains("--pages"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_was_down_is_asked_again_at_once() {
    for broken in ["/robots.txt", "/"] {
        let reply = if broken == "/" { Reply::reset() } else { Reply::status(503) };
        let down = FakeWeb::new().page("a.test", broken, reply).start().await;
        let place = Place::at(&down).set("crawl.retry_delay=10min");
        finds_nothing(&place, "a.test");
        let up = FakeWeb::new().page("a.test", "/", Reply::html("a page")).start().await;
        let again = Place::at(&up).set("crawl.retry_delay=10min").over(&place.data());
        let mut trial = again.start(&["try", "a.test", "--listen", "127.0.0.1:0"]);
        trial.says("is served until Ctrl-C");
        trial.signal("INT");
        assert_eq!(trial.end().with(0).row("answered"), 1, "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_site_has_a_folder_in_the_users_cache() {
    let web = web().await;
    let place = Place::new();
    let line = format!(
        "XDG_CACHE_HOME=$PWD/caches exec backlinkd --set fetch.host_overrides={} --set crawl.delay=0s \
         --set fetch.allow_private_addresses=127.0.0.0/8 try http://www.a.test/ --pages 5 --listen 127.0.0.1:0",
        web.overrides().display()
    );
    let mut trial = place.shell(&line, "");
    trial.says("is served until Ctrl-C");
    trial.signal("INT");
    trial.end().with(0);
    let folder = place.data().parent().unwrap().join("caches/backlinkd/try/a.test");
    assert!(folder.join("CURRENT").exists());
    assert!(!place.data().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_crawl_uses_the_directory_and_is_no_server() {
    let web = web().await;
    let place = Place::at(&web).set("crawl.delay=2s").set("api.listen=127.0.0.1:0");
    let seeds = place.file("own.txt", "a.test\n");
    let mut crawl = place.start(&["crawl", "--seeds", &seeds]);
    crawl.waits_for("the index", |_| place.data().join("LOCK").exists());
    let pinged = |told: &str| place.run(&["ping"]).with(1).err.contains(told);
    crawl.waits_for("the lock", |crawl| pinged(&format!("process {} uses", crawl.id())));
    assert!(
        place
            .run(&["doctor"])
            .out
            .contains(&format!("process {} uses the index, and does not answer", crawl.id()))
    );
}
