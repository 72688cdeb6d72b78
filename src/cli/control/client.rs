//! The commands' side: asks the process that holds a data directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{Answer, Request, socket_of};

/// Longest wait for an answer: lists of seeds may be long, and a daemon may be beginning.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer at most.
const MAX_ANSWER: u64 = 64 << 20;

/// Whether a process holds the data directory and takes requests.
pub fn is_held(data: &Path) -> anyhow::Result<bool> {
    Ok(connect(data)?.is_some())
}

/// Has a daemon read its lists again; gives what it complained of, if there is one that has any lists.
pub fn reload(data: &Path) -> anyhow::Result<Option<Vec<String>>> {
    match ask(data, &Request::Reload)? {
        Some(Answer::Done) => Ok(Some(Vec::new())),
        Some(Answer::DoneInPart { complaints }) => Ok(Some(complaints)),
        None | Some(Answer::NotHere) => Ok(None),
        Some(other) => refused(other),
    }
}

/// Adds a user, or changes a password; says whether the user is new.
pub fn put_user(data: &Path, name: &str, hash: String) -> anyhow::Result<bool> {
    match needed(data, &Request::PutUser { name: name.to_owned(), hash })? {
        Answer::Put { is_new } => Ok(is_new),
        other => refused(other),
    }
}

/// Removes a user.
pub fn remove_user(data: &Path, name: &str) -> anyhow::Result<()> {
    match needed(data, &Request::RemoveUser { name: name.to_owned() })? {
        Answer::Done => Ok(()),
        other => refused(other),
    }
}

/// The names of all users, sorted.
pub fn list_users(data: &Path) -> anyhow::Result<Vec<String>> {
    match needed(data, &Request::ListUsers)? {
        Answer::Users { names } => Ok(names),
        other => refused(other),
    }
}

fn refused<T>(answer: Answer) -> anyhow::Result<T> {
    match answer {
        Answer::Refused { problem } => bail!("{problem}"),
        _ => bail!("the process that holds the data directory is of another version; restart it"),
    }
}

fn needed(data: &Path, request: &Request) -> anyhow::Result<Answer> {
    ask(data, request)?.context("the process that held the data directory has just ended; try again")
}

/// What the process that holds the data directory answers; `None` when nobody listens.
fn ask(data: &Path, request: &Request) -> anyhow::Result<Option<Answer>> {
    let Some(stream) = connect(data)? else { return Ok(None) };
    let answer = converse(stream, request)
        .context("the process that holds the data directory gave no answer; look at its log")?;
    Ok(Some(serde_json::from_str(&answer).context("its answer is not understood")?))
}

fn converse(mut stream: UnixStream, request: &Request) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(MAX_ANSWER)).read_line(&mut answer)?;
    if answer.ends_with('\n') { Ok(answer) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A socket that a killed process left refuses; what is no socket, a link to one included, is not opened.
fn connect(data: &Path) -> anyhow::Result<Option<UnixStream>> {
    let connect = || {
        let directory = File::open(data)?;
        let path = socket_of(&directory, data);
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
        Err(error) => Err(error).context(
            "the process that holds the data directory cannot be asked; use the user account that it runs as",
        ),
    }
}
