//! Sessions of users who signed in from the web page, and the cookie that names one (RFC 6265).
//!
//! Sessions are in memory: a restart signs all users out. Memory holds only the hash of a session's id. A session ends
//! after its lifetime or idle time, or when its user is removed or changes the password.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::credentials::{Account, Fingerprint};
use crate::config::ApiConfig;
use crate::lru::Lru;
use crate::store::{Store, StoreError};

/// The name of the cookie.
pub(super) const COOKIE_NAME: &str = "backlinkd_session";

struct UserSession {
    account: Account,
    opened_at: Instant,
    used_at: Instant,
}

/// All sessions, by the hash of their id.
pub(super) struct Sessions {
    sessions: Mutex<Lru<Fingerprint, UserSession>>,
    lifetime: Duration,
    idle: Duration,
}

impl Sessions {
    pub(super) fn new(config: &ApiConfig) -> Self {
        let sessions = Mutex::new(Lru::new(config.max_sessions));
        Self { sessions, lifetime: config.session_ttl.0, idle: config.session_idle.0 }
    }

    /// Opens a session with this id. The least recently used one makes room for it.
    pub(super) fn open(&self, id: &str, account: Account, now: Instant) {
        self.locked().insert(hash(id), UserSession { account, opened_at: now, used_at: now }, 1);
    }

    /// Returns the user of a session that has not ended.
    pub(super) fn account(
        &self,
        id: &str,
        store: &Store,
        now: Instant,
    ) -> Result<Option<Account>, StoreError> {
        let (mut sessions, id) = (self.locked(), hash(id));
        let Some(session) = sessions.get(&id) else { return Ok(None) };
        let age = now.saturating_duration_since(session.opened_at);
        let idle = now.saturating_duration_since(session.used_at);
        if age >= self.lifetime || idle >= self.idle || !session.account.is_current(store)? {
            sessions.remove(&id);
            return Ok(None);
        }
        session.used_at = now;
        Ok(Some(session.account.clone()))
    }

    pub(super) fn close(&self, id: &str) {
        self.locked().remove(&hash(id));
    }

    /// The value of `Set-Cookie` that names a session.
    pub(super) fn cookie(&self, id: &str, is_https: bool) -> Option<HeaderValue> {
        set_cookie(id, self.lifetime.as_secs(), is_https)
    }

    /// A panic in another thread cannot leave the map half changed.
    fn locked(&self) -> std::sync::MutexGuard<'_, Lru<Fingerprint, UserSession>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of `Set-Cookie` that makes a client forget its session.
pub(super) fn forgetting_cookie(is_https: bool) -> Option<HeaderValue> {
    set_cookie("", 0, is_https)
}

fn set_cookie(id: &str, seconds: u64, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// The id of the session that the cookies of a request name.
pub(super) fn session_id(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, id)| id)
}

fn hash(id: &str) -> Fingerprint {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_closed_to_scripts_and_to_other_sites() {
        let sessions = Sessions::new(&ApiConfig::default());
        let cookie = sessions.cookie("x", false).unwrap();
        let attributes: Vec<&str> = cookie.to_str().unwrap().split("; ").collect();
        assert_eq!(
            attributes,
            ["backlinkd_session=x", "Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Strict"]
        );
        assert!(sessions.cookie("x", true).unwrap().to_str().unwrap().ends_with("; Secure"));
        assert!(forgetting_cookie(false).unwrap().to_str().unwrap().contains("Max-Age=0;"));
    }

    #[test]
    fn one_cookie_among_others_names_the_session() {
        for (cookies, id) in [
            ("backlinkd_session=a", Some("a")),
            ("x=1; backlinkd_session=a ; y", Some("a")),
            ("xbacklinkd_session=a", None),
            ("backlinkd_session", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())]);
            assert_eq!(session_id(&headers), id, "{cookies}");
        }
    }
}
