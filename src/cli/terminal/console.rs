//! The output of the program: results go to standard output, all other messages to standard error.
//!
//! Both streams may share a terminal with a progress line, which is suspended during each write. If standard error is
//! closed (say, a log collector restarts), the messages are dropped: that must not end a crawl that has run for
//! months.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};

const UNWRITABLE: &str = "the answer cannot be written to standard output";

/// An error with its causes. A message that names its cause itself does not get it twice.
pub(crate) fn with_causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        known if known.contains(&cause) => text,
        known => format!("{known}: {cause}"),
    })
}

/// Standard output, which notes that its reader has closed the pipe.
#[derive(Default)]
pub(crate) struct ClosableOutput {
    pub is_closed: bool,
}

impl Write for ClosableOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = io::stdout().lock().write(bytes);
        self.is_closed |= written.as_ref().is_err_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = io::stdout().lock().flush();
        self.is_closed |= flushed.as_ref().is_err_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
        flushed
    }
}

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
        match self.write_out(text) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(cause).context(UNWRITABLE),
            _ => Ok(()),
        }
    }

    /// As [`Self::print`], for a result that is lost if nothing reads it.
    ///
    /// # Errors
    /// When the write fails, also because the pipe is closed.
    pub(crate) fn print_once(&self, text: impl Display) -> anyhow::Result<()> {
        self.write_out(text).context(UNWRITABLE)
    }

    fn write_out(&self, text: impl Display) -> io::Result<()> {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{text}").and_then(|()| out.flush())
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_its_error_names_is_told_once() {
        let told = anyhow::anyhow!("no such file").context("a.toml cannot be read: no such file");
        assert_eq!(with_causes(&told), "a.toml cannot be read: no such file");
        let untold = anyhow::anyhow!("no such file").context("a.toml cannot be read").context("it ends");
        assert_eq!(with_causes(&untold), "it ends: a.toml cannot be read: no such file");
    }
}
