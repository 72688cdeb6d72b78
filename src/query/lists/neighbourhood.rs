//! Neighbourhoods: a scope, the strongest registrable domains that link to it, and the links among them.
//!
//! Links within one registrable domain are left out. So the centre is none of its own neighbours, and no node links to
//! itself. All counts come from host pairs, except those of a URL, whose links are read one by one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hashbrown::HashMap;
use serde::Serialize;

use crate::model::{Day, SearchRank};
use crate::query::lookup::{NameLookup, SnapshotLookup, scope_rank};
use crate::query::{QueryError, SameDomainLinks, Scan, Selection, Value};
use crate::store::BacklinkRef;
use crate::urls::{Scope, host_of};

/// Links that are read before they are decoded.
const BATCH: usize = 8_192;

/// A graph of domains. The first node is the centre; the others follow by rank.
#[derive(Clone, Debug, Serialize)]
pub struct Neighbourhood {
    pub nodes: Vec<DomainNode>,
    pub edges: Vec<DomainLink>,
    /// All domains outside that link to the scope, shown or not.
    pub refdoms: usize,
}

/// The scope, or a domain that links to it.
#[derive(Clone, Debug, Serialize)]
pub struct DomainNode {
    /// The name of the scope or of the domain. It is unique.
    pub id: Box<str>,
    pub sr: Value<'static>,
    /// The number of its links to the scope. The centre has the number of all links from outside.
    pub links: u64,
    /// The country of the address with most of these links; empty if it is not known.
    pub ccode: Box<str>,
    /// Whether its first link to the scope was first seen after the day asked for.
    pub new: bool,
    pub centre: bool,
}

/// The active external links of one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainLink {
    pub from: Box<str>,
    pub to: Box<str>,
    pub links: u64,
}

/// A referring domain with the number of its links.
struct Neighbour {
    domain: Box<str>,
    rank: u32,
    links: u64,
}

/// What the links of a neighbour say about it.
#[derive(Default)]
struct NeighbourFacts {
    first_seen: Option<Day>,
    /// Active links by address and country.
    places: HashMap<Option<IpAddr>, BTreeMap<Box<str>, u64>>,
}

/// Edges by the places of their nodes.
type EdgeCounts = BTreeMap<(usize, usize), u64>;

impl Scan<'_> {
    /// The graph of at most `max_nodes` nodes. `centre` is the name of the scope. A neighbour is new if none of its
    /// links, active or lost, was seen up to the day `since`.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn neighbourhood(
        &self,
        centre: &str,
        max_nodes: usize,
        since: Day,
    ) -> Result<Neighbourhood, QueryError> {
        let selection = Selection { scope: self.selection.scope.clone(), internal: SameDomainLinks::Exclude };
        let scan = Scan { selection: &selection, ..*self };
        let mut neighbours = scan.neighbours()?;
        let refdoms = neighbours.len();
        let links = neighbours.iter().map(|neighbour| neighbour.links).sum();
        neighbours.truncate(max_nodes.saturating_sub(1));
        let edges = scan.edges(&neighbours)?;
        let facts = scan.facts_of(&neighbours)?;
        let centre = DomainNode::centre(centre, scope_rank(self.snapshot, &selection.scope)?, links);
        let neighbours =
            neighbours.into_iter().zip(facts).map(|(neighbour, facts)| facts.node(neighbour, since));
        let nodes: Vec<DomainNode> = std::iter::once(centre).chain(neighbours).collect();
        let name = |node: usize| nodes[node].id.clone();
        let edges =
            edges.into_iter().map(|((from, to), links)| DomainLink { from: name(from), to: name(to), links });
        Ok(Neighbourhood { edges: edges.collect(), nodes, refdoms })
    }

    /// The domains that link to the scope: those of the highest rank first, of equals those with most links, then by
    /// name.
    fn neighbours(&self) -> Result<Vec<Neighbour>, QueryError> {
        let mut links: HashMap<Box<str>, u64> = HashMap::new();
        self.host_pairs(|_, host, counts| {
            let domain = self.suffixes.domain_of(host);
            match links.get_mut(domain) {
                Some(links) => *links += counts.links,
                None => {
                    links.insert(domain.into(), counts.links);
                }
            }
        })?;
        let links: Vec<(Box<str>, u64)> = links.into_iter().collect();
        let domains: Vec<&str> = links.iter().map(|(domain, _)| &**domain).collect();
        let lookup =
            SnapshotLookup { snapshot: self.snapshot, suffixes: self.suffixes, deadline: self.deadline };
        let ranks = lookup.domain_ranks(&domains)?;
        self.deadline.check()?;
        let mut neighbours: Vec<Neighbour> = links
            .into_iter()
            .zip(ranks)
            .map(|((domain, links), rank)| Neighbour { domain, rank, links })
            .collect();
        self.deadline.check()?;
        neighbours.sort_unstable_by(|a, b| {
            (b.rank, b.links).cmp(&(a.rank, a.links)).then_with(|| a.domain.cmp(&b.domain))
        });
        Ok(neighbours)
    }

    /// The edges between the centre, which has place 0, and the neighbours.
    fn edges(&self, neighbours: &[Neighbour]) -> Result<EdgeCounts, QueryError> {
        let places: HashMap<&str, usize> =
            neighbours.iter().enumerate().map(|(at, neighbour)| (&*neighbour.domain, at + 1)).collect();
        let mut edges = EdgeCounts::new();
        let mut add = |from: usize, host: &str, links: u64| {
            let to = places.get(self.suffixes.domain_of(host)).copied();
            if let Some(to) = to.filter(|to| *to != from) {
                *edges.entry((from, to)).or_default() += links;
            }
        };
        self.count_outgoing(|host, links| add(0, host, links))?;
        for (at, neighbour) in neighbours.iter().enumerate() {
            // A neighbour without further links has no row at which the deadline would be checked.
            self.deadline.check()?;
            for row in self.deadline.guard_rows(self.snapshot.referrals(&neighbour.domain)) {
                let (host, links) = row?;
                add(at + 1, &host, links);
            }
        }
        edges.extend(neighbours.iter().enumerate().map(|(at, neighbour)| ((at + 1, 0), neighbour.links)));
        Ok(edges)
    }

    /// Passes the hosts that the scope links to, with a number of links, to `visit`. A host may come several times.
    fn count_outgoing(&self, mut visit: impl FnMut(&str, u64)) -> Result<(), QueryError> {
        match &self.selection.scope {
            scope @ (Scope::Domain { .. } | Scope::Host { port: None, .. }) => {
                for row in self.deadline.guard_rows(self.snapshot.referrals_of(scope)) {
                    let (host, links) = row?;
                    visit(&host, links);
                }
            }
            Scope::Url { .. } | Scope::Prefix { .. } | Scope::Host { port: Some(_), .. } => {
                for link in self.outgoing() {
                    visit(link?.link.target.host(), 1);
                }
            }
        }
        Ok(())
    }

    /// Reads all links into the scope, active and lost, for the facts about the neighbours.
    fn facts_of(&self, neighbours: &[Neighbour]) -> Result<Vec<NeighbourFacts>, QueryError> {
        let mut facts: Vec<NeighbourFacts> = neighbours.iter().map(|_| NeighbourFacts::default()).collect();
        let places: HashMap<&str, usize> =
            neighbours.iter().enumerate().map(|(at, neighbour)| (&*neighbour.domain, at)).collect();
        if neighbours.is_empty() {
            return Ok(facts);
        }
        for batch in self.snapshot.backlink_batches(&self.selection.scope, BATCH) {
            self.deadline.check()?;
            let batch = batch?;
            for (row, link) in batch.rows()?.iter().enumerate() {
                self.deadline.check_at(row)?;
                if let Some(&at) = places.get(self.suffixes.domain_of(host_of(link.source))) {
                    facts[at].add(link);
                }
            }
        }
        Ok(facts)
    }
}

impl DomainNode {
    fn centre(name: &str, rank: SearchRank, links: u64) -> Self {
        let (id, sr) = (name.into(), rank.into());
        Self { id, sr, links, ccode: Box::default(), new: false, centre: true }
    }
}

impl NeighbourFacts {
    /// The node of the domain that has these facts.
    fn node(&self, neighbour: Neighbour, since: Day) -> DomainNode {
        DomainNode {
            ccode: self.ccode(),
            new: self.first_seen.is_some_and(|day| day > since),
            sr: Value::Hundredths(neighbour.rank),
            links: neighbour.links,
            id: neighbour.domain,
            centre: false,
        }
    }

    fn add(&mut self, link: &BacklinkRef<'_>) {
        self.first_seen = Some(self.first_seen.map_or(link.first_day, |day| day.min(link.first_day)));
        if link.is_active() {
            let countries = self.places.entry(link.page.ip).or_default();
            match countries.get_mut(link.page.ccode) {
                Some(links) => *links += 1,
                None => {
                    countries.insert(link.page.ccode.into(), 1);
                }
            }
        }
    }

    /// The most frequent country of the address with most links. What is unknown counts only if there is nothing
    /// else; of equals, the lowest one is chosen.
    fn ccode(&self) -> Box<str> {
        let links = |countries: &BTreeMap<Box<str>, u64>| countries.values().sum::<u64>();
        let most = |known: bool, links: u64| (known, links);
        let place = self.places.iter().max_by(|(a, some), (b, others)| {
            let (some, others) = (most(a.is_some(), links(some)), most(b.is_some(), links(others)));
            some.cmp(&others).then_with(|| b.cmp(a))
        });
        let countries = place.into_iter().flat_map(|(_, countries)| countries);
        let best = countries.max_by(|(a, some), (b, others)| {
            let (some, others) = (most(!a.is_empty(), **some), most(!b.is_empty(), **others));
            some.cmp(&others).then_with(|| b.cmp(a))
        });
        best.map_or_else(Box::default, |(ccode, _)| ccode.clone())
    }
}
