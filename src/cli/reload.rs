//! SIGHUP, or a request at the socket for changes: the daemon reads its seed files and block lists again.
//!
//! A bad line of a seed file or of the index's own block list is told and skipped, as at the start. A file that cannot be
//! used is told, and what it said before goes on. Whoever asked is told the same. Only seeds that are new are visited; of the block list, the whole is replaced.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::control::Reloads;
use super::{Setting, block_list};
use crate::crawl::{Crawler, Reload};
use crate::frontier::BlockList;
use crate::urls::CanonicalUrl;

/// What the daemon was started with, and read since.
pub(super) struct Reloader {
    setting: Arc<Setting>,
    crawler: Arc<Crawler>,
    /// The seed file that was given. The standard input cannot be read again.
    file: Option<PathBuf>,
    known: HashSet<CanonicalUrl>,
    blocks: BlockList,
}

/// Listens for the signal from now on: without that, it would end the process.
///
/// # Errors
/// When the operating system does not let it be listened for.
pub(super) fn listen(runtime: &Runtime) -> anyhow::Result<Signal> {
    let _entered = runtime.enter();
    signal(SignalKind::hangup()).context("SIGHUP cannot be listened for")
}

impl Reloader {
    /// # Errors
    /// When the block list cannot be used.
    pub fn new(
        setting: &Arc<Setting>,
        crawler: &Arc<Crawler>,
        file: Option<PathBuf>,
        seeds: &[CanonicalUrl],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            setting: Arc::clone(setting),
            crawler: Arc::clone(crawler),
            file: file.filter(|file| file.as_os_str() != "-"),
            known: seeds.iter().cloned().collect(),
            blocks: block_list::read(&setting.config, &setting.data)?.0,
        })
    }

    /// Reads everything again at each signal and request, for as long as the runtime is there.
    pub fn start(mut self, runtime: &Runtime, mut hangup: Signal, mut requests: Reloads) {
        runtime.spawn(async move {
            loop {
                let done = tokio::select! {
                    Some(()) = hangup.recv() => None,
                    Some(done) = requests.recv() => Some(done),
                    else => return,
                };
                let reading = tokio::task::spawn_blocking(move || {
                    let complaints = self.reload();
                    (self, complaints)
                });
                let Ok((reloader, complaints)) = reading.await else { return };
                self = reloader;
                // Whoever asked may have gone.
                done.map(|done| done.send(complaints));
            }
        });
    }

    /// Gives what was complained of.
    fn reload(&mut self) -> Vec<String> {
        let console = &self.setting.console;
        let mut said = Vec::new();
        let mut complain = |complaint: String| {
            console.complain(format_args!("backlinkd: {complaint}"));
            said.push(complaint);
        };
        let (seeds, bad) = self.setting.seeds(self.file.as_deref()).unwrap_or_else(|error| {
            complain(format!("{error:#}; the seeds stay as they are"));
            Default::default()
        });
        match block_list::read(&self.setting.config, &self.setting.data) {
            Ok((blocks, bad)) => {
                self.blocks = blocks;
                bad.iter().for_each(|error| complain(format!("{error}; the line is skipped")));
            }
            Err(error) => complain(format!("{error}; the block list stays as it is")),
        }
        // They have been told already.
        said.extend(bad);
        let seeds: Vec<CanonicalUrl> =
            seeds.into_iter().filter(|seed| self.known.insert(seed.clone())).collect();
        console.tell(format_args!(
            "backlinkd: read again: {} new seeds, {} blocked hosts and domains.",
            seeds.len(),
            self.blocks.len()
        ));
        self.crawler.reload(Reload { seeds, blocks: self.blocks.clone() });
        said
    }
}
