//! Reproducible random numbers: splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").

/// The same numbers in each run.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0, less than `end`; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(end.max(1))).unwrap_or_default()
    }

    pub(super) fn is_within(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// An index of a list of this length, the first one most often, like the words of a language.
    pub(super) fn early_index(&mut self, length: usize) -> usize {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let end = self.below(length) + 1;
        self.below(end) as usize
    }

    /// One item of a list that is not empty.
    pub(super) fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        let length = u32::try_from(items.len()).unwrap_or(u32::MAX);
        &items[self.below(length) as usize]
    }

    /// One item of a list that is not empty, the first one most often.
    pub(super) fn pick_early<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.early_index(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_items_come_most_often_and_each_comes() {
        let (mut dice, mut counts) = (Dice::new(1), [0; 8]);
        for _ in 0..10_000 {
            counts[dice.early_index(8)] += 1;
        }
        assert!(counts.is_sorted_by(|more, less| more > less) && counts[7] > 0, "{counts:?}");
        assert_eq!(Dice::new(7).roll(), Dice::new(7).roll());
        assert_eq!(Dice::new(7).below(0), 0);
    }
}
