//! The daemon's side: listens, and answers a few at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::fs::{Mode, fchmod};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::console::Console;
use super::{Answer, Desk, MAX_REQUEST, Request, socket_of};

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 8;

/// Longest time to take a request in, or to be rid of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause after an error in taking connections, as when too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens until it is dropped; the socket is removed then.
pub struct Control {
    /// Through which the socket is found.
    _directory: File,
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Control {
    /// Only for whoever has the store in `data` open: a socket that is there was left by a killed process. Where none
    /// can be made, as on some file systems, that is told, and the daemon does without.
    pub fn start(runtime: &Runtime, data: &Path, desk: Desk, console: &Console) -> Option<Self> {
        let started = Self::try_start(runtime, data, desk);
        let told = |error| {
            console.complain(format_args!(
                "backlinkd: {error:#}; until it can, users are changed while nothing runs, and lists are read at SIGHUP"
            ));
        };
        started.map_err(told).ok()
    }

    fn try_start(runtime: &Runtime, data: &Path, desk: Desk) -> anyhow::Result<Self> {
        let _entered = runtime.enter();
        let start = || {
            let directory = File::open(data)?;
            let path = socket_of(&directory, data);
            let listener = bind(&path)?;
            Ok::<_, io::Error>((directory, path, listener))
        };
        let (directory, path, listener) = start().with_context(|| {
            format!("the socket for changes, backlinkd.sock in {}, cannot be made", data.display())
        })?;
        let task = runtime.spawn(listen(listener, Arc::new(desk)));
        Ok(Self { _directory: directory, path, task })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // If it cannot be removed, nobody listens at it any more, which says the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes the socket, which its owner alone may open, in place of one that was left.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(left) if left.file_type().is_socket() || left.is_symlink() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("something else has its name; remove that")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = UnixSocket::new_stream()?;
    // Before it has a name, so that it is never open to others.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(path)?;
    socket.listen(CONNECTIONS as u32 * 4)
}

async fn listen(listener: UnixListener, desk: Arc<Desk>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, desk).await {
                        tracing::debug!(%error, "a request for a change was not answered");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the socket for changes takes no connection; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, desk: Arc<Desk>) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(MAX_REQUEST));
    timeout(PATIENCE, reader.read_line(&mut line)).await??;
    if line.is_empty() {
        // Somebody only looked whether anybody listens.
        return Ok(());
    }
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => spawn_blocking(move || desk.answer(request)).await.map_err(io::Error::other)?,
        Err(error) => Answer::Refused { problem: format!("the request is not understood: {error}") },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    timeout(PATIENCE, writing.write_all(&line)).await?
}
