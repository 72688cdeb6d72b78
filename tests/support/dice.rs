//! Reproducible random numbers: splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").

#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0, less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// A text that does not compress: this many random numbers.
    pub fn noise(&mut self, numbers: usize) -> String {
        (0..numbers).map(|_| format!("{:x}", self.below(u64::MAX))).collect()
    }
}
