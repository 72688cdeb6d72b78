//! Counts of links between hosts: `pairs` by target, and `referrals` by source.
//!
//! Both are sums over the active external links, whatever their ports. The merge operator adds the changes of each
//! visit. A pair without links remains as zeros, which are not returned.

use crate::store::codec::keys::{pair_key, split_pair_key};
use crate::store::codec::varint::{Damage, Reader};
use crate::store::db::rows::ReadPattern;
use crate::store::db::schema::{PAIRS, REFERRALS};
use crate::store::{Rows, Snapshot, StoreError};
use crate::urls::{Scope, Suffixes, Surt, host_prefix};

use super::scan::{ScanRange, ScopeCursor};

/// Numbers of active external links from one host to another.
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

pub(in crate::store) fn decode_counts(sums: &[u8]) -> Result<PairCounts, Damage> {
    let mut reader = Reader(sums);
    let counts = PairCounts {
        links: read_count(&mut reader)?,
        nofollow: read_count(&mut reader)?,
        text: read_count(&mut reader)?,
        image: read_count(&mut reader)?,
        home: read_count(&mut reader)?,
    };
    reader.end()?;
    Ok(counts)
}

fn read_count(reader: &mut Reader<'_>) -> Result<u64, Damage> {
    u64::try_from(reader.signed("a count")?).map_err(|_| Damage("a count below zero"))
}

/// The range of keys whose first part is a host of the scope. Empty for other scopes than a
/// domain or a host on all its ports.
fn host_range(family: &'static str, scope: &Scope, suffixes: &Suffixes) -> ScanRange {
    let alone = |host| vec![pair_key(&host_prefix(host), &[])];
    let prefixes = match scope {
        Scope::Url { .. } | Scope::Host { port: Some(_), .. } | Scope::Prefix { .. } => Vec::new(),
        Scope::Host { host, port: None } => alone(host),
        // The hosts below a public suffix belong to other domains.
        Scope::Domain { domain } if suffixes.suffix_of(domain) == domain => alone(domain),
        Scope::Domain { domain } => vec![host_prefix(domain)],
    };
    ScanRange { family, prefixes, scope: Some(scope.clone()), after: None, pattern: ReadPattern::Random }
}

fn decode_host_part(part: &[u8]) -> Result<String, Damage> {
    Surt::decode_host(part).map_err(|_| Damage("a host"))
}

/// Pairs read between two checks for an abort.
const PAIRS_PER_CHECK: usize = 512;

impl Snapshot<'_> {
    /// Host pairs with active links into a domain, or into a host on all its ports. Other scopes have no pairs: their
    /// backlinks must be counted.
    pub fn host_pairs(&self, scope: &Scope) -> Rows<'_, HostPair> {
        let rows = self.rows(host_range(PAIRS, scope, &self.store.suffixes), |key, value| {
            let (target, source) = split_pair_key(key)?;
            let counts = decode_counts(value)?;
            Ok(HostPair {
                target_host: decode_host_part(target)?,
                source_host: decode_host_part(source)?,
                counts,
            })
        });
        Box::new(rows.filter(|row| row.as_ref().map_or(true, |pair| pair.counts.links > 0)))
    }

    /// Passes the same pairs to `visit`, target host before source host, without an allocation per pair. Calls
    /// `proceed` every few hundred pairs; its error aborts the scan.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a pair is damaged, and the error of `proceed`. Some pairs may have
    /// been visited by then.
    pub fn for_each_pair<E: From<StoreError>>(
        &self,
        scope: &Scope,
        proceed: &impl Fn() -> Result<(), E>,
        mut visit: impl FnMut(&str, &str, &PairCounts),
    ) -> Result<(), E> {
        let mut cursor = ScopeCursor::new(self, host_range(PAIRS, scope, &self.store.suffixes));
        let (mut target, mut source) = (HostDecoder::default(), HostDecoder::default());
        for row in 0_usize.. {
            if row.is_multiple_of(PAIRS_PER_CHECK) {
                proceed()?;
            }
            if !cursor.advance()? {
                break;
            }
            let Some((key, value)) = cursor.row() else { break };
            let damaged = |damage: Damage| StoreError::damaged(PAIRS, key, damage.0);
            let (target_part, source_part) = split_pair_key(key).map_err(damaged)?;
            let counts = decode_counts(value).map_err(damaged)?;
            if counts.links > 0 {
                let target = target.decode(target_part).map_err(damaged)?;
                visit(target, source.decode(source_part).map_err(damaged)?, &counts);
            }
        }
        Ok(())
    }

    /// All hosts that the hosts of a registrable domain link to, with the number of active external links from one
    /// source host. A target host has one row for each source host. Sorted by source host, then by target host.
    pub fn referrals(&self, source_domain: &str) -> Rows<'_, (String, u64)> {
        self.referrals_of(&Scope::Domain { domain: source_domain.to_owned() })
    }

    /// The same for the hosts of a domain, or for one host on all its ports. Other scopes have no referrals: the links
    /// on their pages must be counted.
    pub fn referrals_of(&self, source: &Scope) -> Rows<'_, (String, u64)> {
        let rows = self.rows(host_range(REFERRALS, source, &self.store.suffixes), |key, value| {
            let (_, target) = split_pair_key(key)?;
            let mut reader = Reader(value);
            let links = read_count(&mut reader)?;
            reader.end()?;
            Ok((decode_host_part(target)?, links))
        });
        Box::new(rows.filter(|row| row.as_ref().map_or(true, |(_, links)| *links > 0)))
    }
}

/// Decodes hosts into their ordinary form. Caches the last one, because most are equal to their predecessor.
#[derive(Default)]
struct HostDecoder {
    part: Vec<u8>,
    text: Vec<u8>,
}

impl HostDecoder {
    fn decode(&mut self, part: &[u8]) -> Result<&str, Damage> {
        if self.part != part {
            self.part.clear();
            self.part.extend_from_slice(part);
            self.text.clear();
            Surt::decode_host_into(part, &mut self.text);
        }
        std::str::from_utf8(&self.text).map_err(|_| Damage("a host"))
    }
}
