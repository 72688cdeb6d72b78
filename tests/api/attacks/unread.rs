//! Responses that are requested and not read: their memory and places are bounded, and other clients have theirs.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::{ApiConfig, Span};
use data_encoding::BASE64;

use super::super::client::Client;
use super::super::server::Server;
use super::{connection, connection_from, is_ended, links, rest, wait_for};

const ROWS: usize = 3_000;

fn figure(server: &Server, name: &str) -> f64 {
    let text = server.client.get("/metrics").text();
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        .unwrap_or_else(|| panic!("{name}"))
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Different requests for lists.
fn unread(server: &Server, number: usize, query: &str) -> Vec<TcpStream> {
    let targets = (0..number).map(|at| format!("/backlinks?url=example.com&limit={}{query}", ROWS - at));
    targets.map(|target| connection(server.client.address, &get(&target))).collect()
}

/// The bytes of the longest of these responses.
fn answer_bytes(server: &Server) -> u64 {
    server.client.get(&format!("/backlinks?url=example.com&limit={ROWS}")).body.len() as u64
}

#[test]
fn the_memory_of_a_client_is_bounded_and_read_answers_cost_none() {
    let records = links(ROWS);
    let config =
        ApiConfig { answer_memory_per_client_bytes: 8 << 20, answer_cache_bytes: 0, ..ApiConfig::default() };
    let server = Server::start_with(&records, config, AuthPolicy::Open);
    let each = answer_bytes(&server);
    assert!(each > 1 << 20, "{each} bytes are no large answer");
    let mut asked = unread(&server, 40, "");
    let mut refused = 0;
    wait_for("some are refused", || {
        std::thread::sleep(Duration::from_millis(50));
        let status = server.client.get("/backlinks?url=example.com&limit=2999&offset=1").status;
        refused = usize::from(status == 429);
        refused > 0
    });
    assert!(figure(&server, "backlinkd_http_answer_bytes") <= (8 << 20) as f64 + each as f64);
    assert_eq!(server.client.get("/backlinks?url=example.com&limit=3").status, 200, "small answers pass");
    // The accepted responses are complete.
    let whole = asked.iter_mut().take(3).map(|stream| {
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        &head == b"HTTP/1.1 200"
    });
    assert!(whole.filter(|whole| *whole).count() >= 1);
    drop(asked);
    wait_for("their memory is free", || figure(&server, "backlinkd_http_answer_bytes") == 0.0);
    assert_eq!(answer_bytes(&server), each);
}

#[test]
fn unread_responses_are_broken_off_when_memory_is_short() {
    let records = links(ROWS);
    let config = ApiConfig {
        answer_memory_bytes: 8 << 20,
        answer_memory_per_client_bytes: 1 << 30,
        answer_cache_bytes: 0,
        ..ApiConfig::default()
    };
    let server = Server::start_with(&records, config, AuthPolicy::Open);
    let each = answer_bytes(&server);
    let asked = unread(&server, 30, "");
    wait_for("memory is short", || {
        figure(&server, "backlinkd_http_answer_bytes") + each as f64 > (8 << 20) as f64
    });
    // A client that reads is served as soon as the others have not read for a second.
    let took = wait_for("another is served", || {
        let reply = server.client.get("/backlinks?url=example.com&limit=2998&offset=2");
        assert!([200, 503].contains(&reply.status), "{}", reply.status);
        reply.status == 200
    });
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(figure(&server, "backlinkd_http_cut_total{reason=\"memory\"}") >= 1.0);
    assert!(figure(&server, "backlinkd_http_answer_bytes") <= (8 << 20) as f64);
    drop(asked);
}

#[test]
fn a_client_that_does_not_read_is_cut_off_and_one_that_reads_slowly_is_not() {
    let records = links(ROWS);
    let config = ApiConfig { write_timeout: Span(Duration::from_millis(800)), ..ApiConfig::default() };
    let server = Server::start_with(&records, config, AuthPolicy::Open);
    let each = answer_bytes(&server);
    let asked = unread(&server, 4, "");
    let target = format!("/backlinks?url=example.com&limit={ROWS}&x=slow");
    let mut slow = connection(server.client.address, &get(&target));
    let (mut read, mut bytes) = (0, vec![0; 200_000]);
    // Faster than 64 KiB within the timeout, and for longer than the timeout in total.
    let start = Instant::now();
    while read < each as usize {
        let before = read;
        while read < (before + 150_000).min(each as usize) {
            let length = slow.read(&mut bytes).unwrap();
            assert!(length > 0, "cut off after {read} of {each} bytes");
            read += length;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(start.elapsed() > Duration::from_millis(800));
    wait_for("those who do not read are cut off", || {
        figure(&server, "backlinkd_http_cut_total{reason=\"write\"}") >= 4.0
    });
    for mut stream in asked {
        assert!((rest(&mut stream).len() as u64) < each);
    }
}

#[test]
fn a_request_has_a_total_timeout() {
    let records = links(ROWS);
    let config = ApiConfig { request_timeout: Span(Duration::from_millis(1_500)), ..ApiConfig::default() };
    let server = Server::start_with(&records, config, AuthPolicy::Open);
    answer_bytes(&server);
    let target = format!("/backlinks?url=example.com&limit={ROWS}&x=slow");
    let mut slow = connection(server.client.address, &get(&target));
    let mut bytes = vec![0; 30_000];
    let took = wait_for("a reader that never ends is cut off", || {
        std::thread::sleep(Duration::from_millis(50));
        slow.read(&mut bytes).map_or(true, |length| length == 0)
    });
    assert!(took >= Duration::from_millis(1_000), "{took:?}");
    assert!(figure(&server, "backlinkd_http_cut_total{reason=\"request\"}") >= 1.0);
}

/// One HTTP/2 connection whose client opens streams and grants them no window.
#[tokio::test(flavor = "multi_thread")]
async fn streams_without_a_window_are_reset_one_by_one() {
    let records = links(ROWS);
    let config = ApiConfig {
        write_timeout: Span(Duration::from_millis(1_000)),
        answer_cache_bytes: 0,
        ..ApiConfig::default()
    };
    let server = tokio::task::block_in_place(|| Server::start_with(&records, config, AuthPolicy::Open));
    let stream = tokio::net::TcpStream::connect(server.client.address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (mut client, connection) = builder.handshake::<_, bytes::Bytes>(stream).await.unwrap();
    let running = tokio::spawn(connection);
    let mut responses = Vec::new();
    for at in 0..10 {
        client = client.ready().await.unwrap();
        let uri = format!("http://localhost/backlinks?url=example.com&limit={}", ROWS - at);
        let request = http::Request::get(uri).body(()).unwrap();
        responses.push(client.send_request(request, true).unwrap().0);
    }
    let mut bodies = Vec::new();
    for response in responses {
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        bodies.push(response.into_body());
    }
    let start = Instant::now();
    for mut body in bodies {
        // The stream is reset, and none of its data arrived.
        let ended = tokio::time::timeout(super::PATIENCE, body.data()).await.expect("a stream is not ended");
        assert!(matches!(ended, Some(Err(_))), "{ended:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // The connection continues, and so does a stream that is read.
    client = client.ready().await.unwrap();
    let request = http::Request::get("http://localhost/livez").body(()).unwrap();
    let mut body = client.send_request(request, true).unwrap().0.await.unwrap().into_body();
    body.flow_control().release_capacity(0).unwrap();
    assert!(!running.is_finished());
    tokio::task::block_in_place(|| {
        wait_for("its memory is free", || figure(&server, "backlinkd_http_answer_bytes") == 0.0);
    });
}

/// Over HTTP/1.0 a response has neither length nor chunks: only the end of the connection shows whether it is complete.
#[test]
fn an_interrupted_export_is_recognisable_over_http_1_0() {
    let config = ApiConfig {
        stream_piece_bytes: 4 << 10,
        write_timeout: Span(Duration::from_millis(500)),
        ..ApiConfig::default()
    };
    let server = Server::start_with(&links(ROWS), config, AuthPolicy::Open);
    let request = b"GET /exportbacklinks?url=example.com&format=csv HTTP/1.0\r\n\r\n";
    let mut read = connection(server.client.address, request);
    let mut whole = Vec::new();
    read.read_to_end(&mut whole).unwrap();
    assert!(String::from_utf8_lossy(&whole).matches("http://s").count() >= ROWS);
    let mut unread = connection(server.client.address, request);
    wait_for("it is cut off", || figure(&server, "backlinkd_http_cut_total{reason=\"write\"}") >= 1.0);
    let ended = unread.read_to_end(&mut Vec::new());
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

/// Request bodies that never end count like responses that are never read.
#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_bodies_is_bounded() {
    let config = ApiConfig { answer_memory_per_client_bytes: 2 << 20, ..ApiConfig::default() };
    let server = tokio::task::block_in_place(|| Server::start_with(&[], config, AuthPolicy::Open));
    let stream = tokio::net::TcpStream::connect(server.client.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut responses = Vec::new();
    for _ in 0..8 {
        client = client.ready().await.unwrap();
        let request = http::Request::post("http://localhost/backlinkshort")
            .header("content-type", "application/json")
            .header("content-length", "1048576")
            .body(())
            .unwrap();
        let (response, mut body) = client.send_request(request, false).unwrap();
        body.send_data(bytes::Bytes::from(vec![b' '; 1_000_000]), false).unwrap();
        responses.push((response, body));
    }
    let mut refused = 0;
    for (response, _body) in responses {
        if let Ok(response) = tokio::time::timeout(Duration::from_secs(4), response).await {
            assert_eq!(response.unwrap().status(), 429);
            refused += 1;
        }
    }
    assert!(refused >= 5, "{refused}");
    tokio::task::block_in_place(|| {
        assert!(figure(&server, "backlinkd_http_answer_bytes") <= (2 << 20) as f64);
    });
}

/// The running export ends too, not only further requests.
#[test]
fn a_removed_user_gets_no_more_of_an_export() {
    let config = ApiConfig { stream_piece_bytes: 4 << 10, ..ApiConfig::default() };
    let server = Server::start_with(&links(ROWS), config, AuthPolicy::Users);
    let put = |name: &str| server.store.put_user(name, &hash_password(name).unwrap()).unwrap();
    put("alice");
    put("bob");
    let export = |name: &str| {
        let code = BASE64.encode(format!("{name}:{name}").as_bytes());
        let target = "/exportbacklinks?url=example.com&format=csv";
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {code}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = connection(server.client.address, head.as_bytes());
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200");
        stream
    };
    let (mut alice, mut bob) = (export("alice"), export("bob"));
    assert!(server.store.remove_user("alice").unwrap());
    let (alice, bob) = (rest(&mut alice), rest(&mut bob));
    assert!(bob.ends_with("0\r\n\r\n") && bob.matches("http://s").count() >= ROWS);
    assert!(!alice.ends_with("0\r\n\r\n") && alice.len() * 2 < bob.len(), "{} of {}", alice.len(), bob.len());
}

#[test]
fn unread_exports_leave_places_for_others() {
    let records = links(ROWS);
    let config = ApiConfig {
        max_concurrent_streams: 4,
        max_streams_per_client: 2,
        stream_piece_bytes: 16 << 10,
        ..ApiConfig::default()
    };
    let server = Server::start_with(&records, config, AuthPolicy::Open);
    answer_bytes(&server);
    let exports: Vec<TcpStream> = (0..32)
        .map(|_| connection(server.client.address, &get("/exportbacklinks?url=example.com&format=csv")))
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let short = server.client.get("/backlinks?url=example.com&format=csv&limit=3");
    assert_eq!((short.status, short.text().lines().count()), (200, 4));
    assert!(start.elapsed() < Duration::from_secs(5), "a short answer needs no place: {:?}", start.elapsed());
    // Another client has places, whatever the first one has requested.
    let start = Instant::now();
    let request = "GET /exportbacklinks?url=example.com&format=csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = rest(&mut connection_from("127.0.0.3", server.client.address, request.as_bytes()));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.matches("http://s").count() >= ROWS);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let still = exports.iter().filter(|stream| !is_ended(stream)).count();
    assert_eq!(still, 32, "those that wait are not refused");
    drop(exports);
    assert_eq!(
        Client::new(server.client.address).get("/exportbacklinks?url=example.com&format=csv").status,
        200
    );
}
