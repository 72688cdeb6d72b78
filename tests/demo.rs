//! Black-box tests of the demo: it prints the whole story, checks itself, and stops on request.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backlinkd::config::StoreConfig;
use backlinkd::demo::{DemoError, DemoOptions, run};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes};

use crate::cli::process::Place;

const FREE: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

fn once(listen: SocketAddr, data: Option<PathBuf>) -> (Result<(), DemoError>, String) {
    let mut out = Vec::new();
    let result = run(&DemoOptions { listen, once: true, data }, &mut out, &Arc::new(AtomicBool::new(false)));
    (result, String::from_utf8(out).unwrap())
}

#[test]
fn the_demo_prints_its_story_and_every_check_holds() {
    let (result, out) = once(FREE.into(), None);
    println!("{out}");
    assert!(result.is_ok(), "{result:?}\n{out}");
    assert!(!out.contains("WRONG") && !out.contains('\u{1b}'), "{out}");
    assert_eq!(out.matches("curl -u user:password 'http://127.0.0.1:").count(), 12, "{out}");
    for endpoint in [
        "backlinks",
        "referringdomains",
        "linktexts",
        "sr",
        "domainpopularity",
        "anabacklinks",
        "exportbacklinks",
        "exportpages",
    ] {
        assert!(
            out.lines().any(|line| line.contains(&format!("ok     /{endpoint}?url="))),
            "{endpoint}: {out}"
        );
    }
    assert!(out.contains("ok     without a password"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 110), "{out}");
}

#[test]
fn a_given_directory_is_kept_and_used_only_when_empty() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let (result, out) = once(FREE.into(), Some(data.clone()));
    assert!(result.is_ok(), "{result:?}\n{out}");
    assert!(data.join("index").join("CURRENT").exists());
    let (result, _) = once(FREE.into(), Some(data));
    let message = result.unwrap_err().to_string();
    assert!(message.contains("a new or an empty directory"), "{message}");
}

#[test]
fn an_address_in_use_is_reported_with_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (result, out) = once(taken.local_addr().unwrap(), None);
    let message = result.unwrap_err().to_string();
    assert!(message.contains(&taken.local_addr().unwrap().to_string()), "{message}");
    assert!(message.contains("--listen"), "{message}");
    assert_eq!(out, "");
}

#[test]
fn the_demo_serves_until_it_is_stopped_and_its_index_is_right() {
    let (stop, out) = (Arc::new(AtomicBool::new(false)), Shared::default());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let telling = {
        let (stop, mut out, data) = (Arc::clone(&stop), out.clone(), Some(data.clone()));
        let options = DemoOptions { listen: FREE.into(), once: false, data };
        std::thread::spawn(move || run(&options, &mut out, &stop))
    };
    let start = Instant::now();
    while !out.text().contains("\nOpen http://") {
        assert!(start.elapsed() < Duration::from_secs(180) && !telling.is_finished(), "{}", out.text());
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = out.text();
    assert!(text.contains("Ctrl-C ends the demo") && text.ends_with("/\n"), "{text}");
    let (_, rest) = text.split_once("'http://").unwrap();
    let mut stream = TcpStream::connect(rest.split('/').next().unwrap()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    stop.store(true, Ordering::Relaxed);
    let told = Instant::now();
    let result = telling.join().unwrap();
    assert!(result.is_ok(), "{result:?}");
    assert!(told.elapsed() < Duration::from_secs(5));
    assert!(!out.text().contains("The check"), "{}", out.text());
    let index = data.join("index");
    let verified = Place::new().over(&index).run(&["verify"]).with(0);
    assert!(verified.out.contains("Nothing is wrong"), "{}", verified.out);
    assert_links_are_lost_for_each_reason(&index);
}

/// Links to the museum are lost because they were removed, and because their page is gone, a redirect, or not HTML.
fn assert_links_are_lost_for_each_reason(index: &Path) {
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    let store = Store::open(index, &StoreConfig::default(), suffixes).unwrap();
    let snapshot = store.snapshot();
    let scope = Scope::Domain { domain: "museum.example".to_owned() };
    let mut reasons: BTreeMap<(u16, bool), usize> = BTreeMap::new();
    let (mut links, mut back) = (0, 0);
    for row in snapshot.backlinks(&scope, None) {
        let link = row.unwrap().value;
        links += 1;
        back += usize::from(link.is_active() && !link.absences.is_empty());
        if !link.is_active() {
            let facts = snapshot.page(&link.source).unwrap().unwrap().facts;
            *reasons.entry((facts.status, facts.html)).or_default() += 1;
        }
    }
    for reason in [(200, true), (200, false), (301, false), (410, false)] {
        assert!(reasons.get(&reason).is_some_and(|lost| *lost > 10), "{reason:?}: {reasons:?}");
    }
    assert!(reasons.values().sum::<usize>() < links / 2 && back > 10, "{links} {back} {reasons:?}");
}

/// A writer whose output can be read meanwhile.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
