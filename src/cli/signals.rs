//! SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::console::Console;

/// How often a waiting task looks whether it is to stop.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// Whether, and since when, the program is to stop; clones share it.
#[derive(Clone, Default)]
pub(super) struct Stop {
    flag: Arc<AtomicBool>,
    since: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// One that signals set, for as long as `runtime` is there.
    ///
    /// # Errors
    /// When the operating system does not let signals be listened for.
    pub fn on_signal(runtime: &tokio::runtime::Runtime, console: &Console) -> anyhow::Result<Self> {
        let (stop, console) = (Self::default(), console.clone());
        let _entered = runtime.enter();
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
        let stopping = stop.clone();
        runtime.spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if stopping.set() {
                    console.complain("backlinkd: stopped at once; nothing stored is lost.");
                    std::process::exit(1);
                }
                console.tell("backlinkd: stopping; a second signal stops at once.");
            }
        });
        Ok(stop)
    }

    /// Asks everything to stop; says whether it had been asked before.
    pub fn set(&self) -> bool {
        self.since.get_or_init(Instant::now);
        self.flag.swap(true, Ordering::Relaxed)
    }

    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// For those who want no more than the flag.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// What is left of a time that began when it was set.
    pub fn left_of(&self, time: Duration) -> Duration {
        time.saturating_sub(self.since.get().map_or(Duration::ZERO, Instant::elapsed))
    }

    /// Waits until it is set.
    pub async fn stopped(self) {
        while !self.is_set() {
            tokio::time::sleep(HEARTBEAT).await;
        }
    }
}
