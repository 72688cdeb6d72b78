//! A sort, shared among threads, that looks now and then whether it is still wanted: the libraries' sorts run to
//! their end.
//!
//! Runs are sorted one by one and merged in pairs. Equal items keep no order. Each run, and each part of a merge as
//! long as one, is the work between two looks.

use std::cmp::Ordering;

/// Sorts items by a total order, in runs of so many. `proceed` is asked between two runs; its error ends the sort,
/// and the items are then in no order.
///
/// # Errors
/// What `proceed` reports.
pub fn sort_by<T: Copy + Send + Sync, E: Send>(
    items: &mut [T],
    run: usize,
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
    proceed: &(impl Fn() -> Result<(), E> + Sync),
) -> Result<(), E> {
    let sorting = Sorting { run, compare, proceed };
    if items.len() <= run {
        return sorting.sort_run(items);
    }
    sorting.sort(&mut items.to_vec(), items)
}

struct Sorting<'s, C, P> {
    run: usize,
    compare: &'s C,
    proceed: &'s P,
}

impl<C, P> Sorting<'_, C, P> {
    /// Sorts `items`, of which `copy` is a copy that is used up.
    fn sort<T: Copy + Send + Sync, E: Send>(&self, copy: &mut [T], items: &mut [T]) -> Result<(), E>
    where
        C: Fn(&T, &T) -> Ordering + Sync,
        P: Fn() -> Result<(), E> + Sync,
    {
        if items.len() <= self.run {
            return self.sort_run(items);
        }
        let middle = items.len() / 2;
        let (low_copy, high_copy) = copy.split_at_mut(middle);
        let (low, high) = items.split_at_mut(middle);
        let (sorted_low, sorted_high) =
            rayon::join(|| self.sort(low, low_copy), || self.sort(high, high_copy));
        sorted_low.and(sorted_high)?;
        self.merge(low_copy, high_copy, items)
    }

    fn sort_run<T, E>(&self, items: &mut [T]) -> Result<(), E>
    where
        C: Fn(&T, &T) -> Ordering,
        P: Fn() -> Result<(), E>,
    {
        (self.proceed)()?;
        items.sort_unstable_by(self.compare);
        Ok(())
    }

    /// Puts two sorted runs into one.
    fn merge<T: Copy + Send + Sync, E: Send>(&self, a: &[T], b: &[T], into: &mut [T]) -> Result<(), E>
    where
        C: Fn(&T, &T) -> Ordering + Sync,
        P: Fn() -> Result<(), E> + Sync,
    {
        let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        if into.len() > self.run && longer.len() > 1 {
            let (low, high) = longer.split_at(longer.len() / 2);
            let place = shorter.partition_point(|item| (self.compare)(item, &high[0]).is_lt());
            let (other_low, other_high) = shorter.split_at(place);
            let (into_low, into_high) = into.split_at_mut(low.len() + place);
            let (merged_low, merged_high) = rayon::join(
                || self.merge(low, other_low, into_low),
                || self.merge(high, other_high, into_high),
            );
            return merged_low.and(merged_high);
        }
        (self.proceed)()?;
        let (mut a, mut b) = (a, b);
        for place in into {
            let next = match (a.first(), b.first()) {
                (Some(first), Some(second)) if (self.compare)(second, first).is_lt() => &mut b,
                (Some(_), _) => &mut a,
                (None, _) => &mut b,
            };
            if let Some((first, rest)) = next.split_first() {
                *place = *first;
                *next = rest;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn items_are_sorted(mut items in proptest::collection::vec(0u16..50, 0..200), run in 1usize..20) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_by(&mut items, run, &u16::cmp, &|| Ok::<_, Infallible>(())).unwrap();
            prop_assert_eq!(items, expected);
        }
    }

    /// However often the sort was told to go on, it ends soon after it is told to stop.
    #[test]
    fn a_sort_ends_when_it_is_told_to() {
        const ITEMS: u32 = 200_000;
        const RUN: usize = 1_000;
        for looks in [0, 1, 150, 500] {
            let (asked, compared) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let stopped = AtomicUsize::new(usize::MAX);
            let mut items: Vec<u32> = (0..ITEMS).map(|item| item.wrapping_mul(2_654_435_761)).collect();
            let compare = |a: &u32, b: &u32| {
                compared.fetch_add(1, Relaxed);
                a.cmp(b)
            };
            let proceed = || {
                if asked.fetch_add(1, Relaxed) < looks {
                    return Ok(());
                }
                stopped.fetch_min(compared.load(Relaxed), Relaxed);
                Err(())
            };
            assert_eq!(sort_by(&mut items, RUN, &compare, &proceed), Err(()));
            // Every thread ends the run that it was at.
            let after = compared.load(Relaxed) - stopped.load(Relaxed);
            let most = RUN * 20 * rayon::current_num_threads();
            assert!(after <= most, "{after} comparisons after the {looks}th look");
        }
    }
}
