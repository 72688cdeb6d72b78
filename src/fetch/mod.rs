//! Asking the web for pages, within its owners' rules and ours.
//!
//! In goes a URL, out comes a [`FetchOutcome`]: an answer with its raw body, or why there is none. The only part
//! of the program that knows an HTTP client.
//!
//! * [`Fetcher`] makes one request: deadlines, size limits, no redirects followed, only bodies that are read; a
//!   bounded number of connections is kept.
//! * `tls` judges servers' certificates as browsers do.
//! * [`RobotsCache`] gives the permits without which it makes none; [`robots_txt`] is the pure reading of a file.
//! * [`AddressBook`] says which address a host is fetched from, and refuses those that are none of the public
//!   internet.
//! * [`Memory`] is the room that all answers together may take, until they are stored.
//! * [`body`] takes content encodings off, within bounds.
//!
//! It does not decide what is fetched when (that is the crawl's), and does not read what it brings.

mod address;
mod answer;
pub mod body;
mod client;
mod connections;
mod cookies;
mod failure;
mod http_date;
mod memory;
mod protocol;
mod receive;
mod robots;
pub mod robots_txt;
mod tls;
mod tolerant;

use std::path::PathBuf;

pub use address::{AddressBook, AddressBookError, OverridesError};
pub use answer::{Answer, FetchOutcome};
pub use body::{ContentEncoding, DecodeError, Decoded};
pub use client::{Fetcher, Validators};
pub use cookies::CookieJar;
pub use failure::{Blame, Failure};
pub use memory::{Memory, Room};
pub use protocol::ProtocolFault;
pub use robots::{
    Allowed, KeptRobots, RobotsAnswer, RobotsBasis, RobotsCache, RobotsFailure, RobotsFetch, RobotsKnown,
    RobotsShelf, RobotsStep,
};

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Addresses(#[from] AddressBookError),
    #[error("the certificates {file} cannot be read ({error}); correct fetch.extra_ca", file = .file.display())]
    AuthoritiesUnreadable { file: PathBuf, error: std::io::Error },
    #[error("{} holds no certificate in PEM form; correct fetch.extra_ca", .0.display())]
    NoAuthorities(PathBuf),
    #[error(
        "the HTTP client cannot be set up: {0}; without certificates of the system, name some in fetch.extra_ca"
    )]
    Client(String),
}
