//! Fetching over HTTP, within the rules of the site owners and of the operator.
//!
//! The input is a URL, the output a [`FetchOutcome`]: a response with its raw body, or a failure. No other module
//! uses an HTTP client.
//!
//! * [`Fetcher`] makes one request, with deadlines and size limits. It follows no redirects, downloads only the
//!   bodies that are needed, and keeps a bounded number of connections.
//! * `tls` verifies server certificates as browsers do.
//! * [`RobotsCache`] gives the permits that page requests need; [`robots_txt`] parses a robots.txt.
//! * [`PinnedAddresses`] resolves each host to one address, and refuses addresses outside the public internet.
//! * [`MemoryBudget`] bounds the memory of all responses until they are stored.
//! * [`decode`] removes content encodings, within bounds.
//! * [`Response::from_archive`] reads a response that an archive holds.
//! * [`ServiceClient`] asks a service that the operator names.
//!
//! The crawl decides what to fetch and when, and interprets the content.

mod archived;
mod client;
mod connections;
mod cookies;
pub mod decode;
mod dns;
mod download;
mod error_chain;
mod failure;
mod memory;
mod protocol;
mod response;
mod robots;
pub mod robots_txt;
mod service_client;
mod tls;
mod tolerant;

use std::path::PathBuf;

pub use archived::{ArchivedMessage, NotHttp};
pub use client::{Fetcher, Validators};
pub use cookies::CookieJar;
pub use decode::{ContentEncoding, DecodeError, Decoded};
pub use dns::{AddressError, OverridesError, PinnedAddresses};
pub use failure::{Blame, Failure};
pub use memory::{MemoryBudget, Reservation};
pub use protocol::ProtocolFault;
pub use response::{FetchOutcome, Response};
pub use robots::{
    FetchPermit, RobotsAnswer, RobotsBasis, RobotsCache, RobotsFailure, RobotsOutcome, RobotsRequest,
    RobotsStatus, RobotsStore, StoredRobots,
};
pub use service_client::{
    ServiceClient, ServiceClientError, ServiceCredentials, ServiceIdentity, ServiceResponse,
};

/// The reason why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Addresses(#[from] AddressError),
    #[error("the certificates {file} cannot be read ({error}); correct fetch.extra_ca", file = .file.display())]
    AuthoritiesUnreadable { file: PathBuf, error: std::io::Error },
    #[error("{} holds no certificate in PEM form; correct fetch.extra_ca", .0.display())]
    NoAuthorities(PathBuf),
    #[error(
        "the HTTP client cannot be set up: {0}; without certificates of the system, name some in fetch.extra_ca"
    )]
    Client(String),
}
