//! What is asked about, and what an endpoint cannot be asked without.

use std::fmt::{self, Display, Formatter};

use backlinkd::api::{ENDPOINTS, Parameter, Takes};

use super::client::encode;

/// A URL, host or domain, taken as it looks or as `scope` says.
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

    /// The parameters `url` and, if need be, `scope`.
    pub fn query(self) -> String {
        format!("url={}{}", encode(self.url), self.more())
    }

    /// `scope` alone, as it follows other parameters.
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

/// The parameters that an endpoint requires, as its declaration has them, all about one URL. Nothing for what tells
/// about the server itself.
pub fn required(endpoint: &str, url: &str) -> String {
    let declared = ENDPOINTS.iter().find(|declared| declared.name == endpoint);
    let parameters = declared.into_iter().flat_map(|declared| declared.parameters());
    let required = parameters.filter(|parameter| parameter.required);
    required.map(|parameter| given(parameter, url)).collect::<Vec<_>>().join("&")
}

fn given(parameter: &Parameter, url: &str) -> String {
    let name = parameter.name;
    match parameter.takes {
        Takes::Url => format!("{name}={url}"),
        Takes::Urls | Takes::Targets { .. } => format!("{name}={url}&{name}={url}"),
        Takes::Day => format!("{name}=20240101"),
        Takes::Endpoints => format!("{name}=sr,backlinks,nothing"),
        _ => panic!("say what {name} is to be"),
    }
}
