//! The parameters of requests: their subject, and those that an endpoint requires.

use std::fmt::{self, Display, Formatter};

use backlinkd::api::{CRAWL_ENDPOINTS, ENDPOINTS, Parameter, ParameterKind};

use super::client::encode;

/// A URL, host or domain, interpreted by its form or by `scope`.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub url: &'a str,
    scope: Option<&'static str>,
}

impl<'a> About<'a> {
    /// The host, even where it is a registrable domain as well.
    pub fn host(url: &'a str) -> Self {
        Self { url, scope: Some("host") }
    }

    /// The URLs below a path.
    pub fn prefix(url: &'a str) -> Self {
        Self { url, scope: Some("prefix") }
    }

    /// The parameters `url` and, if necessary, `scope`.
    pub fn query(self) -> String {
        format!("url={}{}", encode(self.url), self.more())
    }

    /// `scope` alone, for use after other parameters.
    pub fn more(self) -> String {
        self.scope.map_or(String::new(), |scope| format!("&scope={scope}"))
    }
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for About<'a> {
    fn from(url: &'a T) -> Self {
        Self { url: url.as_ref(), scope: None }
    }
}

impl Display for About<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.url, self.more())
    }
}

/// Endpoints about the whole index. They take no `url`, and show the time of their state.
pub const OF_THE_INDEX: [&str; 3] = ["domains", "stats", "suggest"];

/// The parameters that an endpoint requires by its declaration, all with one URL. Empty for endpoints about the server
/// itself.
pub fn required(endpoint: &str, url: &str) -> String {
    let declared = ENDPOINTS.iter().chain(CRAWL_ENDPOINTS).find(|declared| declared.name == endpoint);
    let parameters = declared.into_iter().flat_map(|declared| declared.parameters());
    let required = parameters.filter(|parameter| parameter.required);
    required.map(|parameter| given(parameter, url)).collect::<Vec<_>>().join("&")
}

fn given(parameter: &Parameter, url: &str) -> String {
    let name = parameter.name;
    match parameter.kind {
        ParameterKind::Url => format!("{name}={url}"),
        ParameterKind::Urls | ParameterKind::Targets { .. } => format!("{name}={url}&{name}={url}"),
        ParameterKind::Day => format!("{name}=20240101"),
        ParameterKind::NamePrefix { .. } => format!("{name}={}", &url[..url.len().min(4)]),
        ParameterKind::Endpoints => format!("{name}=sr,backlinks,nothing"),
        _ => panic!("say what {name} is to be"),
    }
}
