//! Support code that several tests share.

pub mod certificates;
pub mod dice;
pub mod fake_web;
pub mod made_web;
pub mod name_server;
pub mod python;
pub mod served_web;
pub mod test_web;
pub mod true_links;
pub mod visitor;

use std::path::PathBuf;

use backlinkd::store::StoreError;

/// A file of the shared test data, which is next to a checkout (`../shared/data`). `None`, with a message, if it is
/// absent: the calling test is skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!(
        "SKIPPED: {} is absent; put the shared test data beside the checkout to run this test",
        file.display()
    );
    None
}

/// A scan of the store that is never cancelled.
pub fn go_on() -> Result<(), StoreError> {
    Ok(())
}
