//! Damage of files: bytes that a disk gives back otherwise than they were written. It is told, what was in them is made
//! anew or fetched again, and what is elsewhere is answered meanwhile.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use backlinkd::crawl::Crawler;
use backlinkd::store::StoreError;
use backlinkd::urls::UrlRules;

use super::*;
use crate::pipeline::oracle::{assert_index, inactive};
use crate::pipeline::{Site, job, random_web_of, seeds};
use crate::support::made_web::MadeWeb;

fn options(repair: bool) -> VerifyOptions {
    VerifyOptions { repair, memory_bytes: MEMORY, ..VerifyOptions::default() }
}

fn verify(directory: &Path, repair: bool) -> Result<Findings, StoreError> {
    Store::verify_in(directory, &StoreConfig::default(), &SUFFIXES, options(repair), &mut |_| {})
}

/// A crawled web, and the files of its index, settled.
struct Crawled {
    made: MadeWeb,
    site: Site,
}

static CRAWLED: LazyLock<Crawled> = LazyLock::new(|| {
    let made = random_web_of(9, 150);
    let site = Site::of(&made);
    site.crawl(&job(&seeds()), &AtomicBool::new(false));
    site.store.merge_met().unwrap();
    site.store.compact().unwrap();
    Crawled { made, site }
});

impl Crawled {
    fn copy(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in ["", "seen"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
            for file in fs::read_dir(self.site.store.directory().join(part)).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), folder.path().join(part).join(file.file_name())).unwrap();
                }
            }
        }
        folder
    }

    /// Crawls the web with the index in a folder, which must then be as that of a first crawl.
    fn crawl_again(&self, folder: &Path, what: &str) {
        let store = Arc::new(Store::open(folder, &self.site.config.store, SUFFIXES.clone()).unwrap());
        let crawler = Crawler::new(store.clone(), &self.site.config, UrlRules::default()).unwrap();
        crawler.run(&job(&seeds()), self.site.runtime.handle(), &AtomicBool::new(false)).expect(what);
        assert_index(&store, &self.made.reachable(&seeds()));
        assert!(inactive(&store).is_empty(), "{what}");
        assert_eq!(look(&store, MEMORY), Findings::default(), "{what}");
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
fn a_flipped_byte_of_any_file_is_told_and_mended() {
    let mut dice = Dice(77);
    let (mut told, mut lost) = (0, BTreeMap::<&str, u32>::new());
    let names: Vec<_> = files(CRAWLED.copy().path(), ".sst");
    assert!(names.len() >= 8, "{}", names.len());
    for name in names.iter().map(|path| path.file_name().unwrap()) {
        let length = fs::metadata(CRAWLED.site.store.directory().join(name)).unwrap().len() as usize;
        // In the first block, in any, in what stands behind them, and in the footer.
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
