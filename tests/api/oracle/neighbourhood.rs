//! The graph of `/neighbourhood`, from exported links.

use std::collections::BTreeMap;

use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::{incoming, source_domain, text};

/// What a graph is made of.
pub struct Graph<'a> {
    /// All links into the scope, active and lost.
    pub links: &'a [Value],
    /// The active links into every domain of the index.
    pub by_target: &'a BTreeMap<String, Vec<Value>>,
    /// The name of the scope, and its registrable domain.
    pub centre: &'a str,
    pub own: &'a str,
    pub suffixes: &'a Suffixes,
}

impl Graph<'_> {
    /// The answer for at most this many nodes. `rank` returns the ranks of domains, `scope_rank` is that of the scope.
    /// `holds` says whether a page belongs to the scope.
    pub fn answer(
        &self,
        nodes: usize,
        since: u32,
        scope_rank: &Value,
        rank: impl Fn(&str) -> Value,
        holds: impl Fn(&str) -> bool,
    ) -> Value {
        let mut outside = self.links.to_vec();
        outside.retain(|link| source_domain(self.suffixes, link) != self.own);
        let active: Vec<Value> = outside.iter().filter(|link| link["active"] == true).cloned().collect();
        let mut referrers = incoming::referring_domains(&active, self.suffixes, rank);
        let refdoms = referrers.len();
        referrers.sort_by(|a, b| {
            let strength = |row: &Value| (row["sr"].as_f64().unwrap(), row["links"].as_f64().unwrap());
            strength(b)
                .partial_cmp(&strength(a))
                .unwrap()
                .then_with(|| text(a, "domain").cmp(text(b, "domain")))
        });
        referrers.truncate(nodes - 1);
        let mut shown = vec![json!({
            "id": self.centre, "sr": scope_rank, "links": active.len(), "ccode": "", "new": false, "centre": true,
        })];
        shown.extend(referrers.iter().map(|row| {
            let of_domain =
                outside.iter().filter(|link| source_domain(self.suffixes, link) == text(row, "domain"));
            let first: u32 = of_domain.map(|link| text(link, "insDate").parse().unwrap()).min().unwrap();
            json!({
                "id": row["domain"], "sr": row["sr"], "links": row["links"], "ccode": row["ccode"],
                "new": first > since, "centre": false,
            })
        }));
        let names: Vec<&str> = referrers.iter().map(|row| text(row, "domain")).collect();
        json!({
            "nodes": shown, "edges": self.edges(&names, &active, holds), "refdoms": refdoms, "status": 200,
        })
    }

    /// The edges by the places of their nodes.
    fn edges(&self, names: &[&str], into_scope: &[Value], holds: impl Fn(&str) -> bool) -> Vec<Value> {
        let mut edges = Vec::new();
        let mut add = |from: &str, to: &str, links: usize| {
            if links > 0 {
                edges.push(json!({ "from": from, "to": to, "links": links }));
            }
        };
        let none = Vec::new();
        let into = |domain: &str| self.by_target.get(domain).unwrap_or(&none).iter();
        for to in names {
            let of_scope = into(to).filter(|link| holds(text(link, "backlinkpage")));
            add(self.centre, to, of_scope.count());
        }
        for from in names {
            let is_from = |link: &&Value| source_domain(self.suffixes, link) == *from;
            add(from, self.centre, into_scope.iter().filter(is_from).count());
            for to in names.iter().filter(|to| *to != from) {
                add(from, to, into(to).filter(is_from).count());
            }
        }
        edges
    }
}
