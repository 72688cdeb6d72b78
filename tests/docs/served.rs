//! The help as the program serves it: every page, rendered from its file.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;

use super::prose::files;
use super::root;
use crate::cli::process::get;

/// Head and body of an asset.
fn asset(address: SocketAddr, name: &str) -> (String, String) {
    let (status, answer) = get(address, &format!("/ui/{name}"), None);
    assert_eq!(status, 200, "{name}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// The name of a page in the web page.
fn name_of(file: &str) -> &str {
    if file == "README.md" { "contents" } else { file.strip_suffix(".md").unwrap() }
}

pub fn check(address: SocketAddr) {
    let index: Value = serde_json::from_str(&asset(address, "help.json").1).unwrap();
    let pages = index["pages"].as_array().unwrap();
    let known: BTreeSet<&str> = pages.iter().map(|page| page["name"].as_str().unwrap()).collect();
    assert_eq!(known.len(), pages.len(), "{known:?}");
    assert!(known.contains("reference/config") && known.contains("reference/api"), "{known:?}");
    for page in pages {
        let name = page["name"].as_str().unwrap();
        let (head, body) = asset(address, page["file"].as_str().unwrap());
        assert!(head.contains("text/html") && head.contains("immutable"), "{name}: {head}");
        assert!(body.starts_with(&format!("<h1>{}</h1>", page["title"].as_str().unwrap())), "{name}");
        // The policy of the page would refuse these, and no page needs them.
        for refused in ["script", "!--", "img", "style"] {
            assert!(!tags(&body).any(|tag| tag.starts_with(refused)), "{name} has <{refused}");
        }
        assert!(!tags(&body).any(|tag| tag.contains(" style=") || tag.contains(" on")), "{name}");
    }
    for file in files() {
        let page = pages.iter().find(|page| page["name"] == name_of(&file));
        let page = page.unwrap_or_else(|| panic!("src/docs/README.md does not link to {file}"));
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        assert_eq!(text.lines().next(), Some(&*format!("# {}", page["title"].as_str().unwrap())), "{file}");
        let body = asset(address, page["file"].as_str().unwrap()).1;
        assert_eq!(body.matches("<pre ").count(), text.matches("```").count() / 2, "{file}");
        assert_eq!(body.matches("<table").count(), tables(&text), "{file}");
    }
}

fn tables(text: &str) -> usize {
    text.lines().filter(|line| line.trim_start().starts_with("|---")).count()
}

/// The tags of a text in HTML.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next())
}
