//! Messages to the service manager that started the process, such as systemd with `Type=notify`.
//!
//! They go to the socket that the environment variable `NOTIFY_SOCKET` names. Without it, nothing is sent. A watchdog gets
//! no message: a crawl that waits for a full disk is in order, and a restart would not make room.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::Runtime;

use crate::cli::terminal::progress::Status;

/// Time between two lines of status.
const STATUS_INTERVAL: Duration = Duration::from_secs(10);

/// Tells the service manager that the port listens and the crawl runs, or that a reload is done.
pub(crate) fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells the service manager that the lists are read again. [`notify_ready`] follows.
pub(crate) fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Tells the service manager that the process ends in order.
pub(crate) fn notify_stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("stopping: fetches in flight are completed")]);
}

/// Shows the service manager a line of status every few seconds, for the lifetime of the runtime.
pub(crate) fn report_status(runtime: &Runtime, mut status: impl FnMut() -> Status + Send + 'static) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    runtime.spawn(async move {
        let mut interval = tokio::time::interval(STATUS_INTERVAL);
        loop {
            interval.tick().await;
            // A line that is lost is replaced by the next one.
            let _ = sd_notify::notify(&[NotifyState::Status(&status().text)]);
        }
    });
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be reached; look at NOTIFY_SOCKET in the environment");
    }
}
