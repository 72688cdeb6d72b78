//! Names to addresses: asks name servers, and says how long their answers hold.
//!
//! In goes a host name, out come its addresses, the word that it has none, or why nobody could tell (RFC 1034,
//! RFC 2308). A stub resolver: the name servers of `fetch.nameservers` or of the system do the walking; names in
//! `/etc/hosts` are taken from there. A name is always asked for as it stands, without the system's search list:
//! a link means the same on every machine.
//!
//! Nothing is remembered here; that is the address book's.

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

/// Tries after the first, each with an equal share of the patience there is.
const RETRIES: u32 = 2;

/// Asks name servers for addresses.
#[derive(Debug)]
pub struct Names {
    resolver: TokioResolver,
    /// What is asked for, in this order.
    kinds: Vec<RecordType>,
    /// Longest time that a name may take.
    patience: Duration,
}

/// What name servers say of a name. Both kinds of answers may be kept for the time they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// At least one.
    Addresses { addresses: Vec<IpAddr>, holds: Duration },
    /// Why there is none.
    Nothing { why: &'static str, holds: Duration },
}

/// That nothing was learned of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// In words.
    pub why: String,
    pub blame: Blame,
}

impl Names {
    /// # Errors
    /// A sentence, when the resolver cannot be set up.
    pub fn new(config: &FetchConfig) -> Result<Self, String> {
        let (servers, system) = servers(config);
        let patience = config.connect_timeout.0;
        let mut builder = TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            TokioRuntimeProvider::default(),
        )
        .with_options(system);
        let options = builder.options_mut();
        options.timeout = options.timeout.min(patience / (RETRIES + 1));
        options.attempts = RETRIES as usize;
        options.num_concurrent_reqs = 1;
        options.cache_size = 0;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        let kinds = config.ip_versions.iter().map(|version| match version {
            6 => RecordType::AAAA,
            _ => RecordType::A,
        });
        Ok(Self { resolver, kinds: kinds.collect(), patience })
    }

    /// Asks for a name, one kind of address after the other until there is one.
    ///
    /// # Errors
    /// Why name servers gave no answer to go by.
    pub async fn look_up(&self, host: &str) -> Result<Told, NoAnswer> {
        let asked = tokio::time::timeout(self.patience, self.ask(host)).await;
        asked.unwrap_or_else(|_| Err(NoAnswer::from(NetError::Timeout)))
    }

    async fn ask(&self, host: &str) -> Result<Told, NoAnswer> {
        let Ok(mut name) = Name::from_ascii(host) else {
            return Ok(Told::Nothing { why: "it is no name", holds: Duration::MAX });
        };
        name.set_fqdn(true);
        let mut nothing = Told::Nothing { why: "no kind of address is asked for", holds: Duration::ZERO };
        for kind in &self.kinds {
            match self.resolver.lookup(name.clone(), *kind).await {
                Ok(found) => match addresses(&found) {
                    told @ Told::Addresses { .. } => return Ok(told),
                    told => nothing = told,
                },
                Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                    response_code,
                    negative_ttl,
                    ..
                }))) => {
                    let holds = Duration::from_secs(negative_ttl.unwrap_or(0).into());
                    if response_code == ResponseCode::NXDomain {
                        return Ok(Told::Nothing { why: "there is no such name (NXDOMAIN)", holds });
                    }
                    nothing = Told::Nothing { why: NO_ADDRESS, holds };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(nothing)
    }
}

const NO_ADDRESS: &str = "it has no address";

/// The addresses of an answer. It holds as long as the shortest-lived of its records, an alias being one too.
fn addresses(found: &Lookup) -> Told {
    let seconds = found.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
    let holds = Duration::from_secs(seconds.into());
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.answers().iter().filter_map(|record| record.data.ip_addr()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.is_empty() {
        true => Told::Nothing { why: NO_ADDRESS, holds },
        false => Told::Addresses { addresses, holds },
    }
}

impl From<NetError> for NoAnswer {
    fn from(error: NetError) -> Self {
        let blame = match &error {
            NetError::Io(error) if Blame::of(error) == Blame::Machine => Blame::Machine,
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

/// The name servers to ask, and the system's options for asking them. A system that names none has one of its own
/// (resolv.conf(5)).
fn servers(config: &FetchConfig) -> (Vec<NameServerConfig>, ResolverOpts) {
    if !config.nameservers.is_empty() {
        return (config.nameservers.iter().map(server).collect(), ResolverOpts::default());
    }
    match system_conf::read_system_conf() {
        Ok((system, options)) => (system.name_servers().to_vec(), options),
        Err(error) => {
            tracing::warn!(%error, "the system names no name server, so this machine is asked; see fetch.nameservers");
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
