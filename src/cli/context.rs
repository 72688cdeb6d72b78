//! The context of a command: the configuration, the data directory and the console.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::args::Args;
use super::control::{self, ConfigSources};
use super::process::rlimit;
use super::terminal::console::Console;
use crate::clock::unix_now;
use crate::config::{self, Config};
use crate::inspect::Inspector;
use crate::policy::{BlockList, BlockListError, read_seed_file};
use crate::store::{BLOCKS_FILE, SEEDS_FILE, Store, StoreError};
use crate::urls::{CanonicalUrl, Suffixes, UrlRules};

/// Attempts to reach the process that holds the data directory, and the pause between two. Such a process accepts
/// requests shortly after it has opened the store.
const IN_USE_ATTEMPTS: usize = 20;
const IN_USE_PAUSE: Duration = Duration::from_millis(100);

/// The context of a command.
pub(super) struct CliContext {
    pub config: Config,
    /// Where the configuration comes from.
    pub sources: ConfigSources,
    pub rules: UrlRules,
    pub suffixes: Arc<Suffixes>,
    pub data: std::path::PathBuf,
    pub console: Console,
}

impl CliContext {
    pub(super) fn new(args: &Args, console: &Console) -> anyhow::Result<Self> {
        let mut config = config::load(args.config.as_deref(), config::environment(), &args.set)?;
        let sources = ConfigSources::of(args.config.as_deref(), &args.set);
        rlimit::fit_open_file_limit(&mut config)?;
        let suffixes = Arc::new(config.urls.suffixes()?);
        let rules = config.urls.rules();
        Ok(Self { config, sources, rules, suffixes, data: args.data.clone(), console: console.clone() })
    }

    /// Opens the data directory, and creates it if it is missing.
    pub(super) fn open_or_create(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Opens the data directory, which must hold an index.
    pub(super) fn open(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open_existing(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// Opens the data directory; `None` when another process holds it and accepts requests for changes. A holder that
    /// does not accept them yet may do so in a moment, so this waits.
    pub(super) fn open_unless_in_use(
        &self,
        open: fn(&Self) -> anyhow::Result<Arc<Store>>,
    ) -> anyhow::Result<Option<Arc<Store>>> {
        for _ in 1..IN_USE_ATTEMPTS {
            if control::accepts_requests(&self.data)? {
                return Ok(None);
            }
            match open(self) {
                Err(error) if matches!(error.downcast_ref(), Some(StoreError::InUse(_))) => {}
                opened => return opened.map(Some),
            }
            std::thread::sleep(IN_USE_PAUSE);
        }
        open(self).map(Some)
    }

    /// Opens the data directory for reading, even while another process uses it.
    pub(super) fn open_secondary(&self) -> anyhow::Result<Arc<Store>> {
        Ok(Arc::new(Store::open_secondary(&self.data, &self.config.store, Arc::clone(&self.suffixes))?))
    }

    /// A copy whose configuration can be changed for a process that only reads.
    pub(super) fn reader(&self) -> Self {
        Self {
            config: self.config.clone(),
            sources: self.sources.clone(),
            rules: self.rules.clone(),
            suffixes: Arc::clone(&self.suffixes),
            data: self.data.clone(),
            console: self.console.clone(),
        }
    }

    /// The seeds of the index and of the given file, and the messages about bad lines of both.
    pub(super) fn seeds(&self, file: Option<&Path>) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let (mut seeds, mut bad) = self.listed_seeds()?;
        if let Some(file) = file {
            let (given, given_bad) = self.read_seed_file(file)?;
            seeds.extend(given);
            bad.extend(given_bad);
        }
        Ok((seeds, bad))
    }

    /// The seeds of the index, and the messages about bad lines.
    pub(super) fn listed_seeds(&self) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let own = self.data.join(SEEDS_FILE);
        if own.exists() { self.read_seed_file(&own) } else { Ok((Vec::new(), Vec::new())) }
    }

    /// The seeds added to the list since `known` was read. Bad lines have been reported by then.
    pub(super) fn seeds_added_since(&self, known: &[CanonicalUrl]) -> anyhow::Result<Vec<CanonicalUrl>> {
        let path = self.data.join(SEEDS_FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let (seeds, _) = read_seed_file(&path, &self.rules)
            .with_context(|| format!("the list of seeds {} cannot be read", path.display()))?;
        let known: HashSet<&CanonicalUrl> = known.iter().collect();
        Ok(seeds.into_iter().filter(|seed| !known.contains(seed)).collect())
    }

    /// Loads both block lists. Returns the blocked names, and the errors of skipped lines of the list of the index.
    ///
    /// # Errors
    /// [`BlockListError`] when a list cannot be used.
    pub(super) fn block_list(&self) -> Result<(BlockList, Vec<BlockListError>), BlockListError> {
        BlockList::read_both(&self.config.crawl.block_list, &self.data.join(BLOCKS_FILE))
    }

    /// Reads a seed file and prints its bad lines. Returns the seeds and those messages.
    fn read_seed_file(&self, file: &Path) -> anyhow::Result<(Vec<CanonicalUrl>, Vec<String>)> {
        let name = if file.as_os_str() == "-" { Path::new("standard input") } else { file };
        let (seeds, bad) = read_seed_file(file, &self.rules)
            .with_context(|| format!("the seed file {} cannot be read", name.display()))?;
        let message = |line| format!("{}, {line}; the line is skipped", name.display());
        let bad: Vec<String> = bad.iter().map(message).collect();
        bad.iter().for_each(|line| self.console.error(line));
        Ok((seeds, bad))
    }

    /// An inspector of the index as it is now. `seeds` are the listed ones.
    pub(super) fn inspector<'a>(&'a self, store: &'a Store, seeds: &'a [CanonicalUrl]) -> Inspector<'a> {
        let (config, rules) = (&self.config, &self.rules);
        Inspector { store, config, rules, seeds, now: unix_now(), proceed: &|| Ok(()) }
    }
}

/// The async runtime of the commands that fetch or serve.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the async runtime cannot be started")
}
