//! `ping` and `open`: the address of the daemon of a data directory, and whether it is well.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::process::Place;

/// A server that answers every connection with this text.
fn answering(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(text.as_bytes());
        }
    });
    address
}

#[test]
fn the_server_of_the_data_directory_is_found_whatever_its_port() {
    let place = Place::new();
    let nothing = place.run(&["ping"]).with(1);
    let data = place.data().display().to_string();
    assert!(nothing.err.contains(&format!("no server uses {data}")), "{}", nothing.err);
    assert!(!place.data().exists());

    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let mut serving = place.start(&["serve", "--listen", listen]);
        let port = serving.address().port();
        let loopback = if listen.starts_with('[') { "[::1]" } else { "127.0.0.1" };
        let well = place.run(&["ping"]).with(0);
        assert_eq!((well.err, well.out.as_str()), (format!("{loopback}:{port} is well.\n"), ""));
        let page = place.run(&["open", "--print"]).with(0).out;
        assert_eq!(page, format!("http://{loopback}:{port}/\n"));
        serving.signal("TERM");
        serving.end().with(0);
        place.run(&["ping"]).with(1);
        place.run(&["open", "--print"]).with(1);
    }
}

#[test]
fn a_daemon_that_hangs_is_named_within_seconds_and_does_nothing_later() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    serving.address();
    serving.signal("STOP");
    let named = format!("process {} holds {} and does not answer", serving.id(), place.data().display());
    for command in [
        &["ping"][..],
        &["open", "--print"],
        &["user", "list"],
        &["token", "add", "late"],
        &["seeds", "add", "a.test"],
        &["rank"],
        &["mcp"],
        &["doctor"],
    ] {
        let ended = place.run(command).with(1);
        let text = ended.out + &ended.err;
        assert!(text.contains(&named), "{command:?}: {text}");
        assert!(ended.took < Duration::from_secs(20), "{command:?}: {:?}", ended.took);
    }
    let report = place.run(&["doctor", "--set", "api.listen=127.0.0.1:0"]).with(1).out;
    assert!(report.contains("FAIL  process "), "{report}");
    assert!(report.contains(&format!("kill -KILL {}", serving.id())), "{report}");
    assert!(!report.contains("is free"), "{report}");
    serving.signal("CONT");
    place.run(&["ping"]).with(0);
    assert_eq!(place.run(&["token", "list"]).with(0).out, "");
    serving.signal("TERM");
    serving.end().with(0);
}

#[test]
fn an_address_is_asked_by_flag_or_url() {
    let place = Place::new().set("api.hosts=links.example");
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address().to_string();
    let elsewhere = Place::new();
    elsewhere.run(&["-q", "ping", "--listen", &address]).with(0);
    elsewhere.run(&["ping", "--url", &format!("http://{address}/")]).with(0);
    elsewhere.run(&["ping", "--url", &format!("http://localhost:{}", serving.address().port())]).with(0);
    drop(serving);
    for (arguments, told) in [
        (["--listen", address.as_str()], "Connection refused"),
        (["--url", "ftp://links.example/"], "no http URL"),
        (["--url", "links.example"], "write http://HOST:PORT"),
    ] {
        let refused = elsewhere.run(&["ping", arguments[0], arguments[1]]).with(1);
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    // The killed server left its socket.
    assert!(place.data().join("backlinkd.sock").exists());
    place.run(&["ping"]).with(1);
}

#[test]
fn other_servers_are_not_well() {
    let place = Place::new();
    for (answer, told) in [
        (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 42\r\n\r\n{\"status\":503,\"error\":\"the disk has gone\"}",
            "503: the disk has gone",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "/health with 200"),
        ("220 mail.example\r\n", "does not answer: "),
    ] {
        let ended = place.run(&["ping", "--listen", &answering(answer)]).with(1);
        assert!(ended.err.contains(told), "{}", ended.err);
    }
}

#[test]
fn the_page_opens_in_the_browser_that_the_system_names() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address();
    let opener = place.file("xdg-open", "#!/bin/sh\nprintf '%s' \"$1\" > opened\n");
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o700)).unwrap();
    let expected = format!("http://{address}/?url=https%3A%2F%2Fb%C3%BCcher.example%2F%3Fa%26b");
    let site = "'https://bücher.example/?a&b'";
    let opened = place.shell(&format!("PATH=.:$PATH backlinkd --data data open {site}"), "").end().with(0);
    assert_eq!(opened.err, format!("Opened {expected}\n"));
    assert_eq!(std::fs::read_to_string(opener.replace("xdg-open", "opened")).unwrap(), expected);
    for (script, told) in [
        ("exec /bin/sleep 8", None),
        ("exit 3", Some("xdg-open failed to open a browser (exit status: 3); open that address yourself")),
    ] {
        std::fs::write(&opener, format!("#!/bin/sh\n{script}\n")).unwrap();
        let ended = place.shell("b=$(command -v backlinkd); PATH=. $b --data data open", "").end();
        let expected =
            told.map_or((Some(0), format!("Opened http://{address}/")), |told| (Some(1), told.to_owned()));
        assert_eq!(ended.status, expected.0, "{}", ended.err);
        assert!(ended.err.contains(&expected.1), "{}", ended.err);
        assert!(ended.took < Duration::from_secs(30), "{:?}", ended.took);
    }
    let none = place.shell("b=$(command -v backlinkd); PATH=/nowhere $b --data data open", "").end().with(1);
    assert_eq!(none.out, format!("http://{address}/\n"));
    assert!(none.err.contains("open that address yourself"), "{}", none.err);
}
