//! Shows the progress of long work: a redrawn line on a terminal, a plain line every ten seconds elsewhere.

use std::collections::VecDeque;
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressStyle;

use super::console::Console;
use super::numbers::grouped;
use crate::crawl::{Figures, Progress};
use crate::rank;

const REDRAW_INTERVAL: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Interval of the plain lines of an idle daemon.
const IDLE_LINE_INTERVAL: Duration = Duration::from_secs(600);

/// The status to show.
pub(crate) struct Status {
    pub text: String,
    /// Whether the work only waits for time to pass.
    pub idle: bool,
}

/// Shows a status until it is dropped.
pub(crate) struct ProgressDisplay {
    /// Ends the thread when dropped.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressDisplay {
    /// Starts the display; shows nothing when the console is quiet.
    pub(crate) fn start(console: &Console, mut status: impl FnMut() -> Status + Send + 'static) -> Self {
        if console.is_quiet() {
            return Self { end: None, thread: None };
        }
        let (end, ended) = channel();
        let (console, is_terminal) = (console.clone(), stderr().is_terminal());
        let (pause, mut renderer) = if is_terminal {
            (REDRAW_INTERVAL, Renderer::bar(&console))
        } else {
            (LINE_INTERVAL, Renderer::Lines { console, start: Instant::now(), idle_since: None })
        };
        let show = move || {
            if is_terminal {
                renderer.show(status());
            }
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                renderer.show(status());
            }
            renderer.clear();
        };
        // If the thread cannot start, the work goes on without a display.
        let thread = std::thread::Builder::new().name("meter".to_owned()).spawn(show).ok();
        Self { end: Some(end), thread }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where the status is drawn.
enum Renderer {
    Bar(indicatif::ProgressBar),
    Lines { console: Console, start: Instant, idle_since: Option<Instant> },
}

impl Renderer {
    fn bar(console: &Console) -> Self {
        let bar = console.bar();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    fn show(&mut self, status: Status) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(status.text);
                bar.tick();
            }
            Self::Lines { console, start, idle_since } => {
                if status.idle && idle_since.is_some_and(|since| since.elapsed() < IDLE_LINE_INTERVAL) {
                    return;
                }
                *idle_since = status.idle.then(Instant::now);
                console.info(format_args!("{} s: {}", start.elapsed().as_secs(), status.text));
            }
        }
    }

    fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// The status of a crawl.
///
/// A crawl that runs forever is idle while no host is ready. A batch in the same state waits for hosts in back-off,
/// and is not idle.
pub(crate) fn crawl_status(progress: &Arc<Progress>, forever: bool) -> impl FnMut() -> Status + Send + use<> {
    let (progress, mut rate) = (Arc::clone(progress), PageRate::new(Instant::now()));
    move || {
        let figures = progress.figures();
        describe(&figures, rate.update(figures.visits, Instant::now()), forever)
    }
}

fn describe(figures: &Figures, rate: f64, forever: bool) -> Status {
    let waits = figures.in_flight == 0 && figures.ready_addresses == 0;
    let now = if waits {
        let what = if forever { "pages to fall due" } else { "hosts that need a pause" };
        format!("waiting for {what}")
    } else {
        format!("{} hosts ready, {} under way", grouped(figures.ready_addresses), figures.in_flight)
    };
    let text = format!(
        "{} pages, {rate:.0} pages/s, {} links, {} errors, {now}",
        grouped(figures.visits),
        grouped(figures.links),
        grouped(figures.failed),
    );
    Status { text, idle: waits && forever }
}

/// The status of a ranking.
#[derive(Clone, Default)]
pub(crate) struct RankProgress(Arc<Mutex<Option<rank::RankingStage>>>);

impl RankProgress {
    pub(crate) fn set(&self, step: rank::RankingStage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
    }

    pub(crate) fn status(&self) -> Status {
        use rank::{GraphKind, RankingStage};
        let step = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match step {
            None => "ranking".to_owned(),
            Some(RankingStage::Naming { pages }) => format!("ranking: {} pages read", grouped(pages)),
            Some(RankingStage::Linking { pages }) => {
                format!("ranking: links of {} pages read", grouped(pages))
            }
            Some(RankingStage::Ranking { graph, iteration, error }) => {
                let graph = match graph {
                    GraphKind::Pages => "pages",
                    GraphKind::Hosts => "hosts",
                    GraphKind::Domains => "domains",
                };
                format!("ranking {graph}: sweep {iteration}, error about {error:.0e}")
            }
            Some(RankingStage::Publishing) => "ranking: writing the ranks".to_owned(),
        };
        Status { text, idle: false }
    }
}

/// Pages per second over the last few seconds.
struct PageRate {
    samples: VecDeque<(Instant, u64)>,
}

impl PageRate {
    fn new(start: Instant) -> Self {
        Self { samples: VecDeque::from([(start, 0)]) }
    }

    fn update(&mut self, pages: u64, now: Instant) -> f64 {
        self.samples.push_back((now, pages));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= LINE_INTERVAL {
            self.samples.pop_front();
        }
        let (since, before) = self.samples[0];
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds > 0.0 { pages.saturating_sub(before) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_covers_the_last_seconds() {
        let start = Instant::now();
        let mut rate = PageRate::new(start);
        assert_eq!(rate.update(0, start), 0.0);
        for second in 1..=20 {
            assert_eq!(rate.update(second * 100, start + Duration::from_secs(second)), 100.0, "{second}");
        }
        for second in 21..30 {
            rate.update(2_000, start + Duration::from_secs(second));
        }
        assert_eq!(rate.update(2_000, start + Duration::from_secs(30)), 0.0);
    }

    #[test]
    fn an_idle_crawl_says_that_it_waits() {
        let figures = Figures { visits: 12_345, links: 1_000, failed: 2, ..Figures::default() };
        let status = describe(&figures, 0.0, false);
        assert!(!status.idle);
        assert!(status.text.ends_with(", waiting for hosts that need a pause"), "{}", status.text);
        let status = describe(&figures, 0.0, true);
        assert!(status.idle);
        assert_eq!(
            status.text,
            "12,345 pages, 0 pages/s, 1,000 links, 2 errors, waiting for pages to fall due"
        );
        let status = describe(&Figures { ready_addresses: 1_001, in_flight: 3, ..figures }, 41.6, true);
        assert!(!status.idle);
        assert_eq!(
            status.text,
            "12,345 pages, 42 pages/s, 1,000 links, 2 errors, 1,001 hosts ready, 3 under way"
        );
    }
}
