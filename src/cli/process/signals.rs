//! SIGTERM and SIGINT: the first signal asks for an orderly end, the second ends the process at once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::service;
use crate::cli::terminal::console::Console;

/// How often a waiting task checks the flag.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Attempts to remove a folder: a file that is just being created may appear in it.
const REMOVAL_ATTEMPTS: usize = 20;

/// Whether, and since when, the program must stop. Clones share the state.
#[derive(Clone, Default)]
pub(crate) struct ShutdownSignal {
    flag: Arc<AtomicBool>,
    since: Arc<OnceLock<Instant>>,
    temporary: Arc<OnceLock<PathBuf>>,
}

impl ShutdownSignal {
    /// One that the signals set, for the lifetime of `runtime`.
    ///
    /// # Errors
    /// When the operating system refuses a signal handler.
    pub(crate) fn on_signal(runtime: &tokio::runtime::Runtime, console: &Console) -> anyhow::Result<Self> {
        let (stop, console) = (Self::default(), console.clone());
        let _entered = runtime.enter();
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
        let stopping = stop.clone();
        runtime.spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if stopping.set() {
                    console.error("backlinkd: stopped at once; nothing stored is lost.");
                    if let Some(folder) = stopping.temporary.get() {
                        remove(folder);
                    }
                    // The destructors of RocksDB fail while its threads still run.
                    signal_hook::low_level::exit(1);
                }
                service::notify_stopping();
                console.info("backlinkd: stopping; a second signal stops at once.");
            }
        });
        Ok(stop)
    }

    /// Names the folder that a second signal removes before it ends the process. Only the first call counts.
    pub(crate) fn remove_at_exit(&self, folder: &Path) {
        self.temporary.get_or_init(|| folder.to_owned());
    }

    /// Asks all parts to stop. Returns whether that was asked before.
    pub(crate) fn set(&self) -> bool {
        self.since.get_or_init(Instant::now);
        self.flag.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// The flag alone.
    pub(crate) fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// The rest of a duration that started when the signal was set.
    pub(crate) fn remaining_of(&self, time: Duration) -> Duration {
        time.saturating_sub(self.since.get().map_or(Duration::ZERO, Instant::elapsed))
    }

    /// Waits until the signal is set.
    pub(crate) async fn wait(self) {
        while !self.is_set() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Removes a folder in which other threads still create files. Under another name, they find it no more.
fn remove(folder: &Path) {
    let removed = folder.with_extension("removed");
    let folder = if std::fs::rename(folder, &removed).is_ok() { &removed } else { folder };
    let is_gone = |_: &usize| std::fs::remove_dir_all(folder).is_ok() || !folder.exists();
    let _ = (0..REMOVAL_ATTEMPTS).find(is_gone);
}
