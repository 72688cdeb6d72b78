//! Shows how long work is getting on: a moving line on a terminal, a plain line every ten seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::crawl::{Figures, Progress};

const REDRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);

/// Shows a crawl's figures until it is dropped.
pub(super) struct Meter {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    /// Shows nothing when `quiet`.
    pub fn start(progress: &Arc<Progress>, quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if quiet {
            return Self { done, thread: None };
        }
        let (progress, flag) = (Arc::clone(progress), Arc::clone(&done));
        let show =
            move || if stderr().is_terminal() { bar(&progress, &flag) } else { lines(&progress, &flag) };
        // Without a thread for it there is nothing to see; the crawl goes on all the same.
        let thread = std::thread::Builder::new().name("meter".to_owned()).spawn(show).ok();
        Self { done, thread }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bar(progress: &Progress, done: &AtomicBool) {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    let mut rate = Rate::new();
    while !done.load(Ordering::Relaxed) {
        let figures = progress.figures();
        bar.set_message(text(&figures, rate.of(figures.pages)));
        bar.tick();
        std::thread::sleep(REDRAW);
    }
    bar.finish_and_clear();
}

fn lines(progress: &Progress, done: &AtomicBool) {
    let mut rate = Rate::new();
    let (start, mut next) = (Instant::now(), Instant::now() + LINE);
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(REDRAW);
        if Instant::now() >= next {
            next += LINE;
            let figures = progress.figures();
            eprintln!("{} s: {}", start.elapsed().as_secs(), text(&figures, rate.of(figures.pages)));
        }
    }
}

fn text(figures: &Figures, rate: f64) -> String {
    format!(
        "{} pages, {rate:.0} pages/s, {} links, {} hosts ready, {} under way, {} errors",
        figures.pages, figures.links, figures.ready_addresses, figures.under_way, figures.failed
    )
}

/// Pages a second, over the last few seconds.
struct Rate {
    samples: std::collections::VecDeque<(Instant, u64)>,
}

impl Rate {
    fn new() -> Self {
        Self { samples: std::collections::VecDeque::new() }
    }

    fn of(&mut self, pages: u64) -> f64 {
        let now = Instant::now();
        self.samples.push_back((now, pages));
        while self.samples.len() > 2 && now.duration_since(self.samples[0].0) > LINE {
            self.samples.pop_front();
        }
        let (since, before) = self.samples[0];
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds > 0.0 { pages.saturating_sub(before) as f64 / seconds } else { 0.0 }
    }
}
