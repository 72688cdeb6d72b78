//! The file of sites, in the data directory.
//!
//! ```text
//! magic │ XXH3-64 of the rest │ change, time, number of sites │ sites
//! ```
//!
//! Numbers are LEB128, except the hash. The sites are sorted by name, and each name is stored as the number of bytes
//! that it shares with its predecessor and the bytes after them.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_64;

use super::{SiteFigures, SiteKind, SiteList};
use crate::model::SearchRank;
use crate::store::codec::varint::{Damage, Reader, put_varint};
use crate::store::{Store, StoreError};

/// The name of the file.
const SITES_FILE: &str = "sites";
const MAGIC: &[u8; 8] = b"blsites1";

/// Magic, sum, and two numbers of at most ten bytes.
const HEAD_BYTES: u64 = 8 + 8 + 2 * 10;

/// A version of the file: another file has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteFileVersion {
    modified: SystemTime,
    bytes: u64,
}

impl Store {
    /// Replaces the file of sites in one step. Only complete lists belong there.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written. The former file stays then.
    pub fn write_sites(&self, list: &SiteList) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            file.write_all(&encode(list))?;
            file.as_file().sync_all()?;
            file.persist(self.sites_path())?;
            Ok(())
        };
        write().map_err(|error| StoreError::unusable(&self.sites_path(), error))
    }

    /// The version of the file of sites; `None` if there is none.
    pub fn sites_version(&self) -> Option<SiteFileVersion> {
        let about = fs::metadata(self.sites_path()).ok()?;
        Some(SiteFileVersion { modified: about.modified().ok()?, bytes: about.len() })
    }

    /// The list in the file of sites.
    ///
    /// # Errors
    /// [`StoreError`] when it is missing, cannot be read or is damaged.
    pub fn read_sites(&self) -> Result<SiteList, StoreError> {
        let unusable = |error| StoreError::unusable(&self.sites_path(), error);
        let bytes = fs::read(self.sites_path()).map_err(unusable)?;
        decode(&bytes).map_err(|damage| unusable(io::Error::other(format!("{} is damaged", damage.0))))
    }

    /// The Unix time of the state in the file of sites; `None` without a readable head.
    pub fn sites_read_at(&self) -> Option<u64> {
        let mut head = Vec::new();
        let file = fs::File::open(self.sites_path()).ok()?;
        file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
        let mut reader = Reader(head.strip_prefix(MAGIC)?);
        reader.bytes(8, "the sum").and_then(|_| reader.varint("the change")).ok()?;
        reader.varint("the time").ok()
    }

    /// Removes the file of sites. If that fails, it stays, and reading it fails again.
    pub fn discard_sites(&self) {
        let _ = fs::remove_file(self.sites_path());
    }

    fn sites_path(&self) -> PathBuf {
        self.directory.join(SITES_FILE)
    }
}

fn encode(list: &SiteList) -> Vec<u8> {
    let mut body = Vec::new();
    for number in [list.change, list.read_at, list.sites.len() as u64] {
        put_varint(&mut body, number);
    }
    let mut last: &[u8] = &[];
    for site in &list.sites {
        let name = site.name.as_bytes();
        let shared = last.iter().zip(name).take_while(|(a, b)| a == b).count();
        let (kind, rank) = (u64::from(site.kind == SiteKind::Host), u64::from(site.rank.0));
        put_varint(&mut body, shared as u64);
        put_varint(&mut body, (name.len() - shared) as u64);
        body.extend_from_slice(&name[shared..]);
        for number in [rank << 1 | kind, site.backlinks, site.refdoms, site.pages, site.hosts] {
            put_varint(&mut body, number);
        }
        last = name;
    }
    [MAGIC.as_slice(), &xxh3_64(&body).to_le_bytes(), &body].concat()
}

fn decode(bytes: &[u8]) -> Result<SiteList, Damage> {
    let mut reader = Reader(bytes);
    if reader.bytes(MAGIC.len(), "the head")? != MAGIC {
        return Err(Damage("the head"));
    }
    let hash = u64::from_le_bytes(reader.array("the sum")?);
    if hash != xxh3_64(reader.0) {
        return Err(Damage("the content"));
    }
    let (change, read_at) = (reader.varint("the change")?, reader.varint("the time")?);
    let count = reader.count("the number of sites")?;
    let mut sites: Vec<SiteFigures> = Vec::new();
    let mut name = Vec::new();
    for _ in 0..count {
        // The shared start takes no bytes of its own, so it may be longer than what is left to read.
        name.truncate(usize::try_from(reader.varint("a name")?).unwrap_or(usize::MAX));
        let more = reader.count("a name")?;
        name.extend_from_slice(reader.bytes(more, "a name")?);
        sites.push(decode_figures(&name, &mut reader)?);
    }
    reader.end()?;
    Ok(SiteList { sites, change, read_at, complete: true })
}

fn decode_figures(name: &[u8], reader: &mut Reader<'_>) -> Result<SiteFigures, Damage> {
    let name = String::from_utf8(name.to_vec()).map_err(|_| Damage("a name"))?;
    let rank = reader.varint("a rank")?;
    Ok(SiteFigures {
        name,
        kind: if rank & 1 == 1 { SiteKind::Host } else { SiteKind::Domain },
        rank: SearchRank(u16::try_from(rank >> 1).map_err(|_| Damage("a rank"))?),
        backlinks: reader.varint("backlinks")?,
        refdoms: reader.varint("referring domains")?,
        pages: reader.varint("pages")?,
        hosts: reader.varint("hosts")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> SiteList {
        let site = |name: &str, kind, number: u64| SiteFigures {
            name: name.to_owned(),
            kind,
            rank: SearchRank(u16::try_from(number).unwrap()),
            backlinks: number << 33,
            refdoms: number,
            pages: 2 * number,
            hosts: number % 3,
        };
        let sites = vec![
            site("example.com", SiteKind::Domain, 1_000),
            site("example.org", SiteKind::Domain, 0),
            site("shop.example.com", SiteKind::Host, 7),
        ];
        SiteList { sites, change: 300, read_at: 1_709_208_000, complete: true }
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        assert_eq!(decode(&encode(&list())), Ok(list()));
        let empty = SiteList { sites: Vec::new(), ..list() };
        assert_eq!(decode(&encode(&empty)), Ok(empty));
        // The last name shares more bytes with the one before it than its row has.
        let mut alike = list();
        alike.sites.truncate(1);
        let start = "a-name-that-is-longer-than-the-rest-of-the-file".to_owned();
        alike.sites.extend(
            ["1.example", "2.example"]
                .map(|end| SiteFigures { name: format!("{start}-{end}"), ..alike.sites[0].clone() }),
        );
        assert_eq!(decode(&encode(&alike)), Ok(alike));
    }

    /// The size of the file is what the documentation of an operator's disk needs.
    #[test]
    fn a_site_takes_few_bytes() {
        let mut list = list();
        let site = |number: u64| SiteFigures {
            name: format!(
                "{}.example-{}.co.uk",
                ["www", "shop", "blog", "en"][usize::try_from(number % 4).unwrap()],
                number * 7_919
            ),
            kind: SiteKind::Host,
            rank: SearchRank(u16::try_from(number % 700).unwrap()),
            backlinks: number % 5_000,
            refdoms: number % 300,
            pages: number % 1_000,
            hosts: 1,
        };
        list.sites = (0..10_000).map(site).collect();
        list.sites.sort_by(|a, b| a.name.cmp(&b.name));
        let bytes = encode(&list).len() / list.sites.len();
        assert!((10..=25).contains(&bytes), "{bytes} bytes a site");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let bytes = encode(&list());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged).is_err(), "{at}");
            assert!(decode(&bytes[..at]).is_err(), "{at}");
        }
    }
}
