//! Figures about one scope in one state of the index that must be equal in all endpoints.

use serde_json::Value;

use super::answers::publish_ranks;
use super::client::{Client, encode};
use super::server::Server;
use super::web::random;

/// Scopes of every kind, one of them without links.
pub const SCOPES: &[&str] = &[
    "example.com",
    "www.example.com",
    "example.com/",
    "http://example.com/a",
    "example.com:8080",
    "a.co.uk",
    "192.0.2.7",
    "uni.edu.au",
    "unknown.example",
];

struct Asked<'a> {
    client: &'a Client,
    scope: String,
    more: &'a str,
}

impl Asked<'_> {
    fn get(&self, endpoint: &str, more: &str) -> Value {
        self.client.json(&format!("/{endpoint}?url={}{}{more}", self.scope, self.more))
    }

    /// The sum of a key over all rows, in pages of the largest size.
    fn sum(&self, endpoint: &str, key: &str) -> u64 {
        let answer = self.get(endpoint, "&limit=10000");
        let rows = answer["response"].as_array().unwrap();
        rows.iter().map(|row| row[key].as_u64().unwrap()).sum()
    }

    /// The sum of rows that have one key each.
    fn sum_of_values(&self, endpoint: &str) -> u64 {
        let answer = self.get(endpoint, "");
        let rows = answer["response"].as_array().unwrap();
        rows.iter()
            .flat_map(|row| row.as_object().unwrap().values())
            .map(|value| value.as_u64().unwrap())
            .sum()
    }

    fn count(&self, endpoint: &str) -> u64 {
        self.get(endpoint, "&limit=0")["count"].as_u64().unwrap()
    }

    fn of_list(&self, endpoint: &str, key: &str) -> u64 {
        let target = format!("/{endpoint}?urls[]={}{}", self.scope, self.more);
        self.client.json(&target)["response"][0][key].as_u64().unwrap()
    }

    fn assert_incoming(&self) -> u64 {
        let links = self.sum("anabacklinks", "backlinks");
        for (what, figure) in [
            ("linkratio", self.sum_of_values("linkratio")),
            ("linkspread", self.sum_of_values("linkspread")),
            ("srspread", self.sum("srspread", "links")),
            ("tagtypes", self.sum("tagtypes", "frequency")),
            ("linktexts", self.sum("linktexts", "frequency")),
            ("linktextdistribution", self.sum("linktextdistribution", "frequency")),
            ("linkedpages", self.sum("linkedpages", "frequency")),
            ("tldlist", self.sum("tldlist", "links")),
            ("geolocationshort", self.sum("geolocationshort", "links")),
            ("referringdomains", self.sum("referringdomains", "links")),
            ("backlinks", self.count("backlinks")),
            ("backlinkshort", self.of_list("backlinkshort", "backlinks")),
            ("anaurls", self.of_list("anaurls", "backlinks")),
        ] {
            assert_eq!(figure, links, "{what} {}{}", self.scope, self.more);
        }
        let domains = self.sum("domainpopularity", "domainpopularity");
        for (what, figure) in [
            ("tldlist", self.sum("tldlist", "diffdomains")),
            ("referringdomains", self.count("referringdomains")),
            ("backlinkshort", self.of_list("backlinkshort", "refdoms")),
            ("anaurls", self.of_list("anaurls", "refdoms")),
        ] {
            assert_eq!(figure, domains, "{what} {}{}", self.scope, self.more);
        }
        let addresses = self.get("ippopularity", "")["response"][0].clone();
        let figure = |key: &str| addresses[key].as_u64().unwrap();
        assert_eq!(self.count("iplist"), figure("ip") + figure("ipv6"), "{}", self.scope);
        let classes = ["class_a", "class_b", "class_c", "class_d", "class_e"];
        assert_eq!(classes.iter().map(|class| figure(class)).sum::<u64>(), figure("ip"), "{}", self.scope);
        links
    }

    fn assert_outgoing(&self) -> u64 {
        let counts = self.get("outgoinglinkcount", "");
        let of = |at: usize| counts["response"][at]["frequency"].as_u64().unwrap();
        assert_eq!(of(0), of(1) + of(2), "{}", self.scope);
        let links = of(1);
        for (what, figure) in [
            ("outgoinglinks", self.count("outgoinglinks")),
            ("outgoinghosts", self.sum("outgoinghosts", "frequency")),
            ("outgoinglinktexts", self.sum("outgoinglinktexts", "frequency")),
            ("outgoingtoppages", self.sum("outgoingtoppages", "extLinks")),
            ("pagedistribution", self.sum("pagedistribution", "frequency")),
        ] {
            assert_eq!(figure, links, "{what} {}", self.scope);
        }
        links
    }
}

#[test]
fn equal_figures_of_different_endpoints_agree() {
    let (mut links, mut outgoing) = (0, 0);
    for seed in 21..=23 {
        let records = random(seed, 250);
        let server = Server::start(&records);
        publish_ranks(&server, &records);
        for scope in SCOPES {
            for more in ["", "&internal=exclude", "&scope=host"] {
                let asked = Asked { client: &server.client, scope: encode(scope), more };
                links += asked.assert_incoming();
                outgoing += asked.assert_outgoing();
            }
        }
    }
    assert!(links > 1_000 && outgoing > 1_000, "{links} {outgoing}");
}

/// The whole web: the links out of all domains are the links into all domains, plus those out of the web.
#[test]
fn outgoing_links_equal_incoming_links() {
    let server = Server::start(&random(24, 250));
    let (mut links, mut outgoing) = (0, 0);
    for domain in super::web::DOMAINS {
        let asked = Asked { client: &server.client, scope: encode(domain), more: "" };
        links += asked.sum("anabacklinks", "backlinks");
        outgoing += asked.count("outgoinglinks");
    }
    assert!(links > 300, "{links}");
    assert_eq!(links, outgoing);
}
