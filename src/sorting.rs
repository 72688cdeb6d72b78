//! A parallel sort that can be cancelled. The sorts of the libraries always run to their end.
//!
//! It is a quicksort (Hoare 1961) that moves items between two buffers. Items before the pivot go to the
//! front, the others to the back, without a branch on the comparison, so the processor never waits for it.
//! The library sorts short runs. Pivots are medians of randomly chosen items, so no input is a bad one. The
//! sort is not stable.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

/// The number of items whose median is the pivot.
const PIVOT_SAMPLE: usize = 31;

/// Sorts items by a total order. `proceed` is called after at most `run` items have been sorted or moved. Its
/// error ends the sort and leaves the items in no particular order.
///
/// # Errors
/// The error of `proceed`.
pub fn sort_by<T: Copy + Send + Sync, E: Send>(
    items: &mut [T],
    run: usize,
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
    proceed: &(impl Fn() -> Result<(), E> + Sync),
) -> Result<(), E> {
    let quicksort = Quicksort { run: run.max(1), compare, proceed, random: RandomState::new() };
    if items.len() <= run {
        return quicksort.sort_run(items);
    }
    quicksort.sort(items, &mut items.to_vec(), true)
}

struct Quicksort<'s, C, P> {
    run: usize,
    compare: &'s C,
    proceed: &'s P,
    random: RandomState,
}

impl<C, P> Quicksort<'_, C, P> {
    /// Sorts `items` in place if `stays`, otherwise into `other`, which has the same length.
    fn sort<T: Copy + Send + Sync, E: Send>(
        &self,
        items: &mut [T],
        other: &mut [T],
        stays: bool,
    ) -> Result<(), E>
    where
        C: Fn(&T, &T) -> Ordering + Sync,
        P: Fn() -> Result<(), E> + Sync,
    {
        if items.len() <= self.run {
            self.sort_run(items)?;
            if !stays {
                other.copy_from_slice(items);
            }
            return Ok(());
        }
        let pivot = self.pivot(items);
        let mut middle = self.partition(items, other, |item| (self.compare)(item, &pivot).is_lt())?;
        let has_lower = middle > 0;
        if !has_lower {
            // No item is lower, so the items that are not higher are equal to the pivot and need no sorting.
            middle = self.partition(items, other, |item| (self.compare)(item, &pivot).is_le())?;
        }
        let (low, high) = items.split_at_mut(middle);
        let (other_low, other_high) = other.split_at_mut(middle);
        if !has_lower {
            if stays {
                low.copy_from_slice(other_low);
            }
            return self.sort(other_high, high, !stays);
        }
        let (sorted_low, sorted_high) =
            rayon::join(|| self.sort(other_low, low, !stays), || self.sort(other_high, high, !stays));
        sorted_low.and(sorted_high)
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

    /// An item that is probably near the middle.
    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash choose an item")]
    fn pivot<T: Copy>(&self, items: &[T]) -> T
    where
        C: Fn(&T, &T) -> Ordering,
    {
        let at = |number: usize| self.random.hash_one((items.len(), number)) as usize % items.len();
        let mut sample: [T; PIVOT_SAMPLE] = std::array::from_fn(|number| items[at(number)]);
        *sample.select_nth_unstable_by(PIVOT_SAMPLE / 2, self.compare).1
    }

    /// Partitions items: those before the pivot go to the front of `into`, the others to its back. Returns
    /// the number at the front.
    fn partition<T: Copy, E>(
        &self,
        items: &[T],
        into: &mut [T],
        is_before: impl Fn(&T) -> bool,
    ) -> Result<usize, E>
    where
        P: Fn() -> Result<(), E>,
    {
        let (mut front, mut back) = (0, items.len());
        for run in items.chunks(self.run) {
            (self.proceed)()?;
            for item in run {
                // Writes to both places; the wrong one is overwritten later.
                into[front] = *item;
                into[back - 1] = *item;
                let before = usize::from(is_before(item));
                front += before;
                back -= 1 - before;
            }
        }
        Ok(front)
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

    /// The sort ends soon after it is cancelled, however far it has come.
    #[test]
    fn a_cancelled_sort_ends_soon() {
        const ITEMS: u32 = 200_000;
        const RUN: usize = 1_000;
        for looks in [0, 1, 150, 1_500] {
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
            // Every thread completes its current run.
            let after = compared.load(Relaxed) - stopped.load(Relaxed);
            let most = RUN * 20 * rayon::current_num_threads();
            assert!(after <= most, "{after} comparisons after the {looks}th look");
        }
    }
}
