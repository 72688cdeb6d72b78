//! `backlinkd serve`: the API without a crawl.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;

use crate::api::{self, ApiState, AuthPolicy};
use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::control::{ControlServer, RequestHandler, RunningServer};
use crate::cli::process::service;
use crate::cli::process::signals::ShutdownSignal;
use crate::cli::process::user_file::apply_user_file;
use crate::query::{self, SearchIndexes};
use crate::store::Store;

pub(crate) fn serve(context: &CliContext, listen: Option<SocketAddr>) -> anyhow::Result<Outcome> {
    let store = context.open()?;
    apply_user_file(&context.config.api.user_file, &store)?;
    let is_empty = store.is_empty()?;
    let state = state(context, store, listen)?;
    let runtime = runtime()?;
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let running = Arc::new(RunningServer::with(&context.sources));
    let handler = RequestHandler::new(&state.store, state.config.listen, None, &running);
    let _control = ControlServer::start(&runtime, &context.data, handler, &context.console);
    runtime.block_on(async {
        let listener = api::bind(state.config.listen).await?;
        let address = listener.local_addr()?;
        running.address.get_or_init(|| address);
        announce(context, &state, address);
        if is_empty {
            let data = context.data.display();
            context.console.info(format_args!(
                "The index in {data} is empty, and so are its answers. `backlinkd --data {data} run` crawls and serves."
            ));
        }
        service::notify_ready();
        anyhow::Ok(api::serve(state, listener, stop.wait()).await?)
    })?;
    Ok(Outcome::Success)
}

/// The state of the API. Without users, the API is open and may listen on loopback only.
pub(crate) fn state(
    context: &CliContext,
    store: Arc<Store>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<ApiState> {
    let mut config = context.config.api.clone();
    config.listen = listen.unwrap_or(config.listen);
    let auth = if store.has_users() { AuthPolicy::Users } else { AuthPolicy::Open };
    if auth == AuthPolicy::Open && !config.listen.ip().is_loopback() {
        anyhow::bail!(
            "{} can be reached by others and no API user is configured; add one with `backlinkd --data {} user add \
             NAME`, or listen on 127.0.0.1",
            config.listen,
            context.data.display()
        );
    }
    query::start_threads(config.query_threads)
        .context("the query threads cannot be started; lower api.query_threads")?;
    let searches = SearchIndexes::open(Arc::clone(&store), context.config.search.clone());
    let searches =
        searches.context("the search indexes cannot be opened; set search.directory to a writable folder")?;
    Ok(ApiState {
        store,
        searches: Arc::new(searches),
        suffixes: Arc::clone(&context.suffixes),
        rules: context.rules.clone(),
        config,
        settings: Arc::new(context.config.clone()),
        auth,
        activity: Arc::default(),
        crawl: None,
        host_lists: Arc::default(),
        today: api::current_day,
        is_demo: false,
    })
}

pub(crate) fn announce(context: &CliContext, state: &ApiState, address: SocketAddr) {
    let who = match state.auth {
        AuthPolicy::Users => "to its users",
        AuthPolicy::Open => "to everyone on this machine, as no user is configured",
    };
    context.console.info(format_args!("The API answers at http://{address}/ {who}."));
}
