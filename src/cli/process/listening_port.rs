//! The listening socket of the API. It stays open while the database is reopened.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The socket. It is closed when the daemon stops, so that later clients are refused instead of waiting in vain.
pub(crate) struct ListeningPort(Mutex<Option<std::net::TcpListener>>);

impl ListeningPort {
    /// # Errors
    /// When the runtime does not release the socket.
    pub(crate) fn new(listener: TcpListener) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self(Mutex::new(Some(listener.into_std()?)))))
    }

    /// A listener for one session of the daemon (see `cli/commands/run.rs`); `None` when the port is closed.
    ///
    /// # Errors
    /// When the socket cannot be shared.
    pub(crate) fn listener(&self, runtime: &Runtime) -> std::io::Result<Option<TcpListener>> {
        let _entered = runtime.enter();
        let port = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        port.as_ref().map(|listener| listener.try_clone().and_then(TcpListener::from_std)).transpose()
    }

    /// Closes the port for good.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
