//! The client side: sends requests to the process that holds a data directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{ControlReply, ControlRequest, ServerStatus, socket_path};
use crate::store::{Roles, StoredToken};

/// Maximum wait for a reply: a seed list may be long, and a daemon may be starting.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two looks at a ranking.
const RANKING_POLL: Duration = Duration::from_millis(200);

/// Maximum size of a reply, in bytes.
const MAX_REPLY_BYTES: u64 = 64 << 20;

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
pub(crate) fn status(data: &Path) -> anyhow::Result<Option<ServerStatus>> {
    match send(data, &ControlRequest::Status)? {
        Some(ControlReply::Status(status)) => Ok(Some(status)),
        Some(ControlReply::Refused { .. }) => Ok(Some(ServerStatus::default())),
        None => Ok(None),
        Some(other) => unexpected_reply(other),
    }
}

/// Makes the daemon compute the ranks, and waits for the end. Returns whether that succeeded; `None` when the process
/// computes no ranks.
pub(crate) fn rank(data: &Path) -> anyhow::Result<Option<bool>> {
    let now = || status(data)?.context("the process that holds the data directory has ended; try again");
    let before = now()?;
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

/// Sends a request to the process that holds the data directory; `None` when no process listens.
fn send(data: &Path, request: &ControlRequest) -> anyhow::Result<Option<ControlReply>> {
    let Some(stream) = connect(data)? else { return Ok(None) };
    let reply = exchange(stream, request)
        .context("the process that holds the data directory gave no answer; look at its log")?;
    Ok(Some(serde_json::from_str(&reply).context("its answer is not understood")?))
}

fn exchange(mut stream: UnixStream, request: &ControlRequest) -> io::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
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
        UnixStream::connect(path)
    };
    match connect() {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) => Err(error)
            .context("the process that holds the data directory cannot be reached; use its user account"),
    }
}
