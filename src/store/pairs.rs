//! Which host links to which, counted: the pairs as a target sees them, and transposed as a source does.
//!
//! Both are sums over the active external links, whatever the port they stand on or lead to, kept by merge: a
//! visit adds what it changed. A pair whose links are all gone stays behind as zeros, which nobody is told of.

use rocksdb::WriteBatch;
use rustc_hash::FxHashMap;

use crate::model::{LinkTag, OutlinkRecord};
use crate::urls::{CanonicalUrl, Scope, Suffixes, Surt, host_prefix};

use super::codec::{Damage, Reader};
use super::keys::{pair, split_pair};
use super::schema::{PAIRS, REFERRALS, encode_sums};
use super::walk::{Reading, ScopeCursor, Walk};
use super::{Rows, Snapshot, Store, StoreError};

/// Active external links from one host to another, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    pub links: u64,
    pub nofollow: u64,
    /// With tag `a`.
    pub text: u64,
    /// With tag `aimg` or `area`.
    pub image: u64,
    /// To a home page: the path is `/`, and there is no query.
    pub home: u64,
}

/// One host pair with active links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPair {
    pub target_host: String,
    pub source_host: String,
    pub counts: PairCounts,
}

/// What a batch changes in the sums, by the keys of `pairs`: the pages of a batch share most of their pairs.
#[derive(Debug, Default)]
pub(super) struct PairChanges(FxHashMap<Vec<u8>, Sums>);

pub(super) type Sums = [i64; 5];

impl PairChanges {
    /// Adds what a visit changed of a page's links.
    pub fn add(&mut self, url: &CanonicalUrl, old: &[OutlinkRecord], new: &[OutlinkRecord]) {
        let mut sums: FxHashMap<&str, Sums> = FxHashMap::default();
        for (links, sign) in [(old, -1), (new, 1)] {
            for link in links.iter().filter(|link| link.external && link.is_active()) {
                let counted = counted_as(link).map(|counts| sign * i64::from(counts));
                add(sums.entry(link.target.host()).or_default(), counted);
            }
        }
        let source = host_prefix(url.host());
        for (target, sum) in sums.into_iter().filter(|(_, sum)| *sum != [0; 5]) {
            add(self.0.entry(pair(&host_prefix(target), &source)).or_default(), sum);
        }
    }

    /// The sums so far.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &Sums)> {
        self.0.iter().map(|(key, sums)| (key.as_slice(), sums))
    }

    pub fn stage(self, store: &Store, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let (pairs, referrals) = (store.family(PAIRS)?, store.family(REFERRALS)?);
        for (key, sum) in self.0.into_iter().filter(|(_, sum)| *sum != [0; 5]) {
            batch.merge_cf(pairs, &key, encode_sums(&sum));
            if sum[0] != 0 {
                let (target, source) =
                    split_pair(&key).map_err(|damage| StoreError::damaged(PAIRS, &key, damage.0))?;
                batch.merge_cf(referrals, pair(source, target), encode_sums(&sum[..1]));
            }
        }
        Ok(())
    }
}

fn add(sums: &mut Sums, more: Sums) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// In which sums of its pair a link counts, in their stored order.
fn counted_as(link: &OutlinkRecord) -> [bool; 5] {
    [
        true,
        link.rel.is_nofollow(),
        link.tag == LinkTag::A,
        link.tag.is_image(),
        link.target.path_and_query() == "/",
    ]
}

fn decode_counts(sums: &[u8]) -> Result<PairCounts, Damage> {
    let mut reader = Reader(sums);
    let counts = PairCounts {
        links: count(&mut reader)?,
        nofollow: count(&mut reader)?,
        text: count(&mut reader)?,
        image: count(&mut reader)?,
        home: count(&mut reader)?,
    };
    reader.end()?;
    Ok(counts)
}

fn count(reader: &mut Reader<'_>) -> Result<u64, Damage> {
    u64::try_from(reader.signed("a count")?).map_err(|_| Damage("a count below zero"))
}

/// The rows of a scope's hosts, where they stand first in the key. A URL, or a host narrowed to one port, has none.
fn hosts_of(family: &'static str, scope: &Scope, suffixes: &Suffixes) -> Walk {
    let alone = |host| vec![pair(&host_prefix(host), &[])];
    let prefixes = match scope {
        Scope::Url { .. } | Scope::Host { port: Some(_), .. } => Vec::new(),
        Scope::Host { host, port: None } => alone(host),
        // Below a public suffix stand none of its own hosts.
        Scope::Domain { domain } if suffixes.suffix_of(domain) == domain => alone(domain),
        Scope::Domain { domain } => vec![host_prefix(domain)],
    };
    Walk { family, prefixes, scope: Some(scope.clone()), after: None, reading: Reading::Browse }
}

fn host(part: &[u8]) -> Result<String, Damage> {
    Surt::host_of(part).map_err(|_| Damage("a host"))
}

/// Pairs walked over, told of or not, before it is asked whether to go on.
const PAIRS_A_LOOK: usize = 512;

impl Snapshot<'_> {
    /// Host pairs with active links into a domain or into a host on all its ports. Other scopes have no pairs of
    /// their own: their backlinks must be counted.
    pub fn host_pairs(&self, scope: &Scope) -> Rows<'_, HostPair> {
        let rows = self.rows(hosts_of(PAIRS, scope, &self.store.suffixes), |key, value| {
            let (target, source) = split_pair(key)?;
            let counts = decode_counts(value)?;
            Ok(HostPair { target_host: host(target)?, source_host: host(source)?, counts })
        });
        Box::new(rows.filter(|row| row.as_ref().map_or(true, |pair| pair.counts.links > 0)))
    }

    /// Tells of the same pairs, target host before source host, without memory of its own for each. `proceed` is asked
    /// every few hundred pairs; its error ends the walk.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a pair is damaged, and what `proceed` reports; some pairs may have been
    /// told of by then.
    pub fn for_each_pair<E: From<StoreError>>(
        &self,
        scope: &Scope,
        proceed: &impl Fn() -> Result<(), E>,
        mut tell: impl FnMut(&str, &str, &PairCounts),
    ) -> Result<(), E> {
        let mut cursor = ScopeCursor::new(self, hosts_of(PAIRS, scope, &self.store.suffixes));
        let (mut target, mut source) = (HostText::default(), HostText::default());
        for row in 0_usize.. {
            if row.is_multiple_of(PAIRS_A_LOOK) {
                proceed()?;
            }
            if !cursor.advance()? {
                break;
            }
            let Some((key, value)) = cursor.row() else { break };
            let damaged = |damage: Damage| StoreError::damaged(PAIRS, key, damage.0);
            let (target_part, source_part) = split_pair(key).map_err(damaged)?;
            let counts = decode_counts(value).map_err(damaged)?;
            if counts.links > 0 {
                let target = target.of(target_part).map_err(damaged)?;
                tell(target, source.of(source_part).map_err(damaged)?, &counts);
            }
        }
        Ok(())
    }

    /// Every host that the hosts of a registrable domain link to, with the active external links from one of them:
    /// a host linked to from several has several rows. In the order of source hosts, then of target hosts.
    pub fn referrals(&self, source_domain: &str) -> Rows<'_, (String, u64)> {
        let scope = Scope::Domain { domain: source_domain.to_owned() };
        let rows = self.rows(hosts_of(REFERRALS, &scope, &self.store.suffixes), |key, value| {
            let (_, target) = split_pair(key)?;
            let mut reader = Reader(value);
            let links = count(&mut reader)?;
            reader.end()?;
            Ok((host(target)?, links))
        });
        Box::new(rows.filter(|row| row.as_ref().map_or(true, |(_, links)| *links > 0)))
    }
}

/// The ordinary form of one host after another, most of them as the one before.
#[derive(Default)]
struct HostText {
    part: Vec<u8>,
    text: Vec<u8>,
}

impl HostText {
    fn of(&mut self, part: &[u8]) -> Result<&str, Damage> {
        if self.part != part {
            self.part.clear();
            self.part.extend_from_slice(part);
            self.text.clear();
            Surt::push_host(part, &mut self.text);
        }
        std::str::from_utf8(&self.text).map_err(|_| Damage("a host"))
    }
}
