//! The data directory is accessible only to its owner, and symbolic links in it are not followed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::process::{Place, get};
use crate::support::fake_web::{FakeWeb, Reply};

/// The files of a folder and its subfolders that users other than the owner can access.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mut open = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        if about.permissions().mode() & 0o077 != 0 {
            open.push(path.clone());
        }
        if about.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    open
}

fn widen(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            widen(&entry.path());
        } else {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o644)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_are_private_and_wider_permissions_are_narrowed() {
    let many: String = (0..30).map(|page| format!("<a href=http://b.test/{page}>b</a>")).collect();
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/", Reply::html(&many))
        .page("b.test", "/0", Reply::html("b"))
        .start()
        .await;
    let place = Place::at(&web).set("search.disk_min_rows=1").set("search.preview_rows=1");
    let warc = place.data().with_file_name("warc");
    let place = place.set(&format!("crawl.warc_dir={}", warc.display()));
    place.file("seeds.txt", "a.test\n");
    place.run_with(&["-q", "user", "add", "alice"], "secret\n").with(0);
    for round in 0..2 {
        let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"]);
        let address = daemon.address();
        let answer = || get(address, "/backlinks?url=b.test", Some("alice:secret"));
        daemon.waits_for("the backlinks", |_| answer().1.contains("http://a.test/"));
        let searches = place.data().join("searches");
        daemon.waits_for("a search index", |_| fs::read_dir(&searches).unwrap().count() > 0);
        assert_eq!(open_to_others(&place.data()), Vec::<PathBuf>::new());
        daemon.signal("TERM");
        let ended = daemon.end().with(0);
        assert_eq!(ended.err.contains("holds secrets"), round > 0, "{}", ended.err);
        assert!(fs::read_dir(&warc).unwrap().count() > 0);
        assert_eq!(open_to_others(&place.data()), Vec::<PathBuf>::new());
        assert_eq!(open_to_others(&warc), Vec::<PathBuf>::new());
        widen(&place.data());
    }
}

#[test]
fn symbolic_links_are_not_followed() {
    for name in ["LOCK", "backlinkd.pid"] {
        let place = Place::new();
        let victim = place.data().with_file_name("victim");
        fs::create_dir(place.data()).unwrap();
        for there in [false, true] {
            if there {
                fs::write(&victim, "dear").unwrap();
            }
            let _ = fs::remove_file(place.data().join(name));
            symlink(&victim, place.data().join(name)).unwrap();
            let refused = place.run(&["run", "--listen", "127.0.0.1:0"]).with(1);
            let told = format!("{name} is a symbolic link, which is not followed; remove it");
            assert!(refused.err.contains(&told), "{}", refused.err);
            assert_eq!(fs::read_to_string(&victim).ok(), there.then(|| "dear".to_owned()));
        }
    }
}

/// Only a user who may change the owner of files can be in such a directory.
#[test]
fn a_directory_of_another_account_gets_no_files_that_it_cannot_read() {
    const OTHER: u32 = 65_534;
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    if chown(place.data(), Some(OTHER), Some(OTHER)).is_err() {
        return;
    }
    place.run(&["seeds", "add", "a.test"]).with(0);
    place.run(&["block", "add", "b.test"]).with(0);
    for name in ["seeds.txt", "blocks.txt"] {
        let about = fs::metadata(place.data().join(name)).unwrap();
        assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (OTHER, OTHER, 0o600), "{name}");
    }
    let refused = place.run_with(&["user", "add", "alice"], "secret\n").with(1);
    assert!(refused.err.contains("belongs to the account with the number 65534"), "{}", refused.err);
    assert_eq!(fs::read_dir(place.data()).unwrap().count(), 2);
    // An existing index decides, not the owner of the directory.
    chown(place.data(), Some(0), Some(0)).unwrap();
    place.run_with(&["user", "add", "alice"], "secret\n").with(0);
    chown(place.data(), Some(OTHER), Some(OTHER)).unwrap();
    place.run_with(&["user", "add", "bob"], "secret\n").with(0);
}
