//! The session of README.md and the requests of the API's README, run as they are written, against a small web.

use std::net::SocketAddr;

use super::commands::{blocks, commands, inline_codes};
use super::{API, CONFIG, README};
use crate::cli::process::{Place, Running, get};
use crate::support::fake_web::{FakeWeb, Reply};

const PASSWORD: &str = "a password";

/// Twelve pages of example.com that link to example.org.
async fn web() -> FakeWeb {
    let mut web = FakeWeb::new().with_tls();
    let listed: String = (1..12).map(|number| format!("<a href=/{number}>{number}</a>")).collect();
    let docs = "<a href=https://www.example.org/docs/>the docs</a>";
    web = secure(web, "/", format!("<a href=/links>links</a>{listed}"));
    web = secure(web, "/links", docs.to_owned());
    for number in 1..12 {
        web = secure(web, &format!("/{number}"), format!("<a href=/links>links</a>{docs}"));
    }
    web.page("www.example.org", "/docs/", Reply::html("<title>The docs</title>")).start().await
}

/// A page of example.com, to which http redirects.
fn secure(web: FakeWeb, path: &str, html: String) -> FakeWeb {
    web.answer("example.com", path, move |request| match request.tls {
        true => Reply::html(&html),
        false => Reply::redirect(301, &format!("https://example.com{}", request.path)),
    })
}

/// A place whose commands reach this web and serve on a free port.
fn place(web: &FakeWeb) -> Place {
    let place = Place::new().env("BACKLINKD_CONFIG", "config.toml");
    let (overrides, ca) = (web.overrides(), web.ca());
    let config = format!(
        "[crawl]\ndelay = \"0s\"\n[api]\nlisten = \"127.0.0.1:0\"\n[fetch]\nhost_overrides = {overrides:?}\n\
         extra_ca = {ca:?}\nallow_private_addresses = [\"127.0.0.0/8\"]\n"
    );
    place.file("config.toml", &config);
    place
}

/// The output of a curl command, sent to this address.
fn curl(place: &Place, command: &str, address: SocketAddr) -> String {
    let command = command
        .replacen("curl ", "curl --fail --silent --show-error ", 1)
        .replace("-u alice ", &format!("-u 'alice:{PASSWORD}' "))
        .replace("127.0.0.1:8080", &address.to_string());
    place.shell(&command, "").end().with(0).out
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_and_the_requests_give_what_is_shown() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no curl");
        return;
    }
    let web = web().await;
    let place = place(&web);
    let session = blocks(README, "sh").into_iter().find(|block| block.contains("crawl --seeds")).unwrap();
    let mut server: Option<Running> = None;
    let mut answers = blocks(README, "json").into_iter();
    for command in commands(session) {
        if let Some(command) = command.strip_suffix(" &") {
            server = Some(place.shell(&format!("exec {command}"), ""));
        } else if command.starts_with("curl ") {
            let answer = curl(&place, &command, server.as_mut().unwrap().address());
            assert_eq!(answer.trim_end(), answers.next().unwrap().trim_end());
        } else if !command.starts_with("make ") && !command.starts_with("export ") {
            place.shell(&command, &format!("{PASSWORD}\n")).end().with(0);
        }
    }
    assert_eq!(answers.next(), None);

    let mut server = server.unwrap();
    let address = server.address();
    let requests: Vec<String> = blocks(API, "sh").into_iter().flat_map(commands).collect();
    assert!(requests.len() > 9, "{requests:?}");
    for request in requests {
        curl(&place, &request, address);
    }
    let credentials = format!("alice:{PASSWORD}");
    let paths = inline_codes(API).into_iter().filter_map(|code| Some(code.strip_prefix("GET ")?.to_owned()));
    for path in paths {
        assert_eq!(get(address, &path, Some(&credentials)).0, 200, "{path}");
    }
    server.signal("TERM");
    server.end().with(0);
}

#[test]
fn the_configuration_of_an_intranet_is_valid() {
    let place = Place::new();
    let file = place.file("config.toml", blocks(CONFIG, "toml")[0]);
    let shown = place.run(&["--config", &file, "seeds", "list"]);
    assert_ne!(shown.status, Some(2), "{}", shown.err);
}
