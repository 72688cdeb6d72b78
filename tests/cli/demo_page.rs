//! `backlinkd demo` as a process: it ends with the address of its page, and serves a year of history there.

use std::net::SocketAddr;
use std::time::Duration;

use backlinkd::model::Day;
use serde_json::Value;

use super::process::{Place, Running, get};

const SECONDS_A_DAY: u64 = 86_400;

/// The address in the last line.
fn open_address(demo: &mut Running) -> SocketAddr {
    demo.says("\nOpen http://");
    let out = demo.out();
    let last = out.lines().last().unwrap();
    last.strip_prefix("Open http://").unwrap().strip_suffix('/').unwrap().parse().unwrap()
}

/// A complete answer to a client that has not signed in.
fn answer(address: SocketAddr, path: &str) -> Value {
    loop {
        let (status, answer) = get(address, path, None);
        let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        if answer["exportFinished"] != false {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn rows(address: SocketAddr, path: &str) -> Vec<Value> {
    answer(address, path)["response"].as_array().unwrap().clone()
}

fn a_year_ago() -> Day {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Day::from_unix_seconds(now - 364 * SECONDS_A_DAY)
}

/// Links and referring domains grow, and both come and go in most weeks.
fn assert_history_has_a_shape(address: SocketAddr) {
    let path = format!("/history?url=museum.example&step=week&from={}", a_year_ago());
    let answer = answer(address, &path);
    let weeks = answer["history"].as_array().unwrap();
    let count = |key: &str| weeks.iter().filter(|week| week[key].as_u64().unwrap() > 0).count();
    assert_eq!((count("backlinks"), count("refdoms")), (weeks.len(), weeks.len()), "{weeks:?}");
    for key in ["newBacklinks", "lostBacklinks"] {
        assert!(weeks.len() >= 53 && count(key) >= 45, "{key}: {weeks:?}");
    }
    assert!(count("newRefdoms") >= 30 && count("lostRefdoms") >= 15, "{weeks:?}");
    let figure = |week: Option<&Value>, key: &str| week.unwrap()[key].as_u64().unwrap();
    for (key, least) in [("backlinks", 2_000), ("refdoms", 150)] {
        let (first, last) = (figure(weeks.first(), key), figure(weeks.last(), key));
        assert!(last > least && last > first * 5 / 4, "{key}: {first}, {last}");
    }
    // No bar dwarfs the others.
    let new: Vec<u64> = weeks.iter().map(|week| week["newBacklinks"].as_u64().unwrap()).collect();
    let most = *new.iter().max().unwrap();
    assert!(most < new.iter().sum::<u64>() / 8, "{new:?}");
}

/// The other charts have several bars of different heights.
fn assert_lists_have_a_shape(address: SocketAddr) {
    let of = |name: &str| rows(address, &format!("/{name}?url=museum.example&limit=1000"));
    let links: Vec<u64> = of("referringdomains").iter().map(|row| row["links"].as_u64().unwrap()).collect();
    assert!(links[0] > 20 * links[links.len() / 2], "{links:?}");
    assert!(of("geolocationshort").len() >= 15);
    let endings: Vec<Value> = of("tldlist").iter().map(|row| row["toplevel"].clone()).collect();
    for ending in ["com", "de", "edu", "gov", "example", "fr"] {
        assert!(endings.contains(&ending.into()), "{ending}: {endings:?}");
    }
    let texts = of("linktexts");
    assert!(texts.len() > 40 && texts.iter().any(|row| row["anchortext"] == "متحف سالتمير البحري"));
    assert!(of("bestpages").len() >= 12);
    assert!(!of("brokenbacklinks").is_empty());
    let tags: Vec<Value> = of("tagtypes");
    assert!(tags.len() >= 5, "{tags:?}");
    let ranks = rows(address, "/srspread?url=museum.example");
    let filled = ranks.iter().filter(|row| row["links"].as_u64() > Some(0)).count();
    assert!(filled >= 3, "{ranks:?}");
    let nofollow = answer(address, "/backlinks?url=museum.example&where=nofollow%20eq%20true&limit=0");
    let all = answer(address, "/backlinks?url=museum.example&limit=0");
    let share = nofollow["count"].as_f64().unwrap() / all["count"].as_f64().unwrap();
    assert!((0.05..0.4).contains(&share), "{share}");
}

#[test]
fn the_demo_ends_with_the_address_of_a_page_with_a_year_of_history() {
    let place = Place::new();
    let mut demo = place.start(&["demo", "--listen", "127.0.0.1:0"]);
    let address = open_address(&mut demo);
    let out = demo.out();
    assert!(out.contains("all dates are made up"), "{out}");
    assert!(!out.contains("-u user") && out.contains(&format!("curl 'http://{address}/")), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 110), "{out}");
    let (status, page) = get(address, "/", None);
    assert!(status == 200 && page.contains("\"name\":\"backlinkd\""), "{page}");
    assert_eq!(answer(address, "/stats")["demo"], true);
    assert_history_has_a_shape(address);
    assert_lists_have_a_shape(address);

    // A second demo does not disturb the first one, and finds a port of its own.
    let second = Place::new().set(&format!("api.listen={address}"));
    let mut second = second.start(&["demo"]);
    let other = open_address(&mut second);
    assert_ne!(other, address);
    assert!(second.err().contains(&format!("Port {} is taken", address.port())), "{}", second.err());
    assert_eq!(
        answer(other, "/history?url=museum.example&step=month")["history"],
        answer(address, "/history?url=museum.example&step=month")["history"]
    );
    for demo in [demo, second] {
        demo.signal("INT");
        let ended = demo.end().with(0);
        assert!(!ended.out.contains("The check"), "{}", ended.out);
    }
    assert!(!place.data().exists());
}

#[test]
fn a_demo_that_two_signals_end_leaves_nothing_behind() {
    let (place, temporary) = (Place::new(), tempfile::tempdir().unwrap());
    let path: &'static str = temporary.path().display().to_string().leak();
    let place = place.env("TMPDIR", path);
    let folders = || std::fs::read_dir(temporary.path()).unwrap().count();
    let mut demo = place.start(&["demo", "--listen", "127.0.0.1:0"]);
    demo.waits_for("its index", |_| {
        let mut folders = std::fs::read_dir(temporary.path()).unwrap();
        folders.any(|folder| folder.unwrap().path().join("index/CURRENT").exists())
    });
    assert_eq!(folders(), 1);
    for name in ["INT", "TERM"] {
        demo.signal(name);
    }
    let ended = demo.end().with(1);
    assert!(ended.err.contains("stopped at once"), "{}", ended.err);
    assert_eq!(folders(), 0);
}
