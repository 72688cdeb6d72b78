//! Keys and values of `frontier`: one URL in its queue.

use crate::model::{Priority, QueueEntry, QueueName, SitemapGrant, Target};
use crate::store::StoreError;
use crate::store::db::schema::FRONTIER;
use crate::urls::{CanonicalUrl, Surt};

use super::priority::{put_priority, read_priority};
use super::varint::{Damage, Reader, put_text, put_varint};

pub(in crate::store) fn entry_key(url: &CanonicalUrl, priority: Priority) -> Vec<u8> {
    let surt = Surt::from(url);
    let name = QueueName::of_surt(surt.as_bytes());
    let mut key = Vec::with_capacity(name.as_bytes().len() + 5 + surt.as_bytes().len());
    key.extend_from_slice(name.as_bytes());
    put_priority(&mut key, priority);
    key.extend_from_slice(surt.as_bytes());
    key
}

/// Splits the key of an entry into queue name, priority and SURT.
pub(in crate::store) fn split_entry_key(key: &[u8]) -> Result<(&[u8], Priority, &[u8]), StoreError> {
    parse_entry_key(key).map_err(|damage| StoreError::damaged(FRONTIER, key, damage.0))
}

/// As [`split_entry_key`], with the damage alone as error.
pub(in crate::store) fn parse_entry_key(key: &[u8]) -> Result<(&[u8], Priority, &[u8]), Damage> {
    let (name, rest) = Surt::split_first(key).map_err(|_| Damage("the queue"))?;
    let mut reader = Reader(rest);
    let priority = read_priority(&mut reader)?;
    Ok((name, priority, reader.0))
}

pub(in crate::store) fn encode_entry(entry: &QueueEntry) -> Vec<u8> {
    let mut value = Vec::with_capacity(3);
    put_varint(&mut value, u64::from(entry.attempts));
    put_varint(&mut value, u64::from(entry.depth));
    put_target(&mut value, &entry.target);
    put_grant(&mut value, &entry.target);
    value
}

pub(in crate::store) fn decode_entry(key: &[u8], value: &[u8]) -> Result<QueueEntry, StoreError> {
    let damaged = |damage: Damage| StoreError::damaged(FRONTIER, key, damage.0);
    let (_, priority, surt) = split_entry_key(key)?;
    let url = Surt::bytes_to_url(surt).map_err(|_| damaged(Damage("the URL")))?;
    let mut reader = Reader(value);
    let attempts = reader.u32("the attempts").map_err(damaged)?;
    let depth = read_depth(&mut reader).map_err(damaged)?;
    let mut target = read_target(&mut reader).map_err(damaged)?;
    read_grant(&mut reader, &mut target).map_err(damaged)?;
    reader.end().map_err(damaged)?;
    Ok(QueueEntry { url, priority, depth, attempts, target })
}

pub(in crate::store) fn read_depth(reader: &mut Reader<'_>) -> Result<u16, Damage> {
    u16::try_from(reader.varint("the depth")?).map_err(|_| Damage("the depth"))
}

/// Writes 0 for a page, or 1 + level for a sitemap.
pub(in crate::store) fn put_target(out: &mut Vec<u8>, target: &Target) {
    out.push(match target {
        Target::Page => 0,
        Target::Sitemap(grant) => grant.level.saturating_add(1),
    });
}

pub(in crate::store) fn read_target(reader: &mut Reader<'_>) -> Result<Target, Damage> {
    Ok(match reader.byte("what is expected")? {
        0 => Target::Page,
        depth => Target::Sitemap(Box::new(SitemapGrant::at_level(depth - 1))),
    })
}

/// Writes what a sitemap may list, at the end of a value: whether it may list all URLs of its own domain, then further
/// hosts. Writes nothing if it may list its own domain alone.
pub(in crate::store) fn put_grant(out: &mut Vec<u8>, target: &Target) {
    if let Target::Sitemap(grant) = target
        && !(grant.own_domain && grant.hosts.is_empty())
    {
        out.push(u8::from(grant.own_domain));
        grant.hosts.iter().for_each(|host| put_text(out, host));
    }
}

/// Reads what [`put_grant`] wrote, up to the end of the value.
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
