//! A small web on loopback, for tests. It implements HTTP/1.1 itself, so that it can also misbehave.
//!
//! ```ignore
//! let web = FakeWeb::new()
//!     .host("a.test", "127.1.0.1")
//!     .page("a.test", "/", Reply::html("<a href=/b>b</a>"))
//!     .page("a.test", "/b*", Reply::status(404))          // a * at the end: any rest
//!     .answer("a.test", "/c", |request| Reply::html(&request.path))
//!     .start().await;
//! let fetcher = Fetcher::new(&web.fetch_config());
//! ```
//!
//! A host is a name or `*.suffix`, at a loopback address (127.0.0.1 by default). Each address listens on its own port
//! for http and, after [`FakeWeb::with_tls`], on one for https. A missing page is a 404. All hosts have one
//! certificate, unless a host is given its own. Every request is logged with its duration.

mod certificates;
mod http1;
mod http2;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backlinkd::config::FetchConfig;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificates::Presented;
use http1::exchange;

/// One request as received.
#[derive(Clone, Debug)]
pub struct Request {
    pub host: String,
    /// With the query.
    pub path: String,
    /// Names in lower case, in the received order.
    pub headers: Vec<(String, String)>,
    /// The address that received it.
    pub at: SocketAddr,
    pub tls: bool,
    pub http2: bool,
    /// The number of its connection, from 0.
    pub connection: usize,
    pub start: Instant,
    /// The time at which the last byte of the response was written; `None` before that.
    pub end: Option<Instant>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The framing of a body.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    /// A length that need not be true; the connection is closed after the body.
    Claimed(usize),
    Chunked,
    Close,
}

/// The state of the connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It is closed properly, or kept open if the framing allows it.
    Orderly,
    /// It is closed without TLS's close_notify alert.
    Cut,
    /// It is reset.
    Reset,
    /// It stays open, and sends nothing more.
    Held,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
    wait: Duration,
    drip: Option<(usize, Duration)>,
    raw: Option<Vec<u8>>,
    /// Sent after the raw bytes repeatedly, until the client disconnects.
    endless: Option<Vec<u8>>,
    ending: Ending,
    /// Over HTTP/2, the stream is reset with this code instead of a response.
    http2_reset: Option<u32>,
}

impl Reply {
    /// A response without headers or body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            wait: Duration::ZERO,
            drip: None,
            raw: None,
            endless: None,
            ending: Ending::Orderly,
            http2_reset: None,
        }
    }

    pub fn html(body: &str) -> Self {
        Self::status(200).header("Content-Type", "text/html; charset=utf-8").body(body)
    }

    pub fn text(body: &str) -> Self {
        Self::status(200).header("Content-Type", "text/plain").body(body)
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("Location", location)
    }

    /// These bytes and nothing else; then the connection is closed.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { raw: Some(bytes.as_ref().to_vec()), ..Self::status(0) }
    }

    /// These bytes, and then this piece repeatedly until the client disconnects.
    pub fn endless(start: impl AsRef<[u8]>, piece: impl AsRef<[u8]>) -> Self {
        Self { endless: Some(piece.as_ref().to_vec()), ..Self::raw(start) }
    }

    /// The connection is reset instead of a response.
    pub fn reset() -> Self {
        Self::raw("").then_reset()
    }

    /// The connection is reset after the response.
    #[must_use]
    pub fn then_reset(self) -> Self {
        Self { ending: Ending::Reset, ..self }
    }

    /// The connection ends after the response; over TLS without a close_notify alert.
    #[must_use]
    pub fn then_cut(self) -> Self {
        Self { ending: Ending::Cut, ..self }
    }

    /// Over HTTP/2, the stream is reset with this code (RFC 9113, 7) instead of the response.
    #[must_use]
    pub fn resetting_http2(self, code: u32) -> Self {
        Self { http2_reset: Some(code), ..self }
    }

    /// The connection stays open after the response, and sends nothing more.
    #[must_use]
    pub fn then_held(self) -> Self {
        Self { ending: Ending::Held, ..self }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Declares this length, whatever the body's length is.
    #[must_use]
    pub fn claiming(mut self, length: usize) -> Self {
        self.framing = Framing::Claimed(length);
        self
    }

    /// Declares no length: the end of the connection is the end of the body.
    #[must_use]
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// Waits before the first byte.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sends the body in pieces with a delay after each.
    #[must_use]
    pub fn dripping(mut self, piece: usize, pause: Duration) -> Self {
        self.drip = Some((piece, pause));
        self
    }

    fn keeps_connection(&self) -> bool {
        self.raw.is_none() && matches!(self.framing, Framing::Length | Framing::Chunked)
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let framing = match self.framing {
            Framing::Length if matches!(self.status, 204 | 304) => String::new(),
            Framing::Length => format!("Content-Length: {}\r\n", self.body.len()),
            Framing::Claimed(length) => format!("Content-Length: {length}\r\n"),
            Framing::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
            Framing::Close => "Connection: close\r\n".to_owned(),
        };
        head.extend_from_slice(framing.as_bytes());
        head.extend_from_slice(b"\r\n");
        head
    }
}

type Answering = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// The definition of the web; and, once started, the running web. It stops when dropped.
pub struct FakeWeb {
    hosts: BTreeMap<String, Ipv4Addr>,
    site: Arc<Site>,
    tls: bool,
    http2: bool,
    http1_too: bool,
    tls12: bool,
    /// The port of every address; 0: each has its own.
    port: u16,
    folder: tempfile::TempDir,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Site {
    /// By host (or `*.suffix`) and path (or `start*`).
    answers: BTreeMap<(String, String), Answering>,
    log: Mutex<Vec<Request>>,
    connections: Mutex<usize>,
    open: AtomicUsize,
    /// Certificates of hosts that do not present the common one.
    presented: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl FakeWeb {
    pub fn new() -> Self {
        Self {
            hosts: BTreeMap::new(),
            site: Arc::default(),
            tls: false,
            http2: false,
            http1_too: false,
            tls12: false,
            port: 0,
            folder: tempfile::tempdir().unwrap(),
            tasks: Vec::new(),
        }
    }

    /// Places a host at a loopback address.
    #[must_use]
    pub fn host(mut self, host: &str, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().unwrap();
        assert!(address.is_loopback(), "tests stay on loopback");
        self.hosts.insert(host.to_owned(), address);
        self
    }

    /// Serves https too, with a certificate by an authority created for this run.
    #[must_use]
    pub fn with_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Uses HTTP/2 over TLS.
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        self.tls = true;
        self.http2 = true;
        self
    }

    /// Uses HTTP/2 over TLS, or HTTP/1.1 for a client that does not offer HTTP/2.
    #[must_use]
    pub fn with_http2_and_http1(mut self) -> Self {
        self.http1_too = true;
        self.with_http2()
    }

    /// Supports only TLS 1.2.
    #[must_use]
    pub fn with_tls12(mut self) -> Self {
        self.tls = true;
        self.tls12 = true;
        self
    }

    /// Makes every address listen on this port.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    #[must_use]
    pub fn page(self, host: &str, path: &str, reply: Reply) -> Self {
        self.answer(host, path, move |_| reply.clone())
    }

    #[must_use]
    pub fn answer(
        mut self,
        host: &str,
        path: &str,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.hosts.entry(host.to_owned()).or_insert(Ipv4Addr::LOCALHOST);
        let site = Arc::get_mut(&mut self.site).expect("the web is laid out before it is started");
        site.answers.insert((host.to_owned(), path.to_owned()), Arc::new(answer));
        self
    }

    /// Starts listening, and writes the overrides file and the authority's certificate.
    pub async fn start(mut self) -> Self {
        let acceptor = self.tls.then(|| self.certify());
        let mut overrides = String::new();
        let mut listening: BTreeMap<Ipv4Addr, [SocketAddr; 2]> = BTreeMap::new();
        for (host, address) in self.hosts.clone() {
            let [http, https] = match listening.get(&address) {
                Some(known) => *known,
                None => self.listen_both(address, acceptor.as_ref()).await,
            };
            listening.insert(address, [http, https]);
            overrides.push_str(&format!("{host}\t{http}\t{https}\n"));
        }
        std::fs::write(self.overrides(), overrides).unwrap();
        self
    }

    async fn listen_both(&mut self, address: Ipv4Addr, acceptor: Option<&TlsAcceptor>) -> [SocketAddr; 2] {
        let http = self.listen(address, None).await;
        match acceptor {
            Some(acceptor) => [http, self.listen(address, Some(acceptor.clone())).await],
            None => [http, http],
        }
    }

    async fn listen(&mut self, address: Ipv4Addr, acceptor: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind((address, self.port)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let site = self.site.clone();
        self.tasks.push(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (site, acceptor) = (site.clone(), acceptor.clone());
                tokio::spawn(async move {
                    site.open.fetch_add(1, Ordering::Relaxed);
                    serve(stream, at, site.clone(), acceptor).await;
                    site.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }));
        at
    }

    /// Makes a host present this in later handshakes.
    pub fn present(&self, host: &str, presented: &Presented) {
        self.site.presented.lock().unwrap().insert(host.to_owned(), presented.certified_key());
    }

    /// The file for `fetch.host_overrides`.
    pub fn overrides(&self) -> PathBuf {
        self.folder.path().join("overrides.tsv")
    }

    /// The file for `fetch.extra_ca`; it exists only with TLS.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A configuration that reaches this web and nothing else on loopback.
    pub fn fetch_config(&self) -> FetchConfig {
        FetchConfig {
            host_overrides: self.overrides(),
            extra_ca: if self.tls { self.ca() } else { PathBuf::new() },
            allow_private_addresses: vec!["127.0.0.0/8".parse().unwrap()],
            ..FetchConfig::default()
        }
    }

    /// Every request so far, in the received order.
    pub fn log(&self) -> Vec<Request> {
        self.site.log.lock().unwrap().clone()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        *self.site.connections.lock().unwrap()
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.site.open.load(Ordering::Relaxed)
    }
}

impl Drop for FakeWeb {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Site {
    /// Logs a request; returns its index in the log.
    fn record(&self, request: &Request) -> usize {
        let mut log = self.log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    }

    fn reply(&self, request: &Request) -> Reply {
        let suffix = request.host.split_once('.').map(|(_, suffix)| format!("*.{suffix}"));
        let path = request.path.as_str();
        [Some(request.host.clone()), suffix]
            .into_iter()
            .flatten()
            .find_map(|host| {
                let of_host = self.answers.iter().filter(|((known, _), _)| *known == host);
                of_host
                    .filter(|((_, known), _)| match known.strip_suffix('*') {
                        Some(start) => path.starts_with(start),
                        None => path == known,
                    })
                    .max_by_key(|((_, known), _)| (!known.ends_with('*'), known.len()))
            })
            .map_or_else(|| Reply::status(404), |(_, answer)| answer(request))
    }
}

async fn serve(stream: TcpStream, at: SocketAddr, site: Arc<Site>, acceptor: Option<TlsAcceptor>) {
    let connection = {
        let mut connections = site.connections.lock().unwrap();
        *connections += 1;
        *connections - 1
    };
    let _ = stream.set_nodelay(true);
    match acceptor {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return http2::serve(stream, at, connection, &site).await;
                }
                let mut stream = BufStream::new(stream);
                if answer_all(&mut stream, at, true, connection, &site).await == Ending::Orderly {
                    let _ = stream.shutdown().await;
                }
            }
        }
        None => {
            let mut stream = BufStream::new(stream);
            if answer_all(&mut stream, at, false, connection, &site).await == Ending::Reset {
                let _ = stream.get_ref().set_zero_linger();
            }
        }
    }
}

/// Responds to one request after the other; returns the way in which the connection ends.
async fn answer_all<S>(stream: &mut S, at: SocketAddr, tls: bool, connection: usize, site: &Site) -> Ending
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    loop {
        if let Some(ending) = exchange(stream, at, tls, connection, site).await {
            return ending;
        }
    }
}
