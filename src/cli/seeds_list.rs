//! `backlinkd seeds`: the index's own list of seeds, `seeds.txt` in the data directory.
//!
//! `run` and `crawl` begin with it besides the file they are given. One URL or host a line, as in any seed file
//! ([`super::seeds`]).

use std::collections::HashSet;

use anyhow::Context;

use super::own_list::Entry;
use super::seeds::{self, seed_of};
use super::{Ending, Setting};
use crate::store::SEEDS_FILE;
use crate::urls::{CanonicalUrl, UrlRules};

impl Entry for CanonicalUrl {
    const FILE: &'static str = SEEDS_FILE;
    const LIST: &'static str = "the list of seeds";
    const KNOWN: &'static str = "is a seed already";
    const UNKNOWN: &'static str = "is no seed of";
    const SHOWN_BY: &'static str = "seeds list";

    fn typed(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Ok(rules.typed(word)?)
    }

    fn in_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        seed_of(line, rules).map_err(|error| error.to_string())
    }
}

/// Shows the list, one URL a line.
pub(super) fn list(setting: &Setting) -> anyhow::Result<Ending> {
    let (seeds, bad) = setting.own_seeds()?;
    for seed in seeds {
        setting.console.answer(seed)?;
    }
    Ok(if bad.is_empty() { Ending::Good } else { Ending::Partial })
}

/// What was added to the list since these seeds were read. Bad lines have been complained of by then.
pub(super) fn added_since(setting: &Setting, known: &[CanonicalUrl]) -> anyhow::Result<Vec<CanonicalUrl>> {
    let path = CanonicalUrl::path_in(&setting.data);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (seeds, _) = seeds::read(&path, &setting.rules)
        .with_context(|| format!("the list of seeds {} cannot be read", path.display()))?;
    let known: HashSet<&CanonicalUrl> = known.iter().collect();
    Ok(seeds.into_iter().filter(|seed| !known.contains(seed)).collect())
}
