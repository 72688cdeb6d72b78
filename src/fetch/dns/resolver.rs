//! A DNS stub resolver that returns addresses and their TTL.
//!
//! The input is a host name; the output is its addresses, the fact that it has none, or an error (RFC 1034, RFC
//! 2308). The name servers of `fetch.nameservers` or of the system do the recursion. Names in `/etc/hosts` come from
//! there. A name is queried as it is, without the search list of the system, so a link means the same on every
//! machine.
//!
//! Results are cached by the caller, not here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{TokioResolver, system_conf};

use crate::config::FetchConfig;
use crate::fetch::failure::Blame;

/// Retries after the first attempt. All attempts share the timeout equally.
const RETRIES: u32 = 2;

/// Queries name servers for addresses.
#[derive(Debug)]
pub(super) struct Resolver {
    resolver: TokioResolver,
    /// The record types to query, in this order.
    record_types: Vec<RecordType>,
    /// Maximum time for one name.
    timeout: Duration,
}

/// The result for a name. Both variants may be cached for their TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// At least one.
    Addresses { addresses: Vec<IpAddr>, ttl: Duration },
    /// The reason why there is no address.
    None { why: &'static str, ttl: Duration },
}

/// A query without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResolveError {
    /// The reason, in words.
    pub why: String,
    pub blame: Blame,
}

impl Resolver {
    /// # Errors
    /// A sentence, when the resolver cannot be set up.
    pub(super) fn new(config: &FetchConfig) -> Result<Self, String> {
        let (servers, system) = servers(config);
        let timeout = config.connect_timeout.0;
        let mut builder = TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            TokioRuntimeProvider::default(),
        )
        .with_options(system);
        let options = builder.options_mut();
        options.timeout = options.timeout.min(timeout / (RETRIES + 1));
        options.attempts = RETRIES as usize;
        options.num_concurrent_reqs = 1;
        options.cache_size = 0;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        let record_types = config.ip_versions.iter().map(|version| match version {
            6 => RecordType::AAAA,
            _ => RecordType::A,
        });
        Ok(Self { resolver, record_types: record_types.collect(), timeout })
    }

    /// Resolves a name, one record type after the other until there is an address.
    ///
    /// # Errors
    /// [`ResolveError`] when the name servers gave no usable answer.
    pub(super) async fn resolve(&self, host: &str) -> Result<Resolution, ResolveError> {
        let asked = tokio::time::timeout(self.timeout, self.query(host)).await;
        asked.unwrap_or_else(|_| Err(ResolveError::from(NetError::Timeout)))
    }

    async fn query(&self, host: &str) -> Result<Resolution, ResolveError> {
        let Ok(mut name) = Name::from_ascii(host) else {
            return Ok(Resolution::None { why: "it is no name", ttl: Duration::MAX });
        };
        name.set_fqdn(true);
        let mut nothing = Resolution::None { why: "no kind of address is asked for", ttl: Duration::ZERO };
        for kind in &self.record_types {
            match self.resolver.lookup(name.clone(), *kind).await {
                Ok(found) => match addresses(&found) {
                    resolution @ Resolution::Addresses { .. } => return Ok(resolution),
                    resolution => nothing = resolution,
                },
                Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                    response_code,
                    negative_ttl,
                    ..
                }))) => {
                    let ttl = Duration::from_secs(negative_ttl.unwrap_or(0).into());
                    if response_code == ResponseCode::NXDomain {
                        return Ok(Resolution::None { why: "there is no such name (NXDOMAIN)", ttl });
                    }
                    nothing = Resolution::None { why: NO_ADDRESS, ttl };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(nothing)
    }
}

const NO_ADDRESS: &str = "it has no address";

/// The addresses in a reply. Their TTL is the lowest of all records, including aliases.
fn addresses(found: &Lookup) -> Resolution {
    let seconds = found.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
    let ttl = Duration::from_secs(seconds.into());
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.answers().iter().filter_map(|record| record.data.ip_addr()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.is_empty() {
        true => Resolution::None { why: NO_ADDRESS, ttl },
        false => Resolution::Addresses { addresses, ttl },
    }
}

impl From<NetError> for ResolveError {
    fn from(error: NetError) -> Self {
        let blame = match &error {
            NetError::Io(error) if Blame::from_io_error(error) == Blame::Machine => Blame::Machine,
            _ => Blame::NameServers,
        };
        let why = match error {
            NetError::Timeout => "no name server answered in time".to_owned(),
            NetError::Dns(DnsError::ResponseCode(code)) => {
                format!("its name servers failed ({})", code.to_str())
            }
            error => error.to_string(),
        };
        Self { why, blame }
    }
}

/// The name servers to query, and the system's options. A system without configured ones runs a name server itself
/// (resolv.conf(5)).
fn servers(config: &FetchConfig) -> (Vec<NameServerConfig>, ResolverOpts) {
    if !config.nameservers.is_empty() {
        return (config.nameservers.iter().map(server).collect(), ResolverOpts::default());
    }
    match system_conf::read_system_conf() {
        Ok((system, options)) => (system.name_servers().to_vec(), options),
        Err(error) => {
            tracing::warn!(%error, "the system has no configured name server, so this machine is queried; see fetch.nameservers");
            (vec![server(&SocketAddr::from((Ipv4Addr::LOCALHOST, 53)))], ResolverOpts::default())
        }
    }
}

fn server(at: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    for connection in &mut server.connections {
        connection.port = at.port();
    }
    server
}
