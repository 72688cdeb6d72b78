//! A full disk, and a limit of open files: the crawl pauses, the API responds, and the crawl resumes by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::process::{Place, Running, get};
use crate::support::dice::Dice;
use crate::support::fake_web::{FakeWeb, Reply};

const RUN: [&str; 5] = ["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"];
const HOSTS: u64 = 4;
const PAGES: u64 = 120;

/// Pages with many incompressible links.
async fn web() -> FakeWeb {
    let mut dice = Dice(5);
    let mut web = FakeWeb::new();
    for host in 0..HOSTS {
        let name = format!("h{host}.test");
        web = web.host(&name, &format!("127.1.0.{}", host + 2));
        for page in 0..PAGES {
            let mut link = || {
                let (host, page) = (dice.below(HOSTS), dice.below(PAGES));
                format!("<a href=http://h{host}.test/{page}>{}</a>", dice.noise(25))
            };
            let links: String = (0..60).map(|_| link()).collect();
            let next = format!("<a href=/{}>next</a>", (page + 1) % PAGES);
            web = web.page(&name, &format!("/{page}"), Reply::html(&format!("{next}{links}")));
        }
        web = web.page(&name, "/", Reply::html("<a href=/0>first</a>"));
    }
    web.start().await
}

fn place(web: &FakeWeb) -> Place {
    let place = Place::at(web).set("crawl.delay=20ms").set("crawl.min_free_disk_bytes=1000000");
    place.file("seeds.txt", "h0.test\nh1.test\nh2.test\nh3.test\n");
    place.set("store.write_buffer_bytes=4194304")
}

/// Starts the program with its data directory on a small disk. `None`, with a message, if the system does not permit it.
fn start_on_small_disk(place: &Place, arguments: &[&str]) -> Option<Running> {
    std::fs::create_dir(place.data()).unwrap();
    let running = place.start_on_disk_and_verify(&place.data(), 64 << 20, arguments);
    if running.is_none() {
        eprintln!("SKIPPED: this system does not permit the mount of a disk");
    }
    running
}

/// Writes a file until the disk of the data directory is full.
fn fill_disk(running: &Running, place: &Place) -> PathBuf {
    let filler = running.sees(&place.data()).join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[1; 4_096]).is_ok() {}
    filler
}

/// The requested pages.
fn asked(web: &FakeWeb) -> BTreeSet<String> {
    let pages = web.log().into_iter().filter(|request| request.path != "/robots.txt");
    pages.map(|request| format!("{}{}", request.host, request.path)).collect()
}

const ALL: usize = (HOSTS * (PAGES + 1)) as usize;

/// Sends requests to the API continuously; returns their number. Panics on a request without a response.
struct Questions(Arc<AtomicBool>, JoinHandle<usize>);

impl Questions {
    fn to(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        Self(
            stop,
            std::thread::spawn(move || {
                let mut asked = 0;
                while !stopped.load(Ordering::Relaxed) {
                    let (status, answer) = get(address, "/backlinks?url=h1.test&limit=3", None);
                    assert_eq!(status, 200, "{answer}");
                    asked += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                asked
            }),
        )
    }

    fn end(self) -> usize {
        self.0.store(true, Ordering::Relaxed);
        self.1.join().expect("the API answers throughout")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_index_pauses_the_crawl_and_loses_nothing() {
    let web = web().await;
    let place = place(&web);
    let Some(mut daemon) = start_on_small_disk(&place, &RUN) else { return };
    let address = daemon.address();
    daemon.waits_for("some pages", |_| asked(&web).len() > ALL / 8);
    let questions = Questions::to(address);
    let filler = fill_disk(&daemon, &place);
    daemon.says("no pages are fetched");
    let is_paused = || get(address, "/metrics", None).1.contains("\nbacklinkd_paused 1\n");
    daemon.waits_for("the pause in the metrics", |_| is_paused());
    std::thread::sleep(Duration::from_secs(3));
    assert!(asked(&web).len() < ALL, "the disk was filled too late");
    std::fs::remove_file(&filler).unwrap();
    daemon.says("pages are fetched again");
    daemon.waits_for("all pages", |_| asked(&web).len() == ALL && !is_paused());
    let stored = format!("backlinkd_index_pages{{kind=\"visited\"}} {ALL}\n");
    daemon.waits_for("all pages stored", |_| get(address, "/metrics", None).1.contains(&stored));
    assert!(questions.end() > 10);
    daemon.signal("TERM");
    let ended = daemon.end().with(0);
    assert_eq!(ended.row("visits"), ALL as u64, "each page counts once: {}", ended.out);
    assert!(ended.out.contains("Nothing is wrong with the index."), "{}\n{}", ended.out, ended.err);
    // Pages that could not be stored are requested again: those in flight, and those that waited for the store.
    let requests = web.log().iter().filter(|request| request.path != "/robots.txt").count();
    assert!(requests <= ALL + 2 * 64, "{requests} requests for {ALL} pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_on_a_full_disk_stops_with_an_explanation() {
    let web = web().await;
    let place = place(&web).set("crawl.min_free_disk_bytes=0");
    let Some(mut batch) = start_on_small_disk(&place, &["crawl", "--seeds", "seeds.txt"]) else { return };
    batch.waits_for("some pages", |_| asked(&web).len() > ALL / 8);
    fill_disk(&batch, &place);
    // The filling file is removed before the index is verified.
    let ended = batch.end().with(1);
    assert!(ended.err.contains("the disk of the data directory is full"), "{}", ended.err);
    assert!(ended.out.contains("Nothing is wrong with the index."), "{}\n{}", ended.out, ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_limit_of_open_files_is_respected() {
    let web = web().await;
    let place = place(&web).set("crawl.delay=0s");
    let mut daemon = place.start_with_open_files(100, &RUN);
    let address = daemon.address();
    daemon.says("these keys are lowered to fit");
    let questions = Questions::to(address);
    let stored = format!("backlinkd_index_pages{{kind=\"visited\"}} {ALL}\n");
    daemon.waits_for("all pages stored", |_| get(address, "/metrics", None).1.contains(&stored));
    assert!(questions.end() > 1);
    daemon.signal("TERM");
    assert_eq!(daemon.end().with(0).row("visits"), ALL as u64);
    let verified = place.run(&["verify"]).with(0);
    assert!(verified.out.contains("Nothing is wrong"), "{}", verified.out);
    let refused = place.start_with_open_files(40, &["stats"]).end().with(2);
    assert!(refused.err.contains("the limit of open files is 40, too low"), "{}", refused.err);
}
