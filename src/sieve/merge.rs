//! Merging: compares candidates with the runs, and writes a new run of those that are new.

use rayon::slice::ParallelSliceMut;

use super::run::{CHUNK_BYTES, NewRun, Run, WIDTH, fingerprint_at, lower_bound};
use super::{Candidate, MERGE_FACTOR, MergeResult, Sieve, SieveError};

/// If a run has more fingerprints than this per candidate, each candidate is looked up. Otherwise the run is read
/// completely.
const LOOKUP_RATIO: u64 = 4_096;

pub(super) fn merge(sieve: &Sieve, candidates: &mut [Candidate]) -> Result<MergeResult, SieveError> {
    let left = retain_new(sieve, candidates)?;
    let mut is_new = vec![false; candidates.len()];
    for candidate in &left {
        if let Some(index) = is_new.get_mut(candidate.index as usize) {
            *index = true;
        }
    }
    let sieve = if left.is_empty() { sieve.clone() } else { with_new_run(sieve, &left)? };
    Ok(MergeResult { is_new, sieve })
}

/// The candidates that no run holds, sorted; the first of equal ones.
fn retain_new(sieve: &Sieve, candidates: &mut [Candidate]) -> Result<Vec<Candidate>, SieveError> {
    candidates.par_sort_unstable();
    let mut left: Vec<Candidate> = candidates.to_vec();
    left.dedup_by_key(|candidate| candidate.fingerprint);
    for run in &sieve.runs {
        if run.info.len / LOOKUP_RATIO > left.len() as u64 {
            remove_by_lookup(run, &mut left)?;
        } else {
            remove_by_scan(run, &mut left)?;
        }
    }
    Ok(left)
}

/// Removes the candidates that the run holds, by a lookup for each.
fn remove_by_lookup(run: &Run, left: &mut Vec<Candidate>) -> Result<(), SieveError> {
    let mut failed = None;
    left.retain(|candidate| match run.contains(candidate.fingerprint) {
        Ok(is_in_run) => !is_in_run,
        Err(error) => {
            failed.get_or_insert(error);
            true
        }
    });
    failed.map_or(Ok(()), Err)
}

/// Removes the candidates that the run holds, by a scan of the run.
fn remove_by_scan(run: &Run, left: &mut Vec<Candidate>) -> Result<(), SieveError> {
    let (mut reader, mut chunk) = (run.read()?, Vec::with_capacity(CHUNK_BYTES));
    let (mut next, mut kept) = (0, 0);
    while next < left.len() {
        run.fill(&mut reader, &mut chunk)?;
        let len = chunk.len() / WIDTH;
        let Some(last) = len.checked_sub(1).map(|index| fingerprint_at(&chunk, index)) else { break };
        let mut index = 0;
        while let Some(candidate) = left.get(next).copied().filter(|one| one.fingerprint <= last) {
            let known;
            (index, known) = lower_bound(&chunk, index, candidate.fingerprint);
            if !known {
                left[kept] = candidate;
                kept += 1;
            }
            next += 1;
        }
    }
    left.drain(kept..next);
    Ok(())
}

/// The set with one more run, merged with runs that are not much larger.
fn with_new_run(sieve: &Sieve, new: &[Candidate]) -> Result<Sieve, SieveError> {
    let mut runs = sieve.runs.clone();
    let mut merged = Vec::new();
    let mut len = new.len() as u64;
    while let Some(run) = runs.pop_if(|run| run.info.len <= MERGE_FACTOR * len) {
        len += run.info.len;
        merged.push(run);
    }
    let mut out = NewRun::create(&sieve.directory, sieve.next)?;
    // An incomplete file is useless, and the disk may be full.
    let path = out.path().to_owned();
    let finished = merge_runs(&merged, new, &mut out).and_then(|()| out.finish(&sieve.directory));
    runs.push(finished.inspect_err(|_| _ = std::fs::remove_file(path))?);
    Ok(Sieve { directory: sieve.directory.clone(), runs, next: sieve.next + 1 })
}

/// One input of [`merge_runs`], with its read position.
struct Input<'r, R> {
    source: Option<(&'r Run, R)>,
    chunk: Vec<u8>,
    index: usize,
}

impl<R: std::io::Read> Input<'_, R> {
    /// The next fingerprint, if there is one.
    fn head(&mut self) -> Result<Option<u64>, SieveError> {
        if self.index * WIDTH >= self.chunk.len()
            && let Some((run, reader)) = &mut self.source
        {
            run.fill(reader, &mut self.chunk)?;
            self.index = 0;
        }
        Ok((self.index * WIDTH < self.chunk.len()).then(|| fingerprint_at(&self.chunk, self.index)))
    }
}

/// Merges runs and new fingerprints, which are all distinct, into one run.
fn merge_runs(runs: &[Run], new: &[Candidate], out: &mut NewRun) -> Result<(), SieveError> {
    let new: Vec<u8> = new.iter().flat_map(|candidate| candidate.fingerprint.to_le_bytes()).collect();
    let mut inputs = vec![Input { source: None, chunk: new, index: 0 }];
    for run in runs {
        inputs.push(Input { source: Some((run, run.read()?)), chunk: Vec::new(), index: 0 });
    }
    loop {
        // Copies from the input with the least head up to the least head of the others: long stretches at once.
        let (mut least, mut second): (Option<(u64, usize)>, Option<u64>) = (None, None);
        for (number, input) in inputs.iter_mut().enumerate() {
            let Some(head) = input.head()? else { continue };
            if least.is_none_or(|(known, _)| head < known) {
                second = least.map(|(known, _)| known);
                least = Some((head, number));
            } else if second.is_none_or(|known| head < known) {
                second = Some(head);
            }
        }
        let Some((_, number)) = least else { return Ok(()) };
        let input = &mut inputs[number];
        let end = match second {
            Some(limit) => lower_bound(&input.chunk, input.index, limit).0,
            None => input.chunk.len() / WIDTH,
        };
        out.write(&input.chunk[input.index * WIDTH..end * WIDTH])?;
        input.index = end;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sieve::RunInfo;

    /// Pseudorandom numbers (splitmix64).
    fn splitmix64(number: u64) -> u64 {
        let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn candidates(fingerprints: &[u64]) -> Vec<Candidate> {
        let index = |(index, &fingerprint)| Candidate { fingerprint, index };
        (0..).zip(fingerprints).map(index).collect()
    }

    /// Merges batches of all sizes, some with small values so that many repeat, and compares the results with a set.
    #[test]
    fn each_fingerprint_passes_once() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("seen");
        let mut sieve = Sieve::open(&directory, &[]).unwrap();
        let mut model = BTreeSet::new();
        for round in 0..60u64 {
            let len = [1, 7, 300, 20_000, 90_000][(splitmix64(round) % 5) as usize];
            let range = [50, 5_000, 400_000, u64::MAX][(splitmix64(round + 1_000) % 4) as usize];
            let mut batch: Vec<u64> =
                (0..len).map(|i| splitmix64(splitmix64(round * 1_000_000 + i) % range)).collect();
            if round == 30 {
                batch.extend([0, u64::MAX, 0, u64::MAX]);
            }
            let merged = sieve.merge(&mut candidates(&batch)).unwrap();
            let expected: Vec<bool> = batch.iter().map(|&fingerprint| model.insert(fingerprint)).collect();
            assert!(merged.is_new == expected, "round {round}");
            let runs = merged.sieve.runs();
            sieve = if round % 3 == 0 { Sieve::open(&directory, &runs).unwrap() } else { merged.sieve };
            sieve.discard().unwrap();
            assert_eq!(sieve.len(), model.len() as u64);
            assert!(runs.len() < 12, "{} runs", runs.len());
            assert_eq!(std::fs::read_dir(&directory).map_or(0, Iterator::count), runs.len());
        }
        sieve.check().unwrap();
        for number in 0..2_000 {
            let fingerprint = splitmix64(number);
            assert_eq!(sieve.contains(fingerprint).unwrap(), model.contains(&fingerprint), "{number}");
        }
        for (from, to) in [(0, u64::MAX), (0, 0), (u64::MAX, u64::MAX), (50, 1 << 62), (1 << 62, 1 << 63)] {
            let expected: Vec<u64> = model.range(from..=to).copied().collect();
            assert!(sieve.between(&(from..=to)).unwrap() == expected, "{from}..={to}");
        }
        for known in model.iter().step_by(997).chain(&[0, u64::MAX]) {
            assert!(sieve.contains(*known).unwrap() && (*known == 0 || !sieve.contains(known - 1).unwrap()));
        }
    }

    #[test]
    fn few_candidates_are_looked_up_in_a_large_run() {
        let folder = tempfile::tempdir().unwrap();
        let known: Vec<u64> = (0..100_000).map(splitmix64).collect();
        let sieve = Sieve::open(folder.path(), &[]).unwrap();
        let sieve = sieve.merge(&mut candidates(&known)).unwrap().sieve;
        let merged =
            sieve.merge(&mut candidates(&[splitmix64(5), splitmix64(100_001), splitmix64(99_999)])).unwrap();
        assert_eq!(merged.is_new, [false, true, false]);
        assert_eq!(merged.sieve.runs().len(), 2);
    }

    #[test]
    fn an_unstored_merge_has_no_effect() {
        let folder = tempfile::tempdir().unwrap();
        let sieve = Sieve::open(folder.path(), &[]).unwrap().merge(&mut candidates(&[1, 2])).unwrap().sieve;
        let stored = sieve.runs();
        sieve.merge(&mut candidates(&[3])).unwrap();
        let sieve = Sieve::open(folder.path(), &stored).unwrap();
        sieve.discard().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(sieve.contains(2).unwrap() && !sieve.contains(3).unwrap());
        assert_eq!(sieve.merge(&mut candidates(&[3])).unwrap().is_new, [true]);
    }

    #[test]
    fn damage_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let sieve = Sieve::open(folder.path(), &[]).unwrap().merge(&mut candidates(&[1, 2])).unwrap().sieve;
        let names = sieve.runs();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::write(&file, [1u64, 3].map(u64::to_le_bytes).concat()).unwrap();
        assert!(Sieve::open(folder.path(), &names).unwrap().check().is_err());
        std::fs::write(&file, [1]).unwrap();
        assert!(Sieve::open(folder.path(), &names).unwrap_err().to_string().contains("--repair"));
        let lost = RunInfo { id: 77, len: 1, sum: 0 };
        assert!(Sieve::open(folder.path(), &[lost]).is_err());
    }
}
