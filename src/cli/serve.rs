//! `backlinkd serve`: the API alone.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;

use super::control::{Control, Desk};
use super::signals::Stop;
use super::{Ending, Setting, runtime};
use crate::api::{self, ApiState, AuthPolicy};
use crate::query::{self, Searches};
use crate::store::Store;

pub(super) fn serve(setting: &Setting, listen: Option<SocketAddr>) -> anyhow::Result<Ending> {
    let store = setting.open()?;
    let is_empty = store.is_empty()?;
    let state = state(setting, store, listen)?;
    let runtime = runtime()?;
    let stop = Stop::on_signal(&runtime, &setting.console)?;
    let desk = Desk::new(&state.store, state.config.listen, None);
    let _control = Control::start(&runtime, &setting.data, desk, &setting.console);
    runtime.block_on(async {
        let listener = api::bind(state.config.listen).await?;
        announce(setting, &state, listener.local_addr()?);
        if is_empty {
            let data = setting.data.display();
            setting.console.tell(format_args!(
                "The index in {data} is empty, and so are its answers. `backlinkd --data {data} run` crawls and serves."
            ));
        }
        anyhow::Ok(api::serve(state, listener, stop.stopped()).await?)
    })?;
    Ok(Ending::Good)
}

/// What the API answers from. Without users it is open, and may listen on loopback alone.
pub(super) fn state(
    setting: &Setting,
    store: Arc<Store>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<ApiState> {
    let mut config = setting.config.api.clone();
    config.listen = listen.unwrap_or(config.listen);
    let auth = if store.users()?.is_empty() { AuthPolicy::Open } else { AuthPolicy::Users };
    if auth == AuthPolicy::Open && !config.listen.ip().is_loopback() {
        anyhow::bail!(
            "{} can be reached by others and no API user is configured; add one with `backlinkd --data {} user add \
             NAME`, or listen on 127.0.0.1",
            config.listen,
            setting.data.display()
        );
    }
    query::start_threads(config.query_threads)
        .context("the threads of queries cannot be started; set api.query_threads to a smaller number")?;
    let searches = Searches::open(Arc::clone(&store), setting.config.search.clone());
    let searches = searches
        .context("the search indexes cannot be opened; set search.directory to a folder to write to")?;
    Ok(ApiState {
        store,
        searches: Arc::new(searches),
        suffixes: Arc::clone(&setting.suffixes),
        rules: setting.rules.clone(),
        config,
        auth,
        activity: Arc::default(),
    })
}

pub(super) fn announce(setting: &Setting, state: &ApiState, address: SocketAddr) {
    let who = match state.auth {
        AuthPolicy::Users => "to its users",
        AuthPolicy::Open => "to anybody on this machine, as no user is configured",
    };
    setting.console.tell(format_args!("The API answers at http://{address}/ {who}."));
}
