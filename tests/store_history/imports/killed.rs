//! An import that fails or is killed: each page is stored with all its rows, or not at all, and the same import again
//! completes the index.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

const DIRECTORY: &str = "BACKLINKD_TEST_IMPORT_DIRECTORY";
const CHILD: &str = "store_history::imports::killed::the_import_that_is_killed";

/// Visits to many pages, the latest first, so that each one replays the later ones.
fn visits() -> Vec<VisitRecord> {
    let mut dice = Dice(5);
    let mut visits = Vec::new();
    for day in (0..6u64).rev() {
        for (number, url) in web::urls().iter().enumerate() {
            let links = (0..dice.below(9)).map(|_| web::link(web::urls()[dice.below(84) as usize].as_str()));
            let visited = (19_000 + day) * 86_400 + number as u64;
            visits.push(VisitRecord {
                url: url.clone(),
                visited,
                visit: web::answered(200, links.collect()),
            });
        }
    }
    visits
}

/// Does nothing unless the test below has started it.
#[test]
fn the_import_that_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = open_with(Path::new(&directory), &config());
    store.import(&visits(), policy()).unwrap();
}

#[test]
fn a_killed_import_leaves_nothing_half_done() {
    let mut visits = visits();
    let folder = tempfile::tempdir().unwrap();
    for moment in [20, 40, 60, 80, 100, 140] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD])
            .env(DIRECTORY, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_sound(&open_with(folder.path(), &config()));
    }
    let store = open_with(folder.path(), &config());
    store.import(&visits, policy()).unwrap();
    let index = read(store);
    visits.sort_by_key(|visit| visit.visited);
    assert_eq!(index, live_index(&visits, &config()));
}

#[test]
fn a_failed_import_stores_nothing_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_with(folder.path(), &config()));
    let [good, bad] = ["http://example.com/", "http://example.com/a"].map(url);
    let names = DB::list_cf(&Options::default(), folder.path()).unwrap();
    let db = DB::open_cf(&Options::default(), folder.path(), names).unwrap();
    let key = backlinkd::urls::Surt::from(&bad);
    db.put_cf(db.cf_handle("pages").unwrap(), key.as_bytes(), b"\xff").unwrap();
    drop(db);
    let store = open_with(folder.path(), &config());
    let visit = |url: &CanonicalUrl| VisitRecord {
        url: url.clone(),
        visited: 86_400,
        visit: web::answered(200, vec![web::link("http://b.org/")]),
    };
    assert!(store.import(&[visit(&good), visit(&bad)], policy()).unwrap_err().is_damage());
    assert_eq!(store.page(&good).unwrap(), None);
    assert_eq!(store.stats().unwrap().backlinks, 0);
    assert_eq!(store.import(&[visit(&good)], policy()).unwrap().stored, 1);
}
