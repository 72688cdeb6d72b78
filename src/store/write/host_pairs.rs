//! The changes of a batch in the sums of links between hosts.

use hashbrown::HashMap;

use crate::model::{LinkTag, OutlinkRecord};
use crate::store::StoreError;
use crate::store::codec::keys::{pair_key, split_pair_key};
use crate::store::codec::sums::encode_sums;
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{PAIRS, REFERRALS};
use crate::urls::{CanonicalUrl, host_prefix};

/// Changes of the sums, by the keys of `pairs`. The pages of a batch share most of their pairs.
#[derive(Debug, Default)]
pub(in crate::store) struct PairChanges(HashMap<Vec<u8>, Sums>);

pub(in crate::store) type Sums = [i64; 5];

impl PairChanges {
    /// Adds the changes that a visit made to the links of a page.
    pub(crate) fn add(&mut self, url: &CanonicalUrl, old: &[OutlinkRecord], new: &[OutlinkRecord]) {
        let mut sums: HashMap<&str, Sums> = HashMap::new();
        for (links, sign) in [(old, -1), (new, 1)] {
            for link in links.iter().filter(|link| link.external && link.is_active()) {
                let counted = counted_as(link).map(|counts| sign * i64::from(counts));
                add(sums.entry(link.target.host()).or_default(), counted);
            }
        }
        let source = host_prefix(url.host());
        for (target, sum) in sums.into_iter().filter(|(_, sum)| *sum != [0; 5]) {
            add(self.0.entry(pair_key(&host_prefix(target), &source)).or_default(), sum);
        }
    }

    /// The sums so far.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u8], &Sums)> {
        self.0.iter().map(|(key, sums)| (key.as_slice(), sums))
    }

    pub(crate) fn stage(self, batch: &mut RowBatch<'_>) -> Result<(), StoreError> {
        for (key, sum) in self.0.into_iter().filter(|(_, sum)| *sum != [0; 5]) {
            batch.merge(PAIRS, &key, encode_sums(&sum))?;
            if sum[0] != 0 {
                let (target, source) =
                    split_pair_key(&key).map_err(|damage| StoreError::damaged(PAIRS, &key, damage.0))?;
                batch.merge(REFERRALS, pair_key(source, target), encode_sums(&sum[..1]))?;
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

/// The sums of its pair in which a link counts, in stored order.
fn counted_as(link: &OutlinkRecord) -> [bool; 5] {
    [
        true,
        link.rel.is_nofollow(),
        link.tag == LinkTag::A,
        link.tag.is_image(),
        link.target.path_and_query() == "/",
    ]
}
