//! Refused requests: the status, and a part of the error sentence.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::{ApiConfig, Span};
use std::time::Duration;

use serde_json::json;

use super::client::{Client, encode};
use super::server::Server;
use super::web::random;

/// Target of a GET, status, and a part of the sentence.
const TABLE: &[(&str, u16, &str)] = &[
    // Paths.
    ("/nothing", 404, "/nothing"),
    ("/Backlinks?url=example.com", 404, "/Backlinks"),
    ("/backlinks/?url=example.com", 404, "/backlinks/"),
    ("//backlinks?url=example.com", 404, "no endpoint"),
    ("/backlinks/x", 404, "GET / lists"),
    ("/%62acklinks?url=example.com", 404, "no endpoint"),
    ("/health/", 404, "no endpoint"),
    // The scope.
    ("/backlinks", 400, "url is missing"),
    ("/anabacklinks", 400, "url is missing"),
    ("/domainpopularity?limit=1", 400, "url is missing"),
    ("/referringdomains?URL=example.com", 400, "url is missing"),
    ("/linktexts?", 400, "url is missing"),
    ("/sr?urls[]=example.com", 400, "url is missing"),
    ("/exportbacklinks", 400, "url is missing"),
    ("/exportpages", 400, "url is missing"),
    ("/backlinks?url=", 400, "url cannot be used"),
    ("/sr?url", 400, "url cannot be used"),
    ("/sr?url=%20%20", 400, "url cannot be used"),
    ("/sr?url=ftp://example.com/", 400, "not an http or https URL"),
    ("/sr?url=http://", 400, "url cannot be used"),
    ("/sr?url=http://exa%20mple.com/", 400, "url cannot be used"),
    ("/sr?url=a..b", 400, "url cannot be used"),
    ("/sr?url=example.com&scope=page", 400, "use url, host, domain or prefix"),
    ("/sr?url=example.com&scope=", 400, "scope"),
    ("/sr?url=example.com&scope=host&scope=domain", 400, "scope is given more than once"),
    ("/backlinks?url=example.com&internal=no", 400, "internal is \"no\""),
    ("/backlinks?url=example.com&url=example.org", 400, "url is given more than once"),
    ("/anabacklinks?url=%ff", 400, "url is not UTF-8"),
    ("/anabacklinks?%ff=1&url=example.com", 400, "not UTF-8"),
    ("/backlinks?url=example.com&where=title+like+%27%e4%27", 400, "where is not UTF-8"),
    // Paging.
    (
        "/backlinks?url=example.com&limit=10001",
        400,
        "limit is \"10001\"; it must be a whole number from 0 to 10000",
    ),
    ("/backlinks?url=example.com&limit=-1", 400, "limit is \"-1\""),
    ("/backlinks?url=example.com&limit=abc", 400, "limit is \"abc\""),
    ("/backlinks?url=example.com&limit=1.5", 400, "limit"),
    ("/backlinks?url=example.com&limit=", 400, "limit"),
    ("/backlinks?url=example.com&limit=+5", 400, "limit"),
    ("/backlinks?url=example.com&limit=%2B5", 400, "limit"),
    ("/backlinks?url=example.com&limit=1e3", 400, "limit"),
    ("/backlinks?url=example.com&limit=99999999999999999999999", 400, "limit"),
    ("/backlinks?url=example.com&limit=1&limit=2", 400, "limit is given more than once"),
    ("/linktexts?url=example.com&offset=-1", 400, "offset is \"-1\""),
    ("/linktexts?url=example.com&offset=4294967296", 400, "a whole number from 0 to 4294967295"),
    ("/linktexts?url=example.com&offset=x", 400, "offset is \"x\""),
    ("/linktexts?url=example.com&offset=", 400, "offset"),
    ("/referringdomains?url=example.com&limit=10001", 400, "limit"),
    ("/exportbacklinks?url=example.com&limit=10001", 400, "limit"),
    ("/exportpages?url=example.com&limit=x", 400, "limit is \"x\""),
    // Order.
    ("/backlinks?url=example.com&order[x]=sr", 400, "order[x]"),
    ("/backlinks?url=example.com&order[-1]=sr", 400, "order[-1]"),
    ("/backlinks?url=example.com&order[0]=sr&order[0]=pos", 400, "order[0] is given more than once"),
    // Where.
    ("/backlinks?url=example.com&where=foo+eq+1", 400, "position 1: \"foo\""),
    ("/backlinks?url=example.com&where=dsCount+eq+1", 400, "position 1: \"dsCount\""),
    ("/backlinks?url=example.com&where=POS+eq+1", 400, "position 1: \"POS\""),
    ("/backlinks?url=example.com&where=pos", 400, "position 4"),
    ("/backlinks?url=example.com&where=pos+gt", 400, "position 7"),
    ("/backlinks?url=example.com&where=pos+gt+%2710%27", 400, "position 8"),
    ("/backlinks?url=example.com&where=pos+gt+1+sr+gt+1", 400, "position 10: \"sr\""),
    ("/backlinks?url=example.com&where=pos+gt+1+OR", 400, "position 12: the text ends too early"),
    ("/backlinks?url=example.com&where=(pos+gt+1", 400, "end the parenthesis with )"),
    ("/backlinks?url=example.com&where=pos+gt+1)", 400, "no ( is open here"),
    ("/backlinks?url=example.com&where=NOT", 400, "position 4"),
    ("/backlinks?url=example.com&where=title+matches+%27(%27", 400, "no regular expression: unclosed group"),
    (
        "/backlinks?url=example.com&where=title+matches+%27%5Cw%7B999%7D%27",
        400,
        "use fewer or smaller repetitions",
    ),
    ("/backlinks?url=example.com&where=pos+contains+%271%27", 400, "pos is no text"),
    ("/backlinks?url=example.com&where=((((((((((pos+gt+1))))))))))", 400, "api.max_where_depth"),
    // Facets.
    ("/backlinks?url=example.com&facets=", 400, "facets names \"\""),
    ("/backlinks?url=example.com&facets=tag,nr", 400, "facets names \"nr\", which is no column here"),
    ("/backlinks?url=example.com&facets=tag,tag", 400, "facets names tag more than once"),
    ("/backlinks?url=example.com&facets=tag,pos,sr,ip,ccode,city,country", 400, "7 columns; name at most 6"),
    ("/backlinks?url=example.com&facets=tag&format=csv", 400, "facets are in JSON alone"),
    ("/backlinks?url=example.com&facets=tag&facets=pos", 400, "facets is given more than once"),
    ("/backlinks?url=example.com&where=pos+gt+1+AND", 400, "ends too early"),
    ("/backlinks?url=example.com&where=pos%3D1", 400, "\"pos=1\""),
    ("/backlinks?url=example.com&where=pos+like+%271%25%27", 400, "\"like\""),
    ("/backlinks?url=example.com&where=tag+eq+301", 400, "single quotes"),
    ("/backlinks?url=example.com&where=tag+eq+%27301", 400, "closing quote"),
    ("/backlinks?url=example.com&where=tag+in+()", 400, "position 9"),
    ("/backlinks?url=example.com&where=nofollow+eq+1", 400, "true or false"),
    ("/backlinks?url=example.com&where=cdate+gt+%272024-01-01%27", 400, "yyyyMMdd"),
    ("/backlinks?url=example.com&where=ip+eq+%271.2.3%27", 400, "IP address"),
    ("/backlinks?url=example.com&where=pos+gt+1&where=sr+gt+1", 400, "where is given more than once"),
    ("/linktexts?url=example.com&where=tag+gt+1", 400, "percentage, refdoms, anchortext, type, frequency"),
    ("/referringdomains?url=example.com&where=dsCount+eq+1", 400, "ccode, domain, ip, links"),
    // Endpoints with their own parameters.
    ("/pagedistribution?url=example.com&direction=up", 400, "direction is \"up\"; it must be out or in"),
    ("/pagedistribution?url=example.com&direction=", 400, "direction"),
    ("/pagedistribution?url=example.com&direction=in&direction=in", 400, "direction is given more than once"),
    ("/pagedistribution?url=example.com&top=0", 400, "top is \"0\"; it must be a whole number from 1 to 100"),
    ("/pagedistribution?url=example.com&top=101", 400, "top"),
    ("/pagedistribution?url=example.com&where=linkedpage+eq+a", 400, "single quotes"),
    ("/linktextdistribution?url=example.com&top=-1", 400, "top"),
    ("/linktextdistribution?url=example.com&top=", 400, "top"),
    ("/linktextdistribution?url=example.com&top=x", 400, "top"),
    ("/linktextdistribution?url=example.com&top=1&top=2", 400, "top is given more than once"),
    ("/linktextdistribution?url=example.com&where=type+gt+1", 400, "\"type\""),
    ("/linktextdistribution?url=example.com&order[a]=frequency", 400, "order[a]"),
    ("/backlinks?url=example.com&active=yes", 400, "active is \"yes\"; it must be true or false or all"),
    ("/backlinks?url=example.com&active=", 400, "active"),
    ("/backlinks?url=example.com&active=all&active=all", 400, "active is given more than once"),
    ("/srspread?url=example.com&showgroup=1", 400, "showgroup is \"1\"; it must be true or false"),
    ("/srspread?url=example.com&showgroup=", 400, "showgroup"),
    ("/srspread?url=example.com&showgroup=TRUE", 400, "showgroup"),
    ("/backlinks-histogram?url=example.com", 400, "from is missing"),
    ("/backlinks-histogram?url=example.com&to=20240101", 400, "from is missing"),
    ("/backlinks-histogram?url=example.com&from=", 400, "from is \"\""),
    ("/backlinks-histogram?url=example.com&from=2024-01-01", 400, "written as yyyyMMdd"),
    ("/backlinks-histogram?url=example.com&from=20240230", 400, "from is \"20240230\""),
    ("/backlinks-histogram?url=example.com&from=20240101&to=20231231", 400, "after 20231231"),
    ("/backlinks-histogram?url=example.com&from=20240101&to=tomorrow", 400, "to is \"tomorrow\""),
    ("/backlinks-histogram?url=example.com&from=20240101&to=", 400, "to is \"\""),
    ("/backlinks-histogram?url=example.com&from=29990101", 400, "which is after"),
    ("/backlinks-histogram?from=20240101", 400, "url is missing"),
    ("/newandlost-histogram?url=example.com", 400, "from is missing"),
    ("/newandlost-histogram?url=example.com&from=1", 400, "from is \"1\""),
    ("/newandlost-histogram?url=example.com&from=20240102&to=20240101", 400, "from is 20240102"),
    (
        "/newandlost-histogram?url=example.com&from=20240101&from=20240101",
        400,
        "from is given more than once",
    ),
    ("/newandlost-histogram?url=example.com&from=19691231", 400, "from 19700101 on"),
    ("/anaurls", 400, "urls is missing"),
    ("/anaurls?url=example.com", 400, "urls is missing"),
    ("/anaurls?urls[]=example.com&urls[]=", 400, "entry 2 of urls, \"\", cannot be used"),
    ("/anaurls?urls[]=ftp://example.com/", 400, "entry 1 of urls"),
    ("/anaurls?urls[x]=example.com", 400, "urls[x]"),
    ("/anaurls?urls[0]=example.com&urls[0]=example.org", 400, "urls[0] is given more than once"),
    ("/anaurls?urls[]=example.com&scope=page", 400, "use url, host, domain or prefix"),
    ("/anaurls?urls[]=%ff", 400, "not UTF-8"),
    ("/backlinkshort", 400, "urls is missing"),
    ("/backlinkshort?urls[]=a..b", 400, "\"a..b\""),
    ("/backlinkshort?urls[]=example.com&internal=maybe", 400, "internal"),
    ("/iscached", 400, "url is missing"),
    ("/iscached?url=example.com", 400, "resources is missing"),
    ("/iscached?url=example.com&resources=", 400, "resources is missing"),
    ("/iscached?url=example.com&resources=,", 400, "resources is missing"),
    ("/iscached?url=example.com&resources=%5B%22backlinks%22", 400, "a JSON array of names"),
    ("/iscached?url=example.com&resources=%5B1%5D", 400, "a JSON array of names"),
    ("/iscached?url=&resources=backlinks", 400, "url cannot be used"),
    ("/iscached?resources=backlinks", 400, "url is missing"),
    ("/outgoinglinkcount?url=example.com&limit=10001", 400, "limit"),
    ("/outgoinglinkcount?url=example.com&offset=-1", 400, "offset"),
    ("/outgoinglinkcount?url=example.com&order[x]=frequency", 400, "order[x]"),
    ("/outgoinglinks?url=example.com&where=cdate+gt+1", 400, "yyyyMMdd"),
    ("/outgoinglinks?url=example.com&where=extL+gt+1", 400, "position 1: \"extL\""),
    ("/outgoinghosts?url=example.com&limit=x", 400, "limit"),
    ("/outgoinghosts?url=example.com&where=host+eq+a", 400, "single quotes"),
    ("/outgoinglinktexts?url=example.com&where=frequency+like+%271%27", 400, "frequency is no text"),
    ("/outgoingtoppages?url=example.com&offset=1.5", 400, "offset"),
    ("/geolocationshort?url=example.com&limit=-5", 400, "limit"),
    ("/httpstatus?url=example.com&where=links+gt+1", 400, "code, pages, percentage"),
    ("/httpstatus?url=example.com&where=code+eq+%27200%27", 400, "a number without quotes"),
    ("/tagtypes?url=example.com&where=tag+eq+301", 400, "single quotes"),
    ("/tldlist?url=example.com&where=tld+eq+%27com%27", 400, "use one of the fields diffdomains"),
    ("/iplist?url=example.com&where=ip+like+1", 400, "no pattern for ip"),
    ("/linkedpages?url=example.com&where=links+gt+1", 400, "linkedpage, percentage, refdoms"),
    ("/linkedpages", 400, "url is missing"),
    ("/linkedpages?url=http://%20/", 400, "url cannot be used"),
    ("/tagtypes", 400, "url is missing"),
    ("/tagtypes?url=http://%20/", 400, "url cannot be used"),
    ("/ippopularity", 400, "url is missing"),
    ("/ippopularity?url=http://%20/", 400, "url cannot be used"),
    ("/linkratio", 400, "url is missing"),
    ("/linkratio?url=http://%20/", 400, "url cannot be used"),
    ("/linkspread", 400, "url is missing"),
    ("/linkspread?url=http://%20/", 400, "url cannot be used"),
    ("/linktypes", 400, "url is missing"),
    ("/linktypes?url=http://%20/", 400, "url cannot be used"),
    ("/linktextdistribution", 400, "url is missing"),
    ("/linktextdistribution?url=http://%20/", 400, "url cannot be used"),
    ("/pagedistribution", 400, "url is missing"),
    ("/pagedistribution?url=http://%20/", 400, "url cannot be used"),
    ("/edugovlinks", 400, "url is missing"),
    ("/edugovlinks?url=http://%20/", 400, "url cannot be used"),
    ("/iplist", 400, "url is missing"),
    ("/iplist?url=http://%20/", 400, "url cannot be used"),
    ("/tldlist", 400, "url is missing"),
    ("/tldlist?url=http://%20/", 400, "url cannot be used"),
    ("/geolocationshort", 400, "url is missing"),
    ("/geolocationshort?url=http://%20/", 400, "url cannot be used"),
    ("/outgoinghosts", 400, "url is missing"),
    ("/outgoinghosts?url=http://%20/", 400, "url cannot be used"),
    ("/outgoinglinktexts", 400, "url is missing"),
    ("/outgoinglinktexts?url=http://%20/", 400, "url cannot be used"),
    ("/outgoinglinkcount", 400, "url is missing"),
    ("/outgoinglinkcount?url=http://%20/", 400, "url cannot be used"),
    ("/outgoingtoppages", 400, "url is missing"),
    ("/outgoingtoppages?url=http://%20/", 400, "url cannot be used"),
    ("/outgoinglinks", 400, "url is missing"),
    ("/outgoinglinks?url=http://%20/", 400, "url cannot be used"),
    ("/srspread", 400, "url is missing"),
    ("/srspread?url=http://%20/", 400, "url cannot be used"),
    ("/httpstatus", 400, "url is missing"),
    ("/httpstatus?url=http://%20/", 400, "url cannot be used"),
    // Formats and columns.
    (
        "/backlinks?url=example.com&format=xml",
        400,
        "format is \"xml\"; it must be json or csv or jsonl or excel",
    ),
    ("/backlinks?url=example.com&format=", 400, "format is \"\""),
    ("/backlinks?url=example.com&format=CSV", 400, "format is \"CSV\""),
    ("/backlinks?url=example.com&format=csv&format=csv", 400, "format is given more than once"),
    ("/sr?url=example.com&format=xml", 400, "format is \"xml\""),
    ("/sr?url=example.com&format=csv", 400, "sr answers in JSON alone"),
    ("/linktextdistribution?url=example.com&format=jsonl", 400, "answers in JSON alone"),
    ("/backlinks?url=example.com&fields=", 400, "fields names \"\""),
    ("/backlinks?url=example.com&fields=sr,", 400, "fields names \"\""),
    ("/backlinks?url=example.com&fields=sr,domain", 400, "fields names \"domain\""),
    ("/backlinks?url=example.com&fields=SR", 400, "use some of nofollow,country,nr,"),
    ("/backlinks?url=example.com&fields=sr,pos,sr", 400, "fields names sr more than once"),
    ("/backlinks?url=example.com&fields=sr&fields=pos", 400, "fields is given more than once"),
    ("/linktexts?url=example.com&format=csv&fields=tag", 400, "percentage,refdoms,anchortext,type,frequency"),
    ("/exportbacklinks?url=example.com&fields=nr", 400, "fields names \"nr\""),
    ("/exportpages?url=example.com&fields=info", 400, "fields names \"info\""),
    ("/exportpages?url=example.com&format=csv&limit=10001", 400, "limit is \"10001\""),
    ("/backlinks?url=example.com&format=csv&limit=10001", 400, "limit is \"10001\""),
    ("/exportbacklinks?url=example.com&format=jsonl&next=x", 400, "next is not a token"),
    ("/backlinks?format=csv", 400, "url is missing"),
    // Tokens.
    ("/exportbacklinks?url=example.com&next=", 400, "next is not a token"),
    ("/exportbacklinks?url=example.com&next=AAAA", 400, "next is not a token"),
    ("/exportpages?url=example.com&next=%C3%A4", 400, "next is not a token"),
    (
        "/exportpages?url=example.com&next=u-FqSXwgyTuGfEDg8P99Y6lsFEdB2W6qaVL64P1uvNg",
        400,
        "next is not a token",
    ),
    ("/exportpages?url=example.com&next=a&next=b", 400, "next is given more than once"),
];

fn assert_refused(client: &Client, method: &str, target: &str, status: u16, part: &str) {
    let reply = client.send(method, target, &[], b"");
    assert_eq!(reply.status, status, "{method} {target}: {}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let json = reply.json();
    assert_eq!(json["status"], status, "{target}");
    let sentence = json["error"].as_str().unwrap();
    assert!(sentence.contains(part), "{method} {target}: {sentence}");
    let keys = ["status", "error", "parameter", "at", "code"];
    assert!(json.as_object().unwrap().keys().all(|key| keys.contains(&key.as_str())), "{json}");
}

#[test]
fn every_bad_request_gets_a_sentence_that_explains_it() {
    let server = Server::start(&[]);
    assert!(TABLE.len() >= 150, "{} rows", TABLE.len());
    for (target, status, part) in TABLE {
        assert_refused(&server.client, "GET", target, *status, part);
    }
}

/// The parameter, the place and the kind of each mistake. The place is a text of the parameter.
#[test]
fn mistakes_in_parameters_have_a_place_and_a_code() {
    let server = Server::start(&[]);
    let wrong_where = "ccode eq '‘ä' AND sr gt high";
    for (target, parameter, value, place, code) in [
        ("backlinks", "where", wrong_where, Some("high"), "not-a-number"),
        ("backlinks", "where", "foo eq 1", Some("foo"), "unknown-field"),
        ("backlinks", "where", "sr is 1", Some("is"), "bad-operator"),
        ("backlinks", "where", "title eq 'ä", Some("'ä"), "syntax"),
        ("backlinks", "where", "nofollow eq", Some(""), "syntax"),
        ("backlinks", "where", "ip eq '1.2.3'", Some("'1.2.3'"), "bad-value"),
        ("backlinks", "limit", "x", Some("x"), "not-a-number"),
        ("backlinks", "limit", "10001", Some("10001"), "too-large"),
        ("backlinks", "offset", "-1", Some("-1"), "not-a-number"),
        ("backlinks", "scope", "page", Some("page"), "unknown-name"),
        ("backlinks", "active", "no", Some("no"), "unknown-name"),
        ("backlinks", "fields", "sr,ä,pos", Some("ä"), "unknown-column"),
        ("backlinks", "facets", "sr,tag,sr", Some("sr"), "repeated"),
        ("backlinks", "order[x]", "sr", None, "syntax"),
        ("linktextdistribution", "top", "0", Some("0"), "bad-value"),
        ("newbacklinks", "from", "20240230", Some("20240230"), "bad-value"),
        ("newbacklinks", "from", "99991231", Some("99991231"), "bad-value"),
        ("newbacklinks", "x", "", None, "missing"),
    ] {
        let target = format!("/{target}?url=example.com&{parameter}={}", encode(value));
        let error = server.client.get(&target).json();
        assert_eq!((&error["status"], &error["code"]), (&json!(400), &json!(code)), "{target}: {error}");
        let named = if code == "missing" { "from" } else { parameter.trim_end_matches("[x]") };
        assert_eq!(error["parameter"], named, "{target}");
        let found = error.get("at").map(|at| {
            let (from, to) = (at[0].as_u64().unwrap() as usize, at[1].as_u64().unwrap() as usize);
            value.chars().skip(from).take(to - from).collect::<String>()
        });
        assert_eq!(found.as_deref(), place, "{target}: {error}");
    }
    assert_eq!(server.client.get("/nothing").json().as_object().unwrap().len(), 2);
    let url = server.client.get("/sr?url=a..b").json();
    assert_eq!((&url["parameter"], &url["at"]), (&json!("url"), &json!([0, 4])));
}

/// Every bad request names its parameter, its place and its kind, wherever its endpoint finds the mistake.
#[test]
fn every_bad_request_names_its_parameter() {
    let server = Server::start(&[]);
    for (target, ..) in TABLE.iter().filter(|(_, status, _)| *status == 400) {
        // The name of the parameter is what is wrong.
        if target.contains("?%ff=") {
            continue;
        }
        let error = server.client.get(target).json();
        let name = error["parameter"].as_str().unwrap_or_else(|| panic!("{target}: {error}"));
        assert!(error["code"].is_string(), "{target}: {error}");
        let is_given = target.split(['?', '&']).any(|pair| pair.starts_with(name));
        assert!(is_given || error["code"] == "missing", "{target}: {error}");
    }
    let two = "targets[]=example.com&targets[]=example.org";
    for (target, parameter, at, code) in [
        ("history?url=example.com&from=20240201&to=20240101", "from", Some([0, 8]), "bad-value"),
        ("anaurls?urls[]=example.com&urls[]=a..b", "urls[]", Some([0, 4]), "bad-value"),
        ("anaurls?urls[7]=a..b.c&urls[2]=example.com", "urls[7]", Some([0, 6]), "bad-value"),
        ("anaurls?urls=%C3%A4:%C3%A4", "urls", Some([0, 3]), "bad-value"),
        ("linkintersect?targets[]=example.com&targets[]=:::", "targets[]", Some([0, 3]), "bad-value"),
        (&format!("linkintersect?{two}&exclude[0]=a..b"), "exclude[0]", Some([0, 4]), "bad-value"),
        ("linkintersect?targets[]=example.com", "targets", None, "missing"),
        (&format!("linkintersect?{}", [two; 40].join("&")), "targets", None, "too-large"),
        ("exportbacklinks?url=example.com&next=xx", "next", Some([0, 2]), "bad-value"),
        ("exportpages?url=example.com&format=csv&next=%C3%A4", "next", Some([0, 1]), "bad-value"),
        ("explain?url=:::", "url", Some([0, 3]), "bad-value"),
        ("host?host=:::", "host", Some([0, 3]), "bad-value"),
        ("crawl/hosts?offset=4000000&limit=1", "offset", None, "too-large"),
        ("sr?url=example.com&format=csv", "format", Some([0, 3]), "unknown-name"),
    ] {
        let error = server.client.get(&format!("/{target}")).json();
        let found = (&error["parameter"], error.get("at"), &error["code"]);
        let at = at.map(|at| json!(at));
        assert_eq!(found, (&json!(parameter), at.as_ref(), &json!(code)), "{target}: {error}");
    }
    let body = server.client.send("POST", "/backlinkshort", &[JSON], br#"["example.com", "a..b"]"#).json();
    assert_eq!((&body["parameter"], &body["at"]), (&json!("urls"), &json!([0, 4])), "{body}");
    assert!(body["error"].as_str().unwrap().starts_with("entry 2 of urls, \"a..b\""), "{body}");
}

const JSON: &str = "Content-Type: application/json";

#[test]
fn other_methods_get_the_list_of_allowed_methods() {
    let server = Server::start(&[]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"] {
        for target in ["/", "/health", "/backlinks?url=example.com", "/exportpages"] {
            assert_refused(&server.client, method, target, 405, "use GET, HEAD");
            let reply = server.client.send(method, target, &[], b"");
            assert_eq!(reply.header("allow"), Some("GET, HEAD"), "{method} {target}");
        }
        assert_refused(&server.client, method, "/nothing", 404, "/nothing");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::start(&[]);
    for target in ["/", "/backlinks?url=example.com", "/nothing", "/sr"] {
        let get = server.client.get(target);
        let head = server.client.send("HEAD", target, &[], b"");
        assert_eq!(head.status, get.status, "{target}");
        assert!(head.body.is_empty(), "{target}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{target}");
    }
}

#[test]
fn too_large_requests_are_refused() {
    let config = ApiConfig { max_query_bytes: 1_024, max_body_bytes: 2_048, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let padded = |bytes: usize| {
        let start = "url=example.com&x=";
        format!("/sr?{start}{}", "x".repeat(bytes - start.len()))
    };
    assert_eq!(server.client.get(&padded(1_024)).status, 200);
    assert_refused(&server.client, "GET", &padded(1_025), 414, "1024 bytes");
    let body = |bytes: usize| server.client.send("GET", "/sr?url=example.com", &[], &vec![b'x'; bytes]);
    assert_eq!(body(2_048).status, 200);
    assert_eq!(body(2_049).status, 413);
    assert_eq!(body(2_049).json()["status"], 413);
}

#[test]
fn a_query_beyond_its_deadline_is_cancelled() {
    let config = ApiConfig { deadline: Span(Duration::ZERO), ..ApiConfig::default() };
    let server = Server::start_with(&random(1, 30), config, AuthPolicy::Open);
    for endpoint in ENDPOINTS {
        // Queries that read no rows, or one, are answered however late they are.
        if matches!(endpoint.name, "iscached" | "sr") {
            continue;
        }
        let target = format!("/{}?url=example.com&urls[]=example.com&from=20240101", endpoint.name);
        let target = format!("{target}&targets[]=example.com&targets[]=example.org&q=exam");
        assert_refused(&server.client, "GET", &target, 503, "too long");
    }
}
