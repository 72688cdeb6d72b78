//! The output of the program: results go to standard output, all other messages to standard error.
//!
//! Both streams may share a terminal with a progress line, which is suspended during each write. If standard error is
//! closed (say, a log collector restarts), the messages are dropped: that must not end a crawl that has run for
//! months.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};

/// A handle on the output. Clones share it.
#[derive(Clone)]
pub(crate) struct Console {
    bars: MultiProgress,
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { bars: MultiProgress::new(), quiet }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a result to standard output. A reader that closes the pipe early (`| head`) is no error.
    ///
    /// # Errors
    /// When the write fails, for example on a full disk.
    pub(crate) fn print(&self, text: impl Display) -> anyhow::Result<()> {
        let write = || {
            let mut out = io::stdout().lock();
            writeln!(out, "{text}").and_then(|()| out.flush())
        };
        match self.bars.suspend(write) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                Err(cause).context("the answer cannot be written to standard output")
            }
            _ => Ok(()),
        }
    }

    /// As [`Self::print`], unless quiet: for results that the command line does not explicitly ask for.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub(crate) fn print_unless_quiet(&self, text: impl Display) -> anyhow::Result<()> {
        if self.quiet { Ok(()) } else { self.print(text) }
    }

    /// Prints a status message, unless quiet.
    pub(crate) fn info(&self, text: impl Display) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Prints an error message.
    pub(crate) fn error(&self, text: impl Display) {
        // One write call, so that lines of several threads do not mix.
        let line = format!("{text}\n");
        let _ = self.bars.suspend(|| io::stderr().write_all(line.as_bytes()));
    }

    /// A progress line, drawn where standard error is a terminal.
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }
}

/// The writer of the log.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
