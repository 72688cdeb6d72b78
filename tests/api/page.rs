//! The page at `/` and its assets.

use std::path::{Path, PathBuf};

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::ApiConfig;
use sha2::{Digest, Sha256};

use super::client::Reply;
use super::server::Server;
use super::web::random;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")
}

fn assert_protected(reply: &Reply) {
    assert_eq!(reply.header("content-security-policy"), Some(POLICY));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn browsers_get_the_page_and_programs_get_json() {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("user", &hash_password("secret").unwrap()).unwrap();
    // The page holds no data, so it needs no credentials.
    let index = std::fs::read(folder().join("dist/index.html")).unwrap();
    for target in ["/", "/?url=example.com&view=backlinks"] {
        let page = server.client.send("GET", target, &[BROWSER], b"");
        assert_eq!((page.status, &page.body), (200, &index));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert!(page.header("vary").unwrap().contains("Accept"), "{page:?}");
        assert_protected(&page);
        let tag = page.header("etag").unwrap();
        let again = server.client.send("GET", target, &[BROWSER, &format!("If-None-Match: {tag}")], b"");
        assert_eq!(again.status, 304);
        assert_protected(&again);
    }
    assert_eq!(server.client.get("/").status, 401);
    assert_eq!(server.client.send("GET", "/sr?url=a.example", &[BROWSER], b"").status, 401);
    let open = Server::start(&[]);
    let json = open.client.get("/");
    assert_eq!((json.status, json.header("vary")), (200, Some("Accept-Encoding, Accept")));
    assert_eq!(json.json()["name"], "backlinkd");
    // All other paths answer browsers in JSON.
    assert_eq!(open.client.send("GET", "/sr?url=a.example", &[BROWSER], b"").json()["status"], 200);
}

#[test]
fn every_file_of_the_folder_is_an_asset() {
    let server = Server::start(&[]);
    let mut files = 0;
    for entry in std::fs::read_dir(folder().join("dist")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let target = format!("/ui/{name}");
        let reply = server.client.get(&target);
        if name == "sources.sha256" {
            assert_eq!(reply.status, 404);
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        assert_eq!((reply.status, &reply.body), (200, &content), "{name}");
        assert_protected(&reply);
        let is_kept = reply.header("cache-control").unwrap().ends_with("immutable");
        assert_eq!(is_kept, name.contains('-'), "{name}");
        for coding in ["gzip", "zstd"] {
            let packed = server.client.send("GET", &target, &[&format!("Accept-Encoding: {coding}")], b"");
            assert_eq!(packed.decoded(), content, "{name}");
            assert!(packed.body.len() <= content.len());
        }
        let head = server.client.send("HEAD", &target, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0));
        files += 1;
    }
    assert!(files > 0);
    for target in ["/ui/", "/ui/nothing.js", "/ui/../index.html", "/ui/%2e%2e/Cargo.toml"] {
        assert_eq!(server.client.get(target).status, 404, "{target}");
    }
}

#[test]
fn every_answer_forbids_to_guess_its_type() {
    let server = Server::start(&random(5, 20));
    for target in ["/", "/health", "/metrics", "/nothing", "/sr", "/backlinks?url=example.com&format=csv"] {
        let reply = server.client.get(target);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{target}");
    }
}

/// No parameter leads a browser elsewhere.
#[test]
fn nothing_redirects() {
    let server = Server::start(&[]);
    for target in
        ["/?url=//evil.example", "/session?next=//evil.example", "//evil.example/", "/ui//evil.example/"]
    {
        for headers in [&[][..], &[BROWSER]] {
            let reply = server.client.send("GET", target, headers, b"");
            assert!(reply.header("location").is_none() && !(300..304).contains(&reply.status), "{target}");
        }
    }
}

/// The paths of the sources below a folder, without what is built.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        match path.is_dir() {
            true if name == "dist" || name == "node_modules" => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// Writes bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_built_files_belong_to_the_sources() {
    let mut paths = Vec::new();
    sources(&folder(), &mut paths);
    let mut names: Vec<String> =
        paths.iter().map(|path| path.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let lines: String = names
        .iter()
        .map(|name| {
            let content = std::fs::read(folder().join(name)).unwrap();
            format!("{}  {name}\n", hex(&Sha256::digest(content)))
        })
        .collect();
    let built = std::fs::read_to_string(folder().join("dist/sources.sha256")).unwrap();
    assert_eq!(hex(&Sha256::digest(lines)), built.trim(), "run `make web`, and commit src/web/dist");
}
