//! The shared test web, served by its own Python program.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::python::python_with;

/// The program that serves the web; stopped when dropped.
pub struct ServedWeb {
    process: Child,
    pub port: u16,
    pub tls_port: u16,
}

impl ServedWeb {
    /// Serves the web in a folder, over TLS too on request. `None`, with a message, if Python or its web server is
    /// missing.
    pub fn start(web: &Path, tls: bool) -> Option<Self> {
        Self::start_with(web, tls, &[])
    }

    /// Like [`Self::start`], with more arguments to the program.
    pub fn start_with(web: &Path, tls: bool, arguments: &[&str]) -> Option<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, tls_port) = (free(), free());
        let mut command = Command::new(python()?);
        command.arg("server.py").args(["--port", &port.to_string()]).args(arguments);
        if tls {
            command.args(["--tls-port", &tls_port.to_string()]);
        }
        command.current_dir(web).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let mut first = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut first).unwrap();
        if first.starts_with("test web on port") {
            return Some(Self { process, port, tls_port });
        }
        process.wait().unwrap();
        eprintln!("SKIPPED: the test web cannot be served by {}", web.join("server.py").display());
        None
    }
}

impl Drop for ServedWeb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Python with the only library of the web server. `None`, with a message, if there is none.
pub fn python() -> Option<PathBuf> {
    match python_with(&["aiohttp"]) {
        Ok(python) => Some(python),
        Err(lack) => {
            eprintln!("SKIPPED: the test web needs Python 3 with aiohttp; run `make python`: {lack}");
            None
        }
    }
}
