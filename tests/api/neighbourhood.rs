//! The graph around a scope: compared with one that is made slowly from exports, and in its other formats.

use std::collections::BTreeMap;

use backlinkd::urls::{Scope, Suffixes, UrlRules};
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

use super::about::About;
use super::answers::publish_ranks;
use super::client::{Client, encode};
use super::oracle::neighbourhood::Graph;
use super::oracle::{export, links};
use super::server::Server;
use super::web::{DOMAINS, link, page, random};

fn rank(client: &Client, about: &str) -> Value {
    client.json(&format!("/sr?{about}"))["response"][0]["sr"].clone()
}

/// Whether a page belongs to a scope.
fn holds(scope: &Scope, url: &str, suffixes: &Suffixes) -> bool {
    let page = url::Url::parse(url).unwrap();
    match scope {
        Scope::Url { url: one, https_url } => {
            one.as_str() == url || https_url.as_ref().is_some_and(|https_url| https_url.as_str() == url)
        }
        Scope::Host { host, port } => {
            page.host_str() == Some(host.as_str())
                && port.is_none_or(|port| page.port_or_known_default() == Some(port))
        }
        Scope::Domain { domain } => suffixes.domain_of(page.host_str().unwrap()) == domain,
        Scope::Prefix { host, port, path } => {
            let below = page[url::Position::BeforePath..].strip_prefix(path.as_str());
            page.host_str() == Some(host.as_str())
                && port.is_none_or(|port| page.port_or_known_default() == Some(port))
                && below.is_some_and(|rest| {
                    path.as_str().ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?'])
                })
        }
    }
}

#[test]
fn graphs_equal_those_made_from_exports() {
    let records = random(97, 300);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    let (client, suffixes) = (&server.client, server.store.suffixes());
    let by_target: BTreeMap<String, Vec<Value>> =
        DOMAINS.iter().map(|domain| ((*domain).to_owned(), links(client, *domain))).collect();
    let (mut edges, mut new) = (0, [0, 0]);
    for (url, kind, centre) in [
        ("example.com", "", "example.com"),
        ("example.com", "host", "example.com"),
        ("www.example.com", "", "www.example.com"),
        ("example.com:8080", "", "example.com:8080"),
        ("http://example.com/", "", "http://example.com/"),
        ("example.com/a", "", "example.com/a"),
        ("example.com/a", "prefix", "example.com/a"),
        ("www.example.com/", "prefix", "www.example.com/"),
        ("a.co.uk", "", "a.co.uk"),
        ("192.0.2.7", "", "192.0.2.7"),
        ("b.github.io", "", "b.github.io"),
    ] {
        let about = match kind {
            "host" => About::host(url),
            "prefix" => About::prefix(url),
            _ => About::from(url),
        };
        let scope = Scope::parse(url, kind.parse().ok(), &UrlRules::default(), suffixes).unwrap();
        let into = export(client, "exportbacklinks", about, 1_000);
        let own = scope.domain(suffixes);
        let graph = Graph { links: &into, by_target: &by_target, centre, own, suffixes };
        let of_scope = rank(client, &about.query());
        for (nodes, since) in [(150, 20_240_302), (5, 20_240_229), (1, 20_240_301)] {
            let expected = graph.answer(
                nodes,
                since,
                &of_scope,
                |domain| rank(client, &format!("url={domain}&scope=domain")),
                |page| holds(&scope, page, suffixes),
            );
            let target = format!("/neighbourhood?{}&nodes={nodes}&since={since}", about.query());
            assert_eq!(client.json(&target), expected, "{target}");
            assert_eq!(client.json(&format!("{target}&internal=exclude")), expected, "{target}");
            edges += expected["edges"].as_array().unwrap().len();
            for node in expected["nodes"].as_array().unwrap().iter().skip(1) {
                new[usize::from(node["new"] == true)] += 1;
            }
        }
    }
    assert!(edges > 300 && new[0] > 10 && new[1] > 10, "{edges} edges, {new:?} nodes");
}

/// The neighbourhood of one URL among three domains.
fn small() -> Server {
    let asked = "http://centre.example/?a=1&b='2'";
    Server::start(&[
        page(
            "http://one.example/",
            "192.0.2.1",
            "SE",
            vec![link(asked, "x"), link(asked, "y"), link("http://two.example/", "z")],
        ),
        page(
            "http://two.example/",
            "192.0.2.2",
            "DE",
            vec![link(asked, "x"), link("http://three.example/", "z")],
        ),
        page("http://blog.centre.example/", "192.0.2.3", "", vec![link(asked, "own")]),
        page(
            asked,
            "192.0.2.4",
            "",
            vec![link("http://two.example/a", ""), link("http://three.example/", "")],
        ),
    ])
}

const ASKED: &str = "http://centre.example/?a=1&b='2'";

#[test]
fn a_small_graph_is_the_one_that_is_drawn_by_hand() {
    let server = small();
    let target = format!("/neighbourhood?url={}&since=20240101", encode(ASKED));
    let node = |id: &str, links: u64, ccode: &str, new: bool, centre: bool| json!({ "id": id, "sr": 0, "links": links, "ccode": ccode, "new": new, "centre": centre });
    let edge = |from: &str, to: &str, links: u64| json!({ "from": from, "to": to, "links": links });
    let name = server.client.json(&target)["nodes"][0]["id"].as_str().unwrap().to_owned();
    let expected = json!({
        "nodes": [
            node(&name, 3, "", false, true),
            node("one.example", 2, "SE", true, false),
            node("two.example", 1, "DE", true, false),
        ],
        "edges": [
            edge(&name, "two.example", 1),
            edge("one.example", &name, 2),
            edge("one.example", "two.example", 1),
            edge("two.example", &name, 1),
        ],
        "refdoms": 2,
        "status": 200,
    });
    assert_eq!(server.client.json(&target), expected);
    let of_domain = server.client.json("/neighbourhood?url=centre.example&nodes=2&since=20240229");
    assert_eq!(of_domain["nodes"][0]["id"], "centre.example");
    assert_eq!(of_domain["nodes"][1]["new"], false);
    assert_eq!((&of_domain["refdoms"], of_domain["nodes"].as_array().unwrap().len()), (&json!(2), 2));
}

#[test]
fn an_unknown_scope_is_a_centre_alone() {
    let server = small();
    let answer = server.client.json("/neighbourhood?url=unknown.example");
    let centre = json!({
        "id": "unknown.example", "sr": 0, "links": 0, "ccode": "", "new": false, "centre": true,
    });
    assert_eq!((&answer["nodes"], &answer["edges"]), (&json!([centre]), &json!([])));
    assert_eq!(answer["warnings"], json!(["unknown.example is not known to this index."]));
}

#[test]
fn other_values_are_refused() {
    let server = small();
    for (more, part) in [
        ("&nodes=0", "nodes is \"0\"; it must be a whole number from 1 to 500"),
        ("&nodes=501", "nodes is \"501\""),
        ("&nodes=x", "nodes"),
        ("&format=csv", "format is \"csv\"; it must be json or gexf or graphml"),
        ("&since=2024-01-01", "since is \"2024-01-01\""),
    ] {
        let reply = server.client.get(&format!("/neighbourhood?url=centre.example{more}"));
        assert_eq!(reply.status, 400, "{more}");
        assert!(reply.json()["error"].as_str().unwrap().contains(part), "{more}: {}", reply.text());
    }
}

/// The attribute of an element.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).unwrap()?;
    Some(quick_xml::escape::unescape(std::str::from_utf8(&found.value).unwrap()).unwrap().into_owned())
}

/// The names and texts of the attributes of elements.
type Elements = Vec<BTreeMap<String, String>>;

/// Nodes and edges of a graph in GEXF or GraphML.
fn read_graph(xml: &str) -> (Elements, Elements) {
    let (mut nodes, mut edges) = (Elements::new(), Elements::new());
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut key, mut is_edge) = (None, false);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return (nodes, edges),
            Event::Start(element) | Event::Empty(element) => match element.name().as_ref() {
                b"node" => {
                    is_edge = false;
                    nodes.push([("id".to_owned(), attribute(&element, "id").unwrap())].into());
                }
                b"edge" => {
                    is_edge = true;
                    let keys = [("source", "from"), ("target", "to")];
                    let mut edge: BTreeMap<String, String> =
                        keys.map(|(name, key)| (key.to_owned(), attribute(&element, name).unwrap())).into();
                    edge.extend(attribute(&element, "weight").map(|links| ("links".to_owned(), links)));
                    edges.push(edge);
                }
                b"attvalue" => {
                    let value = attribute(&element, "value").unwrap();
                    nodes.last_mut().unwrap().insert(attribute(&element, "for").unwrap(), value);
                }
                b"data" => key = attribute(&element, "key"),
                _ => {}
            },
            Event::End(element) if element.name().as_ref() == b"data" => {
                // An empty text is no event.
                if let (Some(key), false) = (key.take(), is_edge) {
                    nodes.last_mut().unwrap().entry(key).or_default();
                }
            }
            Event::Text(text) => {
                if let Some(key) = key.clone() {
                    let value = String::from_utf8(text.to_vec()).unwrap();
                    let (element, key) =
                        if is_edge { (edges.last_mut(), "links") } else { (nodes.last_mut(), &*key) };
                    element.unwrap().insert(key.to_owned(), value);
                }
            }
            _ => {}
        }
    }
}

/// Values of JSON as texts.
fn texts(rows: &Value) -> Elements {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let rows = rows.as_array().unwrap().iter().map(|row| row.as_object().unwrap());
    rows.map(|row| row.iter().map(|(key, value)| (key.clone(), text(value))).collect()).collect()
}

#[test]
fn gexf_and_graphml_have_the_same_graph() {
    for server in [small(), Server::start(&random(98, 200))] {
        for url in [ASKED, "centre.example", "example.com", "unknown.example"] {
            let target = format!("/neighbourhood?url={}&since=20240229", encode(url));
            let json = server.client.json(&target);
            for (format, media_type) in
                [("gexf", "application/gexf+xml"), ("graphml", "application/graphml+xml")]
            {
                let reply = server.client.get(&format!("{target}&format={format}"));
                assert_eq!(reply.header("content-type"), Some(media_type));
                let name = reply.header("content-disposition").unwrap();
                assert!(name.ends_with(&format!(".{format}\"")), "{name}");
                let (nodes, edges) = read_graph(&reply.text());
                assert_eq!(nodes, texts(&json["nodes"]), "{format} of {url}");
                assert_eq!(edges, texts(&json["edges"]), "{format} of {url}");
                let warnings =
                    reply.header("x-warnings").map(|text| serde_json::from_str::<Value>(text).unwrap());
                assert_eq!(warnings.as_ref(), json.get("warnings"));
            }
        }
    }
}
