//! `run`: crawls, ranks and serves at once, and stops on request.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use super::process::{Place, get};
use crate::support::dice::Dice;
use crate::support::fake_web::{FakeWeb, Reply, Request};

const RUN: [&str; 5] = ["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"];

/// A page that links to a slow one.
async fn web(slow: Duration) -> FakeWeb {
    FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/", Reply::html("<a href=http://b.test/>b</a><a href=/slow>slow</a>"))
        .page("a.test", "/slow", Reply::html("slow").after(slow))
        .page("b.test", "/", Reply::html("b"))
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_serves_while_it_crawls_and_stops_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let web = web(Duration::from_secs(600)).await;
        let place = Place::at(&web).set("rank.first=0s").set("rank.interval=1s").set("crawl.drain=1s");
        place.file("seeds.txt", "a.test\n");
        place.run_with(&["-q", "user", "add", "alice"], "secret\n").with(0);
        let mut daemon = place.start(&RUN);
        let address = daemon.address();
        let answer = || get(address, "/backlinks?url=b.test", Some("alice:secret"));
        daemon.waits_for("the backlink", |_| answer().1.contains("http://a.test/"));
        daemon.says("Ranked in ");
        let page = || get(address, "/exportpages?url=b.test", Some("alice:secret"));
        daemon.waits_for("the other page", |_| page().1.contains("http://b.test/"));
        let is_slow = |request: &Request| &*request.path == "/slow" && request.end.is_none();
        daemon.waits_for("the slow page", |_| web.log().iter().any(is_slow));
        let ranked = place.run(&["rank"]).with(0);
        assert!(ranked.out.contains("The daemon ranked in "), "{}{}", ranked.out, ranked.err);
        assert_eq!(place.run(&["stats"]).with(0).row("URLs visited"), 2);

        let told = Instant::now();
        daemon.signal(signal);
        let ended = daemon.end().with(0);
        assert!(told.elapsed() < Duration::from_secs(8), "{:?}\n{}", told.elapsed(), ended.err);
        assert!(ended.err.contains("stopping") && ended.err.contains("given up after crawl.drain"));
        assert_eq!(ended.row("visits"), 2, "{}", ended.out);

        let stats = place.run(&["stats"]).with(0);
        assert_eq!((stats.row("URLs visited"), stats.row("URLs queued")), (2, 1), "{}", stats.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_in_flight_are_finished_and_a_daemon_without_seeds_resumes() {
    let web = web(Duration::from_secs(2)).await;
    let place = Place::at(&web);
    place.file("seeds.txt", "a.test\n");
    let mut daemon = place.start(&RUN);
    daemon.waits_for("the slow page", |_| web.log().iter().any(|request| request.path == "/slow"));
    daemon.signal("TERM");
    let ended = daemon.end().with(0);
    assert!(!ended.err.contains("given up"), "{}", ended.err);

    let mut again = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let address = again.address();
    let (_, answer) = get(address, "/backlinks?url=b.test", None);
    assert!(answer.contains("http://a.test/"), "{answer}");
    again.signal("INT");
    again.end().with(0);
    assert!(place.run(&["stats"]).with(0).row("URLs visited") >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_the_daemon_at_once() {
    let web = web(Duration::from_secs(600)).await;
    let place = Place::at(&web).set("crawl.drain=500s");
    place.file("seeds.txt", "a.test\n");
    for command in [&RUN[..], &["crawl", "--seeds", "seeds.txt"]] {
        let mut daemon = place.start(command);
        let seen = web.log().iter().filter(|request| request.path == "/slow").count();
        daemon.waits_for("the slow page", |_| {
            web.log().iter().filter(|request| request.path == "/slow").count() > seen
        });
        daemon.signal("TERM");
        daemon.says("a second signal stops at once");
        if command == &RUN[..] {
            // A new connection is refused, and does not wait in vain.
            let address = daemon.address();
            daemon.waits_for("the end of its port", |_| std::net::TcpStream::connect(address).is_err());
        }
        let told = Instant::now();
        daemon.signal("TERM");
        let ended = daemon.end().with(1);
        assert!(told.elapsed() < Duration::from_secs(8), "{:?}", told.elapsed());
        assert!(ended.err.contains("stopped at once"), "{}", ended.err);
    }
    place.run(&["stats"]).with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_a_batch_and_the_next_batch_resumes_it() {
    let web = web(Duration::from_secs(600)).await;
    let place = Place::at(&web).set("crawl.drain=1s");
    place.file("seeds.txt", "a.test\n");
    let mut batch = place.start(&["crawl", "--seeds", "seeds.txt"]);
    batch.waits_for("the slow page", |_| web.log().iter().any(|request| request.path == "/slow"));
    batch.signal("INT");
    let ended = batch.end().with(0);
    assert!(ended.out.contains("Stopped by a signal, and not ranked"), "{}", ended.out);
    assert!(!ended.out.contains("Ranked in"), "{}", ended.out);
    // The count of the queue takes time in proportion to its length.
    assert!(!ended.out.contains("URLs queued"), "{}", ended.out);
    assert!(place.run(&["stats"]).with(0).row("URLs queued") >= 1);
}

/// The responses in the WARC files of a folder, unfinished files included, by their URL. `None` if a record is
/// incomplete, as it may be for a moment.
fn kept(folder: &Path) -> Option<BTreeMap<String, usize>> {
    let mut kept = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let (mut bytes, file) = (Vec::new(), std::fs::File::open(file.unwrap().path()).ok()?);
        MultiGzDecoder::new(file).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for response in text.split("WARC-Type: response\r\n").skip(1) {
            let url = response.lines().find_map(|line| line.strip_prefix("WARC-Target-URI: "));
            *kept.entry(url.unwrap().to_owned()).or_default() += 1;
        }
    }
    Some(kept)
}

/// Pages with incompressible bytes, on several hosts, so that many fetches are in flight at once.
async fn dense_web() -> FakeWeb {
    let mut dice = Dice(3);
    let mut noise = move || (0..1_500).map(|_| format!("{:04x}", dice.below(1 << 16))).collect::<String>();
    let mut web = FakeWeb::new();
    for host in 0..4 {
        let (name, address) = (format!("h{host}.test"), format!("127.1.0.{}", host + 2));
        let links: String = (0..8).map(|page| format!("<a href=/{page}>{page}</a>")).collect();
        web = web.host(&name, &address).page(&name, "/", Reply::html(&links));
        for page in 0..8 {
            web = web.page(&name, &format!("/{page}"), Reply::html(&noise()));
        }
    }
    web.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_warc_files_pauses_the_crawl_and_loses_nothing() {
    for (least, told) in [
        ("0", "no pages are fetched until answers can be kept"),
        ("1000000", "warc has less room than crawl.min_free_disk_bytes"),
    ] {
        let web = dense_web().await;
        let place = Place::at(&web).set(&format!("crawl.min_free_disk_bytes={least}"));
        let folder = place.data().with_file_name("warc");
        std::fs::create_dir(&folder).unwrap();
        let place = place.set(&format!("crawl.warc_dir={}", folder.display()));
        place.file("seeds.txt", "h0.test\nh1.test\nh2.test\nh3.test\n");
        let Some(mut daemon) = place.start_on_disk(&folder, 40_960, &RUN) else {
            eprintln!("SKIPPED: this system lets nobody mount a disk of their own");
            return;
        };
        let address = daemon.address();
        daemon.says(told);
        let is_paused = || get(address, "/metrics", None).1.contains("\nbacklinkd_paused 1\n");
        daemon.waits_for("the pause in the metrics", |_| is_paused());
        daemon.waits_for("whole records", |daemon| kept(&daemon.sees(&folder)).is_some());

        daemon.resize_disk(&folder, 10 << 20);
        daemon.says("pages are fetched again");
        let all = 4 * (1 + 1 + 8);
        daemon.waits_for("all pages", |daemon| {
            kept(&daemon.sees(&folder)).is_some_and(|kept| kept.len() == all)
        });
        assert!(kept(&daemon.sees(&folder)).unwrap().values().all(|count| *count == 1));
        daemon.signal("TERM");
        assert_eq!(daemon.end().with(0).row("visits"), 36);
        assert_eq!(web.log().len(), 40, "nothing is fetched twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_nothing_to_crawl_serves_and_waits_for_seeds() {
    for file in [None, Some("# none yet\n\n")] {
        let web = web(Duration::ZERO).await;
        let place = Place::at(&web).set("rank.first=0s").set("rank.interval=1s");
        let mut command = vec!["run", "--listen", "127.0.0.1:0"];
        if let Some(file) = file {
            place.file("seeds.txt", file);
            command.extend(["--seeds", "seeds.txt"]);
        }
        let mut daemon = place.start(&command);
        let address = daemon.address();
        daemon.says(&format!("begins with `backlinkd --data {} seeds add URL`", place.data().display()));
        daemon.says("Ranked in ");
        assert_eq!(get(address, "/health", None).0, 200);
        let nothing = get(address, "/backlinks?url=b.test", None).1;
        assert!(nothing.contains("b.test is not known to this index."), "{nothing}");
        // The seed is refused: it is not a URL.
        place.run(&["seeds", "add", "ftp://a.test/"]).with(1);
        let added = place.run(&["seeds", "add", "a.test"]).with(0);
        assert!(added.err.contains("The daemon that runs there has been told."), "{}", added.err);
        let answer = || get(address, "/backlinks?url=b.test", None);
        daemon.waits_for("the backlink", |_| answer().1.contains("http://a.test/"));
        daemon.signal("TERM");
        assert!(daemon.end().with(0).row("visits") >= 1);
        // A batch has no work to wait for.
        let batch = Place::new().run(&["crawl"]).with(1);
        assert!(batch.err.contains("there is nothing to crawl"), "{}", batch.err);
    }
}

/// The seed may be added at any time: before the daemon has started, during its start, or while it serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_seed_added_while_the_daemon_starts_is_crawled() {
    for wait in [0, 5, 15, 30, 60, 100, 200, 400] {
        let web = web(Duration::ZERO).await;
        let place = Place::at(&web);
        let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
        std::thread::sleep(Duration::from_millis(wait));
        place.run(&["seeds", "add", "a.test"]).with(0);
        let fetched =
            |path: &str| web.log().iter().any(|request| request.path == path && request.host == "a.test");
        daemon.waits_for("the first page", |_| fetched("/slow"));
        daemon.signal("TERM");
        daemon.end().with(0);
    }
}

#[test]
fn a_public_daemon_needs_users() {
    let place = Place::new();
    place.file("seeds.txt", "a.test\n");
    let open = place.run(&["run", "--listen", "0.0.0.0:0", "--seeds", "seeds.txt"]).with(1);
    assert!(open.err.contains("user add NAME"), "{}", open.err);
}

/// The threads of a process: their names, and the niceness of each.
fn threads(id: u32) -> Vec<(String, i32)> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok());
    let thread = |stat: String| {
        // Number, (name), state, and the niceness as the nineteenth field.
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(") ").unwrap();
        (name.to_owned(), rest.split(' ').nth(16).unwrap().parse().unwrap())
    };
    stats.map(thread).collect()
}

/// A client with many queries does not take the crawl's cores.
#[tokio::test(flavor = "multi_thread")]
async fn query_threads_have_a_lower_priority_than_crawl_threads() {
    let web = web(Duration::ZERO).await;
    let place = Place::at(&web).set("api.query_threads=3").set("search.builders=2");
    place.file("seeds.txt", "a.test\n");
    let mut daemon = place.start(&RUN);
    let address = daemon.address();
    let answer = || get(address, "/backlinks?url=b.test", None);
    daemon.waits_for("the backlink", |_| answer().1.contains("http://a.test/"));
    let threads = threads(daemon.id());
    let nice = |name: &str| -> Vec<i32> {
        threads.iter().filter(|(thread, _)| thread.starts_with(name)).map(|(_, nice)| *nice).collect()
    };
    let own = threads.iter().find(|(name, _)| name == "backlinkd").unwrap().1;
    let lower = own.max(10);
    assert_eq!((nice("query-"), nice("search-index")), (vec![lower; 3], vec![lower; 2]), "{threads:?}");
    assert!(nice("tokio").iter().chain(&nice("backlinkd")).all(|nice| *nice == own), "{threads:?}");
    daemon.signal("TERM");
    daemon.end().with(0);
}
