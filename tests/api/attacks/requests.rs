//! Invalid requests: each gets a response.

use backlinkd::api::AuthPolicy;
use backlinkd::config::ApiConfig;

use super::super::client::{Client, Reply};
use super::super::server::Server;
use super::{connection, rest};

fn ask(server: &Server, bytes: &str) -> String {
    rest(&mut connection(server.client.address, bytes.as_bytes()))
}

fn server() -> Server {
    Server::start_with(&[], ApiConfig::default(), AuthPolicy::Open)
}

#[test]
fn targets_of_any_form_are_answered() {
    let server = server();
    for (request, status) in [
        ("CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\nContent-Length: 9\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        ("GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        ("GET http://localhost HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        ("GET //livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        ("GET ?x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
    ] {
        for _ in 0..20 {
            let answer = ask(&server, request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        }
    }
    let text = server.client.get("/metrics").text();
    assert!(text.contains("backlinkd_http_cut_total{reason=\"panic\"} 0\n"), "{text}");
}

#[test]
fn an_open_api_accepts_only_the_names_of_its_machine() {
    let config = ApiConfig { hosts: vec!["links.lan".to_owned()], ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    for (hosts, status) in [
        ("Host: evil.example\r\n", 421),
        ("Host: 127.0.0.1.evil.example:8080\r\n", 421),
        ("Host: links.lan\r\n", 200),
        ("Host: 127.0.0.1:8080\r\n", 200),
        ("Host: LOCALHOST\r\n", 200),
        ("Host: [::1]:80\r\n", 200),
        ("", 400),
        ("Host: localhost\r\nHost: localhost\r\n", 400),
        ("Host: localhost\r\nHost: evil.example\r\n", 400),
    ] {
        let answer = ask(&server, &format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{hosts}: {answer}");
        if status != 200 {
            assert!(answer.contains("application/json") && answer.contains("\"error\":\""), "{answer}");
        }
    }
    assert!(ask(&server, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_arrives() {
    let server = server();
    for length in ["1000000000000000000", "1048577"] {
        let head = format!(
            "POST /backlinkshort HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let answer = ask(&server, &head);
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[test]
fn a_limited_number_of_unknown_parameters_is_named() {
    let server = server();
    let warnings = |reply: &Reply| {
        let header = reply.header("x-warnings").unwrap();
        assert!(header.len() < 4_000, "{}", header.len());
        serde_json::from_str::<Vec<String>>(header).unwrap()
    };
    for number in [9, 10, 11, 1_000] {
        let unknown: String = (0..number).map(|at| format!("&{at}{}", "x".repeat(35))).collect();
        let csv = warnings(&server.client.get(&format!("/backlinks?url=example.com&format=csv{unknown}")));
        let json = server.client.json(&format!("/backlinks?url=example.com{unknown}"))["warnings"].clone();
        let json: Vec<String> = serde_json::from_value(json).unwrap();
        assert_eq!(json, csv);
        // One warning says that the index does not know the domain.
        assert_eq!(json.len(), 1 + number.min(10) + usize::from(number > 10), "{json:?}");
        let further = json.iter().find(|warning| warning.contains("further parameters"));
        let expected = (number > 10).then(|| format!("{} further", number - 10));
        assert_eq!(further.map(|text| text.split_once(" parameters").unwrap().0), expected.as_deref());
    }
    let repeated = "&unknown=1".repeat(1_000);
    let reply =
        Client::new(server.client.address).get(&format!("/backlinks?url=a.example&format=csv{repeated}"));
    assert_eq!(
        warnings(&reply).iter().filter(|warning| warning.contains("unknown\" was ignored")).count(),
        1
    );
}
