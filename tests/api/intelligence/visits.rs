//! What the last visits to the page of a link found, on known histories.

use backlinkd::model::{Cut, FailureKind, Link, LinkTag, PageContent, PageFacts, Visit, VisitRecord};
use serde_json::{Value, json};

use super::super::server::Server;
use super::super::web::{later, link, page};

const TARGET: &str = "http://t.example/";
const OTHER: &str = "http://t.example/other";

/// A visit to a page of `s.example` after so many days that finds these links.
fn found(name: &str, days: u64, targets: &[&str]) -> VisitRecord {
    let links = targets.iter().map(|target| link(target, "x")).collect();
    later(page(&format!("http://s.example/{name}"), "192.0.2.1", "SE", links), days)
}

/// As [`found`], with these facts and links instead.
fn answered(name: &str, days: u64, facts: PageFacts, links: Vec<Link>) -> VisitRecord {
    let content = PageContent { facts, links, ..PageContent::default() };
    VisitRecord { visit: Visit::Responded(Box::new(content)), ..found(name, days, &[]) }
}

fn status(name: &str, days: u64, status: u16) -> VisitRecord {
    answered(name, days, PageFacts { status, ..PageFacts::default() }, vec![])
}

fn failed(name: &str, days: u64, kind: FailureKind) -> VisitRecord {
    VisitRecord { visit: Visit::Failed(kind, String::new()), ..found(name, days, &[]) }
}

fn not_modified(name: &str, days: u64) -> VisitRecord {
    VisitRecord { visit: Visit::NotModified, ..found(name, days, &[]) }
}

fn challenged(name: &str, days: u64, status: u16) -> VisitRecord {
    let facts = PageFacts { status, ..PageFacts::default() };
    let content = PageContent { facts, challenge: true, ..PageContent::default() };
    VisitRecord { visit: Visit::Responded(Box::new(content)), ..found(name, days, &[]) }
}

/// A body that ends after these links.
fn cut(name: &str, days: u64, targets: &[&str]) -> VisitRecord {
    let mut record = found(name, days, targets);
    if let Visit::Responded(content) = &mut record.visit {
        content.facts.cut = Some(Cut::Length);
    }
    record
}

/// The values of some columns of all rows, in the order of the pages.
fn cells(server: &Server, target: &str, columns: &[&str]) -> Vec<Value> {
    let mut rows = server.client.json(target)["response"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["backlinkpage"].to_string());
    rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect()
}

#[test]
fn the_reason_of_a_loss_is_what_the_page_is_since() {
    let moved = Link { tag: LinkTag::Redirect301, ..link("http://s.example/", "") };
    let pdf = || PageFacts { status: 200, ..PageFacts::default() };
    let redirect = || PageFacts { status: 301, ..PageFacts::default() };
    let server = Server::start(&[
        found("01", 0, &[TARGET]),
        found("01", 2, &[]),
        found("02", 0, &[TARGET]),
        status("02", 2, 404),
        found("03", 0, &[TARGET]),
        status("03", 2, 410),
        found("04", 0, &[TARGET]),
        answered("04", 2, redirect(), vec![moved]),
        found("05", 0, &[TARGET]),
        answered("05", 2, pdf(), vec![]),
        // The page went after the link: it is gone now.
        found("06", 0, &[TARGET]),
        found("06", 2, &[]),
        status("06", 4, 404),
        // The page is back without the link.
        found("07", 0, &[TARGET]),
        status("07", 2, 404),
        found("07", 4, &[]),
        // Failures change nothing.
        found("08", 0, &[TARGET]),
        status("08", 2, 404),
        failed("08", 3, FailureKind::Dns),
        failed("08", 4, FailureKind::Timeout),
        // An error hides whether the page was there.
        found("09", 0, &[TARGET]),
        status("09", 2, 404),
        status("09", 3, 503),
        // It does not hide a page.
        found("10", 0, &[TARGET]),
        found("10", 2, &[]),
        status("10", 3, 503),
        // A challenge can have any status.
        found("11", 0, &[TARGET]),
        status("11", 2, 404),
        challenged("11", 3, 200),
        found("12", 0, &[TARGET]),
        status("12", 2, 404),
        challenged("12", 3, 200),
        failed("12", 4, FailureKind::Dns),
        found("13", 0, &[TARGET]),
        found("13", 2, &[]),
        challenged("13", 3, 404),
        // Active links have no reason.
        found("14", 0, &[TARGET]),
        status("14", 2, 503),
    ]);
    let reasons = [
        "removed",
        "gone",
        "gone",
        "redirected",
        "not-html",
        "gone",
        "removed",
        "gone",
        "",
        "removed",
        "",
        "",
        "removed",
    ];
    let lost = "/lostbacklinks?url=t.example&from=20240101&to=20240401&limit=100";
    let expected: Vec<Value> =
        (1..).zip(reasons).map(|(at, reason)| json!([format!("http://s.example/{at:02}"), reason])).collect();
    assert_eq!(cells(&server, lost, &["backlinkpage", "reason"]), expected);
    let details = "url=t.example&limit=100&details=true";
    for list in ["backlinks?", "newbacklinks?from=20240101&"] {
        assert_eq!(
            cells(&server, &format!("/{list}{details}&active=false"), &["backlinkpage", "reason"]),
            expected
        );
        let both = cells(&server, &format!("/{list}{details}&active=all"), &["reason"]);
        let all: Vec<Value> = reasons.iter().chain(&[""]).map(|reason| json!([reason])).collect();
        assert_eq!(both, all);
    }
    for (filter, rows) in
        [("reason+eq+%27gone%27", 4), ("reason+ne+%27gone%27", 9), ("reason+like+%27r%25%27", 5)]
    {
        assert_eq!(cells(&server, &format!("{lost}&where={filter}"), &["reason"]).len(), rows, "{filter}");
    }
    let ordered = server.client.json(&format!("{lost}&order[]=-reason"));
    assert_eq!(ordered["response"][0]["reason"], "removed");
    // The page goes later, and the reason follows.
    server.store.put(&[later(status("01", 9, 404), 1)]).unwrap();
    assert_eq!(cells(&server, lost, &["reason"])[0], json!(["gone"]));
}

#[test]
fn an_active_link_is_confirmed_by_the_visits_that_saw_it() {
    let server = Server::start(&[
        found("01", 0, &[TARGET]),
        found("02", 0, &[TARGET]),
        found("02", 2, &[TARGET]),
        found("03", 0, &[TARGET]),
        not_modified("03", 3),
        found("04", 0, &[TARGET]),
        failed("04", 2, FailureKind::Timeout),
        found("05", 0, &[TARGET]),
        found("05", 1, &[TARGET]),
        failed("05", 2, FailureKind::Connect),
        status("05", 3, 503),
        found("06", 0, &[TARGET]),
        challenged("06", 2, 403),
        found("07", 0, &[TARGET]),
        failed("07", 2, FailureKind::Dns),
        found("07", 3, &[TARGET]),
        // The body ends before the link, which came back on the second day.
        found("08", 0, &[OTHER, TARGET]),
        found("08", 1, &[OTHER]),
        found("08", 2, &[OTHER, TARGET]),
        cut("08", 4, &[OTHER]),
        // A body that was cut on the only visit contains the link.
        cut("09", 0, &[TARGET]),
        cut("10", 0, &[TARGET]),
        cut("10", 1, &[]),
        failed("10", 2, FailureKind::Dns),
    ]);
    let columns = ["backlinkpage", "confirmed", "doubt", "reason"];
    let row = |name: &str, confirmed: &str, doubt: &str| {
        json!([format!("http://s.example/{name}"), confirmed, doubt, ""])
    };
    let list = "/backlinks?url=http://t.example/&details=true";
    assert_eq!(
        cells(&server, list, &columns),
        [
            row("01", "20240229", ""),
            row("02", "20240302", ""),
            row("03", "20240303", ""),
            row("04", "20240229", "timeout"),
            row("05", "20240301", "status-503"),
            row("06", "20240229", "challenge"),
            row("07", "20240303", ""),
            row("08", "20240302", "cut"),
            row("09", "20240229", ""),
            row("10", "20240229", "dns"),
        ]
    );
    for (filter, rows) in [
        ("doubt+eq+%27%27", 5),
        ("doubt+like+%27status-%25%27", 1),
        ("confirmed+ge+20240302", 4),
        ("confirmed+lt+20240301+AND+doubt+ne+%27%27", 3),
    ] {
        assert_eq!(cells(&server, &format!("{list}&where={filter}"), &columns).len(), rows, "{filter}");
    }
    let strongest = cells(&server, &format!("{list}&group=domain&order[]=-confirmed"), &["domain", "doubt"]);
    assert_eq!(strongest, [json!(["s.example", ""])]);
    assert!(server.client.json("/backlinks?url=t.example")["response"][0].get("doubt").is_none());
}
