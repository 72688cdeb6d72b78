//! `backlinkd mcp`: the tools for agents over standard input and output.
//!
//! The answers come from the process that holds the data directory, through its API. If there is none, or it serves no
//! API, the command reads the directory itself, as it is at the start, and does not lock it: a crawl can begin meanwhile.

mod remote_api;

use std::sync::Arc;

use anyhow::{Context, bail};
use url::Url;

use self::remote_api::RemoteApi;
use super::serve;
use crate::api::{self, ApiClient, AuthPolicy, ToolSettings};
use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::control;
use crate::cli::process::health;
use crate::cli::process::signals::ShutdownSignal;

/// The arguments of the command.
pub(crate) struct ToolOptions {
    pub url: Option<String>,
    pub token: Option<String>,
}

pub(crate) fn mcp(context: &CliContext, options: &ToolOptions) -> anyhow::Result<Outcome> {
    let base = match &options.url {
        Some(url) => Some(parse_url(url)?),
        None => daemon_url(context)?,
    };
    match base {
        Some(base) => serve_through(context, base, options)?,
        None => serve_directory(context)?,
    }
    Ok(Outcome::Success)
}

fn parse_url(text: &str) -> anyhow::Result<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => bail!("--url is \"{text}\", which is no address of an API; write it like http://127.0.0.1:8080"),
    }
}

/// The address of the API of the process that holds the data directory; `None` without such a process.
fn daemon_url(context: &CliContext) -> anyhow::Result<Option<Url>> {
    let Some(status) = control::status(&context.data)? else { return Ok(None) };
    let address =
        status.address.context("the process that holds the data directory serves no API yet; try again")?;
    health::local_url(address).map(Some)
}

/// Serves the tools through the API of another process.
fn serve_through(context: &CliContext, base: Url, options: &ToolOptions) -> anyhow::Result<()> {
    let client = RemoteApi::new(base.clone(), options.token.as_deref())?;
    let settings = settings(context);
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        check(context, &client, &base, options).await?;
        anyhow::Ok(api::serve_tools_through(client, settings).await?)
    });
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    served
}

/// Reports at once why no call could be answered.
async fn check(
    context: &CliContext,
    client: &RemoteApi,
    base: &Url,
    options: &ToolOptions,
) -> anyhow::Result<()> {
    let reply = client.get("/stats".to_owned()).await.map_err(anyhow::Error::msg)?;
    match reply.status {
        401 if options.token.is_none() => bail!(
            "{base} needs a token: make one with `backlinkd --data {} token add agent --role read` on that machine, and \
             give it in the environment variable BACKLINKD_TOKEN",
            context.data.display()
        ),
        401 => bail!("{base} does not accept the token; `backlinkd token list` shows those that it knows"),
        403 => bail!(
            "the token does not have the role read; make one with `backlinkd token add agent --role read`"
        ),
        404 => bail!("{base} is not the API of a backlinkd; correct --url"),
        _ => Ok(()),
    }
}

/// Serves the tools from the data directory, without a lock.
fn serve_directory(context: &CliContext) -> anyhow::Result<()> {
    let store = context.open_secondary()?;
    let mut reader = context.reader();
    // The cached indexes on disk belong to the process that holds the directory.
    let cache = tempfile::tempdir().context("the temporary directory cannot be used")?;
    reader.config.search.directory = cache.path().to_owned();
    reader.config.search.disk_bytes = 0;
    let mut state = serve::state(&reader, store, Some(([127, 0, 0, 1], 0).into()))?;
    state.auth = AuthPolicy::Open;
    let runtime = runtime()?;
    // A client may end this process by a signal. The temporary directories are removed even then.
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let served = runtime.block_on(async {
        tokio::select! {
            served = api::serve_tools(state) => served,
            () = stop.wait() => Ok(()),
        }
    });
    runtime.shutdown_background();
    Ok(served?)
}

fn settings(context: &CliContext) -> ToolSettings {
    ToolSettings::new(&context.config, context.rules.clone(), Arc::clone(&context.suffixes))
}
