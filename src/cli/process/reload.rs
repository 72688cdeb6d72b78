//! Reloading: on SIGHUP or a request over the control socket, the daemon reads its seed files, its block lists and
//! its file of users again.
//!
//! A bad line of a seed file or of the block list of the index is reported and skipped, as at the start. An unusable
//! file is reported, and its previous content stays in effect. The sender of a request gets the same reports. Only
//! new seeds are visited; the block list is replaced as a whole.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::service;
use super::user_file::apply_user_file;
use crate::cli::context::CliContext;
use crate::cli::control::ReloadReceiver;
use crate::crawl::{Crawler, Reload};
use crate::policy::BlockList;
use crate::store::Store;
use crate::urls::CanonicalUrl;

/// The lists, as the daemon has read them so far.
pub(crate) struct Reloader {
    context: Arc<CliContext>,
    crawler: Arc<Crawler>,
    store: Arc<Store>,
    /// The seed file of the arguments. Standard input cannot be read again.
    file: Option<PathBuf>,
    known: HashSet<CanonicalUrl>,
    blocks: BlockList,
}

/// Listens for SIGHUP from now on; without a listener, the signal would end the process.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn listen(runtime: &Runtime) -> anyhow::Result<Signal> {
    let _entered = runtime.enter();
    signal(SignalKind::hangup()).context("SIGHUP cannot be handled")
}

impl Reloader {
    /// # Errors
    /// When a block list cannot be used.
    pub(crate) fn new(
        context: &Arc<CliContext>,
        (crawler, store): (&Arc<Crawler>, &Arc<Store>),
        file: Option<PathBuf>,
        seeds: &[CanonicalUrl],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            context: Arc::clone(context),
            crawler: Arc::clone(crawler),
            store: Arc::clone(store),
            file: file.filter(|file| file.as_os_str() != "-"),
            known: seeds.iter().cloned().collect(),
            blocks: context.block_list()?.0,
        })
    }

    /// Reloads on each signal and request, for the lifetime of the runtime.
    pub(crate) fn start(mut self, runtime: &Runtime, mut hangup: Signal, mut requests: ReloadReceiver) {
        runtime.spawn(async move {
            loop {
                let done = tokio::select! {
                    Some(()) = hangup.recv() => None,
                    Some(done) = requests.recv() => Some(done),
                    else => return,
                };
                service::notify_reloading();
                let reading = tokio::task::spawn_blocking(move || {
                    let complaints = self.reload();
                    (self, complaints)
                });
                let Ok((reloader, complaints)) = reading.await else { return };
                service::notify_ready();
                self = reloader;
                // The sender may have disconnected.
                done.map(|done| done.send(complaints));
            }
        });
    }

    /// Reads the lists again. Returns the complaints.
    fn reload(&mut self) -> Vec<String> {
        let console = &self.context.console;
        let mut complaints = Vec::new();
        let mut complain = |complaint: String| {
            console.error(format_args!("backlinkd: {complaint}"));
            complaints.push(complaint);
        };
        let (seeds, bad) = self.context.seeds(self.file.as_deref()).unwrap_or_else(|error| {
            complain(format!("{error:#}; the seeds stay as they are"));
            Default::default()
        });
        match self.context.block_list() {
            Ok((blocks, bad)) => {
                self.blocks = blocks;
                bad.iter().for_each(|error| complain(format!("{error}; the line is skipped")));
            }
            Err(error) => complain(format!("{error}; the block list stays as it is")),
        }
        if let Err(error) = apply_user_file(&self.context.config.api.user_file, &self.store) {
            complain(format!("{error:#}; the users stay as they are"));
        }
        // These have been printed already.
        complaints.extend(bad);
        let seeds: Vec<CanonicalUrl> =
            seeds.into_iter().filter(|seed| self.known.insert(seed.clone())).collect();
        console.info(format_args!(
            "backlinkd: read again: {} new seeds, {} blocked hosts and domains.",
            seeds.len(),
            self.blocks.len()
        ));
        self.crawler.reload(Reload { seeds, blocks: self.blocks.clone() });
        complaints
    }
}
