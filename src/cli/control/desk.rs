//! What a request changes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::super::users::{self, UsersError};
use super::{Answer, Request};
use crate::store::Store;

/// A wish that lists be read again, which is answered once that is done, by what was complained of.
pub type Wish = oneshot::Sender<Vec<String>>;
pub type Reloads = mpsc::Receiver<Wish>;

/// Complaints that are handed on; of the others the number is.
const COMPLAINTS: usize = 20;

/// Wishes that wait at most; whoever has another waits.
const WISHES: usize = 8;

/// The two ends of a way for such wishes.
pub fn reloads() -> (mpsc::Sender<Wish>, Reloads) {
    mpsc::channel(WISHES)
}

/// Where requests are answered.
pub struct Desk {
    store: Arc<Store>,
    /// Where the API of this process listens.
    listen: SocketAddr,
    /// None in a process that crawls nothing.
    reload: Option<mpsc::Sender<Wish>>,
    /// Held while users are changed, so that of the last two not both are removed.
    changing: Mutex<()>,
}

impl Desk {
    pub fn new(store: &Arc<Store>, listen: SocketAddr, reload: Option<mpsc::Sender<Wish>>) -> Self {
        Self { store: Arc::clone(store), listen, reload, changing: Mutex::default() }
    }

    /// Does what is wanted. Blocks.
    pub(super) fn answer(&self, request: Request) -> Answer {
        let answer = match request {
            Request::PutUser { name, hash } => self.put(&name, &hash),
            Request::RemoveUser { name } => self.remove(&name),
            Request::ListUsers => users::list(&self.store).map(|names| Answer::Users { names }).map_err(told),
            Request::Reload => self.read_again(),
        };
        answer.unwrap_or_else(|problem| Answer::Refused { problem })
    }

    fn put(&self, name: &str, hash: &str) -> Result<Answer, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = users::put(&self.store, name, hash).map_err(told)?;
        tracing::info!(name, is_new, "an API user has a password");
        Ok(Answer::Put { is_new })
    }

    /// Removes a user, but not the last one of a server that others can reach.
    fn remove(&self, name: &str) -> Result<Answer, String> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = users::list(&self.store).map_err(told)?;
        if !self.listen.ip().is_loopback() && known == [name] {
            return Err(format!(
                "{name} is the last user, and the API listens on {}, where others can reach it; add another user \
                 first, or have it listen on 127.0.0.1",
                self.listen
            ));
        }
        users::remove(&self.store, name).map_err(told)?;
        tracing::info!(name, "an API user was removed");
        Ok(Answer::Done)
    }

    fn read_again(&self) -> Result<Answer, String> {
        let Some(reload) = &self.reload else { return Ok(Answer::NotHere) };
        let (done, is_done) = oneshot::channel();
        if reload.blocking_send(done).is_ok()
            && let Ok(mut complaints) = is_done.blocking_recv()
        {
            let more = complaints.len().saturating_sub(COMPLAINTS);
            complaints.truncate(COMPLAINTS);
            complaints
                .extend((more > 0).then(|| format!("and {more} further complaints, which its log tells")));
            return Ok(if complaints.is_empty() { Answer::Done } else { Answer::DoneInPart { complaints } });
        }
        Err("the daemon is ending; its next start reads the lists".to_owned())
    }
}

fn told(error: UsersError) -> String {
    error.to_string()
}
