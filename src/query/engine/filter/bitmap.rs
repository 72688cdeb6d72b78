//! Bitmaps: one bit per row, set if the row matches.
//!
//! 64 cells at a time are compared into bytes of 0 and 1, which the compiler turns into vector instructions.
//! The bytes are then packed into one word.

use crate::query::deadline::CELLS_PER_CHECK;
use crate::query::{Deadline, QueryError};

/// A bit for each of `len` rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// A bitmap with all bits set.
    pub(crate) fn full(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let Some(last) = words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last = (1 << (len % 64)) - 1;
        }
        Self { words, len }
    }

    /// A bitmap with no bit set.
    pub(crate) fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number of set bits.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 != 0
    }

    pub(crate) fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// The words of 64 rows each, so that several threads can write them.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Clears the bits that are set in the other bitmap, which has the same length.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn remove(&mut self, other: &Self, deadline: &Deadline) -> Result<(), QueryError> {
        for (words, others) in self.words.chunks_mut(CELLS_PER_CHECK).zip(other.words.chunks(CELLS_PER_CHECK))
        {
            deadline.check()?;
            words.iter_mut().zip(others).for_each(|(word, other)| *word &= !other);
        }
        Ok(())
    }

    /// Clears the bits of rows whose cell lies outside of `low..=high`; with `outside`, of rows whose cell
    /// lies within.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn keep_between<T: Copy + PartialOrd>(
        &mut self,
        cells: &[T],
        (low, high): (T, T),
        outside: bool,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        for (words, cells) in self.pieces_with(cells) {
            deadline.check()?;
            if outside {
                keep_by(words, cells, |cell| (cell < low) | (cell > high));
            } else {
                keep_by(words, cells, |cell| (cell >= low) & (cell <= high));
            }
        }
        Ok(())
    }

    /// Words and the cells of their rows, in pieces that are processed between two checks of the deadline.
    fn pieces_with<'a, T>(&'a mut self, cells: &'a [T]) -> impl Iterator<Item = (&'a mut [u64], &'a [T])> {
        self.words.chunks_mut(CELLS_PER_CHECK / 64).zip(cells.chunks(CELLS_PER_CHECK))
    }

    /// Clears the bits of rows whose cell is a code without a bit in `codes`.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn keep_codes<T: Copy + Into<u32>>(
        &mut self,
        cells: &[T],
        codes: &Self,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        for (words, cells) in self.pieces_with(cells) {
            deadline.check()?;
            for (word, cells) in words.iter_mut().zip(cells.chunks(64)) {
                if *word == 0 {
                    continue;
                }
                let mut passing = 0;
                for (at, &cell) in cells.iter().enumerate() {
                    passing |= u64::from(codes.get(cell.into() as usize)) << at;
                }
                *word &= passing;
            }
        }
        Ok(())
    }

    /// The rows with set bits in ascending order, without the first `skip` of them.
    pub(crate) fn rows_from(&self, skip: usize) -> impl Iterator<Item = u32> + '_ {
        let mut left = skip;
        let mut first = 0;
        while let Some(word) = self.words.get(first) {
            let ones = word.count_ones() as usize;
            if ones > left {
                break;
            }
            left -= ones;
            first += 1;
        }
        let rows =
            self.words.iter().enumerate().skip(first).flat_map(|(at, &word)| Ones { word, base: at * 64 });
        rows.skip(left)
    }
}

/// Clears the bits of rows whose cell fails the test.
fn keep_by<T: Copy>(words: &mut [u64], cells: &[T], passes: impl Fn(T) -> bool) {
    let (whole, rest) = cells.as_chunks::<64>();
    for (word, cells) in words.iter_mut().zip(whole) {
        let passing: [u8; 64] = std::array::from_fn(|at| u8::from(passes(cells[at])));
        *word &= pack(&passing);
    }
    if let Some(last) = words.get_mut(whole.len()) {
        let mut passing = [0u8; 64];
        for (passing, &cell) in passing.iter_mut().zip(rest) {
            *passing = u8::from(passes(cell));
        }
        *last &= pack(&passing);
    }
}

/// Iterates over the positions of the set bits of a word.
struct Ones {
    word: u64,
    base: usize,
}

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.word == 0 {
            return None;
        }
        let at = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some((self.base + at) as u32)
    }
}

/// Packs 64 bytes of 0 or 1 into the bits of a word. The first byte becomes the lowest bit.
fn pack(bytes: &[u8; 64]) -> u64 {
    // Each bit of the factor moves the lowest bit of one of the eight bytes to the top byte. No two of them
    // collide.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut word = 0;
    for (at, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (at * 8);
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn matching_rows_keep_their_bits(
            cells in proptest::collection::vec(0u16..9, 0..300),
            (low, high, outside) in (0u16..9, 0u16..9, any::<bool>()),
            codes in proptest::collection::vec(any::<bool>(), 9),
            skip in 0usize..300,
        ) {
            let mut bitmap = Bitmap::full(cells.len());
            prop_assert_eq!(bitmap.count(), cells.len());
            let deadline = Deadline::after(std::time::Duration::MAX);
            bitmap.keep_between(&cells, (low, high), outside, &deadline).unwrap();
            let mut set = Bitmap::empty(9);
            (0..9).filter(|&code| codes[code]).for_each(|code| set.set(code));
            bitmap.keep_codes(&cells, &set, &deadline).unwrap();
            let passes = |cell: u16| ((low..=high).contains(&cell) != outside) && codes[usize::from(cell)];
            let rows: Vec<u32> = (0u32..).zip(&cells).filter(|(_, cell)| passes(**cell)).map(|(row, _)| row).collect();
            prop_assert_eq!(bitmap.count(), rows.len());
            prop_assert_eq!(bitmap.rows_from(0).collect::<Vec<_>>(), rows.clone());
            prop_assert_eq!(bitmap.rows_from(skip).collect::<Vec<_>>(), rows.into_iter().skip(skip).collect::<Vec<_>>());
        }
    }
}
