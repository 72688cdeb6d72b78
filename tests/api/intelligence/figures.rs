//! Webs small enough for known answers.

use backlinkd::api::AuthPolicy;
use backlinkd::config::ApiConfig;
use backlinkd::model::{FailureKind, Link, LinkTag, PageContent, PageFacts, SearchRank, Visit, VisitRecord};
use serde_json::{Value, json};

use super::super::server::Server;
use super::super::web::{later, link, page, url};

fn linking(address: &str, targets: &[&str]) -> VisitRecord {
    page(address, "192.0.2.1", "SE", targets.iter().map(|target| link(target, "x")).collect())
}

fn answering(address: &str, status: u16, links: Vec<Link>) -> VisitRecord {
    let content =
        PageContent { facts: PageFacts { status, ..PageFacts::default() }, links, ..PageContent::default() };
    VisitRecord { visit: Visit::Responded(Box::new(content)), ..linking(address, &[]) }
}

fn failing(address: &str, kind: FailureKind) -> VisitRecord {
    VisitRecord { visit: Visit::Failed(kind, String::new()), ..linking(address, &[]) }
}

fn moved(address: &str, status: u16, target: &str) -> VisitRecord {
    let tag = LinkTag::from_redirect_status(status).unwrap();
    answering(address, status, vec![Link { tag, ..link(target, "") }])
}

/// The values of some columns of all rows of an answer.
fn cells(server: &Server, target: &str, columns: &[&str]) -> Vec<Value> {
    let answer = server.client.json(target);
    let rows = answer["response"].as_array().unwrap();
    rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect()
}

#[test]
fn a_link_is_broken_by_the_last_visit_to_its_target() {
    let targets = ["gone", "error", "torn", "dead", "well", "moved", "never", "healed", "busy"]
        .map(|path| format!("http://t.example/{path}"));
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let server = Server::start(&[
        linking("http://a.example/", &targets),
        answering("http://t.example/gone", 410, vec![]),
        linking("http://t.example/error", &["http://b.example/"]),
        later(answering("http://t.example/error", 500, vec![]), 1),
        linking("http://t.example/torn", &[]),
        later(failing("http://t.example/torn", FailureKind::Protocol), 1),
        failing("http://t.example/dead", FailureKind::Dns),
        linking("http://t.example/well", &[]),
        moved("http://t.example/moved", 301, "http://t.example/gone"),
        failing("http://t.example/healed", FailureKind::Timeout),
        later(linking("http://t.example/healed", &[]), 1),
        answering("http://t.example/busy", 429, vec![]),
        // A lost link is not visited by readers.
        linking("http://c.example/", &["http://t.example/gone"]),
        later(linking("http://c.example/", &[]), 2),
    ]);
    assert_eq!(
        cells(&server, "/brokenbacklinks?url=t.example", &["linktarget", "code", "failure", "active", "nr"]),
        [
            json!(["http://t.example/busy", 429, "", true, 1]),
            json!(["http://t.example/dead", 0, "dns", true, 2]),
            json!(["http://t.example/error", 500, "", true, 3]),
            json!(["http://t.example/gone", 410, "", true, 4]),
            json!(["http://t.example/torn", 0, "protocol", true, 5]),
        ]
    );
    let unreachable = "/brokenbacklinks?url=t.example&where=code+eq+0+AND+failure+ne+%27dns%27";
    assert_eq!(cells(&server, unreachable, &["linktarget"]), [json!(["http://t.example/torn"])]);
    assert_eq!(
        cells(&server, "/brokenbacklinks?url=t.example&order[]=-code&limit=2", &["code"]),
        [json!([500]), json!([429])]
    );
    assert_eq!(
        cells(&server, "/bestpages?url=t.example&order[]=page", &["page", "code", "refdoms", "links"]),
        [
            json!(["http://t.example/busy", 429, 1, 1]),
            json!(["http://t.example/dead", 0, 1, 1]),
            json!(["http://t.example/error", 500, 1, 1]),
            json!(["http://t.example/gone", 410, 1, 1]),
            json!(["http://t.example/healed", 200, 1, 1]),
            json!(["http://t.example/moved", 301, 1, 1]),
            json!(["http://t.example/never", 0, 1, 1]),
            json!(["http://t.example/torn", 200, 1, 1]),
            json!(["http://t.example/well", 200, 1, 1]),
        ]
    );
}

#[test]
fn links_come_and_go_on_known_days() {
    let (a, b, c) = ("http://t.example/a", "http://t.example/b", "http://t.example/c");
    let server = Server::start(&[
        linking("http://one.example/", &[a, b]),
        linking("http://two.example/", &[c]),
        later(linking("http://one.example/", &[a]), 2),
        later(linking("http://two.example/", &[]), 3),
        later(linking("http://one.example/", &[]), 4),
        // The link is back on the sixth day, and lost finally on the eighth.
        later(linking("http://two.example/", &[c]), 6),
        later(linking("http://two.example/", &[a]), 8),
        // Back, and active.
        later(linking("http://one.example/", &[b]), 9),
    ]);
    let columns = ["linktarget", "insDate", "active"];
    assert_eq!(
        cells(&server, "/newbacklinks?url=t.example&from=20240101&to=20240401", &columns),
        [
            json!([a, "20240308", true]),
            json!([a, "20240229", false]),
            json!([b, "20240229", true]),
            json!([c, "20240229", false]),
        ]
    );
    assert_eq!(
        cells(&server, "/newbacklinks?url=t.example&from=20240301&to=20240308&active=true", &columns),
        [json!([a, "20240308", true])]
    );
    let lost = ["backlinkpage", "linktarget", "insDate", "lostDate", "active"];
    assert_eq!(
        cells(&server, "/lostbacklinks?url=t.example&from=20240101&to=20240401", &lost),
        [
            json!(["http://two.example/", c, "20240229", "20240308", false]),
            json!(["http://one.example/", a, "20240229", "20240304", false]),
        ]
    );
    assert_eq!(
        cells(&server, "/lostbacklinks?url=t.example&from=20240304&to=20240307", &["linktarget"]),
        [json!([a])]
    );
    assert_eq!(cells(&server, "/lostbacklinks?url=t.example&from=20240305&to=20240307", &lost).len(), 0);
    // The day of the link's first loss is no longer shown.
    assert_eq!(cells(&server, "/lostbacklinks?url=t.example/c&from=20240303&to=20240303", &lost).len(), 0);
}

#[test]
fn each_domain_shows_its_strongest_link() {
    let server = Server::start(&[
        linking("http://a.example/weak", &["http://t.example/"]),
        linking("http://www.a.example/strong", &["http://t.example/z", "http://t.example/y"]),
        linking("http://b.example/", &["http://t.example/"]),
    ]);
    let ranks =
        [("http://a.example/weak", 100), ("http://www.a.example/strong", 300), ("http://b.example/", 200)];
    let mut ranks = ranks.into_iter().map(|(page, rank)| (url(page), SearchRank(rank)));
    server.store.publish_ranks(&mut ranks, &mut std::iter::empty(), &mut std::iter::empty()).unwrap();
    let columns = ["domain", "domainLinks", "backlinkpage", "linktarget", "sr", "nr"];
    let strong = "http://www.a.example/strong";
    assert_eq!(
        cells(&server, "/backlinks?url=t.example&group=domain", &columns),
        [
            // Of the two links on that page, the one with the first target in key order.
            json!(["a.example", 3, strong, "http://t.example/y", 3, 1]),
            json!(["b.example", 1, "http://b.example/", "http://t.example/", 2, 2]),
        ]
    );
    assert_eq!(server.client.json("/backlinks?url=t.example&group=domain&limit=1")["count"], 2);
    // A link that is filtered out represents no domain, but counts.
    let to_home = "/backlinks?url=t.example&group=domain&where=linktarget+eq+%27http://t.example/%27";
    assert_eq!(
        cells(&server, &format!("{to_home}&order[]=-domainLinks"), &columns),
        [
            json!(["a.example", 3, "http://a.example/weak", "http://t.example/", 1, 1]),
            json!(["b.example", 1, "http://b.example/", "http://t.example/", 2, 2]),
        ]
    );
    assert!(server.client.json("/backlinks?url=t.example")["response"][0].get("domain").is_none());
}

#[test]
fn domains_link_to_all_targets_and_to_no_exclusion() {
    let (t, u, v) = ("http://t.example/", "http://www.u.example/x", "http://v.example/");
    let server = Server::start(&[
        linking("http://all.example/", &[t, u, v]),
        linking("http://www.all.example/", &[u]),
        linking("http://both.example/", &[t]),
        linking("http://sub.both.example/", &[u, "http://u.example/"]),
        linking("http://one.example/", &[t]),
        linking("http://t.example/", &["http://u.example/", "http://blog.t.example/"]),
        linking("http://lost.example/", &[t, u]),
        later(linking("http://lost.example/", &[t]), 1),
    ]);
    let row = |domain: &str, links: [u32; 3]| json!({ "domain": domain, "links": links[0], "sr": 0, "links1": links[1], "links2": links[2] });
    let both = "/linkintersect?targets[]=t.example&targets[]=u.example";
    assert_eq!(
        server.client.json(both),
        json!({
            "response": [
                row("all.example", [3, 1, 2]), row("both.example", [3, 1, 2]), row("t.example", [2, 1, 1]),
            ],
            "count": 3,
            "range": { "offset": 0, "limit": 50 },
            "status": 200,
        })
    );
    let domains = |more: &str| cells(&server, &format!("{both}{more}"), &["domain"]);
    assert_eq!(domains("&exclude[]=v.example"), [json!(["both.example"]), json!(["t.example"])]);
    assert_eq!(domains("&internal=exclude"), [json!(["all.example"]), json!(["both.example"])]);
    assert_eq!(domains("&order[]=links2&limit=1"), [json!(["t.example"])]);
    assert_eq!(domains("&where=links2+gt+1&order[]=-domain&offset=1"), [json!(["all.example"])]);
    let pages = "/linkintersect?targets[]=http://t.example/&targets[]=www.u.example/x&targets[]=v.example";
    assert_eq!(
        cells(&server, pages, &["domain", "links", "links1", "links2", "links3"]),
        [json!(["all.example", 4, 1, 2, 1])]
    );
}

#[test]
fn chains_are_followed_to_their_end() {
    let refresh = Link { tag: LinkTag::Refresh, ..link("http://a.example/end", "") };
    let mut canonical = linking("http://a.example/end", &["http://b.example/"]);
    if let Visit::Responded(content) = &mut canonical.visit {
        content.facts.canonical = Some(url("http://a.example/other"));
    }
    let server = Server::start(&[
        moved("http://a.example/", 301, "https://a.example/"),
        moved("https://a.example/", 302, "http://a.example/fresh"),
        page("http://a.example/fresh", "192.0.2.1", "", vec![link("http://b.example/", "x"), refresh]),
        canonical,
        moved("http://l.example/1", 307, "http://l.example/2"),
        moved("http://l.example/2", 308, "http://l.example/1"),
        moved("http://u.example/", 303, "http://unknown.example/"),
        moved("http://f.example/", 301, "http://f.example/dead"),
        failing("http://f.example/dead", FailureKind::Connect),
        // A redirect that has become an error leads nowhere; an unreachable one still leads to its target.
        moved("http://e.example/", 301, "http://a.example/end"),
        later(answering("http://e.example/", 503, vec![]), 1),
        moved("http://g.example/", 301, "http://e.example/"),
        later(failing("http://g.example/", FailureKind::Timeout), 1),
    ]);
    let columns = ["url", "code", "tag", "end", "hop"];
    let chain = |asked: &str| cells(&server, &format!("/redirectchain?url={asked}"), &columns);
    let from_https = [
        json!(["https://a.example/", 302, "302", "", 1]),
        json!(["http://a.example/fresh", 200, "refresh", "", 2]),
        json!(["http://a.example/end", 200, "", "reached", 3]),
    ];
    assert_eq!(chain("https://a.example"), from_https);
    let under_both = cells(&server, "/redirectchain?url=a.example", &["start", "hop", "end"]);
    let (http, https) = ("http://a.example/", "https://a.example/");
    assert_eq!(
        under_both,
        [
            json!([http, 1, ""]),
            json!([http, 2, ""]),
            json!([http, 3, ""]),
            json!([http, 4, "reached"]),
            json!([https, 1, ""]),
            json!([https, 2, ""]),
            json!([https, 3, "reached"]),
        ]
    );
    assert_eq!(
        chain("l.example/1"),
        [
            json!(["http://l.example/1", 307, "307", "", 1]),
            json!(["http://l.example/2", 308, "308", "", 2]),
            json!(["http://l.example/1", 307, "307", "loop", 3]),
        ]
    );
    assert_eq!(
        chain("http://u.example/"),
        [
            json!(["http://u.example/", 303, "303", "", 1]),
            json!(["http://unknown.example/", 0, "", "unknown", 2])
        ]
    );
    assert_eq!(chain("https://u.example/"), [json!(["https://u.example/", 0, "", "unknown", 1])]);
    assert_eq!(chain("f.example")[1], json!(["http://f.example/dead", 0, "", "unknown", 2]));
    assert_eq!(
        chain("g.example"),
        [
            json!(["http://g.example/", 301, "301", "", 1]),
            json!(["http://e.example/", 503, "", "reached", 2])
        ]
    );
}

#[test]
fn a_chain_is_followed_up_to_the_limit() {
    let address = |number: u32| format!("http://a.example/{number}");
    let records: Vec<VisitRecord> =
        (0..30).map(|number| moved(&address(number), 301, &address(number + 1))).collect();
    let ends = |server: &Server, start: u32| {
        let rows = cells(server, &format!("/redirectchain?url={}", address(start)), &["url", "end"]);
        (rows.len(), rows.last().unwrap().clone())
    };
    let server = Server::start(&records);
    assert_eq!(ends(&server, 0), (21, json!([address(20), "too_long"])));
    assert_eq!(ends(&server, 9), (21, json!([address(29), "too_long"])));
    // Twenty redirects, and an unknown URL after them.
    assert_eq!(ends(&server, 10), (21, json!([address(30), "unknown"])));
    let short = ApiConfig { max_redirects: 2, ..ApiConfig::default() };
    let server = Server::start_with(&records, short, AuthPolicy::Open);
    assert_eq!(ends(&server, 0), (3, json!([address(2), "too_long"])));
    assert_eq!(ends(&server, 28), (3, json!([address(30), "unknown"])));
}

#[test]
fn competitors_share_referring_domains() {
    let server = Server::start(&[
        linking("http://a.example/", &["http://t.example/", "http://u.example/", "http://a.example/own"]),
        linking("http://www.a.example/", &["http://blog.u.example/", "http://blog.a.example/"]),
        linking("http://b.example/", &["http://www.t.example/x", "http://u.example/", "http://v.example/"]),
        linking("http://c.example/", &["http://u.example/", "http://w.example/"]),
        linking("http://d.example/", &["http://t.example/x"]),
        // Links within a domain make no referring domain.
        linking("http://t.example/", &["http://blog.t.example/", "http://v.example/"]),
        linking("http://v.example/", &["http://blog.v.example/"]),
        linking("http://gone.example/", &["http://t.example/", "http://w.example/"]),
        later(linking("http://gone.example/", &["http://w.example/"]), 1),
    ]);
    let row = |domain: &str, common: u32, refdoms: u32, jaccard: Value| json!({ "domain": domain, "common": common, "refdoms": refdoms, "jaccard": jaccard, "sr": 0 });
    assert_eq!(
        server.client.json("/competitors?url=t.example"),
        json!({
            "response": [row("u.example", 2, 3, json!(0.5)), row("v.example", 1, 2, json!(0.25))],
            "count": 2,
            "range": { "offset": 0, "limit": 50 },
            "status": 200,
        })
    );
    let columns = ["domain", "common", "jaccard"];
    let ask = |more: &str| cells(&server, &format!("/competitors?url={more}"), &columns);
    assert_eq!(ask("t.example&order[]=jaccard&limit=1"), [json!(["v.example", 1, 0.25])]);
    assert_eq!(ask("t.example&where=jaccard+ge+0.5"), [json!(["u.example", 2, 0.5])]);
    // One page of the domain, with its own referring domains.
    assert_eq!(ask("www.t.example/x"), [json!(["u.example", 1, 0.3333]), json!(["v.example", 1, 0.5])]);
    // A referring domain can be a competitor too.
    assert_eq!(ask("v.example"), [json!(["t.example", 1, 0.25]), json!(["u.example", 1, 0.25])]);
    assert_eq!(ask("unknown.example"), [] as [Value; 0]);
}
