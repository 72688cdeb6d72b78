//! The counters that `stats` shows equal a new count.

use crate::model::OutlinkRecord;
use crate::store::StoreError;
use crate::store::codec::sums::encode_sums;
use crate::store::codec::varint::Reader;
use crate::store::db::schema::META;
use crate::store::meta::COUNTERS;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::RepairedPage;

use super::ConsistencyCheck;

/// Visited pages, HTML pages, active links, active external links, lost links.
#[derive(Default)]
pub(super) struct CounterCheck([i64; 5]);

const NAMES: [&str; 5] = ["visited pages", "HTML pages", "active links", "external links", "former links"];

impl ConsistencyCheck for CounterCheck {
    fn add_page(&mut self, page: &RepairedPage, _context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let active = page.links.iter().filter(|link| link.is_active()).count();
        let external = |link: &&OutlinkRecord| link.external && link.is_active();
        let counts = [
            1,
            usize::from(page.page.facts.html),
            active,
            page.links.iter().filter(external).count(),
            page.links.len() - active,
        ];
        for (sum, count) in self.0.iter_mut().zip(counts) {
            *sum += i64::try_from(count).unwrap_or(i64::MAX);
        }
        Ok(())
    }

    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let value = context.snapshot.get(META, COUNTERS)?;
        let stored = value.as_deref().map_or(Some([0; 5]), read);
        if stored == Some(self.0) {
            return Ok(());
        }
        for ((name, right), stored) in
            NAMES.iter().zip(self.0).zip(stored.map_or([None; 5], |sums| sums.map(Some)))
        {
            if stored != Some(right) {
                let stored = stored.map_or("unreadable".to_owned(), |sum| sum.to_string());
                context.report.add_with(META, "counters that are wrong", || {
                    format!("{name}, which is {stored} and should be {right}")
                });
            }
        }
        context.repair.put(META, COUNTERS, &encode_sums(&self.0))
    }
}

fn read(value: &[u8]) -> Option<[i64; 5]> {
    let (mut reader, mut sums) = (Reader(value), [0; 5]);
    for sum in &mut sums {
        *sum = reader.signed("a sum").ok()?;
    }
    reader.end().ok().map(|()| sums)
}
