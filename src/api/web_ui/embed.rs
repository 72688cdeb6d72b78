//! The build script of the package (`build` in Cargo.toml). It writes the list of the web page's assets as Rust source:
//! the files in `src/web/dist`, and the help, which it renders from Markdown (`manual.rs`). So the list is never out of
//! date, and a build needs no node.

mod manual;

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

const FOLDER: &str = "src/web/dist";

fn main() -> Result<(), Box<dyn Error>> {
    let (root, out) = (env::var("CARGO_MANIFEST_DIR")?, env::var("OUT_DIR")?);
    let (root, out) = (Path::new(&root), Path::new(&out));
    let folder = root.join(FOLDER);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // The hash of the sources is for a test alone.
        if path.is_file() && path.extension().is_none_or(|extension| extension != "sha256") {
            files.push(name);
        }
    }
    files.sort();
    let mut list = "&[\n".to_owned();
    // The compiler resolves the folder of the package: two checkouts that share a target directory share this list.
    for name in files {
        let path = format!("/{FOLDER}/{name}");
        writeln!(
            list,
            "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?})).as_slice()),"
        )?;
    }
    for (name, content) in manual::render_help(root)? {
        fs::write(out.join(&name), content)?;
        let path = format!("/{name}");
        writeln!(list, "    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), {path:?})).as_slice()),")?;
    }
    list.push_str("]\n");
    fs::write(out.join("assets.rs"), list)?;
    for source in manual::SOURCES.into_iter().chain([FOLDER]) {
        writeln!(io::stdout(), "cargo::rerun-if-changed={source}")?;
    }
    Ok(())
}
