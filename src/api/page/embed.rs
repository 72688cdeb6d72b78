//! The build script: writes the list of the page's assets, the files in `src/web/dist`, as Rust source. So the list is
//! never out of date, and a build needs neither node nor a crate for it.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

const FOLDER: &str = "src/web/dist";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(FOLDER);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // The hash of the sources is for a test alone.
        if path.is_file() && path.extension().is_none_or(|extension| extension != "sha256") {
            files.push((name, path));
        }
    }
    files.sort();
    let mut list = "&[\n".to_owned();
    for (name, path) in files {
        writeln!(list, "    ({name:?}, include_bytes!({:?}).as_slice()),", path.display().to_string())?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("assets.rs"), list)?;
    writeln!(io::stdout(), "cargo::rerun-if-changed={FOLDER}")?;
    Ok(())
}
