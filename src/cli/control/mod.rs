//! Changes while a daemon runs: `run` and `serve` listen at a Unix socket, `backlinkd.sock` in the data directory, for
//! what the commands beside them want done. The store is theirs alone, so that nobody else could do it.
//!
//! One request a connection: a line of JSON, answered by a line of JSON. Passwords do not pass, only their hashes.
//! The socket is for the user who runs the daemon: nobody else may open it. It is there for as long as the process
//! has the store open; one that a killed process left is replaced by the next.

mod client;
mod desk;
mod server;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::SOCKET_FILE;

pub(super) use client::{is_held, reload};
pub(super) use client::{list_users, put_user, remove_user};
pub(super) use desk::{Desk, Reloads, reloads};
pub(super) use server::Control;

/// Bytes of a request at most: a user's name and hash, escaped, are well below.
const MAX_REQUEST: u64 = 16 << 10;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    PutUser {
        name: String,
        hash: String,
    },
    RemoveUser {
        name: String,
    },
    ListUsers,
    /// Reads seeds and block lists again.
    Reload,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum Answer {
    Done,
    /// The lists were read, but not all of what they say could be used.
    DoneInPart {
        complaints: Vec<String>,
    },
    Put {
        is_new: bool,
    },
    Users {
        names: Vec<String>,
    },
    /// There is nothing here that could be.
    NotHere,
    Refused {
        problem: String,
    },
}

/// The path by which the socket of a data directory is bound and found, for as long as the directory is open. The path
/// of a socket has room for about 100 bytes, which the directory's own may exceed; the one through its descriptor is
/// short. Where the system has none, the plain path has to do.
fn socket_of(directory: &File, data: &Path) -> PathBuf {
    let by_descriptor = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    let folder = if by_descriptor.exists() { &by_descriptor } else { data };
    folder.join(SOCKET_FILE)
}
