//! A sort, shared among threads, that looks now and then whether it is still wanted: the libraries' sorts run to
//! their end.
//!
//! A quicksort (Hoare 1961) from one buffer into another and back: what stands before the pivot goes to the front, the
//! rest to the back, whatever comes of a comparison, so that the processor need not wait for it. Short runs are left to
//! the library. Pivots are medians of items chosen at random, so that no input is a bad one. Equal items keep no order.

use std::cmp::Ordering;

use ahash::RandomState;

/// Items of which the median is the pivot.
const SAMPLE: usize = 31;

/// Sorts items by a total order. `proceed` is asked whenever so many items have been sorted or moved at most; its error
/// ends the sort, and the items are then in no order.
///
/// # Errors
/// What `proceed` reports.
pub fn sort_by<T: Copy + Send + Sync, E: Send>(
    items: &mut [T],
    run: usize,
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
    proceed: &(impl Fn() -> Result<(), E> + Sync),
) -> Result<(), E> {
    let sorting = Sorting { run: run.max(1), compare, proceed, random: RandomState::new() };
    if items.len() <= run {
        return sorting.sort_run(items);
    }
    sorting.sort(items, &mut items.to_vec(), true)
}

struct Sorting<'s, C, P> {
    run: usize,
    compare: &'s C,
    proceed: &'s P,
    random: RandomState,
}

impl<C, P> Sorting<'_, C, P> {
    /// Sorts `items` into themselves, or into `other`, which is as long.
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
        let mut middle = self.part(items, other, |item| (self.compare)(item, &pivot).is_lt())?;
        let has_lower = middle > 0;
        if !has_lower {
            // Nothing is lower, so that those which are not higher are equal, and in order.
            middle = self.part(items, other, |item| (self.compare)(item, &pivot).is_le())?;
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

    /// An item that stands near the middle, most likely.
    fn pivot<T: Copy>(&self, items: &[T]) -> T
    where
        C: Fn(&T, &T) -> Ordering,
    {
        let at = |number: usize| self.random.hash_one((items.len(), number)) as usize % items.len();
        let mut sample: [T; SAMPLE] = std::array::from_fn(|number| items[at(number)]);
        *sample.select_nth_unstable_by(SAMPLE / 2, self.compare).1
    }

    /// Puts the items that come before the pivot to the front of `into`, the others to its back; tells how many came
    /// to the front.
    fn part<T: Copy, E>(
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
                // To both places; one is written again later.
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

    /// However often the sort was told to go on, it ends soon after it is told to stop.
    #[test]
    fn a_sort_ends_when_it_is_told_to() {
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
            // Every thread ends the run that it was at.
            let after = compared.load(Relaxed) - stopped.load(Relaxed);
            let most = RUN * 20 * rayon::current_num_threads();
            assert!(after <= most, "{after} comparisons after the {looks}th look");
        }
    }
}
