//! The client side: sends requests to the process that holds a data directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use socket2::{Domain, SockAddr, Socket, Type};

use super::{ControlReply, ControlRequest, ServerStatus, socket_path};
use crate::cli::process::holder::holder;
use crate::store::{Roles, SOCKET_FILE, StoredToken};

/// Maximum wait for the reply to a change: a seed list may be long.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum wait for a connection, and for the status. The process knows its status at once, whatever else it does.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause between two looks at a ranking.
const RANKING_POLL: Duration = Duration::from_millis(200);

/// Maximum size of a reply, in bytes.
const MAX_REPLY_BYTES: u64 = 64 << 20;

/// A process that holds a data directory and does not answer: it hangs, or was stopped.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} holds {} and does not answer on {SOCKET_FILE}: it gave no answer within {} s; look at its log, or end it",
    name(*.pid), .data.display(), .waited.as_secs()
)]
pub(crate) struct Unresponsive {
    /// `None` if the system does not tell it.
    pub pid: Option<i32>,
    pub data: PathBuf,
    waited: Duration,
}

fn name(pid: Option<i32>) -> String {
    pid.map_or_else(|| "a process".to_owned(), |pid| format!("process {pid}"))
}

impl Unresponsive {
    fn new(data: &Path, waited: Duration) -> Self {
        Self { pid: holder(data), data: data.to_owned(), waited }
    }
}

/// Whether a process holds the data directory and accepts requests.
pub(crate) fn accepts_requests(data: &Path) -> anyhow::Result<bool> {
    Ok(connect(data)?.is_some())
}

/// Makes a daemon reload its lists. Returns the complaints; `None` without a process that has lists.
pub(crate) fn reload(data: &Path) -> anyhow::Result<Option<Vec<String>>> {
    match send(data, &ControlRequest::Reload)? {
        Some(ControlReply::Done) => Ok(Some(Vec::new())),
        Some(ControlReply::DoneInPart { complaints }) => Ok(Some(complaints)),
        None | Some(ControlReply::NotHere) => Ok(None),
        Some(other) => unexpected_reply(other),
    }
}

/// What the process that holds the data directory does; `None` without one. An earlier version tells nothing of itself.
///
/// # Errors
/// [`Unresponsive`] after [`STATUS_TIMEOUT`]; any other when the socket may not be opened, or the answer is not understood.
pub(crate) fn status(data: &Path) -> anyhow::Result<Option<ServerStatus>> {
    status_within(data, STATUS_TIMEOUT)
}

fn status_within(data: &Path, limit: Duration) -> anyhow::Result<Option<ServerStatus>> {
    match send_within(data, &ControlRequest::Status, limit)? {
        Some(ControlReply::Status(status)) => Ok(Some(status)),
        Some(ControlReply::Refused { .. }) => Ok(Some(ServerStatus::default())),
        None => Ok(None),
        Some(other) => unexpected_reply(other),
    }
}

/// Makes the daemon compute the ranks, and waits for the end. Returns whether that succeeded; `None` when the process
/// computes no ranks.
pub(crate) fn rank(data: &Path) -> anyhow::Result<Option<bool>> {
    // A ranking may use all processors for long.
    let now = || {
        status_within(data, TIMEOUT)?
            .context("the process that holds the data directory has ended; try again")
    };
    let before = status(data)?.context("the process that holds the data directory has ended; try again")?;
    match send_required(data, &ControlRequest::Rank)? {
        ControlReply::Done => {}
        ControlReply::NotHere => return Ok(None),
        other => return unexpected_reply(other),
    }
    // A ranking under way has not seen all of the index.
    let last = before.rankings + if before.is_ranking { 2 } else { 1 };
    loop {
        std::thread::sleep(RANKING_POLL);
        let after = now()?;
        if after.rankings >= last {
            return Ok(Some(after.failed_rankings == before.failed_rankings));
        }
    }
}

/// Adds a user, or changes a password. Returns whether the user is new.
pub(crate) fn put_user(data: &Path, name: &str, hash: String, roles: Option<Roles>) -> anyhow::Result<bool> {
    match send_required(data, &ControlRequest::PutUser { name: name.to_owned(), hash, roles })? {
        ControlReply::Put { is_new } => Ok(is_new),
        other => unexpected_reply(other),
    }
}

/// Removes a user.
pub(crate) fn remove_user(data: &Path, name: &str) -> anyhow::Result<()> {
    match send_required(data, &ControlRequest::RemoveUser { name: name.to_owned() })? {
        ControlReply::Done => Ok(()),
        other => unexpected_reply(other),
    }
}

/// The names of all users, sorted, with their roles.
pub(crate) fn list_users(data: &Path) -> anyhow::Result<Vec<(String, Roles)>> {
    match send_required(data, &ControlRequest::ListUsers)? {
        ControlReply::Users { names, roles } => {
            Ok(names.into_iter().zip(roles.into_iter().chain(std::iter::repeat(Roles::ALL))).collect())
        }
        other => unexpected_reply(other),
    }
}

/// Adds a token.
pub(crate) fn add_token(data: &Path, token: &StoredToken) -> anyhow::Result<()> {
    match send_required(data, &ControlRequest::AddToken { token: token.clone() })? {
        ControlReply::Done => Ok(()),
        other => unexpected_reply(other),
    }
}

/// Removes a token; the last one of an API without users only with `force`.
pub(crate) fn remove_token(data: &Path, name: &str, force: bool) -> anyhow::Result<()> {
    match send_required(data, &ControlRequest::RemoveToken { name: name.to_owned(), force })? {
        ControlReply::Done => Ok(()),
        other => unexpected_reply(other),
    }
}

/// All tokens, sorted by name.
pub(crate) fn list_tokens(data: &Path) -> anyhow::Result<Vec<StoredToken>> {
    match send_required(data, &ControlRequest::ListTokens)? {
        ControlReply::Tokens { tokens } => Ok(tokens),
        other => unexpected_reply(other),
    }
}

fn unexpected_reply<T>(reply: ControlReply) -> anyhow::Result<T> {
    match reply {
        ControlReply::Refused { problem } => bail!("{problem}"),
        _ => bail!("the process that holds the data directory has another version; restart it"),
    }
}

fn send_required(data: &Path, request: &ControlRequest) -> anyhow::Result<ControlReply> {
    send(data, request)?.context("the process that held the data directory has just ended; try again")
}

/// Sends a request to the process that holds the data directory; `None` when no process listens. A process that does
/// not tell its status gets no request: it would do later what its client has given up.
fn send(data: &Path, request: &ControlRequest) -> anyhow::Result<Option<ControlReply>> {
    match status(data)? {
        Some(_) => send_within(data, request, TIMEOUT),
        None => Ok(None),
    }
}

fn send_within(
    data: &Path,
    request: &ControlRequest,
    limit: Duration,
) -> anyhow::Result<Option<ControlReply>> {
    let Some(stream) = connect(data)? else { return Ok(None) };
    let reply = exchange(stream, request, limit).map_err(|error| match is_timeout(&error) {
        true => Unresponsive::new(data, limit).into(),
        false => anyhow::Error::new(error)
            .context("the process that holds the data directory gave no answer; look at its log"),
    })?;
    Ok(Some(serde_json::from_str(&reply).context("its answer is not understood")?))
}

fn exchange(mut stream: UnixStream, request: &ControlRequest, limit: Duration) -> io::Result<String> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream.take(MAX_REPLY_BYTES)).read_line(&mut reply)?;
    if reply.ends_with('\n') { Ok(reply) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Connects to the socket. One left by a killed process refuses connections. Anything but a socket, including a link
/// to one, is not opened.
fn connect(data: &Path) -> anyhow::Result<Option<UnixStream>> {
    let connect = || {
        let directory = File::open(data)?;
        let path = socket_path(&directory, data);
        if !std::fs::symlink_metadata(&path)?.file_type().is_socket() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // It holds for the connection too, which waits while the process accepts none and its queue is full.
        socket.set_write_timeout(Some(STATUS_TIMEOUT))?;
        socket.connect(&SockAddr::unix(path)?)?;
        Ok::<_, io::Error>(UnixStream::from(socket))
    };
    match connect() {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if means_no_process(error.kind()) => Ok(None),
        Err(error) if is_timeout(&error) => Err(Unresponsive::new(data, STATUS_TIMEOUT).into()),
        Err(error) => Err(error)
            .context("the process that holds the data directory cannot be reached; use its user account"),
    }
}

/// Whether a failed connection shows that no process listens.
fn means_no_process(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    matches!(error, NotFound | NotADirectory | ConnectionRefused)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
