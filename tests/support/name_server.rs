//! A name server on loopback, for tests. It implements DNS over UDP itself (RFC 1035), and counts its queries.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const AAAA: u16 = 28;

/// The response to one query.
#[derive(Clone, Debug)]
pub enum DnsReply {
    /// Addresses of the requested type, and their lifetime in seconds.
    Addresses(Vec<IpAddr>, u32),
    /// Another name and its addresses, and the lifetime of each of the two.
    Alias(&'static str, u32, Vec<IpAddr>, u32),
    /// Only another name, which the client must resolve.
    AliasAlone(&'static str, u32),
    /// No such name (3) or no such record (0), and the lifetime of this answer.
    Nothing(u8, u32),
    /// Only a response code: 2 is a failure of the server.
    Code(u8),
    Silence,
}

/// The responses for one name, by the number of earlier queries.
type Answering = Arc<dyn Fn(usize) -> DnsReply + Send + Sync>;

/// Stops when dropped.
pub struct NameServer {
    pub at: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
pub struct Zone(BTreeMap<&'static str, Answering>);

impl Zone {
    /// The responses for a name; `nth` counts the earlier queries of the same type, from 0.
    #[must_use]
    pub fn name(
        mut self,
        name: &'static str,
        answer: impl Fn(usize) -> DnsReply + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name, Arc::new(answer));
        self
    }

    pub async fn serve(self) -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<(String, u16)>>>::default();
        let log = asked.clone();
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let question = &buffer[..length];
                let (name, kind, end) = read_question(question);
                let nth = {
                    let mut log = log.lock().unwrap();
                    log.push((name.clone(), kind));
                    log.iter().filter(|known| **known == (name.clone(), kind)).count() - 1
                };
                let reply = self.0.get(name.as_str()).map_or(DnsReply::Nothing(3, 60), |answer| answer(nth));
                if let Some(reply) = write_reply(&question[..end], &name, kind, &reply) {
                    socket.send_to(&reply, from).await.unwrap();
                }
            }
        });
        NameServer { at, asked, task }
    }
}

impl NameServer {
    /// The number of queries for a name, by type of address: IPv4, IPv6.
    pub fn asked(&self, name: &str) -> (usize, usize) {
        let asked = self.asked.lock().unwrap();
        let count = |kind| asked.iter().filter(|(known, of)| known == name && *of == kind).count();
        (count(A), count(AAAA))
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The name (in lower case), the type of record, and the end of the question.
fn read_question(message: &[u8]) -> (String, u16, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).to_ascii_lowercase());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([message[at + 1], message[at + 2]]), at + 5)
}

fn write_reply(question: &[u8], name: &str, kind: u16, reply: &DnsReply) -> Option<Vec<u8>> {
    let address = |of: &str, ttl: u32, ip: &IpAddr| match (ip, kind) {
        (IpAddr::V4(ip), A) => Some(record(of, A, ttl, &ip.octets())),
        (IpAddr::V6(ip), AAAA) => Some(record(of, AAAA, ttl, &ip.octets())),
        _ => None,
    };
    let (mut code, mut answers, mut authority) = (0, Vec::new(), Vec::new());
    match reply {
        DnsReply::Silence => return None,
        DnsReply::Code(of) => code = *of,
        DnsReply::Nothing(of, ttl) => (code, authority) = (*of, vec![nothing(*ttl)]),
        DnsReply::Addresses(ips, ttl) => answers.extend(ips.iter().filter_map(|ip| address(name, *ttl, ip))),
        DnsReply::AliasAlone(target, ttl) => answers.push(record(name, CNAME, *ttl, &encode(target))),
        DnsReply::Alias(target, ttl, ips, below) => {
            answers.push(record(name, CNAME, *ttl, &encode(target)));
            answers.extend(ips.iter().filter_map(|ip| address(target, *below, ip)));
        }
    }
    if answers.is_empty() && authority.is_empty() && code == 0 {
        authority.push(nothing(60));
    }
    let mut message = vec![question[0], question[1], 0x81, 0x80 | code];
    for count in [1, answers.len(), authority.len(), 0] {
        message.extend_from_slice(&u16::try_from(count).unwrap().to_be_bytes());
    }
    message.extend_from_slice(&question[12..]);
    message.extend(answers.concat());
    message.extend(authority.concat());
    Some(message)
}

/// The record by which a zone gives the lifetime of a negative answer (RFC 2308).
fn nothing(ttl: u32) -> Vec<u8> {
    let mut data = [encode("ns.test"), encode("admin.test")].concat();
    for number in [1, 3600, 600, 86_400, ttl] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    record("test", SOA, ttl, &data)
}

fn record(name: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = encode(name);
    record.extend_from_slice(&kind.to_be_bytes());
    record.extend_from_slice(&1u16.to_be_bytes());
    record.extend_from_slice(&ttl.to_be_bytes());
    record.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend_from_slice(data);
    record
}

fn encode(name: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    for label in name.split('.') {
        encoded.push(u8::try_from(label.len()).unwrap());
        encoded.extend_from_slice(label.as_bytes());
    }
    encoded.push(0);
    encoded
}
