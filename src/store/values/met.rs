//! The URLs that a commit met, as they wait for the sieve: one after the other in one value.

use crate::frontier::{Found, Priority, SitemapGrant, Target};
use crate::urls::{CanonicalUrl, Surt};

use super::super::codec::{Damage, Reader, put_text, put_varint};
use super::{priority, put_priority};

/// A URL that was met.
pub(in crate::store) struct Met<'v> {
    pub surt: &'v [u8],
    pub priority: Priority,
    pub depth: u16,
    pub target: Target,
    /// Whether it stands in the queue already, and is to be remembered only.
    pub queued: bool,
}

impl Met<'_> {
    pub fn url(&self) -> Result<CanonicalUrl, Damage> {
        Surt::bytes_to_url(self.surt).map_err(|_| Damage("a URL"))
    }
}

pub(in crate::store) fn put_met(out: &mut Vec<u8>, found: &Found, surt: &[u8], queued: bool) {
    put_priority(out, found.priority);
    put_varint(out, u64::from(found.depth));
    out.push(u8::from(queued));
    put_target(out, &found.target);
    put_varint(out, surt.len() as u64);
    out.extend_from_slice(surt);
}

/// Takes the next off the front, if there is one.
pub(in crate::store) fn decode_met<'v>(reader: &mut Reader<'v>) -> Result<Option<Met<'v>>, Damage> {
    if reader.0.is_empty() {
        return Ok(None);
    }
    let priority = priority(reader)?;
    let depth = u16::try_from(reader.varint("a depth")?).map_err(|_| Damage("a depth"))?;
    let queued = reader.byte("a mark")? != 0;
    let target = target(reader)?;
    let length = reader.count("a URL")?;
    let surt = reader.bytes(length, "a URL")?;
    Ok(Some(Met { surt, priority, depth, target, queued }))
}

/// 0 for a page, else one more than how deep a sitemap is.
pub(in crate::store) fn put_target(out: &mut Vec<u8>, target: &Target) {
    out.push(match target {
        Target::Page => 0,
        Target::Sitemap(grant) => grant.level.saturating_add(1),
    });
}

pub(in crate::store) fn target(reader: &mut Reader<'_>) -> Result<Target, Damage> {
    Ok(match reader.byte("what is expected")? {
        0 => Target::Page,
        depth => Target::Sitemap(Box::new(SitemapGrant::at_level(depth - 1))),
    })
}

/// What a sitemap may list, at the end of a value: whether all of its own domain, then hosts. Nothing where it may list
/// its own domain alone.
pub(in crate::store) fn put_grant(out: &mut Vec<u8>, target: &Target) {
    if let Target::Sitemap(grant) = target
        && !(grant.own_domain && grant.hosts.is_empty())
    {
        out.push(u8::from(grant.own_domain));
        grant.hosts.iter().for_each(|host| put_text(out, host));
    }
}

/// Reads what [`put_grant`] wrote, to the end of the value.
pub(in crate::store) fn read_grant(reader: &mut Reader<'_>, target: &mut Target) -> Result<(), Damage> {
    const GRANT: &str = "what a sitemap may list";
    if let Target::Sitemap(grant) = target
        && !reader.0.is_empty()
    {
        grant.own_domain = match reader.byte(GRANT)? {
            0 => false,
            1 => true,
            _ => return Err(Damage(GRANT)),
        };
        while !reader.0.is_empty() {
            grant.hosts.push(reader.text(GRANT)?.into());
        }
    }
    Ok(())
}
