//! `backlinkd seeds`: the seed list of the index, `seeds.txt` in the data directory.
//!
//! `run` and `crawl` start with it, in addition to the seed file of their arguments. It has the format of any seed
//! file ([`super::seed_file`]).

use std::collections::HashSet;

use anyhow::Context;

use super::ListEntry;
use super::seed_file::{self, parse_seed_line};
use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::store::SEEDS_FILE;
use crate::urls::{CanonicalUrl, UrlRules};

impl ListEntry for CanonicalUrl {
    const FILE: &'static str = SEEDS_FILE;
    const DESCRIPTION: &'static str = "the list of seeds";
    const ALREADY_LISTED: &'static str = "is a seed already";
    const NOT_LISTED: &'static str = "is no seed of";
    const LIST_COMMAND: &'static str = "seeds list";

    fn from_argument(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Ok(rules.typed(word)?)
    }

    fn from_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        parse_seed_line(line, rules).map_err(|error| error.to_string())
    }
}

/// Prints the list, one URL per line.
pub fn print(context: &CliContext) -> anyhow::Result<Outcome> {
    let (seeds, bad) = context.listed_seeds()?;
    for seed in seeds {
        context.console.print(seed)?;
    }
    Ok(if bad.is_empty() { Outcome::Success } else { Outcome::Partial })
}

/// The seeds added to the list since `known` was read. Bad lines have been reported by then.
pub fn added_since(context: &CliContext, known: &[CanonicalUrl]) -> anyhow::Result<Vec<CanonicalUrl>> {
    let path = CanonicalUrl::path_in(&context.data);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (seeds, _) = seed_file::read(&path, &context.rules)
        .with_context(|| format!("the list of seeds {} cannot be read", path.display()))?;
    let known: HashSet<&CanonicalUrl> = known.iter().collect();
    Ok(seeds.into_iter().filter(|seed| !known.contains(seed)).collect())
}
