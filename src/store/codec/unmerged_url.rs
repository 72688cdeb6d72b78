//! Values of `met`: the URLs that a commit discovered, concatenated. They wait for the merge into the seen set.

use crate::model::{DiscoveredUrl, Priority, Target};
use crate::urls::{CanonicalUrl, Surt};

use super::priority::{put_priority, read_priority};
use super::queue_entry::{put_target, read_target};
use super::varint::{Damage, Reader, put_varint};

/// A discovered URL that waits for the merge.
pub(in crate::store) struct UnmergedUrl<'v> {
    pub surt: &'v [u8],
    pub priority: Priority,
    pub depth: u16,
    pub target: Target,
    /// Whether the URL is in the queue already. Then the merge adds it to the seen set and does not queue it.
    pub queued: bool,
}

impl UnmergedUrl<'_> {
    pub(crate) fn url(&self) -> Result<CanonicalUrl, Damage> {
        Surt::bytes_to_url(self.surt).map_err(|_| Damage("a URL"))
    }
}

pub(in crate::store) fn put_unmerged(out: &mut Vec<u8>, found: &DiscoveredUrl, surt: &[u8], queued: bool) {
    put_priority(out, found.priority);
    put_varint(out, u64::from(found.depth));
    out.push(u8::from(queued));
    put_target(out, &found.target);
    put_varint(out, surt.len() as u64);
    out.extend_from_slice(surt);
}

/// Decodes the next URL. `None` at the end of the value.
pub(in crate::store) fn decode_unmerged<'v>(
    reader: &mut Reader<'v>,
) -> Result<Option<UnmergedUrl<'v>>, Damage> {
    if reader.0.is_empty() {
        return Ok(None);
    }
    let priority = read_priority(reader)?;
    let depth = u16::try_from(reader.varint("a depth")?).map_err(|_| Damage("a depth"))?;
    let queued = reader.byte("a mark")? != 0;
    let target = read_target(reader)?;
    let length = reader.count("a URL")?;
    let surt = reader.bytes(length, "a URL")?;
    Ok(Some(UnmergedUrl { surt, priority, depth, target, queued }))
}
