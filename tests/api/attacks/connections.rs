//! Idle connections: their number and their time are bounded, also when the server stops.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use backlinkd::api::AuthPolicy;
use backlinkd::config::{ApiConfig, Span};

use super::super::server::Server;
use super::super::web::random;
use super::{connection, connection_from, is_ended, rest, wait_for};

const GET: &[u8] = b"GET /sr?url=example.com HTTP/1.1\r\nHost: localhost\r\n\r\n";
const GET_ONCE: &[u8] = b"GET /sr?url=example.com HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const BODY_BEGUN: &[u8] =
    b"POST /backlinkshort HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[";

/// A connection with a request whose body is being read: it is in use.
fn in_use(address: SocketAddr) -> TcpStream {
    let head = b"POST /backlinkshort HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = connection(address, head);
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"[").unwrap();
    stream
}

fn span(milliseconds: u64) -> Span {
    Span(Duration::from_millis(milliseconds))
}

fn cut(server: &Server, reason: &str) -> f64 {
    let line = format!("backlinkd_http_cut_total{{reason=\"{reason}\"}} ");
    let text = server.client.get("/metrics").text();
    text.lines().find_map(|text| text.strip_prefix(&line)?.parse().ok()).unwrap()
}

#[test]
fn silent_connections_are_closed_in_favour_of_others() {
    let config = ApiConfig { max_connections: 20, max_connections_per_address: 100, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let silent: Vec<TcpStream> = (0..200).map(|_| connection(server.client.address, b"")).collect();
    wait_for("most are ended", || silent.iter().filter(|stream| is_ended(stream)).count() >= 180);
    for _ in 0..50 {
        assert_eq!(server.client.get("/sr?url=example.com").status, 200);
    }
    assert!(cut(&server, "displaced") >= 180.0);
    // The oldest go first.
    assert!(silent[..100].iter().all(is_ended));
}

/// Connections in use are not closed for others: the others are refused, with a sentence.
#[test]
fn connections_in_use_stay_open_and_further_ones_are_refused() {
    for (max_connections, max_connections_per_address, reason) in
        [(3, 100, "connections"), (100, 3, "address")]
    {
        let config = ApiConfig { max_connections, max_connections_per_address, ..ApiConfig::default() };
        let server = Server::start_with(&[], config, AuthPolicy::Open);
        let mut used: Vec<TcpStream> = (0..3).map(|_| in_use(server.client.address)).collect();
        wait_for("all are in use", || {
            rest(&mut connection(server.client.address, GET_ONCE)).starts_with("HTTP/1.1 503 ")
        });
        let refused = rest(&mut connection(server.client.address, b""));
        assert!(refused.contains("Retry-After: 1\r\n") && refused.ends_with("try again\"}"), "{refused}");
        assert_eq!(refused.len() - refused.find("\r\n\r\n").unwrap() - 4, 80);
        for stream in &mut used {
            stream.write_all(b"\"a.example\"]").unwrap();
            stream.write_all(&[b' '; 87]).unwrap();
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
        }
        drop(used);
        wait_for("there is room again", || {
            rest(&mut connection(server.client.address, b"GET /livez HTTP/1.0\r\n\r\n"))
                .starts_with("HTTP/1.0 200")
        });
        assert!(cut(&server, reason) >= 1.0);
    }
}

#[test]
fn each_address_has_its_own_connections() {
    let config = ApiConfig { max_connections_per_address: 2, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let _used: Vec<TcpStream> = (0..2).map(|_| in_use(server.client.address)).collect();
    wait_for("its own are in use", || {
        rest(&mut connection(server.client.address, GET_ONCE)).starts_with("HTTP/1.1 503 ")
    });
    let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut other = connection_from("127.0.0.2", server.client.address, request);
    assert!(rest(&mut other).starts_with("HTTP/1.1 200"));
}

#[test]
fn each_part_of_a_connection_has_a_timeout() {
    let config = ApiConfig {
        head_timeout: span(300),
        body_timeout: span(300),
        idle_timeout: span(900),
        ..ApiConfig::default()
    };
    let server = Server::start_with(&random(5, 50), config, AuthPolicy::Open);
    let address = server.client.address;
    let start = Instant::now();
    let mut silent = connection(address, b"");
    let mut half = connection(address, b"GET / HTTP/1.1\r\nHost:");
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let mut silent_http2 = connection(address, preface);
    let mut half_body = connection(address, BODY_BEGUN);
    assert_eq!(rest(&mut silent), "");
    assert_eq!(rest(&mut half), "");
    rest(&mut silent_http2);
    let refused = rest(&mut half_body);
    assert!(refused.starts_with("HTTP/1.1 408 ") && refused.contains("api.body_timeout"), "{refused}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(20), "{took:?}");

    // A dripping head gets no more time than one that stops.
    let start = Instant::now();
    let mut dripping = connection(address, b"GET /");
    let ended = wait_for("a head that drips is ended", || {
        let _ = dripping.write_all(b"x");
        std::thread::sleep(Duration::from_millis(50));
        is_ended(&dripping)
    });
    assert!(ended < Duration::from_secs(20) && start.elapsed() >= Duration::from_millis(300));

    // A connection has more time between two requests, and each request restarts it.
    let mut kept = connection(address, b"");
    for _ in 0..4 {
        kept.write_all(GET).unwrap();
        assert!(kept.read(&mut [0; 4_096]).unwrap() > 0);
        std::thread::sleep(Duration::from_millis(450));
        assert!(!is_ended(&kept));
    }
    let ended = wait_for("an idle connection is ended", || is_ended(&kept));
    assert!(ended >= Duration::from_millis(200), "{ended:?}");
    for reason in ["head", "body", "idle"] {
        assert!(cut(&server, reason) >= 1.0, "{reason}");
    }
    assert_eq!(cut(&server, "write") + cut(&server, "request"), 0.0);
}

/// The timeout of the head does not apply to a slow body.
#[test]
fn a_slow_body_is_read() {
    let config = ApiConfig { head_timeout: span(300), ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let mut slow = connection(server.client.address, BODY_BEGUN);
    for part in [&b"\"a.example\"]"[..], &[b' '; 40], &[b' '; 47]] {
        std::thread::sleep(Duration::from_millis(400));
        slow.write_all(part).unwrap();
    }
    let mut answer = [0; 15];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    // A received part of a body does not count as the start of a head either.
    std::thread::sleep(Duration::from_millis(700));
    slow.write_all(GET).unwrap();
    wait_for("the connection is used again", || {
        let mut bytes = [0; 4_096];
        let length = slow.read(&mut bytes).unwrap();
        assert!(length > 0);
        String::from_utf8_lossy(&bytes[..length]).contains("HTTP/1.1 200 OK")
    });
}

#[test]
fn shutdown_waits_only_for_responses() {
    let mut server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Open);
    let address = server.client.address;
    let mut idle = connection(address, GET);
    assert!(idle.read(&mut [0; 4_096]).unwrap() > 0);
    let _half = connection(address, b"GET / HTTP/1.1\r\nHost:");
    let _half_body = connection(address, BODY_BEGUN);
    let _silent = connection(address, b"");
    // The server responds, so it has accepted all of these.
    assert_eq!(server.client.get("/sr?url=example.com").status, 200);
    let start = Instant::now();
    server.end();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
