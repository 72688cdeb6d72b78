//! `backlinkd robots`: the answers of the program about robots.txt files.

use std::time::Duration;

use super::process::Place;
use crate::robots_cases::cases;
use crate::support::fake_web::{FakeWeb, Reply};

const FILE: &str = "User-agent: *\nDisallow: /\n\nUser-agent: FooBot\nDisallow: /private # not this\n\
                    Allow: /private/open\n";

#[test]
fn each_url_has_a_row_with_the_deciding_line() {
    let place = Place::new();
    let file = place.file("robots.txt", FILE);
    let urls = [
        "http://a.test/",
        "https://a.test:8443/private/x?y#z",
        "/private/open/",
        "/private\tx",
        "",
        "/robots.txt",
    ];
    let rows = |line: u32| {
        let verdict = |line: u32| if line == 0 || line == 6 { "allowed" } else { "disallowed" };
        format!("{}\t{line}\t", verdict(line))
    };
    let ask = |source: &str, agent: &[&str], input: &str| {
        place.run_with(&[&["robots", source], agent, &["--"], &urls].concat(), input).with(0)
    };
    let ended = ask(&file, &["--agent", "foobot/2.1"], "");
    let expected: String = [0, 5, 6, 5, 0, 0]
        .iter()
        .zip(urls)
        .map(|(line, url)| format!("{}{}\n", rows(*line), url.replace('\t', "%09")))
        .collect();
    assert_eq!((ended.out.as_str(), ended.err.as_str()), (expected.as_str(), ""));
    // The same from standard input; and for our own name, which the file does not contain.
    assert_eq!(ask("-", &["--agent", "FooBot"], FILE).out, expected);
    let ours = ask(&file, &[], "").out;
    let lines: Vec<&str> = ours.lines().map(|row| row.split('\t').nth(1).unwrap()).collect();
    assert_eq!(lines, ["2", "2", "2", "2", "2", "0"]);
    assert!(!place.data().exists());
}

#[test]
fn a_binary_file_is_refused_and_one_in_utf_16_is_read() {
    let place = Place::new();
    let file = std::path::PathBuf::from(place.file("robots.txt", ""));
    let name = file.display().to_string();
    let utf_16: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_be_bytes).collect();
    std::fs::write(&file, &utf_16).unwrap();
    assert_eq!(place.run(&["robots", &name, "/private"]).with(0).out, "disallowed\t2\t/private\n");
    std::fs::write(&file, crate::fetch_body::gzip(FILE.as_bytes())).unwrap();
    let refused = place.run(&["robots", &name, "/private"]).with(1);
    assert!(refused.out.is_empty() && refused.err.contains("no text"), "{}", refused.err);
}

/// A sample of the cases of several parsers, through the program; the library is tested with all of them.
#[test]
fn the_program_agrees_with_the_references_on_the_shared_cases() {
    let Some(cases) = cases() else { return };
    let place = Place::new();
    let file = std::path::PathBuf::from(place.file("robots.txt", ""));
    let mut asked = 0;
    for case in cases.iter().step_by(9).filter(|case| !case.path.contains('\0')) {
        std::fs::write(&file, &case.file).unwrap();
        let agent = format!("--agent={}", case.agent);
        let ended = place.run(&["robots", &file.display().to_string(), &agent, "--", &case.path]).with(0);
        let decision = case.robots().decide(&case.path);
        let verdict = if decision.allowed { "allowed" } else { "disallowed" };
        let row: Vec<&str> = ended.out.trim_end_matches('\n').splitn(3, '\t').collect();
        assert_eq!(row[..2], [verdict, &decision.line.to_string()], "case {}", case.id);
        assert!(!case.consensus || decision.allowed == case.allowed, "case {}", case.id);
        asked += 1;
    }
    assert!(asked > 80, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_the_web_is_interpreted_as_in_a_crawl() {
    let web = FakeWeb::new()
        .page("ok.test", "/robots.txt", Reply::text(FILE))
        .page("moved.test", "/robots.txt", Reply::redirect(301, "http://ok.test/robots.txt"))
        .page("none.test", "/robots.txt", Reply::status(404).body("User-agent: *\nDisallow: /"))
        .page("broken.test", "/robots.txt", Reply::status(503))
        .page("reset.test", "/robots.txt", Reply::reset())
        .page("late.test", "/robots.txt", Reply::text("").after(Duration::from_secs(60)))
        .page("loop.test", "/robots.txt", Reply::redirect(302, "/robots.txt"))
        .start()
        .await;
    let place = Place::at(&web).set("fetch.timeout=1s");
    for (source, row, complains) in [
        ("http://ok.test/robots.txt", "disallowed\t5", false),
        ("http://ok.test/any/page", "disallowed\t5", false),
        ("http://moved.test/robots.txt", "disallowed\t5", false),
        ("http://none.test/robots.txt", "allowed\t0", false),
        ("http://loop.test/robots.txt", "allowed\t0", false),
        ("http://broken.test/robots.txt", "disallowed\t0", true),
        ("http://reset.test/robots.txt", "disallowed\t0", true),
        ("http://late.test/robots.txt", "disallowed\t0", true),
        ("http://10.0.0.1/robots.txt", "disallowed\t0", true),
    ] {
        let ended = place.run(&["robots", source, "--agent", "FooBot", "/private/1"]).with(0);
        assert_eq!(ended.out, format!("{row}\t/private/1\n"), "{source}");
        assert_eq!(ended.err.contains("is unavailable"), complains, "{source}: {}", ended.err);
    }
}

#[test]
fn a_too_large_file_applies_up_to_its_last_whole_line() {
    let place = Place::new();
    let mut text = "User-agent: *\nDisallow: /early\n".to_owned();
    text += &"#".repeat((512 << 10) - text.len() - "\nDisallow: /".len());
    text += "\nDisallow: /late\n";
    let file = place.file("robots.txt", &text);
    let ended = place.run(&["robots", &file, "/early", "/late"]).with(0);
    assert_eq!(ended.out, "disallowed\t2\t/early\nallowed\t0\t/late\n");
}

#[test]
fn an_argument_that_is_neither_a_url_nor_a_path_is_an_error() {
    let place = Place::new();
    let file = place.file("robots.txt", "User-agent: *\nDisallow: /\n");
    for bad in ["ftp://a/x", "http://[bad", "a.test/x", "mailto:a@b.test", "?x"] {
        let ended = place.run(&["robots", &file, "/fine", bad]).with(1);
        assert_eq!(ended.out, "", "{bad}");
        let told = format!("\"{bad}\" cannot be asked about");
        assert!(ended.err.contains(&told) && ended.err.contains("give an http(s) URL"), "{}", ended.err);
    }
}

#[test]
fn a_missing_file_is_an_error() {
    let ended = Place::new().run(&["robots", "/no/such/robots.txt", "/"]).with(1);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("/no/such/robots.txt cannot be read"), "{}", ended.err);
    Place::new().run(&["robots", "-"]).with(2);
}
