//! Shows how long work is getting on: a moving line on a terminal, a plain line every ten seconds elsewhere.

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

const REDRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);
/// A daemon with nothing to do says so this often where lines are kept.
const IDLE_LINE: Duration = Duration::from_secs(600);

/// How the work stands.
pub(super) struct Status {
    pub text: String,
    /// Whether it waits for nothing but time.
    pub idle: bool,
}

/// Shows a status until it is dropped.
pub(super) struct Meter {
    /// Ends the thread when dropped.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    /// Shows nothing when the console is quiet.
    pub fn start(console: &Console, mut status: impl FnMut() -> Status + Send + 'static) -> Self {
        if console.is_quiet() {
            return Self { end: None, thread: None };
        }
        let (end, ended) = channel();
        let (console, is_terminal) = (console.clone(), stderr().is_terminal());
        let (pause, mut face) = if is_terminal {
            (REDRAW, Face::bar(&console))
        } else {
            (LINE, Face::Lines { console, start: Instant::now(), idle_since: None })
        };
        let show = move || {
            if is_terminal {
                face.show(status());
            }
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                face.show(status());
            }
            face.clear();
        };
        // Without a thread for it there is nothing to see; the work goes on all the same.
        let thread = std::thread::Builder::new().name("meter".to_owned()).spawn(show).ok();
        Self { end: Some(end), thread }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the status is shown on.
enum Face {
    Bar(indicatif::ProgressBar),
    Lines { console: Console, start: Instant, idle_since: Option<Instant> },
}

impl Face {
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
                if status.idle && idle_since.is_some_and(|since| since.elapsed() < IDLE_LINE) {
                    return;
                }
                *idle_since = status.idle.then(Instant::now);
                console.tell(format_args!("{} s: {}", start.elapsed().as_secs(), status.text));
            }
        }
    }

    fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// How a crawl is getting on.
///
/// One that goes on forever is idle when no host is to be asked; a batch then waits for hosts in a pause, and is
/// not.
pub(super) fn of_crawl(progress: &Arc<Progress>, forever: bool) -> impl FnMut() -> Status + Send + use<> {
    let (progress, mut rate) = (Arc::clone(progress), Rate::new(Instant::now()));
    move || {
        let figures = progress.figures();
        crawl_status(&figures, rate.of(figures.pages, Instant::now()), forever)
    }
}

fn crawl_status(figures: &Figures, rate: f64, forever: bool) -> Status {
    let waits = figures.under_way == 0 && figures.ready_addresses == 0;
    let now = if waits {
        let what = if forever { "pages to fall due" } else { "hosts that need a pause" };
        format!("waiting for {what}")
    } else {
        format!("{} hosts ready, {} under way", grouped(figures.ready_addresses), figures.under_way)
    };
    let text = format!(
        "{} pages, {rate:.0} pages/s, {} links, {} errors, {now}",
        grouped(figures.pages),
        grouped(figures.links),
        grouped(figures.failed),
    );
    Status { text, idle: waits && forever }
}

/// How a ranking is getting on.
#[derive(Clone, Default)]
pub(super) struct RankSteps(Arc<Mutex<Option<rank::Progress>>>);

impl RankSteps {
    pub fn set(&self, step: rank::Progress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
    }

    pub fn status(&self) -> Status {
        use rank::{GraphKind, Progress};
        let step = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match step {
            None => "ranking".to_owned(),
            Some(Progress::Naming { pages }) => format!("ranking: {} pages read", grouped(pages)),
            Some(Progress::Linking { pages }) => format!("ranking: links of {} pages read", grouped(pages)),
            Some(Progress::Ranking { graph, iteration, error }) => {
                let graph = match graph {
                    GraphKind::Pages => "pages",
                    GraphKind::Hosts => "hosts",
                    GraphKind::Domains => "domains",
                };
                format!("ranking {graph}: sweep {iteration}, error about {error:.0e}")
            }
            Some(Progress::Publishing) => "ranking: writing the ranks".to_owned(),
        };
        Status { text, idle: false }
    }
}

/// Pages a second, over the last few seconds.
struct Rate {
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    fn new(start: Instant) -> Self {
        Self { samples: VecDeque::from([(start, 0)]) }
    }

    fn of(&mut self, pages: u64, now: Instant) -> f64 {
        self.samples.push_back((now, pages));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= LINE {
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
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert_eq!(rate.of(0, start), 0.0);
        for second in 1..=20 {
            assert_eq!(rate.of(second * 100, start + Duration::from_secs(second)), 100.0, "{second}");
        }
        for second in 21..30 {
            rate.of(2_000, start + Duration::from_secs(second));
        }
        assert_eq!(rate.of(2_000, start + Duration::from_secs(30)), 0.0);
    }

    #[test]
    fn a_crawl_that_waits_for_pages_to_fall_due_says_so() {
        let figures = Figures { pages: 12_345, links: 1_000, failed: 2, ..Figures::default() };
        let status = crawl_status(&figures, 0.0, false);
        assert!(!status.idle);
        assert!(status.text.ends_with(", waiting for hosts that need a pause"), "{}", status.text);
        let status = crawl_status(&figures, 0.0, true);
        assert!(status.idle);
        assert_eq!(
            status.text,
            "12,345 pages, 0 pages/s, 1,000 links, 2 errors, waiting for pages to fall due"
        );
        let status = crawl_status(&Figures { ready_addresses: 1_001, under_way: 3, ..figures }, 41.6, true);
        assert!(!status.idle);
        assert_eq!(
            status.text,
            "12,345 pages, 42 pages/s, 1,000 links, 2 errors, 1,001 hosts ready, 3 under way"
        );
    }
}
