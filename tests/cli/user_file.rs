//! `api.user_file`: users without a terminal, for containers and services.

use std::net::SocketAddr;

use super::process::{Place, get};

/// Of "correct horse", by the program argon2 of Debian.
const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$3j0+S6gGV20Zdm+eoztdkLUvOKbucBG7gA8asDqV4P8";
const RUN: [&str; 3] = ["run", "--listen", "0.0.0.0:0"];

fn status(port: u16, credentials: &str) -> u16 {
    get(SocketAddr::from(([127, 0, 0, 1], port)), "/stats", Some(credentials)).0
}

#[test]
fn a_server_that_others_reach_has_its_first_users_from_the_file() {
    let place = Place::new().set("api.user_file=users");
    place.file("users", &format!("# of the service\nalice:a secret\nbob:{HASH}\n"));
    let mut daemon = place.start(&RUN);
    let port = daemon.address().port();
    let right = ["alice:a secret", "bob:correct horse"].map(|pair| status(port, pair));
    let wrong = ["alice:correct horse", "bob:a secret", "carol:a secret"].map(|pair| status(port, pair));
    assert_eq!((right, wrong), ([200; 2], [401; 3]));
    assert!(!daemon.err().contains("secret"), "{}", daemon.err());

    // A password of an existing user changes; a removed line removes no user.
    place.file("users", "alice:another\ncarol:third\n");
    daemon.signal("HUP");
    daemon.says("read again");
    assert_eq!(
        ["alice:a secret", "alice:another", "bob:correct horse", "carol:third"]
            .map(|pair| status(port, pair)),
        [401, 200, 200, 200]
    );

    // A bad line changes nothing.
    place.file("users", "alice:fourth\ncarol\n");
    daemon.signal("HUP");
    daemon.says("the users stay as they are");
    assert!(daemon.err().contains("users, line 2, is no user"), "{}", daemon.err());
    assert_eq!([status(port, "alice:fourth"), status(port, "alice:another")], [401, 200]);
    daemon.signal("TERM");
    daemon.end().with(0);
    assert_eq!(place.run(&["user", "list"]).with(0).out, "alice\nbob\ncarol\n");
}

#[test]
fn a_bad_file_of_users_is_a_wrong_configuration_and_says_what_to_change() {
    let place = Place::new().set("api.user_file=users");
    let absent = place.run(&RUN).with(2);
    assert!(absent.err.contains("users (api.user_file) cannot be read: No such file"), "{}", absent.err);
    for (text, told) in [
        ("alice:pw\nsecret", "line 2, is no user (api.user_file): it has no \":\"; write name:password"),
        ("alice:$argon2id$secret", "the Argon2 hash of alice is damaged"),
        ("alice:", "the password is empty"),
    ] {
        place.file("users", text);
        let refused = place.run(&RUN).with(2);
        assert!(refused.err.contains(told), "{text}: {}", refused.err);
        assert!(!refused.err.contains("secret"), "{}", refused.err);
    }
    // Without users, the file does not open the API to others.
    place.file("users", "# none\n");
    let open = place.run(&RUN).with(1);
    assert!(open.err.contains("no API user is configured"), "{}", open.err);
}

#[test]
fn the_same_users_are_not_written_again() {
    let place = Place::new().set("api.user_file=users");
    place.file("users", &format!("alice:secret\nbob:{HASH}\n"));
    for times in [2, 0] {
        let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
        daemon.address();
        assert_eq!(
            daemon.err().matches("has the password of api.user_file").count(),
            times,
            "{}",
            daemon.err()
        );
        daemon.signal("TERM");
        daemon.end().with(0);
    }
    place.run(&["stats"]).with(0);
}
