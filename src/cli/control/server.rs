//! The server side: accepts connections and handles a few at a time.

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

use super::{ControlReply, ControlRequest, MAX_REQUEST_BYTES, RequestHandler, socket_path};
use crate::cli::terminal::console::Console;

/// Maximum number of concurrent connections; further ones wait. Silent ones must not keep others from an answer in the
/// time that a client waits for the status.
const CONNECTIONS: usize = 32;
/// Connections that wait to be accepted at most.
const BACKLOG: u32 = 32;

/// Maximum time to read a request. A client writes it at once.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum time to write a reply.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after an accept error, for example when too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens until it is dropped, which removes the socket.
pub(crate) struct ControlServer {
    /// The socket path leads through its descriptor.
    _directory: File,
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl ControlServer {
    /// Starts to listen. The caller must have the store in `data` open: an existing socket is then one that a killed
    /// process left. Where the file system allows no sockets, this prints an error, and the daemon runs without one.
    pub(crate) fn start(
        runtime: &Runtime,
        data: &Path,
        handler: RequestHandler,
        console: &Console,
    ) -> Option<Self> {
        let started = Self::try_start(runtime, data, handler);
        let warn = |error| {
            console.error(format_args!(
                "backlinkd: {error:#}; without it, users can be changed only while no process runs, and lists are reloaded only on SIGHUP"
            ));
        };
        started.map_err(warn).ok()
    }

    fn try_start(runtime: &Runtime, data: &Path, handler: RequestHandler) -> anyhow::Result<Self> {
        let _entered = runtime.enter();
        let start = || {
            let directory = File::open(data)?;
            let path = socket_path(&directory, data);
            let listener = bind(&path)?;
            Ok::<_, io::Error>((directory, path, listener))
        };
        let (directory, path, listener) = start().with_context(|| {
            format!("the control socket, backlinkd.sock in {}, cannot be created", data.display())
        })?;
        let task = runtime.spawn(listen(listener, Arc::new(handler)));
        Ok(Self { _directory: directory, path, task })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.task.abort();
        // If the file cannot be removed, it refuses connections, which means the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Creates the socket, open to its owner only, and replaces one that was left.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(left) if left.file_type().is_socket() || left.is_symlink() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("something else has its name; remove that")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = UnixSocket::new_stream()?;
    // Before the socket has a name, so that it is never open to others.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(path)?;
    socket.listen(BACKLOG)
}

async fn listen(listener: UnixListener, handler: Arc<RequestHandler>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let handler = Arc::clone(&handler);
                tokio::spawn(async move {
                    if let Err(error) = exchange(stream, handler).await {
                        tracing::debug!(%error, "a control request got no reply");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot accept a connection; retrying");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn exchange(stream: UnixStream, handler: Arc<RequestHandler>) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(MAX_REQUEST_BYTES));
    timeout(READ_TIMEOUT, reader.read_line(&mut line)).await??;
    if line.is_empty() {
        // A client that only checked whether a process listens.
        return Ok(());
    }
    let reply = match serde_json::from_str::<ControlRequest>(&line) {
        Ok(request) => spawn_blocking(move || handler.reply(request)).await.map_err(io::Error::other)?,
        Err(error) => ControlReply::Refused { problem: format!("the request is not understood: {error}") },
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    timeout(TIMEOUT, writing.write_all(&line)).await?
}
