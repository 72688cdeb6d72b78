//! Changes of users and block lists by commands, while a daemon holds the data directory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use data_encoding::BASE64;

use super::process::{PATIENCE, Place, Running, get};
use crate::support::fake_web::{FakeWeb, Reply};

fn users(place: &Place) -> String {
    place.run(&["user", "list"]).with(0).out
}

fn add(place: &Place, name: &str, password: &str) -> String {
    place.run_with(&["user", "add", name], &format!("{password}\n")).with(0).err
}

/// A server with an index and a user.
fn serving(place: &Place, listen: &str) -> (Running, SocketAddr) {
    add(place, "alice", "first");
    let mut serving = place.start(&["serve", "--listen", listen]);
    let address = serving.address();
    (serving, address)
}

/// One connection that stays open for many requests.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// The status of a response.
    fn ask(&mut self, user: &str, password: &str) -> u16 {
        let credentials = BASE64.encode(format!("{user}:{password}").as_bytes());
        let request = format!(
            "GET /backlinks?url=a.test HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n\r\n"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the connection was closed: {head:?}");
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push(line);
        }
        self.0.read_exact(&mut vec![0; length]).unwrap();
        head[0].split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[test]
fn users_change_while_a_server_runs_and_lose_access_at_once() {
    let place = Place::new();
    let (serving, address) = serving(&place, "127.0.0.1:0");
    let mut client = Client::new(address);
    assert_eq!([client.ask("alice", "first"), client.ask("bob", "second")], [200, 401]);
    assert_eq!(add(&place, "bob", "second"), "Added user bob.\n");
    assert_eq!(users(&place), "alice\nbob\n");
    // The credentials are in the cache the second time.
    assert_eq!([client.ask("bob", "second"), client.ask("bob", "second")], [200, 200]);
    assert_eq!(add(&place, "alice", "third"), "Changed the password of user alice.\n");
    assert_eq!([client.ask("alice", "first"), client.ask("alice", "third")], [401, 200]);
    assert_eq!(place.run(&["user", "remove", "bob"]).with(0).err, "Removed user bob.\n");
    assert_eq!([client.ask("bob", "second"), client.ask("alice", "third")], [401, 200]);
    assert_eq!(users(&place), "alice\n");

    let unknown = place.run(&["user", "remove", "bob"]).with(1);
    assert!(unknown.err.contains("there is no user \"bob\""), "{}", unknown.err);
    // No other machine can reach this server, so it may remain without a user.
    place.run(&["user", "remove", "alice"]).with(0);
    assert_eq!(client.ask("alice", "third"), 401);
    serving.signal("TERM");
    serving.end().with(0);
    assert_eq!(users(&place), "");
}

#[test]
fn the_last_user_of_a_public_server_cannot_be_removed() {
    let place = Place::new();
    let (serving, address) = serving(&place, "0.0.0.0:0");
    let mut client = Client::new(SocketAddr::from(([127, 0, 0, 1], address.port())));
    let refused = place.run(&["user", "remove", "alice"]).with(1);
    assert!(
        refused.err.contains("alice is the last user") && refused.err.contains("0.0.0.0"),
        "{}",
        refused.err
    );
    assert_eq!(client.ask("alice", "first"), 200);
    add(&place, "bob", "second");
    place.run(&["user", "remove", "alice"]).with(0);
    assert_eq!(client.ask("alice", "first"), 401);
    serving.signal("TERM");
    serving.end().with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_applies_changes_of_the_block_list() {
    let mut web = FakeWeb::new();
    for (number, host) in ["a.test", "b.test", "x.c.test", "d.test"].into_iter().enumerate() {
        web = web.host(host, &format!("127.1.0.{}", number + 2)).page(host, "/", Reply::html("a page"));
    }
    let web = web.start().await;
    let place = Place::at(&web);
    let fetched = |host: &str| web.log().iter().filter(|request| request.host == host).count();
    place.run(&["block", "add", "a.test"]).with(0);
    place.run(&["seeds", "add", "a.test"]).with(0);
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    daemon.address();
    let added = place.run(&["block", "add", "B.test", "*.c.test", "a.test"]).with(0);
    assert_eq!(
        added.err,
        "Added b.test.\nAdded *.c.test.\nThe daemon that runs there has been told.\na.test is blocked already.\n"
    );
    assert_eq!(place.run(&["block", "list"]).with(0).out, "a.test\nb.test\n*.c.test\n");
    place.run(&["seeds", "add", "b.test", "x.c.test", "d.test"]).with(0);
    daemon.waits_for("what is not blocked", |_| fetched("d.test") > 0);
    assert_eq!(["a.test", "b.test", "x.c.test"].map(fetched), [0, 0, 0]);
    let explained = place.run(&["explain", "b.test"]).with(0);
    assert!(explained.out.contains("blocks.txt names its host"), "{}", explained.out);

    let removed = place.run(&["block", "remove", "b.test"]).with(0);
    assert!(removed.err.contains("has been told"), "{}", removed.err);
    let unknown = place.run(&["block", "remove", "b.test"]).with(1);
    assert!(unknown.err.contains("b.test is not in"), "{}", unknown.err);
    let file = place.data().join("blocks.txt");
    std::fs::write(&file, "# by hand\nno host\nx.c.test\n").unwrap();
    daemon.signal("HUP");
    daemon.says("which names no host");
    daemon.says("the line is skipped");
    let bad = place.run(&["block", "list"]).with(1);
    assert!(bad.out == "x.c.test\n" && bad.err.contains("blocks.txt, line 2: "), "{bad:?}");
    // The command that changes the list reports the line, and may remove it.
    for list in ["block", "seeds"] {
        let file = place.data().join(if list == "block" { "blocks.txt" } else { "seeds.txt" });
        std::fs::write(&file, "a.test\nno host #ours\n").unwrap();
        let added = place.run(&[list, "add", "e.test"]).with(1);
        assert!(added.err.contains("and complains:"), "{}", added.err);
        assert!(added.err.contains("line 2") && added.err.contains("no host"), "{}", added.err);
        if list == "block" {
            // A start skips the line as well.
            daemon.signal("TERM");
            daemon.end().with(0);
            daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
            daemon.address();
            daemon.says("which names no host");
        }
        let removed = place.run(&[list, "remove", "no host"]).with(0);
        assert!(removed.err.contains("Removed the line \"no host\"."), "{}", removed.err);
        assert!(removed.err.contains("has been told."), "{}", removed.err);
        place.run(&[list, "remove", "no host"]).with(1);
        let left = std::fs::read_to_string(&file).unwrap();
        assert!(
            left.starts_with("a.test\n") && left.ends_with("e.test/\n") | left.ends_with("e.test\n"),
            "{left}"
        );
    }
    daemon.signal("TERM");
    daemon.end().with(0);
    assert!(place.run(&["block", "add", "http://a.test/"]).with(1).err.contains("names no host"));
}

/// A whole second is far more than the command takes, and far less than any polling would.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_once_its_change_is_applied() {
    let web = FakeWeb::new().start().await;
    let place = Place::at(&web);
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let address = daemon.address();
    for number in 0..3 {
        place.run(&["block", "add", &format!("h{number}.test")]).with(0);
        // The test does not wait here.
        let said = format!("{} blocked hosts", number + 1);
        assert!(daemon.err().contains(&said), "{}", daemon.err());
    }
    assert_eq!(get(address, "/health", None).0, 200);
    daemon.signal("TERM");
    daemon.end().with(0);
}

/// The line of a token in the list.
fn listed(place: &Place, name: &str) -> Option<String> {
    let list = place.run(&["token", "list"]).with(0).out;
    list.lines().find(|line| line.starts_with(&format!("{name}\t"))).map(str::to_owned)
}

#[test]
fn tokens_and_roles_change_beside_a_server_and_without_one() {
    let place = Place::new();
    place.run_with(&["user", "add", "reader", "--role", "read"], "x\n").with(0);
    assert_eq!(users(&place), "reader\tread\n");
    let before = place.run(&["token", "add", "before"]).with(0);
    assert!(before.out.starts_with("backlinkd_") && before.err.contains("Added token before."), "{before:?}");
    let (serving, address) = serving(&place, "127.0.0.1:0");
    assert_eq!(users(&place), "alice\nreader\tread\n");
    let beside = place.run(&["token", "add", "beside", "--role", "operate", "--expires", "90d"]).with(0);
    assert_eq!(listed(&place, "before").unwrap(), "before\tread\tnever expires");
    assert!(listed(&place, "beside").unwrap().starts_with("beside\toperate\texpires 20"));
    let twice = place.run(&["token", "add", "beside"]).with(1);
    assert!(twice.err.contains("there is a token \"beside\" already"), "{}", twice.err);
    let ask = |token: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /sr?url=a.test HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
            token.trim()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!([ask(&before.out), ask(&beside.out)], ["200", "403"]);
    place.run(&["token", "remove", "before"]).with(0);
    assert_eq!(ask(&before.out), "401");
    let unknown = place.run(&["token", "remove", "before"]).with(1);
    assert!(unknown.err.contains("there is no token \"before\""), "{}", unknown.err);
    serving.signal("TERM");
    serving.end().with(0);
    assert!(listed(&place, "before").is_none() && listed(&place, "beside").is_some());
    // The index holds neither token.
    assert!(place.run(&["verify"]).with(0).out.contains("Nothing is wrong"));
    place.run(&["token", "remove", "beside"]).with(0);
}

/// Without users and tokens, an API on loopback is open. A removed token alone must not open it.
#[test]
fn the_last_token_is_removed_on_purpose_only() {
    let place = Place::new();
    let remove = |name: &str, more: &[&str]| place.run(&[&["token", "remove", name], more].concat());
    place.run(&["token", "add", "first"]).with(0);
    place.run(&["token", "add", "last"]).with(0);
    remove("first", &[]).with(0);
    let refused = remove("last", &[]).with(1);
    assert!(refused.err.contains("last is the last token, and there are no users"), "{}", refused.err);
    assert!(refused.err.contains("give --force"), "{}", refused.err);
    // A user is enough to keep the API closed.
    add(&place, "alice", "secret");
    remove("last", &[]).with(0);
    place.run(&["user", "remove", "alice"]).with(0);
    place.run(&["token", "add", "last"]).with(0);
    remove("last", &["--force"]).with(0);
    assert!(listed(&place, "last").is_none());

    place.run(&["token", "add", "last"]).with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    serving.address();
    let refused = remove("last", &[]).with(1);
    assert!(refused.err.contains("last is the last token"), "{}", refused.err);
    assert!(remove("absent", &[]).with(1).err.contains("there is no token"));
    remove("last", &["--force"]).with(0);
    assert!(listed(&place, "last").is_none());
    serving.signal("TERM");
    serving.end().with(0);
}

fn socket_of(place: &Place) -> std::path::PathBuf {
    place.data().join("backlinkd.sock")
}

#[test]
fn the_socket_is_private_and_exists_while_the_server_runs() {
    let place = Place::new();
    add(&place, "alice", "first");
    let socket = socket_of(&place);
    let elsewhere = place.file("elsewhere", "not to be touched");
    for left in ["nothing", "socket", "link"] {
        match left {
            "socket" => drop(std::os::unix::net::UnixListener::bind(&socket).unwrap()),
            "link" => symlink(&elsewhere, &socket).unwrap(),
            _ => {}
        }
        // No process listens there, so the command opens the store itself.
        assert_eq!(users(&place), "alice\n", "{left}");
        add(&place, "alice", "again");
        let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
        serving.address();
        let about = std::fs::symlink_metadata(&socket).unwrap();
        assert!(about.file_type().is_socket(), "{left}");
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{left}");
        add(&place, "alice", "while it runs");
        serving.signal("TERM");
        serving.end().with(0);
        assert!(!socket.exists(), "{left}");
    }
    assert_eq!(std::fs::read_to_string(elsewhere).unwrap(), "not to be touched");
    // A killed daemon leaves the socket behind, and the next one replaces it.
    for _ in 0..2 {
        let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
        serving.address();
        add(&place, "bob", "secret");
        serving.signal("KILL");
        serving.end();
        assert!(std::fs::symlink_metadata(&socket).is_ok());
        place.run(&["user", "remove", "bob"]).with(0);
    }
}

#[test]
fn a_data_directory_may_have_a_long_path() {
    let place = Place::new();
    let deep = place.data().join("d".repeat(120)).join("e".repeat(120));
    std::fs::create_dir_all(deep.parent().unwrap()).unwrap();
    let place = place.over(&deep);
    let (serving, _) = serving(&place, "127.0.0.1:0");
    add(&place, "bob", "second");
    assert_eq!(users(&place), "alice\nbob\n");
    serving.signal("TERM");
    serving.end().with(0);
}

/// The response to a line of bytes; empty if the connection is closed without one.
fn said_to(place: &Place, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket_of(place)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may close the connection before all bytes are written.
    let _ = stream.write_all(request);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn wrong_requests_change_nothing_and_silent_connections_block_no_others() {
    let place = Place::new();
    let (serving, _) = serving(&place, "127.0.0.1:0");
    let long = format!("{{\"do\":\"remove-user\",\"name\":\"{}\"}}\n", "a".repeat(1 << 20));
    for (request, part) in [
        ("\n", "not understood"),
        ("{}\n", "not understood"),
        ("{\"do\":\"stop\"}\n", "not understood"),
        ("{\"do\":\"remove-user\",\"name\":\"nobody\"}\n", "there is no user"),
        ("{\"do\":\"put-user\",\"name\":\"a:b\",\"hash\":\"$argon2id$x\"}\n", "not free of"),
        ("{\"do\":\"put-user\",\"name\":\"eve\",\"hash\":\"plain\"}\n", "cannot be hashed"),
        ("{\"do\":\"reload\"}\n", "not-here"),
    ] {
        let answer = said_to(&place, request.as_bytes());
        assert!(answer.contains(part) && answer.ends_with("}\n"), "{request}: {answer}");
    }
    assert!(!said_to(&place, long.as_bytes()).contains("done"));
    assert_eq!(users(&place), "alice\n");
    // As many as are served at once, and more.
    let silent: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(socket_of(&place)).unwrap()).collect();
    let start = Instant::now();
    assert_eq!(users(&place), "alice\n");
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    drop(silent);
    serving.signal("TERM");
    serving.end().with(0);
}

/// A foreign file at the socket's path is not removed, and the daemon runs without a socket.
#[test]
fn a_server_without_a_socket_serves_and_logs_a_warning() {
    let place = Place::new();
    add(&place, "alice", "first");
    std::fs::write(socket_of(&place), "mine").unwrap();
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address();
    serving.says("something else has its name; remove that");
    assert_eq!(Client::new(address).ask("alice", "first"), 200);
    let held = place.run_with(&["user", "add", "bob"], "second\n").with(1);
    assert!(held.err.contains("in use"), "{}", held.err);
    serving.signal("TERM");
    serving.end().with(0);
    assert_eq!(std::fs::read_to_string(socket_of(&place)).unwrap(), "mine");
}
