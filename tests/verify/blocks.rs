//! Damaged files: bytes that a disk returns differently. The damage is reported, the lost data is rebuilt or fetched
//! again, and the other data is served meanwhile.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use backlinkd::config::Config;
use backlinkd::crawl::Crawler;
use backlinkd::store::StoreError;
use backlinkd::urls::UrlRules;
use tokio::runtime::Runtime;

use super::*;
use crate::pipeline::oracle::{assert_index, inactive};
use crate::pipeline::{Site, job, random_web_of, seeds};
use crate::support::fake_web::FakeWeb;
use crate::support::made_web::MadeWeb;

fn options(repair: bool) -> VerifyOptions {
    VerifyOptions { repair, memory_bytes: MEMORY, ..VerifyOptions::default() }
}

fn verify(directory: &Path, repair: bool) -> Result<Findings, StoreError> {
    Store::verify_in(directory, &StoreConfig::default(), &SUFFIXES, options(repair), &mut |_| {})
}

/// A web, and the files of its index after the crawl.
struct Crawled {
    made: MadeWeb,
    index: TempDir,
    config: Config,
    runtime: Runtime,
    _web: FakeWeb,
}

/// Compacted: the log is empty.
static CRAWLED: LazyLock<Crawled> = LazyLock::new(|| {
    Crawled::of(random_web_of(9, 150), |store| {
        store.merge_discovered().unwrap();
        store.compact().unwrap();
    })
});

impl Crawled {
    fn of(made: MadeWeb, settle: impl FnOnce(&Store)) -> Self {
        let site = Site::of(&made);
        site.crawl(&job(&seeds()), &AtomicBool::new(false));
        settle(&site.store);
        let directory = site.store.directory().to_owned();
        let Site { store, config, runtime, web, .. } = site;
        drop(store);
        let index = tempfile::tempdir().unwrap();
        copy(&directory, index.path());
        Self { made, index, config, runtime, _web: web }
    }

    fn copy(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        copy(self.index.path(), folder.path());
        folder
    }

    /// Crawls the web with the index in a folder; the result must equal that of a first crawl.
    fn crawl_again(&self, folder: &Path, what: &str) {
        let store = Arc::new(Store::open(folder, &self.config.store, SUFFIXES.clone()).unwrap());
        let crawler = Crawler::new(store.clone(), &self.config, UrlRules::default()).unwrap();
        crawler.run(&job(&seeds()), self.runtime.handle(), &AtomicBool::new(false)).expect(what);
        assert_index(&store, &self.made.reachable(&seeds()));
        assert!(inactive(&store).is_empty(), "{what}");
        assert_eq!(look(&store, MEMORY), Findings::default(), "{what}");
        store.flush().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    for part in ["", "seen"] {
        fs::create_dir_all(to.join(part)).unwrap();
        for file in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), to.join(part).join(file.file_name())).unwrap();
            }
        }
    }
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.file_name().unwrap().to_string_lossy().contains(end)).collect();
    files.sort();
    files
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_flipped_byte_of_any_file_is_reported_and_repaired() {
    let mut dice = Dice(77);
    let (mut told, mut lost) = (0, BTreeMap::<&str, u32>::new());
    let names: Vec<_> = files(CRAWLED.index.path(), ".sst");
    assert_eq!(verify(CRAWLED.copy().path(), false).unwrap(), Findings::default());
    assert!(names.len() >= 8, "{}", names.len());
    for name in names.iter().map(|path| path.file_name().unwrap()) {
        let length = fs::metadata(CRAWLED.index.path().join(name)).unwrap().len() as usize;
        // In the first block, in any block, in the data after the blocks, and in the footer.
        let places = [3, dice.below(length as u64 / 2) as usize, length - 600.min(length / 3), length - 20];
        for (number, at) in places.into_iter().enumerate() {
            let folder = CRAWLED.copy();
            flip(&folder.path().join(name), at);
            let what = format!("{name:?} at {at} of {length}");
            let found = verify(folder.path(), false).unwrap_or_else(|error| panic!("{what}: {error}"));
            told += u32::from(!found.is_clean());
            let repaired = verify(folder.path(), true).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(repaired.left, [], "{what}");
            for finding in repaired.found.iter().filter(|finding| finding.what.starts_with("ranges")) {
                *lost.entry(finding.family).or_default() += 1;
            }
            assert_eq!(verify(folder.path(), false).unwrap(), Findings::default(), "{what}");
            if number == 1 {
                CRAWLED.crawl_again(folder.path(), &what);
            }
        }
    }
    let all = names.len() as u32 * 4;
    eprintln!("{told} of {all} told; ranges lost in {lost:?}");
    assert!(told * 4 >= all * 3, "{told} of {all} told");
    for family in ["pages", "outlinks", "backlinks", "pairs", "referrals", "schedule", "hosts", "meta"] {
        assert!(lost.contains_key(family), "nothing was lost in {family}: {lost:?}");
    }
}

/// Readable pages, in a database that is opened unchanged.
fn pages(folder: &Path) -> usize {
    behind_its_back(folder, |db| rows(db, "pages").len())
}

#[test]
fn a_flipped_byte_loses_only_the_rows_of_its_block() {
    let folder = CRAWLED.copy();
    let before = pages(folder.path());
    let (family, largest) = behind_its_back(folder.path(), |db| {
        let files = db.live_files().unwrap().into_iter();
        let largest = files.filter(|file| file.column_family_name == "pages").max_by_key(|file| file.size);
        largest.map(|file| (file.column_family_name, file.name)).unwrap()
    });
    assert_eq!(family, "pages");
    flip(&folder.path().join(largest.trim_start_matches('/')), 3);
    {
        let store = open(folder.path());
        let snapshot = store.snapshot();
        let answers = CRAWLED.made.reachable(&seeds()).into_keys().map(|page| {
            let page = snapshot.page(&UrlRules::default().canonical(&page).unwrap());
            page.map(|page| assert!(page.is_some()))
        });
        let (answered, failed): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
        assert!(answered.len() > failed.len() && !failed.is_empty(), "{} {}", answered.len(), failed.len());
        let is_told = |error: &StoreError| error.is_damage() && error.to_string().contains("verify --repair");
        assert!(failed.into_iter().all(|failed| is_told(&failed.unwrap_err())));
    }
    let repaired = verify(folder.path(), true).unwrap();
    let lost = repaired.found.iter().find(|finding| finding.what.starts_with("ranges")).unwrap().to_string();
    assert!(lost.starts_with("pages: ranges of rows") && lost.contains("before http://"), "{lost}");
    let left = pages(folder.path());
    assert!(left < before && left * 2 > before, "{left} of {before} pages are left");
    CRAWLED.crawl_again(folder.path(), "the first block");
    assert_eq!(pages(folder.path()), before);
}

#[test]
fn damaged_manifests_and_logs_are_reported_and_repaired() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 9] = [
        ("a file is gone", |folder| fs::remove_file(&files(folder, ".sst")[2]).unwrap()),
        ("a file is cut short", |folder| {
            let file = &files(folder, ".sst")[3];
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("the list of files", |folder| flip(&files(folder, "MANIFEST-")[0], 200)),
        ("the name of the list", |folder| fs::write(folder.join("CURRENT"), "MANIFEST-").unwrap()),
        ("the name of another list", |folder| {
            fs::write(folder.join("CURRENT"), "MANIFEST-999999\n").unwrap();
        }),
        ("no name of the list", |folder| fs::remove_file(folder.join("CURRENT")).unwrap()),
        ("no name of the list, and no log", |folder| {
            fs::remove_file(folder.join("CURRENT")).unwrap();
            files(folder, ".log").iter().for_each(|log| fs::remove_file(log).unwrap());
        }),
        ("no name of the list, and two lists", |folder| {
            fs::remove_file(folder.join("CURRENT")).unwrap();
            fs::write(folder.join("MANIFEST-900000"), "").unwrap();
        }),
        ("known URLs", |folder| {
            let file = &files(&folder.join("seen"), ".run")[0];
            fs::write(file, &fs::read(file).unwrap()[8..]).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let folder = CRAWLED.copy();
        damage(folder.path());
        match verify(folder.path(), false) {
            Ok(found) if what == "known URLs" => assert!(found.is_clean(), "made anew when it is opened"),
            Ok(found) => assert!(!found.is_clean(), "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
        let repaired = verify(folder.path(), true).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(repaired.left, [], "{what}");
        assert_eq!(verify(folder.path(), false).unwrap(), Findings::default(), "{what}");
        CRAWLED.crawl_again(folder.path(), what);
    }
}

/// Bytes in the log belong to commits that are in no other file yet.
#[test]
fn a_damaged_log_loses_only_its_own_data() {
    let longest_log = |folder: &Path| {
        let length = |log: &PathBuf| fs::metadata(log).unwrap().len() as usize;
        files(folder, ".log").into_iter().map(|log| (length(&log), log)).max().unwrap()
    };
    // RocksDB may write a log to files just before the end of a crawl.
    let crawled = (0..5)
        .map(|_| Crawled::of(random_web_of(12, 60), |_| {}))
        .find(|crawled| longest_log(crawled.copy().path()).0 > 1_000)
        .expect("a log that is not empty");
    for part in 1..8 {
        let folder = crawled.copy();
        let (length, log) = longest_log(folder.path());
        flip(&log, length * part / 8);
        let repaired = verify(folder.path(), true).unwrap_or_else(|error| panic!("{part}: {error}"));
        assert_eq!(repaired.left, [], "{part}");
        crawled.crawl_again(folder.path(), &format!("part {part}"));
    }
}

/// Whatever the progress of the exchange of the old database for the new one was.
#[test]
fn an_interrupted_exchange_is_completed_by_the_next_opening() {
    let whole = |folder: &Path| {
        let store = open(folder);
        assert_eq!(look(&store, MEMORY), Findings::default());
        drop(store);
        assert_eq!(pages(folder), CRAWLED.made.reachable(&seeds()).len());
        for name in ["EXCHANGE", "repaired", "damaged"] {
            assert!(!folder.join(name).exists(), "{name}");
        }
    };
    let move_files = |from: &Path, to: &Path, most: usize| {
        fs::create_dir_all(to).unwrap();
        let parts = [".sst", "MANIFEST-", "CURRENT"].map(|end| files(from, end)).concat();
        for file in parts.into_iter().take(most) {
            fs::rename(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    };
    for (state, out, moved) in [
        ("out\n", 0, 0),
        ("out\n", 3, 0),
        ("out\n", 99, 0),
        ("in\n", 99, 0),
        ("in\n", 99, 4),
        ("in\n", 99, 99),
    ] {
        // The old database is another index, of which nothing may remain.
        let (folder, new) = (LARGE.copy(), CRAWLED.copy());
        let (old, repaired) = (folder.path().join("damaged"), folder.path().join("repaired"));
        move_files(new.path(), &repaired, 99);
        fs::write(folder.path().join("EXCHANGE"), state).unwrap();
        move_files(folder.path(), &old, out);
        if moved > 0 {
            move_files(&repaired, folder.path(), moved);
        }
        whole(folder.path());
    }
}

/// The subset of these SURTs in the pages, the queue or the schedule, after all discovered URLs are merged.
fn standing(folder: &Path, surts: &[Vec<u8>]) -> usize {
    open(folder).merge_discovered().unwrap();
    behind_its_back(folder, |db| {
        let keys: Vec<_> = ["pages", "frontier", "schedule"]
            .map(|name| rows(db, name).into_keys())
            .into_iter()
            .flatten()
            .collect();
        surts.iter().filter(|surt| keys.iter().any(|key| key.ends_with(surt))).count()
    })
}

fn flip_largest(folder: &Path, family: &str) {
    let files = behind_its_back(folder, |db| db.live_files().unwrap());
    let largest =
        files.into_iter().filter(|file| file.column_family_name == family).max_by_key(|file| file.size);
    flip(&folder.join(largest.unwrap().name.trim_start_matches('/')), 3);
}

#[test]
fn a_url_without_rows_is_queued_if_links_from_or_to_it_remain() {
    let folder = CRAWLED.copy();
    let with_links = behind_its_back(folder.path(), |db| {
        let schedule = db.cf_handle("schedule").unwrap();
        rows(db, "schedule").into_keys().for_each(|key| db.delete_cf(schedule, key).unwrap());
        rows(db, "outlinks").into_keys().collect::<Vec<_>>()
    });
    flip_largest(folder.path(), "pages");
    assert_eq!(verify(folder.path(), true).unwrap().left, []);
    let left = behind_its_back(folder.path(), |db| rows(db, "pages"));
    let lost: Vec<_> = with_links.into_iter().filter(|key| !left.contains_key(key)).collect();
    assert!(!lost.is_empty());
    assert_eq!(standing(folder.path(), &lost), lost.len());

    let folder = CRAWLED.copy();
    let linked = behind_its_back(folder.path(), |db| {
        let backlinks = rows(db, "backlinks");
        let is_linked = |key: &Vec<u8>| backlinks.keys().any(|backlink| backlink.starts_with(key));
        let linked = rows(db, "pages").into_keys().find(is_linked).unwrap();
        for family in ["pages", "outlinks"] {
            db.delete_cf(db.cf_handle(family).unwrap(), &linked).unwrap();
        }
        for key in rows(db, "schedule").into_keys().filter(|key| key.ends_with(&linked)) {
            db.delete_cf(db.cf_handle("schedule").unwrap(), key).unwrap();
        }
        linked
    });
    // Unrelated rows.
    flip_largest(folder.path(), "hosts");
    assert_eq!(verify(folder.path(), true).unwrap().left, []);
    assert_eq!(standing(folder.path(), &[linked]), 1);
}
