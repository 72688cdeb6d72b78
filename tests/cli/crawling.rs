//! `crawl`, `rank` and `stats`: batches over one data directory.

use std::time::Duration;

use serde_json::Value;

use super::process::{Ended, Place};
use crate::support::fake_web::{FakeWeb, Reply};

/// `a.test/` and its pages 1 to 9, one of which links to `b.test/`, which links back.
async fn web() -> FakeWeb {
    let links: String = (1..10).map(|page| format!("<a href=/{page}>{page}</a>")).collect();
    let mut web = FakeWeb::new()
        .page("a.test", "/", Reply::html(&links))
        .page("a.test", "/1", Reply::html("<a href=http://b.test/>b</a>"))
        .page("b.test", "/", Reply::html("<a href=http://a.test/>a</a>"))
        .page("broken.test", "/robots.txt", Reply::status(404))
        .page("broken.test", "/", Reply::raw("what?"));
    for page in 2..10 {
        web = web.page("a.test", &format!("/{page}"), Reply::html("a page"));
    }
    web.start().await
}

fn pages(web: &FakeWeb) -> usize {
    web.log().iter().filter(|request| request.path != "/robots.txt").count()
}

fn stats(place: &Place) -> Value {
    serde_json::from_str(&place.run(&["stats", "--json"]).with(0).out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_is_crawled_ranked_and_counted() {
    let web = web().await;
    let place = Place::at(&web);
    let seeds = place.file("seeds.txt", "# where to begin\na.test\n");
    let ended = place.run(&["crawl", "--seeds", &seeds]).with(0);
    assert_eq!(
        ["visits", "answered", "errors", "not allowed", "links met"].map(|row| ended.row(row)),
        [11, 11, 0, 0, 11],
        "{}",
        ended.out
    );
    assert_eq!(["URLs visited", "backlinks", "URLs queued"].map(|row| ended.row(row)), [11, 2, 0]);
    assert!(ended.out.contains("Ranked in ") && !ended.out.contains("for the next crawl"), "{}", ended.out);
    assert_eq!(pages(&web), 11);

    let stats = stats(&place);
    let fields: Vec<(&str, bool)> =
        stats.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.is_u64())).collect();
    assert_eq!(
        fields,
        [
            ("backlinks", true),
            ("bytes_per_link", false),
            ("disk_bytes", true),
            ("domains", true),
            ("hosts", true),
            ("html_pages", true),
            ("inactive_links", true),
            ("links", true),
            ("queued", true),
            ("visited", true),
        ]
    );
    assert_eq!((&stats["links"], &stats["backlinks"]), (&Value::from(11), &Value::from(2)));
    assert_eq!((&stats["hosts"], &stats["domains"]), (&Value::from(2), &Value::from(2)));
    assert!(stats["bytes_per_link"].as_f64().unwrap() > 1.0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_a_page_fails_and_says_why_even_when_quiet() {
    let web = web().await;
    let full = Place::at(&web).set("crawl.min_free_disk_bytes=1000000000000000000");
    let seeds = full.file("seeds.txt", "a.test\nb.test\n");
    for quiet in [&["-q"][..], &[]] {
        let ended = full.run(&[quiet, &["crawl", "--seeds", &seeds]].concat()).with(1);
        let last = ended.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("backlinkd: the crawl ended early: "), "{}", ended.err);
        assert!(last.contains(&full.data().display().to_string()), "{last}");
        assert!(last.contains("crawl.min_free_disk_bytes"), "{last}");
        assert!(
            !ended.out.contains("were not found") && !ended.err.contains("API"),
            "{}",
            ended.out + &ended.err
        );
    }
    assert_eq!(pages(&web), 0);

    let broken = Place::at(&web);
    let seeds = broken.file("seeds.txt", "broken.test\n");
    let ended = broken.run(&["-q", "crawl", "--seeds", &seeds]).with(1);
    let told = "backlinkd: no page could be read, and 3 requests failed; http://broken.test/: ";
    assert!(ended.err.starts_with(told), "{}", ended.err);
    let seeds = broken.file("seeds.txt", "broken.test\na.test\n");
    broken.run(&["-q", "crawl", "--seeds", &seeds]).with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_seed_lines_are_reported_and_the_others_crawled() {
    let web = web().await;
    let place = Place::at(&web);
    let seeds = place.file("seeds.txt", "ftp://a.test/\na.test/2\n\na.test /3\n");
    let ended = place.run(&["-q", "crawl", "--seeds", &seeds, "--no-rank"]).with(1);
    let lines: Vec<&str> = ended.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.err);
    assert!(lines[0].starts_with(&format!("{seeds}, line 1: ")), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("{seeds}, line 4: ")), "{}", lines[1]);
    assert_eq!(ended.out, "");
    assert_eq!(stats(&place)["visited"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_come_from_standard_input_and_a_limit_leaves_the_rest_to_the_next_crawl() {
    let web = web().await;
    let place = Place::at(&web);
    let first =
        place.run_with(&["crawl", "--seeds", "-", "--max-pages", "4", "--no-rank"], "a.test\n").with(0);
    assert_eq!((first.row("visits"), first.row("URLs queued"), pages(&web)), (4, 7, 4), "{}", first.out);
    assert!(first.out.contains("Ended at --max-pages; URLs left for the next crawl: 7."), "{}", first.out);
    assert!(!first.out.contains("Ranked"), "{}", first.out);

    let second = place.run_with(&["crawl", "--seeds", "-"], "").with(0);
    assert_eq!((second.row("visits"), second.row("URLs visited")), (7, 11), "{}", second.out);
    assert_eq!(pages(&web), 11);
    let asked: std::collections::BTreeSet<(String, String)> =
        web.log().iter().map(|request| (request.host.clone(), request.path.clone())).collect();
    assert_eq!(asked.len(), 11 + 2, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_due_pages_says_why_and_when_they_are_due() {
    let web = web().await;
    let place = Place::at(&web);
    let nothing = place.run_with(&["crawl", "--seeds", "-"], "# nothing\n").with(1);
    assert!(nothing.err.contains("there is nothing to crawl"), "{}", nothing.err);

    place.run_with(&["-q", "crawl", "--seeds", "-"], "a.test\n").with(0);
    let early = place.run_with(&["crawl", "--seeds", "-"], "").with(0);
    assert_eq!(early.row("visits"), 0);
    let told = "Nothing was fetched: no page is due for another visit; the first is on 2";
    assert!(early.out.contains(told), "{}", early.out);

    let seed = place.run_with(&["crawl", "--seeds", "-"], "a.test\n").with(0);
    assert_eq!(seed.row("visits"), 1, "{}", seed.out);
    assert!(seed.out.contains("again when they are due; the first is on 2"), "{}", seed.out);
    assert_eq!(pages(&web), 11 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_recrawls_all_due_pages() {
    let web = web().await;
    let place = Place::at(&web).set("crawl.recrawl_after=0s");
    place.run_with(&["-q", "crawl", "--seeds", "-"], "a.test\n").with(0);
    // The store keeps times in whole seconds.
    std::thread::sleep(Duration::from_secs(1));
    let again = place.run_with(&["crawl", "--seeds", "-"], "").with(0);
    assert_eq!((again.row("visits"), again.row("URLs visited"), again.row("links")), (11, 11, 11));
    assert_eq!(pages(&web), 11 + 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_counted_by_kind_and_unresolved_hosts_are_listed() {
    let web = web().await;
    let place = Place::at(&web);
    let ended = place
        .run_with(&["crawl", "--seeds", "-", "--no-rank"], "broken.test\nno-such-host.invalid\n")
        .with(1);
    assert_eq!((ended.row("visits"), ended.row("errors")), (3, 3), "{}", ended.out);
    assert!(ended.out.contains("(3 protocol)"), "{}", ended.out);
    assert!(ended.out.contains("URLs left for the next crawl: 1. Their hosts"), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_prints_nothing_and_output_without_a_terminal_is_in_lines() {
    let web = FakeWeb::new()
        .page("a.test", "/", Reply::html("<a href=/slow>slow</a>"))
        .page("a.test", "/slow", Reply::html("slow").after(Duration::from_millis(10_500)))
        .start()
        .await;
    let (quiet, loud) = (Place::at(&web), Place::at(&web));
    let (quiet, loud) = std::thread::scope(|scope| {
        let crawl = |place: Place, option: &'static str| {
            let arguments = [&[option][..], &["crawl", "--seeds", "-"]].concat();
            let arguments: Vec<&str> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
            place.run_with(&arguments, "a.test\n").with(0)
        };
        let quiet = scope.spawn(move || crawl(quiet, "-q"));
        (quiet.join().unwrap(), crawl(loud, ""))
    });
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let lines: Vec<&str> = loud.err.lines().filter(|line| line.contains("pages/s")).collect();
    assert_eq!(lines.len(), 1, "{}", loud.err);
    assert!(lines[0].starts_with("10 s: 1 pages, "), "{}", lines[0]);
    assert!(lines[0].ends_with("1 links, 0 errors, 0 hosts ready, 1 under way"), "{}", lines[0]);
    assert!(!loud.err.contains('\u{1b}'), "{}", loud.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranks_are_computed_and_reported() {
    let web = web().await;
    let place = Place::at(&web);
    place.run_with(&["-q", "crawl", "--seeds", "-", "--no-rank"], "a.test\n").with(0);
    let ranked = place.run(&["rank"]).with(0);
    assert_eq!(["pages", "hosts", "domains"].map(|row| ranked.row(row)), [11, 2, 2], "{}", ranked.out);
    let Ended { out, err, .. } = place.run(&["-q", "rank"]).with(0);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_ends_a_crawl() {
    let web = FakeWeb::new()
        .answer("a.test", "/*", |request| {
            let next = request.path.len();
            Reply::html(&format!("<a href=/{}>next</a>", "x".repeat(next))).after(Duration::from_millis(50))
        })
        .page("a.test", "/robots.txt", Reply::status(404))
        .start()
        .await;
    let place = Place::at(&web).set("crawl.max_depth=1000");
    let arguments = ["crawl", "--seeds", "-", "--max-seconds", "1", "--no-rank"];
    let ended = place.run_with(&arguments, "a.test\n").with(0);
    assert!(ended.out.contains("Ended at --max-seconds; URLs left for the next crawl: 1."), "{}", ended.out);
    assert!(ended.took >= Duration::from_secs(1) && ended.took < Duration::from_secs(10));
}
