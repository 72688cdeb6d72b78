//! Where the program speaks: answers to standard output, everything else to standard error.
//!
//! Both may share a terminal with a moving line, so whatever is written goes round it. A standard error that is
//! gone (a log collector that was restarted) must not end a crawl worth months: what cannot be said there is
//! left unsaid.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};

/// A handle on the program's output; clones share it.
#[derive(Clone)]
pub(super) struct Console {
    bars: MultiProgress,
    quiet: bool,
}

impl Console {
    pub fn new(quiet: bool) -> Self {
        Self { bars: MultiProgress::new(), quiet }
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says what was asked for, to standard output. A reader that has seen enough (`| head`) is no failure.
    ///
    /// # Errors
    /// When it cannot be written, as to a full disk.
    pub fn answer(&self, text: impl Display) -> anyhow::Result<()> {
        let write = || {
            let mut out = io::stdout().lock();
            writeln!(out, "{text}").and_then(|()| out.flush())
        };
        match self.bars.suspend(write) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("the answer cannot be written to standard output")
            }
            _ => Ok(()),
        }
    }

    /// As [`Self::answer`], unless quiet: for what was not asked for in so many words.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn report(&self, text: impl Display) -> anyhow::Result<()> {
        if self.quiet { Ok(()) } else { self.answer(text) }
    }

    /// Tells how things go, unless quiet.
    pub fn tell(&self, text: impl Display) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Tells what is wrong.
    pub fn complain(&self, text: impl Display) {
        // In one piece, so that lines of several threads do not mix.
        let line = format!("{text}\n");
        let _ = self.bars.suspend(|| io::stderr().write_all(line.as_bytes()));
    }

    /// A moving line, drawn where standard error is a terminal.
    pub fn bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }
}

/// For the log.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
