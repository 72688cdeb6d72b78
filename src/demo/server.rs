//! Serves the demo's web: HTTP/1.1 on loopback addresses, with a free port on each.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, LOCATION};
use http::{Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::web::{DemoPage, Host, NofollowIn, Web};
use super::{DemoError, html};

/// The running servers. They stop when this is dropped.
pub(super) struct DemoServers {
    /// The socket address for each loopback address.
    listening: BTreeMap<Ipv4Addr, SocketAddr>,
    _servers: JoinSet<()>,
}

impl DemoServers {
    /// Starts to serve; must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`DemoError::Web`] when an address is not available.
    pub(super) async fn start(web: &Arc<Web>) -> Result<Self, DemoError> {
        let (mut listening, mut servers) = (BTreeMap::new(), JoinSet::new());
        for address in web.hosts.iter().map(|host| host.address) {
            if listening.contains_key(&address) {
                continue;
            }
            let wrong = |cause| DemoError::Web { address, cause };
            let listener = TcpListener::bind((address, 0)).await.map_err(wrong)?;
            listening.insert(address, listener.local_addr().map_err(wrong)?);
            servers.spawn(accept(listener, Arc::clone(web)));
        }
        Ok(Self { listening, _servers: servers })
    }

    /// The lines of a `fetch.host_overrides` file for this web, which has no https.
    pub(super) fn overrides(&self, web: &Web) -> String {
        let placed = web.hosts.iter().filter_map(|host| Some((host, self.listening.get(&host.address)?)));
        placed.map(|(host, at)| format!("{}\t{at}\t{at}\n", host.name)).collect()
    }
}

async fn accept(listener: TcpListener, web: Arc<Web>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve_connection(stream, Arc::clone(&web)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, web: Arc<Web>) {
    let service = service_fn(|request| {
        let response = respond(&web, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the demo's web broke off");
    }
}

fn respond<B>(web: &Web, request: &Request<B>) -> Response<Full<Bytes>> {
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = named.split(':').next().unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Some(host) = web.host(name) else { return response(404, &[], html::not_found()) };
    if path == "/robots.txt" {
        return response(200, &[(CONTENT_TYPE, "text/plain")], robots_txt(host));
    }
    match host.page(path) {
        Some(page) => page_response(web, host, page),
        None => response(404, &[(CONTENT_TYPE, HTML)], html::not_found()),
    }
}

const HTML: &str = "text/html; charset=utf-8";

fn page_response(web: &Web, host: &Host, page: &DemoPage) -> Response<Full<Bytes>> {
    if let Some(link) = page.redirect() {
        return response(page.status(), &[(LOCATION, &host.absolute(link.to))], String::new());
    }
    let mut headers = vec![(CONTENT_TYPE, HTML)];
    if page.nofollow == Some(NofollowIn::Header) {
        headers.push((HeaderName::from_static("x-robots-tag"), "nofollow"));
    }
    response(200, &headers, html::document(web, host, page))
}

fn robots_txt(host: &Host) -> String {
    match host.forbidden {
        Some(start) => format!("User-agent: *\nDisallow: {start}\n"),
        None => "User-agent: *\nDisallow:\n".to_owned(),
    }
}

/// A response. An invalid header would give an empty one with status 500, but the description has none.
fn response(status: u16, headers: &[(HeaderName, &str)], body: String) -> Response<Full<Bytes>> {
    let start = Response::builder().status(status);
    let with_headers = headers.iter().fold(start, |response, (name, value)| response.header(name, *value));
    with_headers.body(Full::from(body)).unwrap_or_else(|_| {
        let mut failed = Response::new(Full::default());
        *failed.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
