//! Feeds: the entries are the rows of the list, as an XML parser reads them.

use std::collections::BTreeSet;

use backlinkd::model::VisitRecord;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::client::encode;
use super::server::Server;
use super::web::{later, link, page, random};

/// The texts of all elements with this name, and the `href`s of all links.
fn parse(xml: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut texts, mut links, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open.push(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
                texts.push((open.last().unwrap().clone(), String::new()));
            }
            Event::Empty(link) => {
                let attribute = link.try_get_attribute("href").unwrap().unwrap();
                let value = String::from_utf8(attribute.value.to_vec()).unwrap();
                links.push(quick_xml::escape::unescape(&value).unwrap().into_owned());
            }
            // White space between elements belongs to none.
            Event::Text(text) if !open.is_empty() && open.last() == texts.last().map(|(name, _)| name) => {
                texts.last_mut().unwrap().1 += std::str::from_utf8(&text).unwrap();
            }
            Event::GeneralRef(name) => {
                let name = std::str::from_utf8(&name).unwrap();
                texts.last_mut().unwrap().1 += &quick_xml::escape::unescape(&format!("&{name};")).unwrap();
            }
            Event::End(_) => drop(open.pop().unwrap()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    (texts, links)
}

fn feed(server: &Server, target: &str) -> (Vec<(String, String)>, Vec<String>) {
    let reply = server.client.get(target);
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/atom+xml"));
    parse(&reply.text())
}

fn named<'t>(texts: &'t [(String, String)], name: &str) -> Vec<&'t str> {
    texts.iter().filter(|(found, _)| found == name).map(|(_, text)| text.as_str()).collect()
}

#[test]
fn a_feed_has_an_entry_for_each_row() {
    let server = Server::start(&random(31, 200));
    let mut entries = 0;
    for (name, day) in [("newbacklinks", "insDate"), ("lostbacklinks", "lostDate")] {
        for more in ["", "&where=nofollow%20eq%20false", "&limit=3", "&order[]=sr&fields=sr"] {
            let target = format!("/{name}?url=example.com&from=20000101{more}");
            let list = server.client.json(&target.replace("&fields=sr", ""));
            let rows = list["response"].as_array().unwrap();
            let (texts, links) = feed(&server, &format!("{target}&format=atom"));
            let pages: Vec<&str> = rows.iter().map(|row| row["backlinkpage"].as_str().unwrap()).collect();
            assert_eq!(links[1..], pages, "{target}");
            let days = rows.iter().map(|row| row[day].as_str().unwrap());
            let days: Vec<String> =
                days.map(|day| format!("{}-{}-{}T00:00:00Z", &day[..4], &day[4..6], &day[6..])).collect();
            let updated = named(&texts, "updated");
            assert_eq!(updated[1..], days, "{target}");
            if let Some(latest) = days.iter().max() {
                assert_eq!(updated[0], latest);
            }
            let ids = named(&texts, "id");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), rows.len() + 1, "{target}");
            assert!(ids.iter().all(|id| id.starts_with("urn:uuid:") && id.len() == 45), "{ids:?}");
            // The feed names its own address, with the filters.
            let again = feed(&server, &links[0]);
            assert_eq!(named(&again.0, "id"), ids, "{target}");
            entries += rows.len();
        }
    }
    assert!(entries > 20, "{entries}");
}

fn web() -> Vec<VisitRecord> {
    let hostile = "<script>alert(\"1\")</script> & ]]> \u{202e}'x'";
    let record = page(
        "http://source.example/?a=1&b=<2>",
        "192.0.2.1",
        "SE",
        vec![link("http://target.example/", hostile), link("http://target.example/", hostile)],
    );
    vec![record]
}

#[test]
fn ids_stay_and_hostile_texts_are_texts() {
    let server = Server::start(&web());
    let target = "/newbacklinks?url=target.example&from=20000101&format=atom";
    let (texts, links) = feed(&server, target);
    let summaries = named(&texts, "summary");
    assert_eq!(summaries.len(), 2);
    assert!(summaries[0].contains("<script>alert(\"1\")</script> & ]]>"), "{summaries:?}");
    assert!(links[1].starts_with("http://source.example/?a=1&b="), "{links:?}");
    let ids: Vec<String> = named(&texts, "id").into_iter().map(str::to_owned).collect();
    // Another visit changes other columns of the links.
    server.store.put(&[later(web().remove(0), 3)]).unwrap();
    let again = feed(&server, target);
    assert_eq!(named(&again.0, "id"), ids);
}

#[test]
fn only_dated_lists_are_feeds() {
    let server = Server::start(&[]);
    let empty = feed(&server, "/newbacklinks?url=target.example&from=20240229&format=atom");
    assert_eq!(named(&empty.0, "updated"), ["2024-02-29T00:00:00Z"]);
    let filter = encode("title eq '<&>'");
    let filtered = format!("/newbacklinks?url=target.example&from=20240229&format=atom&where={filter}");
    assert!(named(&feed(&server, &filtered).0, "title")[0].ends_with(" where title eq '<&>'"));
    let refused = server.client.get("/backlinks?url=target.example&format=atom");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("it must be json or csv or jsonl or excel"), "{}", refused.text());
}
