//! Handles the requests, inside the process that holds the store.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::{ControlReply, ControlRequest, RunningServer};
use crate::api::{UserError, check_password_hash, check_user_name};
use crate::store::{Roles, Store, StoredToken};

/// A request to reload the lists. The reply carries the complaints and is sent when the reload is done.
pub(super) type ReloadRequest = oneshot::Sender<Vec<String>>;
pub(crate) type ReloadReceiver = mpsc::Receiver<ReloadRequest>;
pub(crate) type ReloadSender = mpsc::Sender<ReloadRequest>;

/// Complaints that a reply carries; the rest is only counted.
const MAX_COMPLAINTS: usize = 20;

/// Reload requests that may wait; further senders block.
const MAX_WAITING_RELOADS: usize = 8;

/// A channel for reload requests.
pub(crate) fn reload_channel() -> (ReloadSender, ReloadReceiver) {
    mpsc::channel(MAX_WAITING_RELOADS)
}

/// Handles the requests.
pub(crate) struct RequestHandler {
    store: Arc<Store>,
    /// Address that the API of this process is to listen on.
    listen: SocketAddr,
    /// `None` in a process that does not crawl.
    reload: Option<ReloadSender>,
    running: Arc<RunningServer>,
    /// Held while users change, so that two requests cannot remove the last two users.
    changing: Mutex<()>,
}

impl RequestHandler {
    pub(crate) fn new(
        store: &Arc<Store>,
        listen: SocketAddr,
        reload: Option<ReloadSender>,
        running: &Arc<RunningServer>,
    ) -> Self {
        let (store, running) = (Arc::clone(store), Arc::clone(running));
        Self { store, listen, reload, running, changing: Mutex::default() }
    }

    /// Handles a request. Blocks.
    pub(super) fn reply(&self, request: ControlRequest) -> ControlReply {
        let reply = match request {
            ControlRequest::PutUser { name, hash, roles } => self.put(&name, &hash, roles),
            ControlRequest::RemoveUser { name } => self.remove(&name),
            ControlRequest::ListUsers => self.list_users(),
            ControlRequest::AddToken { token } => self.add_token(&token),
            ControlRequest::RemoveToken { name, force } => self.remove_token(&name, force),
            ControlRequest::ListTokens => {
                self.store.tokens().map(|tokens| ControlReply::Tokens { tokens }).map_err(message)
            }
            ControlRequest::Reload => self.reload_lists(),
            ControlRequest::Status => Ok(ControlReply::Status(self.running.status(self.reload.is_some()))),
            ControlRequest::Rank => Ok(self.request_ranking()),
        };
        reply.unwrap_or_else(|problem| ControlReply::Refused { problem })
    }

    fn put(&self, name: &str, hash: &str, roles: Option<Roles>) -> Result<ControlReply, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        check_user_name(name).and_then(|()| check_password_hash(hash)).map_err(message)?;
        let is_new = self.store.put_user_with_roles(name, hash, roles).map_err(message)?;
        tracing::info!(name, is_new, "an API user has a password");
        Ok(ControlReply::Put { is_new })
    }

    /// Removes a user, but not the last one of a server that other machines can reach.
    fn remove(&self, name: &str) -> Result<ControlReply, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.store.user_names().map_err(message)?;
        if !self.listen.ip().is_loopback() && known == [name] {
            return Err(format!(
                "{name} is the last user, and the API listens on {}, where others can reach it; add another user \
                 first, or have it listen on 127.0.0.1",
                self.listen
            ));
        }
        if !self.store.remove_user(name).map_err(message)? {
            return Err(message(UserError::Unknown(name.to_owned())));
        }
        tracing::info!(name, "an API user was removed");
        Ok(ControlReply::Done)
    }

    fn list_users(&self) -> Result<ControlReply, String> {
        let names = self.store.user_names().map_err(message)?;
        let roles = names.iter().map(|name| self.store.user_roles(name)).collect::<Result<_, _>>();
        Ok(ControlReply::Users { names, roles: roles.map_err(message)? })
    }

    fn add_token(&self, token: &StoredToken) -> Result<ControlReply, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        check_user_name(&token.name).map_err(message)?;
        if !self.store.add_token(token).map_err(message)? {
            return Err(message(UserError::TokenExists(token.name.clone())));
        }
        tracing::info!(name = token.name, roles = %token.roles, "an API token was added");
        Ok(ControlReply::Done)
    }

    /// Removes a token; the last one without users only with `force`. A server without users and tokens that other
    /// machines can reach serves no client until it ends, and does not start again.
    fn remove_token(&self, name: &str, force: bool) -> Result<ControlReply, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if !force && self.store.is_last_token(name).map_err(message)? {
            return Err(message(UserError::LastToken(name.to_owned())));
        }
        if !self.store.remove_token(name).map_err(message)? {
            return Err(message(UserError::UnknownToken(name.to_owned())));
        }
        tracing::info!(name, "an API token was removed");
        Ok(ControlReply::Done)
    }

    fn request_ranking(&self) -> ControlReply {
        let Some(activity) = self.running.rankings.get() else { return ControlReply::NotHere };
        activity.request_ranking();
        ControlReply::Done
    }

    fn reload_lists(&self) -> Result<ControlReply, String> {
        let Some(reload) = &self.reload else { return Ok(ControlReply::NotHere) };
        let complaints = reload_now(reload)?;
        Ok(if complaints.is_empty() { ControlReply::Done } else { ControlReply::DoneInPart { complaints } })
    }
}

/// Makes the daemon read its lists again. Returns its complaints. Blocks.
///
/// # Errors
/// A sentence, when the daemon is stopping.
pub(crate) fn reload_now(reload: &ReloadSender) -> Result<Vec<String>, String> {
    let (done, is_done) = oneshot::channel();
    if reload.blocking_send(done).is_ok()
        && let Ok(mut complaints) = is_done.blocking_recv()
    {
        let more = complaints.len().saturating_sub(MAX_COMPLAINTS);
        complaints.truncate(MAX_COMPLAINTS);
        complaints.extend((more > 0).then(|| format!("and {more} further complaints; see its log")));
        return Ok(complaints);
    }
    Err("the daemon is stopping; its next start reads the lists".to_owned())
}

fn message(error: impl Display) -> String {
    error.to_string()
}
