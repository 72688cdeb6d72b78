//! `/crawl/hosts`: the hosts that the crawl knows, with their queues.
//!
//! A host is a name with its port, and has up to two servers, http and https. Their figures are added; the longer delay
//! counts. Shown are hosts with queued URLs, and those that were asked for something. `fetched` counts the different
//! pages that count towards `budget`. `state` is that of the liveliest server:
//!
//! * `blocked`: a block list names the host;
//! * `waiting`: URLs wait for their turn;
//! * `asleep`: the host is left alone for a while after failures, as `reason` says;
//! * `spent`: only new pages are queued, and the budget for them is used;
//! * `idle`: nothing is queued.
//!
//! Records and queues are read from the state in `asOf`. A list reads the key of every queued URL. So it is held for ten
//! times as long as that took, and shown again.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::site_state::{AS_OF, StateTime};
use crate::api::request::parameter::{LIMIT, MAX_NAME_PREFIX, NAME_PART, OFFSET, ORDER, Parameter};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::inspect::{HostColumn, HostListRequest, HostOrder, HostRow};
use crate::query::{ErrorCode, IndexState, Window, parse_order};

pub static ENDPOINT: Endpoint = Endpoint::new("crawl/hosts", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[NAME_PART, HOST_ORDER, LIMIT, OFFSET])
    .with_reply(ReplySchema::Object(&[
        (
            "hosts",
            Schema::List(&Schema::Object(&[
                ("host", Schema::Text),
                ("queued", Schema::Count),
                ("fetched", Schema::Count),
                ("budget", Schema::Count),
                ("delay", Schema::Quantity),
                ("lastFetch", Schema::OptionalText),
                ("state", Schema::Words(&["blocked", "waiting", "asleep", "spent", "idle"])),
                ("reason", Schema::Text),
            ])),
        ),
        ("count", Schema::Count),
        ("asOf", AS_OF),
    ]));

/// The example is a column of the list, which is no listing.
const HOST_ORDER: Parameter = Parameter { example: "-fetched", ..ORDER };

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Hosts of the crawl with their queues",
    description: "Lists the hosts with queued URLs, and those that were asked for something. `fetched` \
                  counts the pages that count towards `budget`. `state` is `blocked`, `waiting`, `asleep`, \
                  `spent` or `idle`, and `reason` says why. `asOf` names the state.",
};

/// The columns by name.
const COLUMNS: [(&str, HostColumn); 7] = [
    ("host", HostColumn::Host),
    ("queued", HostColumn::Queued),
    ("fetched", HostColumn::Fetched),
    ("budget", HostColumn::Budget),
    ("delay", HostColumn::Delay),
    ("lastFetch", HostColumn::LastFetch),
    ("state", HostColumn::State),
];

/// The most queued URLs first.
const DEFAULT_ORDER: HostOrder = HostOrder { column: HostColumn::Queued, descending: true };

#[derive(Serialize)]
struct HostsReply<'a> {
    hosts: &'a [HostRow],
    count: u64,
    #[serde(rename = "asOf")]
    as_of: StateTime,
    status: u16,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let config = &context.state.config;
    let Window { offset, limit } = context.params.window(config)?;
    if offset.saturating_add(limit) > config.max_crawl_hosts && limit > 0 {
        let message = format!(
            "offset and limit reach beyond the host {}; use q, or another order, or raise api.max_crawl_hosts",
            config.max_crawl_hosts
        );
        return Err(ApiError::without_place("offset", ErrorCode::TooLarge, message));
    }
    let part = context.params.single("q")?.unwrap_or_default().trim().to_ascii_lowercase();
    if part.chars().count() > MAX_NAME_PREFIX {
        let expected = format!("at most {MAX_NAME_PREFIX} characters of a name");
        return Err(ApiError::parameter("q", &part, &expected));
    }
    let (order, warnings) = read_order(&context.params.list("order")?);
    let request = HostListRequest { part: &part, order: &order, offset, limit };
    let read = || context.inspect(&[], |inspector| inspector.hosts(&request));
    let list = context.state.host_lists.get_or_read(format!("{request:?}"), read)?;
    let as_of = StateTime::from(IndexState { read_at: list.read_at, change: list.change });
    let reply = HostsReply { hosts: &list.rows, count: list.count, as_of, status: 200 };
    context.render_json(&reply, &warnings, &Provenance::volatile())
}

/// Parses `order[]`. Fields that are no columns are ignored, with a warning for each.
fn read_order(texts: &[&str]) -> (Vec<HostOrder>, Vec<String>) {
    let names = COLUMNS.map(|(name, _)| name);
    let (keys, warnings) = parse_order(texts.iter().copied(), &names);
    let column = |name: &str| COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
    let order: Vec<HostOrder> = keys
        .iter()
        .filter_map(|key| Some(HostOrder { column: column(key.column)?, descending: key.descending }))
        .collect();
    (if order.is_empty() { vec![DEFAULT_ORDER] } else { order }, warnings)
}
