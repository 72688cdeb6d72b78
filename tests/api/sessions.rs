//! Sign-in from the page, access tokens, roles, and requests of pages of other sites.

use std::io::Read;
use std::time::Duration;

use backlinkd::api::{AuthPolicy, hash_password, random_token, token_digest};
use backlinkd::config::{ApiConfig, Span};
use backlinkd::model::VisitRecord;
use backlinkd::store::{Role, Roles, StoredToken};
use serde_json::{Value, json};

use super::attacks::{connection, rest};
use super::client::{Client, Reply};
use super::server::Server;
use super::web::{link, page};

const JSON: &str = "Content-Type: application/json";
const SAME_ORIGIN: &str = "Sec-Fetch-Site: same-origin";
const PATH: &str = "/sr?url=example.com";

fn guarded(config: ApiConfig) -> Server {
    let server = Server::start_with(&[], config, AuthPolicy::Users);
    server.store.put_user("alice", &hash_password("secret").unwrap()).unwrap();
    server
}

fn sign_in(client: &Client, password: &str, more: &[&str]) -> Reply {
    let body = json!({ "name": "alice", "password": password }).to_string();
    client.send("POST", "/session", &[&[JSON, SAME_ORIGIN], more].concat(), body.as_bytes())
}

/// The header that a browser sends back.
fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap();
    format!("Cookie: {cookie}")
}

fn status(server: &Server, method: &str, path: &str, headers: &[&str]) -> u16 {
    server.client.send(method, path, headers, b"").status
}

#[test]
fn a_session_serves_until_the_user_signs_out() {
    let server = guarded(ApiConfig::default());
    let signed_in = sign_in(&server.client, "secret", &[]);
    assert_eq!((signed_in.status, signed_in.body.len()), (204, 0));
    let attributes = signed_in.header("set-cookie").unwrap().split_once("; ").unwrap().1;
    assert_eq!(attributes, "Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
    let cookie = cookie(&signed_in);
    assert_eq!(status(&server, "GET", PATH, &[&cookie]), 200);
    let about = server.client.send("GET", "/session", &[&cookie], b"");
    assert_eq!(
        about.json(),
        json!({ "name": "alice", "roles": ["read", "operate"], "signIn": false, "status": 200 })
    );
    assert_eq!(about.header("cache-control"), Some("no-store"));

    assert_eq!(status(&server, "PUT", "/session", &[&cookie, SAME_ORIGIN]), 405);
    let signed_out = server.client.send("DELETE", "/session", &[&cookie, SAME_ORIGIN], b"");
    assert_eq!(signed_out.status, 204);
    assert!(signed_out.header("set-cookie").unwrap().starts_with("backlinkd_session=; Path=/; Max-Age=0;"));
    assert_eq!(status(&server, "GET", PATH, &[&cookie]), 401);
    assert_eq!(server.client.send("GET", "/session", &[&cookie], b"").json(), unknown_sender());
    // An id that no server gave.
    assert_eq!(status(&server, "GET", PATH, &["Cookie: backlinkd_session=x"]), 401);
}

#[test]
fn wrong_sign_ins_are_refused_and_limited_like_other_passwords() {
    let config = ApiConfig {
        login_limit_per_second: 1,
        login_limit_burst: 1,
        login_wait: Span::seconds(0),
        ..ApiConfig::default()
    };
    let server = guarded(config);
    let wrong: Vec<u16> = (0..6)
        .map(|_| {
            let wrong = sign_in(&server.client, "wrong", &[]);
            assert!(wrong.header("set-cookie").is_none());
            wrong.status
        })
        .collect();
    assert_eq!((wrong[0], wrong.contains(&429)), (401, true), "{wrong:?}");
    let post = |headers: &[&str], body: &str| {
        server.client.send("POST", "/session", headers, body.as_bytes()).status
    };
    assert_eq!(post(&[JSON], "{\"name\":\"alice\"}"), 400);
    assert_eq!(post(&["Content-Type: text/plain"], "{\"name\":\"alice\",\"password\":\"secret\"}"), 400);
    assert_eq!(post(&[JSON], &" ".repeat(20_000)), 413);
}

#[test]
fn a_session_ends_with_the_password_and_with_its_time() {
    let server = guarded(ApiConfig { session_ttl: Span(Duration::from_millis(1)), ..ApiConfig::default() });
    let brief = cookie(&sign_in(&server.client, "secret", &[]));
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(status(&server, "GET", PATH, &[&brief]), 401);

    let server = guarded(ApiConfig { max_sessions: 1, ..ApiConfig::default() });
    let first = cookie(&sign_in(&server.client, "secret", &[]));
    assert_eq!(status(&server, "GET", PATH, &[&first]), 200);
    let second = cookie(&sign_in(&server.client, "secret", &[]));
    assert_eq!(status(&server, "GET", PATH, &[&first]), 401, "there is room for one");
    assert_eq!(status(&server, "GET", PATH, &[&second]), 200);
    server.store.put_user("alice", &hash_password("other").unwrap()).unwrap();
    assert_eq!(status(&server, "GET", PATH, &[&second]), 401);
}

#[test]
fn the_cookie_is_secure_behind_https() {
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    for (trusted_proxies, secure) in [(trusted, true), (Vec::new(), false)] {
        let server = guarded(ApiConfig { trusted_proxies, ..ApiConfig::default() });
        let reply = sign_in(&server.client, "secret", &["X-Forwarded-Proto: https"]);
        assert_eq!(reply.header("set-cookie").unwrap().ends_with("; Secure"), secure);
    }
}

#[test]
fn no_other_site_acts_in_a_users_name() {
    let server = guarded(ApiConfig::default());
    let cookie = cookie(&sign_in(&server.client, "secret", &[]));
    let post = |headers: &[&str]| {
        let body = b"{\"url\":\"example.com\",\"resources\":\"sr\"}";
        server.client.send("POST", "/iscached", &[&[JSON], headers].concat(), body).status
    };
    for (headers, expected) in [
        (&[cookie.as_str(), SAME_ORIGIN][..], 200),
        (&[&cookie, "Sec-Fetch-Site: none"], 200),
        (&[&cookie, "Sec-Fetch-Site: cross-site"], 403),
        (&[&cookie, "Sec-Fetch-Site: same-site"], 403),
        (&[&cookie], 403),
        (&[&cookie, "Origin: http://localhost"], 200),
        (&[&cookie, "Origin: http://evil.example"], 403),
    ] {
        assert_eq!(post(headers), expected, "{headers:?}");
    }
    let by_stranger = server.client.send("DELETE", "/session", &[&cookie], b"");
    assert_eq!(by_stranger.status, 403);
    assert!(by_stranger.json()["error"].as_str().unwrap().contains("a page of another site"));
    // Credentials that a browser remembers are no better; an open server has none at all.
    let user = Client::with_user(server.client.address, "alice", "secret");
    let cross = ["Sec-Fetch-Site: cross-site", JSON];
    assert_eq!(user.send("POST", "/iscached", &cross, b"{}").status, 403);
    assert_eq!(Server::start(&[]).client.send("POST", "/iscached", &cross, b"{}").status, 403);
    // Links from other pages still lead here.
    assert_eq!(user.send("GET", PATH, &cross, b"").status, 200);
}

#[test]
fn the_page_gets_no_challenge() {
    let server = guarded(ApiConfig::default());
    let asked = |header: &str| {
        let reply = server.client.send("GET", PATH, &[header], b"");
        assert_eq!(reply.status, 401);
        reply.header("www-authenticate").is_some()
    };
    assert!(!asked("X-Requested-With: backlinkd"));
    assert!(asked("X-Requested-With: XMLHttpRequest"));
}

#[test]
fn a_server_without_users_needs_no_session() {
    let server = Server::start(&[]);
    let about = server.client.json("/session");
    assert_eq!(about, json!({ "name": null, "roles": ["read", "operate"], "signIn": false, "status": 200 }));
}

fn unknown_sender() -> Value {
    json!({ "name": null, "roles": [], "signIn": true, "status": 200 })
}

/// The page asks for a password before any request is refused. Nothing else is said to strangers.
#[test]
fn a_stranger_learns_that_a_sign_in_is_needed() {
    let server = guarded(ApiConfig::default());
    for headers in [&[][..], &["Cookie: backlinkd_session=x"], &["X-Requested-With: backlinkd"]] {
        let about = server.client.send("GET", "/session", headers, b"");
        assert_eq!((about.status, about.json()), (200, unknown_sender()), "{headers:?}");
        assert_eq!((about.header("cache-control"), about.header("set-cookie")), (Some("no-store"), None));
        assert_eq!(status(&server, "GET", PATH, headers), 401);
    }
    // Wrong credentials are refused here as anywhere.
    for client in [
        Client::with_user(server.client.address, "alice", "wrong"),
        Client { address: server.client.address, authorization: Some("Bearer backlinkd_x".to_owned()) },
    ] {
        assert_eq!(client.get("/session").status, 401);
    }
}

/// Adds a token, and returns a client that sends it.
fn token(server: &Server, name: &str, roles: &[Role], expires_at: Option<u64>) -> Client {
    let token = random_token().unwrap();
    let (digest, roles) = (token_digest(&token), Roles::of(roles));
    let stored = StoredToken { name: name.to_owned(), digest, roles, expires_at };
    assert!(server.store.add_token(&stored).unwrap());
    Client { address: server.client.address, authorization: Some(format!("Bearer {token}")) }
}

fn unix_now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[test]
fn tokens_are_refused_once_they_are_removed_or_expired() {
    let server = guarded(ApiConfig::default());
    let lasting = token(&server, "lasting", &[Role::Read], None);
    let past = token(&server, "past", &[Role::Read], Some(unix_now()));
    let brief = token(&server, "brief", &[Role::Read], Some(unix_now() + 2));
    assert_eq!([&lasting, &past, &brief].map(|client| client.get(PATH).status), [200, 401, 200]);
    assert_eq!(lasting.json("/session")["name"], "lasting");
    std::thread::sleep(Duration::from_millis(2_100));
    assert_eq!(brief.get(PATH).status, 401);
    assert!(server.store.remove_token("lasting").unwrap());
    assert_eq!(lasting.get(PATH).status, 401);
    let wrong = Client { address: lasting.address, authorization: Some("Bearer backlinkd_x".to_owned()) };
    assert_eq!(wrong.get(PATH).status, 401);
}

#[test]
fn roles_say_what_users_and_tokens_may_do() {
    let server = guarded(ApiConfig::default());
    let reader = token(&server, "reader", &[Role::Read], None);
    let operator = token(&server, "operator", &[Role::Operate], None);
    assert_eq!([reader.get(PATH).status, operator.get(PATH).status], [200, 403]);
    let refused: Value = operator.get("/metrics").json();
    assert!(refused["error"].as_str().unwrap().contains("operator does not have the role read"), "{refused}");

    // A change of roles counts for remembered credentials and for sessions at once.
    let user = Client::with_user(server.client.address, "alice", "secret");
    let cookie = cookie(&sign_in(&server.client, "secret", &[]));
    assert_eq!([user.get(PATH).status, status(&server, "GET", PATH, &[&cookie])], [200, 200]);
    let (_, hash) = server.store.users().unwrap().remove(0);
    let operate = Some(Roles::of(&[Role::Operate]));
    server.store.put_user_with_roles("alice", &hash, operate).unwrap();
    assert_eq!([user.get(PATH).status, status(&server, "GET", PATH, &[&cookie])], [403, 403]);
    assert_eq!(user.json("/session")["roles"], json!(["operate"]));
    // A new password keeps the roles.
    server.store.put_user("alice", &hash_password("secret").unwrap()).unwrap();
    assert_eq!(user.get(PATH).status, 403);
    server.store.put_user_with_roles("alice", &hash, Some(Roles::ALL)).unwrap();
    assert_eq!(user.get(PATH).status, 200);
    // A user who is added again has all roles.
    server.store.put_user_with_roles("alice", &hash, operate).unwrap();
    server.store.remove_user("alice").unwrap();
    server.store.put_user("alice", &hash).unwrap();
    assert_eq!(user.get(PATH).status, 200);
}

/// From the first token on, an open server needs credentials.
#[test]
fn a_token_closes_an_open_server() {
    let server = Server::start(&[]);
    assert_eq!(server.client.get(PATH).status, 200);
    let reader = token(&server, "reader", &[Role::Read], None);
    assert_eq!([server.client.get(PATH).status, reader.get(PATH).status], [401, 200]);
}

/// Links from many pages, so that an export takes a while.
fn links(pages: usize) -> Vec<VisitRecord> {
    let address = |number| format!("http://s{number}.example/");
    let of_page = |number| vec![link("http://example.com/", &"text ".repeat(80 + number % 3))];
    (0..pages).map(|number| page(&address(number), "192.0.2.1", "SE", of_page(number))).collect()
}

/// The running export ends too, not only further requests.
#[test]
fn a_removed_or_expired_token_gets_no_more_of_an_export() {
    const ROWS: usize = 8_000;
    let config = ApiConfig { stream_piece_bytes: 4 << 10, ..ApiConfig::default() };
    let server = Server::start_with(&links(ROWS), config, AuthPolicy::Users);
    let export = |name: &str, expires_at: Option<u64>| {
        let authorization = token(&server, name, &[Role::Read], expires_at).authorization.unwrap();
        let target = "/exportbacklinks?url=example.com&format=csv";
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = connection(server.client.address, head.as_bytes());
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200");
        stream
    };
    let (mut removed, mut kept) = (export("removed", None), export("kept", None));
    let mut expired = export("expired", Some(unix_now() + 2));
    assert!(server.store.remove_token("removed").unwrap());
    let (removed, kept) = (rest(&mut removed), rest(&mut kept));
    std::thread::sleep(Duration::from_millis(2_100));
    let expired = rest(&mut expired);
    assert!(kept.ends_with("0\r\n\r\n"));
    for cut in [removed, expired] {
        assert!(!cut.ends_with("0\r\n\r\n") && cut.len() < kept.len(), "{} of {}", cut.len(), kept.len());
    }
}

#[test]
fn only_listed_origins_may_read_responses() {
    let config =
        ApiConfig { allow_origins: vec!["https://notebook.example".to_owned()], ..ApiConfig::default() };
    let server = guarded(config);
    let reader = token(&server, "reader", &[Role::Read], None);
    let from = |origin: &str| reader.send("GET", PATH, &[&format!("Origin: {origin}")], b"");
    let listed = from("https://notebook.example");
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://notebook.example"));
    assert!(listed.header("access-control-allow-credentials").is_none());
    for origin in ["https://evil.example", "http://notebook.example", "null"] {
        let other = from(origin);
        assert_eq!((other.status, other.header("access-control-allow-origin")), (200, None), "{origin}");
        assert_eq!(other.header_values("vary").last(), Some(&"Origin"));
    }
    // The question of a browser has no credentials; an error must be readable as well.
    let question = ["Origin: https://notebook.example", "Access-Control-Request-Method: GET"];
    let answer = server.client.send("OPTIONS", PATH, &question, b"");
    assert_eq!(answer.status, 204);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("Authorization"));
    assert!(
        server.client.send("GET", PATH, &question[..1], b"").header("access-control-allow-origin").is_some()
    );
    let stranger = ["Origin: https://evil.example", "Access-Control-Request-Method: GET"];
    assert_eq!(status(&server, "OPTIONS", PATH, &stranger), 401);

    let off = guarded(ApiConfig::default());
    assert_eq!(status(&off, "OPTIONS", PATH, &question), 401);
    let reply = off.client.send("GET", PATH, &question[..1], b"");
    assert!(reply.header("access-control-allow-origin").is_none() && reply.header("vary").is_none());
}
