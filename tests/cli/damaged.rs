//! A daemon with a damaged index: undamaged data is served, and a repair restores the rest.

use std::path::Path;

use super::process::{Place, get};
use crate::support::dice::Dice;
use crate::support::fake_web::{FakeWeb, Reply};

/// Hosts, each of which links to the next.
const HOSTS: u64 = 60;

async fn web() -> FakeWeb {
    let mut dice = Dice(8);
    let mut web = FakeWeb::new();
    for host in 0..HOSTS {
        let name = format!("h{host:02}.test");
        web = web.host(&name, &format!("127.1.0.{}", host + 2));
        let mut link = |number: u64| {
            format!("<a href=http://h{:02}.test/{number}>{}</a>", (host + 1) % HOSTS, dice.noise(40))
        };
        let links: String = (0..40).map(&mut link).collect();
        web = web.page(&name, "/", Reply::html(&links));
    }
    web.start().await
}

/// The web, and a place that has crawled it.
async fn crawled() -> (FakeWeb, Place) {
    let web = web().await;
    let place = Place::at(&web).set("search.disk_bytes=0");
    let seeds: String = (0..HOSTS).map(|host| format!("h{host:02}.test\n")).collect();
    place.file("seeds.txt", &seeds);
    place.run(&["crawl", "--seeds", "seeds.txt"]).with(0);
    (web, place)
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn undamaged_data_is_served_and_a_repair_restores_the_rest() {
    let (_web, place) = crawled().await;
    let files = crate::verify::behind_its_back(&place.data(), |db| db.live_files().unwrap());
    let of_backlinks = files.into_iter().filter(|file| file.column_family_name == "backlinks");
    let largest = of_backlinks.max_by_key(|file| file.size).unwrap();
    flip(&place.data().join(largest.name.trim_start_matches('/')), 100);

    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"]);
    let address = daemon.address();
    let ask = |host: u64| get(address, &format!("/backlinks?url=h{host:02}.test&limit=1"), None).0;
    let statuses: Vec<u16> = (0..HOSTS).map(ask).collect();
    let count = |status| statuses.iter().filter(|met| **met == status).count();
    assert!(count(500) > 0 && count(500) < 20, "{statuses:?}");
    assert_eq!(count(200) + count(500), HOSTS as usize, "{statuses:?}");
    assert_eq!(daemon.err().matches("a request failed").count(), count(500));
    // The crawl reads the damaged block as well: it reports the damage, and continues.
    daemon.says("stop what uses it and run `backlinkd verify --repair`");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let statuses: Vec<u16> = (0..HOSTS).map(ask).collect();
    assert!(statuses.iter().filter(|status| **status == 200).count() > 40, "{statuses:?}");
    daemon.signal("TERM");
    daemon.end().with(0);

    let told = place.run(&["verify"]).with(1);
    assert!(told.out.contains("backlinks: ranges of rows that cannot be read"), "{}", told.out);
    let repaired = place.run(&["verify", "--repair"]).with(0);
    assert!(repaired.out.contains("a second look finds nothing wrong"), "{}", repaired.out);
    place.run(&["verify"]).with(0);
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let address = daemon.address();
    for host in 0..HOSTS {
        let (status, answer) = get(address, &format!("/backlinks?url=h{host:02}.test&limit=1"), None);
        assert!(status == 200 && answer.contains("http"), "{host}: {answer}");
    }
    daemon.signal("TERM");
    daemon.end().with(0);
}

/// The names and bytes of the files of the index. The time of the last verification is no part of it.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = names
        .filter(|path| path.is_file() && !path.ends_with("maintenance.json"))
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_current_is_not_changed_until_it_is_repaired() {
    let (_web, place) = crawled().await;
    let stats = || {
        let out = place.run(&["stats", "--json"]).with(0).out;
        let stats: serde_json::Value = serde_json::from_str(&out).unwrap();
        ["backlinks", "domains", "hosts", "html_pages", "links", "queued", "visited"]
            .map(|name| stats[name].as_u64())
    };
    let before_damage = stats();
    assert_eq!(before_damage[6], Some(HOSTS * 41));
    let data = place.data();
    std::fs::remove_file(data.join("CURRENT")).unwrap();
    for without_log in [false, true] {
        for (path, _) in files(&data) {
            if without_log && path.ends_with(".log") {
                std::fs::remove_file(path).unwrap();
            }
        }
        let before = files(&data);
        for command in [
            &["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"][..],
            &["crawl", "--seeds", "seeds.txt"],
            &["serve", "--listen", "127.0.0.1:0"],
            &["rank"],
            &["stats"],
            &["user", "add", "alice"],
            &["user", "list"],
            &["verify"],
        ] {
            let ended = place.run(command).with(1);
            let told = format!("{}{}", ended.out, ended.err);
            assert!(told.contains("CURRENT is missing"), "{command:?}: {told}");
            let after = files(&data);
            assert!(before == after, "{command:?} changed files");
        }
    }
    let repaired = place.run(&["verify", "--repair"]).with(0);
    assert!(repaired.out.contains("a second look finds nothing wrong"), "{}", repaired.out);
    assert!(repaired.out.contains("CURRENT is missing"), "{}", repaired.out);
    assert_eq!(stats(), before_damage);
}
