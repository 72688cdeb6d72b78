//! Refused requests beyond the contract: a part of the error sentence.

use backlinkd::api::AuthPolicy;
use backlinkd::config::ApiConfig;

use super::super::server::Server;

/// Target of a GET and a part of the sentence; the status is 400.
const TABLE: &[(&str, &str)] = &[
    // One link of each domain.
    ("/backlinks?url=example.com&group=host", "group is \"host\"; it must be domain"),
    ("/backlinks?url=example.com&group=", "group is \"\""),
    ("/backlinks?url=example.com&group=Domain", "group is \"Domain\""),
    ("/backlinks?url=example.com&group=domain&group=domain", "group is given more than once"),
    ("/backlinks?url=example.com&group=domain&active=yes", "active is \"yes\""),
    ("/backlinks?url=example.com&group=domain&where=domainLinks+eq+%27a%27", "a number without quotes"),
    ("/backlinks?url=example.com&where=domainLinks+gt+1", "\"domainLinks\" stands here"),
    ("/backlinks?url=example.com&where=lostDate+gt+20240101", "\"lostDate\" stands here"),
    ("/backlinks?group=domain", "url is missing"),
    // Best pages.
    ("/bestpages", "url is missing"),
    ("/bestpages?url=http://%20/", "url cannot be used"),
    ("/bestpages?url=example.com&limit=10001", "limit is \"10001\""),
    ("/bestpages?url=example.com&offset=-1", "offset is \"-1\""),
    ("/bestpages?url=example.com&where=code+eq+%27404%27", "a number without quotes"),
    ("/bestpages?url=example.com&where=title+eq+%27a%27", "page, refdoms, links, sr, code"),
    ("/bestpages?url=example.com&scope=page", "use url, host, domain or prefix"),
    // Broken backlinks.
    ("/brokenbacklinks", "url is missing"),
    ("/brokenbacklinks?url=a..b", "url cannot be used"),
    ("/brokenbacklinks?url=example.com&where=code+like+%2740_%27", "code is no text"),
    ("/brokenbacklinks?url=example.com&where=failure+eq+dns", "single quotes"),
    ("/brokenbacklinks?url=example.com&order[x]=code", "order[x]"),
    ("/brokenbacklinks?url=example.com&internal=no", "internal is \"no\""),
    // New and lost backlinks.
    ("/newbacklinks", "from is missing"),
    ("/newbacklinks?from=20240101", "url is missing"),
    ("/newbacklinks?url=example.com", "from is missing"),
    ("/newbacklinks?url=example.com&to=20240101", "from is missing"),
    ("/newbacklinks?url=example.com&from=", "from is \"\""),
    ("/newbacklinks?url=example.com&from=2024-01-01", "written as yyyyMMdd"),
    ("/newbacklinks?url=example.com&from=20240102&to=20240101", "from is 20240102, which is after 20240101"),
    ("/newbacklinks?url=example.com&from=20240101&to=soon", "to is \"soon\""),
    ("/newbacklinks?url=example.com&from=20240101&from=20240101", "from is given more than once"),
    ("/newbacklinks?url=example.com&from=20240101&active=maybe", "active is \"maybe\""),
    ("/newbacklinks?url=example.com&from=20240101&where=lostDate+gt+20240101", "\"lostDate\" stands here"),
    ("/newbacklinks?url=example.com&from=20240101&where=active+eq+1", "true or false"),
    ("/lostbacklinks", "from is missing"),
    ("/lostbacklinks?url=example.com", "from is missing"),
    ("/lostbacklinks?from=20240101", "url is missing"),
    ("/lostbacklinks?url=example.com&from=29990101", "which is after"),
    ("/lostbacklinks?url=example.com&from=20240101&to=20240230", "to is \"20240230\""),
    ("/lostbacklinks?url=example.com&from=20240101&where=lostDate+gt+1", "yyyyMMdd"),
    ("/lostbacklinks?url=example.com&from=20240101&limit=x", "limit is \"x\""),
    // Competitors.
    ("/competitors", "url is missing"),
    ("/competitors?url=http://%20/", "url cannot be used"),
    ("/competitors?url=example.com&where=jaccard+gt+%27a%27", "a number without quotes"),
    ("/competitors?url=example.com&where=own+gt+1", "domain, common, refdoms, jaccard, sr"),
    ("/competitors?url=example.com&limit=", "limit is \"\""),
    ("/competitors?url=example.com&internal=yes", "internal is \"yes\""),
    ("/competitors?url=example.com&scope=all", "use url, host, domain or prefix"),
    // Domains that link to all.
    ("/linkintersect", "targets is missing; name at least two"),
    ("/linkintersect?url=example.com", "targets is missing"),
    ("/linkintersect?targets[]=example.com", "targets has 1 entries; name from 2 to 20"),
    ("/linkintersect?targets[]=example.com&targets[]=", "entry 2 of targets, \"\", cannot be used"),
    ("/linkintersect?targets[]=a..b&targets[]=example.com", "entry 1 of targets, \"a..b\""),
    ("/linkintersect?targets[0]=a.example&targets[0]=b.example", "targets[0] is given more than once"),
    ("/linkintersect?targets[x]=a.example&targets[]=b.example", "targets[x]"),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&exclude[]=%20", "entry 1 of exclude"),
    (
        "/linkintersect?targets[]=a.example&targets[]=b.example&exclude[]=ftp://c.example/",
        "entry 1 of exclude",
    ),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&exclude[y]=c.example", "exclude[y]"),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&scope=page", "use url, host, domain or prefix"),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&internal=1", "internal is \"1\""),
    (
        "/linkintersect?targets[]=a.example&targets[]=b.example&where=links3+gt+1",
        "domain, links, sr, links1, links2",
    ),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&where=domain+eq+a", "single quotes"),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&limit=-1", "limit is \"-1\""),
    ("/linkintersect?targets[]=a.example&targets[]=%ff", "not UTF-8"),
    (
        "/linkintersect?targets[]=a.example&targets[]=b.example&atLeast=3",
        "atLeast is \"3\"; it must be a whole number from 1 to 2",
    ),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&atLeast=0", "atLeast is \"0\""),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&atLeast=", "atLeast is \"\""),
    ("/linkintersect?targets[]=a.example&targets[]=b.example&atLeast=1&atLeast=1", "atLeast is given more"),
    // New and lost domains.
    ("/newdomains", "from is missing"),
    ("/newdomains?from=20240101", "url is missing"),
    ("/newdomains?url=example.com&from=soon", "from is \"soon\""),
    ("/newdomains?url=example.com&from=20240101&where=refdoms+gt+1", "domain, date, links, sr, ccode"),
    ("/lostdomains?url=example.com", "from is missing"),
    ("/lostdomains?url=example.com&from=29990101", "which is after"),
    // Details.
    ("/backlinks?url=example.com&details=yes", "details is \"yes\"; it must be true or false"),
    ("/backlinks?url=example.com&where=doubt+eq+%27dns%27", "\"doubt\" stands here"),
    ("/referringdomains?url=example.com&where=refdoms+gt+1", "\"refdoms\" stands here"),
    ("/referringdomains?url=example.com&active=lost", "active is \"lost\""),
    // Redirect chains.
    ("/redirectchain", "url is missing"),
    ("/redirectchain?url=", "url cannot be used"),
    ("/redirectchain?url=mailto:a@example.com", "url cannot be used"),
    ("/redirectchain?url=example.com&scope=host", "omit scope"),
    ("/redirectchain?url=example.com&scope=domain", "omit scope"),
    ("/redirectchain?url=example.com&scope=chain", "use url, host, domain or prefix"),
    ("/redirectchain?url=example.com&where=hop+eq+%271%27", "a number without quotes"),
    ("/redirectchain?url=example.com&where=target+eq+%271%27", "url, code, tag, end, hop, start"),
    ("/redirectchain?url=example.com&limit=1.5", "limit"),
    ("/redirectchain?url=example.com&url=example.org", "url is given more than once"),
];

#[test]
fn every_bad_request_gets_a_sentence_that_explains_it() {
    let server = Server::start(&[]);
    for (target, part) in TABLE {
        let reply = server.client.get(target);
        assert_eq!(reply.status, 400, "{target}: {}", String::from_utf8_lossy(&reply.body));
        let sentence = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains(part), "{target}: {sentence}");
    }
}

#[test]
fn more_targets_than_allowed_are_refused() {
    let ask = |server: &Server, targets: usize, exclude: usize| {
        let list = |name: &str, count: usize| format!("&{name}[]=a.example").repeat(count);
        server.client.get(&format!("/linkintersect?{}{}", list("targets", targets), list("exclude", exclude)))
    };
    let server = Server::start(&[]);
    assert_eq!(ask(&server, 20, 20).status, 200);
    let few = ApiConfig { max_targets: 3, ..ApiConfig::default() };
    let few = Server::start_with(&[], few, AuthPolicy::Open);
    assert_eq!(ask(&few, 3, 3).status, 200);
    for (server, targets, exclude, part) in [
        (&server, 21, 0, "targets has 21 entries; name from 2 to 20"),
        (&server, 2, 21, "exclude has 21 entries; name at most 20"),
        (&few, 4, 0, "targets has 4 entries; name from 2 to 3"),
        (&few, 3, 4, "exclude has 4 entries; name at most 3"),
    ] {
        let reply = ask(server, targets, exclude);
        assert_eq!(reply.status, 400);
        assert!(reply.json()["error"].as_str().unwrap().contains(part), "{part}");
    }
}
