//! A server on loopback over its own store.

use std::sync::Arc;
use std::thread::JoinHandle;

use backlinkd::api::{ApiState, AuthPolicy, bind, current_day, serve};
use backlinkd::config::{ApiConfig, Config, SearchConfig, Span, StoreConfig};
use backlinkd::model::{Day, VisitRecord};
use backlinkd::query::SearchIndexes;
use backlinkd::store::Store;
use backlinkd::urls::{Suffixes, UrlRules};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::client::Client;

pub struct Server {
    pub client: Client,
    pub store: Arc<Store>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    directory: Arc<TempDir>,
    config: ApiConfig,
    search: SearchConfig,
    auth: AuthPolicy,
    today: fn() -> Day,
}

/// Indexes that always show the latest state.
fn latest() -> SearchConfig {
    SearchConfig { refresh: Span::seconds(0), ..SearchConfig::default() }
}

impl Server {
    pub fn start(records: &[VisitRecord]) -> Self {
        Self::start_with(records, ApiConfig::default(), AuthPolicy::Open)
    }

    pub fn start_with(records: &[VisitRecord], config: ApiConfig, auth: AuthPolicy) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let server = Self::run(directory, config, latest(), auth, current_day);
        server.store.put(records).unwrap();
        server
    }

    /// A server without users that reads the current day from this clock.
    pub fn start_with_clock(records: &[VisitRecord], today: fn() -> Day) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let server = Self::run(directory, ApiConfig::default(), latest(), AuthPolicy::Open, today);
        server.store.put(records).unwrap();
        server
    }

    /// A server without users whose lists may be this old.
    pub fn start_refreshing(records: &[VisitRecord], config: ApiConfig, refresh: Span) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let search = SearchConfig { refresh, ..SearchConfig::default() };
        let server = Self::run(directory, config, search, AuthPolicy::Open, current_day);
        server.store.put(records).unwrap();
        server
    }

    /// A server without users with these search indexes.
    pub fn start_searching(records: &[VisitRecord], search: SearchConfig) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let server = Self::run(directory, ApiConfig::default(), search, AuthPolicy::Open, current_day);
        server.store.put(records).unwrap();
        server
    }

    /// A server without users over the store in the folder `data` of a directory.
    pub fn over(directory: Arc<TempDir>) -> Self {
        Self::run(directory, ApiConfig::default(), latest(), AuthPolicy::Open, current_day).without_users()
    }

    /// Opens the same store in a new server, which simulates a restart of the process.
    pub fn restart(mut self) -> Self {
        self.end();
        let (directory, config, auth) = (Arc::clone(&self.directory), self.config.clone(), self.auth);
        let (search, today) = (self.search.clone(), self.today);
        drop(self);
        Self::run(directory, config, search, auth, today)
    }

    /// A server without users over a store that is already open.
    pub fn of(store: &Arc<Store>) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let (config, auth) = (ApiConfig::default(), AuthPolicy::Open);
        Self::serve(Arc::clone(store), directory, config, latest(), auth, current_day).without_users()
    }

    fn without_users(self) -> Self {
        for (name, _) in self.store.users().unwrap() {
            self.store.remove_user(&name).unwrap();
        }
        self
    }

    fn run(
        directory: Arc<TempDir>,
        config: ApiConfig,
        search: SearchConfig,
        auth: AuthPolicy,
        today: fn() -> Day,
    ) -> Self {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let path = directory.path().join("data");
        let store = Arc::new(Store::open(&path, &StoreConfig::default(), suffixes).unwrap());
        Self::serve(store, directory, config, search, auth, today)
    }

    fn serve(
        store: Arc<Store>,
        directory: Arc<TempDir>,
        config: ApiConfig,
        search: SearchConfig,
        auth: AuthPolicy,
        today: fn() -> Day,
    ) -> Self {
        let state = ApiState {
            store: Arc::clone(&store),
            searches: Arc::new(SearchIndexes::open(Arc::clone(&store), search.clone()).unwrap()),
            suffixes: Arc::clone(store.suffixes()),
            rules: UrlRules::default(),
            config: config.clone(),
            settings: Arc::new(Config { api: config.clone(), search: search.clone(), ..Config::default() }),
            auth,
            activity: Arc::default(),
            crawl: None,
            host_lists: Arc::default(),
            today,
            is_demo: false,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (bound, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async move {
                    let _ = stopped.await;
                };
                serve(state, listener, stopped).await.unwrap();
            });
        });
        let client = Client::new(address.recv().unwrap());
        Self { client, store, stop: Some(stop), thread: Some(thread), directory, config, search, auth, today }
    }

    /// Stops the server, and waits until it has ended.
    pub fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
