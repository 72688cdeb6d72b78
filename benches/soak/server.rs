//! Serves the generated web on loopback and records its responses, from which the judge computes the expected index.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use xxhash_rust::xxh3::xxh3_64;

use crate::world::{PageId, State, World, html};

/// One response in this number is a 503, until the web is frozen.
const FAILURES: u64 = 1_000;

/// Requests and responses, counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub requests: AtomicU64,
    pub pages: AtomicU64,
    pub not_modified: AtomicU64,
    pub redirects: AtomicU64,
    pub gone: AtomicU64,
    pub failures: AtomicU64,
    /// Requests for paths that robots.txt disallows.
    pub forbidden: AtomicU64,
    /// Requests before the end of the crawl delay, or while another was in progress.
    pub hasty: AtomicU64,
}

/// The responses that the crawler received for one page.
#[derive(Debug, Default)]
pub struct Told {
    /// Targets of the links of all versions that were served.
    pub targets: HashSet<String>,
    /// Time of the last request, after the start.
    pub asked: Duration,
}

/// The running web.
pub struct Server {
    world: World,
    start: Instant,
    /// The moment at which the web stopped changing.
    frozen: Mutex<Option<Duration>>,
    pub told: Mutex<HashMap<PageId, Told>>,
    pub counts: Counts,
    /// The crawl delay that is expected, and the end of the last response of each address.
    pause: Duration,
    last: Mutex<HashMap<Ipv4Addr, Instant>>,
}

impl Server {
    /// Listens for every host, and writes the overrides file by which the crawler resolves them.
    pub async fn start(world: World, pause: Duration, overrides: &Path) -> std::io::Result<Arc<Self>> {
        let server = Arc::new(Self {
            world,
            start: Instant::now(),
            frozen: Mutex::default(),
            told: Mutex::default(),
            counts: Counts::default(),
            pause,
            last: Mutex::default(),
        });
        let mut text = "*.outside.test\t127.0.0.1:1\t127.0.0.1:1\n".to_owned();
        let mut at = SocketAddr::from(([127, 0, 0, 1], 1));
        for host in 0..server.world.hosts {
            if host == 0 || !server.world.shares_address(host) {
                let ip = Ipv4Addr::new(127, 20 + (host / 200) as u8, (host % 200) as u8, 1);
                let listener = TcpListener::bind((ip, 0)).await?;
                at = listener.local_addr()?;
                tokio::spawn(Arc::clone(&server).listen(listener, ip));
            }
            let _ = writeln!(text, "{}\t{at}\t127.0.0.1:1", server.world.host_name(host));
        }
        std::fs::write(overrides, text)?;
        Ok(server)
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// The web's clock.
    pub fn now(&self) -> Duration {
        let frozen = *self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        frozen.unwrap_or_else(|| self.start.elapsed())
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Freezes the web: from now on nothing changes and nothing fails.
    pub fn freeze(&self) -> Duration {
        let now = self.start.elapsed();
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        now
    }

    async fn listen(self: Arc<Self>, listener: TcpListener, ip: Ipv4Addr) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let server = Arc::clone(&self);
            let service = service_fn(move |request| {
                let server = Arc::clone(&server);
                async move { Ok::<_, Infallible>(server.answer(ip, &request)) }
            });
            tokio::spawn(async move {
                let mut http = hyper::server::conn::http1::Builder::new();
                let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    fn answer(&self, ip: Ipv4Addr, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let came = Instant::now();
        let number = self.counts.requests.fetch_add(1, Relaxed);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(&ip).is_some_and(|&last| came < last + self.pause) {
            self.counts.hasty.fetch_add(1, Relaxed);
        }
        drop(last);
        let answer = self.compose(request, number).unwrap_or_else(|_| Response::new(Full::default()));
        last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(ip, Instant::now());
        answer
    }

    fn compose(&self, request: &Request<Incoming>, number: u64) -> http::Result<Response<Full<Bytes>>> {
        let path = request.uri().path();
        if path == "/robots.txt" {
            return Response::builder()
                .header(CONTENT_TYPE, "text/plain")
                .body(Full::from("User-agent: *\nDisallow: /private/\n"));
        }
        if path.starts_with("/private/") {
            self.counts.forbidden.fetch_add(1, Relaxed);
        }
        let name = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = name.split(':').next().unwrap_or_default();
        let Some(page) = self.world.host_of(name).and_then(|host| self.world.page_of(host, path)) else {
            return Response::builder().status(404).body(Full::default());
        };
        let frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !frozen && number % FAILURES == FAILURES - 1 {
            self.counts.failures.fetch_add(1, Relaxed);
            return Response::builder().status(503).header(RETRY_AFTER, "1").body(Full::default());
        }
        self.tell(page, request)
    }

    /// Responds with the page's state, and records the response.
    fn tell(&self, page: PageId, request: &Request<Incoming>) -> http::Result<Response<Full<Bytes>>> {
        let state = self.world.state(page, self.now());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.entry(page).or_default();
        told.asked = self.start.elapsed();
        match state {
            State::Gone { status } => {
                self.counts.gone.fetch_add(1, Relaxed);
                Response::builder().status(status).header(CONTENT_TYPE, "text/html").body(Full::from("gone"))
            }
            State::Redirect { status, target } => {
                self.counts.redirects.fetch_add(1, Relaxed);
                told.targets.insert(target.clone());
                Response::builder().status(status).header(LOCATION, target).body(Full::default())
            }
            State::Page { title, links } => {
                let body = html(&title, &links);
                let tag = format!("\"{:x}\"", xxh3_64(body.as_bytes()));
                // Every other host has validators.
                let validates = page.host.is_multiple_of(2);
                let known = request.headers().get(IF_NONE_MATCH);
                if validates && known.is_some_and(|known| known == tag.as_str()) {
                    self.counts.not_modified.fetch_add(1, Relaxed);
                    return Response::builder().status(304).header(ETAG, tag).body(Full::default());
                }
                self.counts.pages.fetch_add(1, Relaxed);
                told.targets.extend(links.into_iter().map(|link| link.target));
                let answer = Response::builder().header(CONTENT_TYPE, "text/html");
                let answer = if validates { answer.header(ETAG, tag) } else { answer };
                answer.body(Full::from(body))
            }
        }
    }
}
