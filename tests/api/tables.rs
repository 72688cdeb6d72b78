//! Parquet and Arrow: what other programs read from them, whole and by ranges.

use std::process::Command;

use backlinkd::api::{AuthPolicy, hash_password, random_token, token_digest};
use backlinkd::config::ApiConfig;
use backlinkd::store::{Role, Roles, StoredToken};

use super::about::required;
use super::client::{Client, Reply};
use super::formats::tabular;
use super::server::Server;
use super::web::{link, page, random};
use crate::support::python::python_with;

const MODULES: [&str; 5] = ["duckdb", "duckdb_extension_httpfs", "pandas", "polars", "pyarrow"];
const LIST: &str = "/backlinks?url=example.com&format=parquet";

/// Links with odd texts, from odd pages.
fn odd() -> backlinkd::model::VisitRecord {
    let texts = ["", "NULL", "nan", "bücher 日本 🐟", "\u{202e}x", "a\0b", "\"q\",\r\n", "\u{10ffff}", " x "];
    page("http://odd.example/ü?日=1", "", "", texts.map(|text| link("http://example.com/ö", text)).to_vec())
}

#[test]
fn other_programs_read_the_rows_of_json() {
    let python = match python_with(&MODULES) {
        Ok(python) => python,
        Err(lack) => return eprintln!("SKIPPED: no program reads the tables; run `make python`: {lack}"),
    };
    let mut records = random(91, 400);
    records.push(odd());
    let server = Server::start_with(&records, ApiConfig::default(), AuthPolicy::Users);
    let token = random_token().unwrap();
    let (name, digest) = ("reader".to_owned(), token_digest(&token));
    let stored = StoredToken { name, digest, roles: Roles::of(&[Role::Read]), expires_at: None };
    assert!(server.store.add_token(&stored).unwrap());
    let mut targets = Vec::new();
    for name in tabular() {
        for url in ["example.com", "unknown.example"] {
            targets.push(format!("/{name}?{}", required(name, url)));
        }
    }
    targets.push("/exportbacklinks?url=example.com&fields=sr,linktext".to_owned());
    targets.push("/exportpages?url=odd.example".to_owned());
    targets.push("/backlinks?url=example.com&active=all&details=true".to_owned());
    targets.push("/backlinks?url=example.com&group=domain&limit=7&offset=2&order[]=-pos".to_owned());
    targets.push("/backlinks?url=example.com&where=linktext%20contains%20%27%E6%97%A5%27".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/tables/check.py");
    let open = Server::start(&records);
    let [base, open] = [&server, &open].map(|server| format!("http://{}", server.client.address));
    let mut command = Command::new(python);
    let ran =
        command.args(["-B", script, &base, &token, &open, "example.com"]).args(targets).output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    printed.lines().filter(|line| line.starts_with("SKIPPED")).for_each(|line| eprintln!("{line}"));
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
}

fn with(client: &Client, method: &str, headers: &[&str]) -> Reply {
    client.send(method, LIST, headers, b"")
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.status))
}

/// A server whose list has 20,000 rows in three row groups, and is streamed.
fn many(config: ApiConfig) -> Server {
    let links = |source: usize| {
        let number = |row: usize| (source * 20 + row).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..20).map(|row| link(&format!("http://example.com/{row}"), &format!("{:x}", number(row)))).collect()
    };
    let source = |number: usize| page(&format!("http://s{number}.example/"), "", "", links(number));
    let config = ApiConfig { stream_piece_bytes: 4_096, row_group_rows: 8_192, ..config };
    Server::start_with(&(0..1_000).map(source).collect::<Vec<_>>(), config, AuthPolicy::Open)
}

#[test]
fn ranges_are_parts_of_one_file() {
    let server = many(ApiConfig::default());
    let head = with(&server.client, "HEAD", &[]);
    assert_eq!((head.status, header(&head, "accept-ranges")), (200, "bytes"));
    let (length, tag): (usize, _) =
        (header(&head, "content-length").parse().unwrap(), header(&head, "etag").to_owned());
    assert!(length > 20_000 && tag.starts_with('"'), "{length} {tag}");
    let whole = with(&server.client, "GET", &[]);
    assert_eq!((whole.body.len(), header(&whole, "etag")), (length, tag.as_str()));
    assert!(whole.body.starts_with(b"PAR1") && whole.body.ends_with(b"PAR1"));
    for (range, part) in [
        ("0-3", 0..4),
        ("-8", length - 8..length),
        ("5000-14999", 5_000..15_000),
        ("4-", 4..length),
        ("4-99999999999", 4..length),
    ] {
        let reply = with(&server.client, "GET", &[&format!("Range: bytes={range}")]);
        assert_eq!((reply.status, header(&reply, "etag")), (206, tag.as_str()), "{range}");
        let named = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        assert_eq!(header(&reply, "content-range"), named, "{range}");
        assert_eq!(reply.body, whole.body[part], "{range}");
    }
    let beyond = with(&server.client, "GET", &[&format!("Range: bytes={length}-")]);
    assert_eq!((beyond.status, header(&beyond, "content-range")), (416, &*format!("bytes */{length}")));
    assert!(beyond.text().contains("ask for a range within them"), "{}", beyond.text());
    for ignored in ["Range: bytes=9-1", "Range: rows=0-1", "Range: bytes=0-1,4-5"] {
        assert_eq!(with(&server.client, "GET", &[ignored]).status, 200, "{ignored}");
    }
    assert_eq!(with(&server.client, "HEAD", &["Range: bytes=0-3"]).status, 200);
    assert_eq!(with(&server.client, "HEAD", &[&format!("If-None-Match: {tag}")]).status, 304);
}

/// A reader that began before a commit reads on in the old state. A tag that is not kept gets the whole new response.
#[test]
fn ranges_stay_in_the_state_in_which_they_began() {
    let server = many(ApiConfig::default());
    let old = with(&server.client, "GET", &["Range: bytes=0-"]);
    let tag = header(&old, "etag").to_owned();
    let source = page("http://new.example/", "", "", vec![link("http://example.com/", "new")]);
    server.store.put(&[source]).unwrap();
    let fresh = with(&server.client, "GET", &[]);
    assert_ne!(fresh.body, old.body, "a whole response is of the present state");
    let (if_range, if_match) = (format!("If-Range: {tag}"), format!("If-Match: {tag}"));
    for more in [&[][..], &[if_range.as_str()], &[if_match.as_str()]] {
        let headers: Vec<&str> = more.iter().copied().chain(["Range: bytes=100-199"]).collect();
        let part = with(&server.client, "GET", &headers);
        assert_eq!((part.status, &part.body[..]), (206, &old.body[100..200]), "{more:?}");
    }
    let other = with(&server.client, "GET", &["Range: bytes=100-199", "If-Range: \"other\""]);
    assert_eq!((other.status, other.body), (200, fresh.body));
    let other = with(&server.client, "GET", &["Range: bytes=100-199", "If-Match: \"other\""]);
    assert_eq!(other.status, 412);
}

/// After `api.kept_file_time`, a new reader gets the present state. Tags of the old file go on.
#[test]
fn a_new_reader_gets_a_new_file_after_a_while() {
    let brief = backlinkd::config::Span(std::time::Duration::from_millis(1));
    let server = many(ApiConfig { kept_file_time: brief, ..ApiConfig::default() });
    let first = header(&with(&server.client, "HEAD", &[]), "etag").to_owned();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(header(&with(&server.client, "HEAD", &[]), "etag"), first, "the state is the same");
    server.store.put(&[page("http://new.example/", "", "", vec![link("http://example.com/", "")])]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_ne!(header(&with(&server.client, "HEAD", &[]), "etag"), first);
}

/// What does not fit is sent whole, and HEAD says that it has no ranges.
#[test]
fn a_file_that_does_not_fit_is_sent_whole() {
    for kept_file_bytes in [0, 60_000] {
        let server = many(ApiConfig { kept_file_bytes, ..ApiConfig::default() });
        for _ in 0..2 {
            let head = with(&server.client, "HEAD", &[]);
            assert_eq!((head.status, header(&head, "accept-ranges")), (200, "none"));
            let whole = with(&server.client, "GET", &["Range: bytes=0-3"]);
            assert_eq!(whole.status, 200);
            assert!(whole.body.ends_with(b"PAR1"));
        }
        // A shorter one has ranges, unless none is kept.
        let short = format!("{LIST}&limit=5");
        let part = server.client.send("GET", &short, &["Range: bytes=0-3"], b"");
        assert_eq!(part.status, if kept_file_bytes == 0 { 200 } else { 206 });
    }
}

/// Clients that ask at the same time get the same file.
#[test]
fn many_readers_share_a_file() {
    let server = many(ApiConfig { max_streams_per_client: 1, ..ApiConfig::default() });
    let address = server.client.address;
    let threads: Vec<_> =
        (0..8).map(|_| std::thread::spawn(move || with(&Client::new(address), "HEAD", &[]))).collect();
    let heads: Vec<Reply> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for head in &heads {
        assert_eq!((head.status, header(head, "etag")), (200, header(&heads[0], "etag")));
    }
}

/// No HTTP coding is applied to Parquet; Arrow is compressed like text.
#[test]
fn parquet_is_not_compressed_again() {
    let server = many(ApiConfig::default());
    let coding = ["Accept-Encoding: zstd"];
    assert_eq!(with(&server.client, "GET", &coding).header("content-encoding"), None);
    let arrow = server.client.send("GET", "/backlinks?url=example.com&format=arrow", &coding, b"");
    assert_eq!(arrow.header("content-encoding"), Some("zstd"));
}

#[test]
fn accept_chooses_the_formats_too() {
    let server = Server::start(&random(91, 50));
    for media_type in ["application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"] {
        let accept = format!("Accept: {media_type}");
        let reply = server.client.send("GET", "/linktexts?url=example.com", &[&accept], b"");
        assert_eq!(header(&reply, "content-type"), media_type);
    }
    let head = server.client.send(
        "HEAD",
        "/linktexts?url=example.com",
        &["Accept: application/vnd.apache.parquet"],
        b"",
    );
    assert_eq!(header(&head, "accept-ranges"), "bytes");
    let refused = server.client.get("/linktextdistribution?url=example.com&format=parquet");
    assert_eq!(refused.status, 400);
}

/// A user who is removed gets no more of a file, and strangers get nothing.
#[test]
fn a_kept_file_needs_credentials() {
    let records = random(92, 300);
    let server = Server::start_with(&records, ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("alice", &hash_password("secret").unwrap()).unwrap();
    let alice = Client::with_user(server.client.address, "alice", "secret");
    assert_eq!(with(&alice, "HEAD", &[]).status, 200);
    let stranger = Client::new(server.client.address);
    assert_eq!(with(&stranger, "GET", &["Range: bytes=0-3"]).status, 401);
    assert!(server.store.remove_user("alice").unwrap());
    assert_eq!(with(&alice, "GET", &["Range: bytes=0-3"]).status, 401);
}
