//! Changes while a daemon runs. `run` and `serve` listen on a Unix socket, `backlinkd.sock` in the data directory,
//! and make changes on behalf of other commands. Only the process that holds the store can write to it.
//!
//! Each connection carries one request: a line of JSON, answered by a line of JSON. Passwords are not sent, only
//! their hashes. Only the user account of the daemon may open the socket. The socket exists while the process has the
//! store open; a socket left by a killed process is replaced by the next one.

mod client;
mod handler;
mod server;
mod status;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::{Roles, SOCKET_FILE, StoredToken};

pub(super) use client::{Unresponsive, accepts_requests, reload};
pub(super) use client::{add_token, list_tokens, remove_token};
pub(super) use client::{list_users, put_user, remove_user};
pub(super) use client::{rank, status};
pub(super) use handler::{ReloadReceiver, ReloadSender, RequestHandler, reload_channel, reload_now};
pub(super) use server::ControlServer;
pub(super) use status::{ConfigSources, RunningServer, ServerStatus};

/// Maximum size of a request, in bytes. The name and hash of a user, escaped, are far below it.
const MAX_REQUEST_BYTES: u64 = 16 << 10;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum ControlRequest {
    PutUser {
        name: String,
        hash: String,
        /// Left out if they stay as they are, so that an earlier version understands the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roles: Option<Roles>,
    },
    RemoveUser {
        name: String,
    },
    ListUsers,
    AddToken {
        token: StoredToken,
    },
    RemoveToken {
        name: String,
        /// Whether it may be the last one. Left out if not, so that an earlier version understands the request.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    ListTokens,
    /// Reads the seed and block lists again.
    Reload,
    /// What the process does.
    Status,
    /// Computes the ranks soon.
    Rank,
}

/// The reply to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum ControlReply {
    Done,
    /// The lists were read, but some entries could not be used.
    DoneInPart {
        complaints: Vec<String>,
    },
    Put {
        is_new: bool,
    },
    Users {
        names: Vec<String>,
        /// In the order of the names; empty in earlier versions, in which all users have all roles.
        #[serde(default)]
        roles: Vec<Roles>,
    },
    Tokens {
        tokens: Vec<StoredToken>,
    },
    Status(ServerStatus),
    /// The process has no such lists, or computes no ranks.
    NotHere,
    Refused {
        problem: String,
    },
}

/// The path of the socket of a data directory, valid while the directory is open. A socket path has room for about
/// 100 bytes, which the path of the directory may exceed. The path through the file descriptor is short; on systems
/// without it, the plain path is used.
fn socket_path(directory: &File, data: &Path) -> PathBuf {
    let by_descriptor = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    let folder = if by_descriptor.exists() { &by_descriptor } else { data };
    folder.join(SOCKET_FILE)
}
