//! Block lists: hosts and domains that the operator excludes from the crawl.

use std::path::Path;
use std::time::{Duration, Instant};

use backlinkd::policy::{BlockList, BlockListError};

fn read(bytes: &[u8]) -> Result<BlockList, BlockListError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    BlockList::read(file.path())
}

#[test]
fn a_name_blocks_itself_and_its_subdomains_and_a_star_only_subdomains() {
    let list = read(
        b"\xef\xbb\xbf# what we leave alone\r\nExample.com # asked us to\r\n\r\n  *.shop.test\nm\xc3\xbcller.example\n\
          xn--bcher-kva.test.\n192.0.2.7\n[2001:DB8:0::1]\n#org\n",
    )
    .unwrap();
    assert_eq!(list.len(), 6);
    for blocked in [
        "example.com",
        "www.example.com",
        "a.b.example.com",
        "a.shop.test",
        "a.b.shop.test",
        "xn--mller-kva.example",
        "xn--bcher-kva.test",
        "192.0.2.7",
        "[2001:db8::1]",
    ] {
        assert!(list.blocks(blocked), "{blocked}");
        let name = list.find_name(blocked).unwrap().to_string();
        assert!(blocked.ends_with(name.trim_start_matches('*')), "{blocked}: {name}");
    }
    for free in [
        "example.org",
        "com",
        "notexample.com",
        "example.com.test",
        "shop.test",
        "ashop.test",
        "192.0.2.70",
        "2.192.0.2",
        "[2001:db8::2]",
        "w3.org",
    ] {
        assert!(!list.blocks(free), "{free}");
    }
}

#[test]
fn a_bad_line_is_an_error_with_file_and_line() {
    for bad in [
        "http://example.com",
        "example.com/path",
        "example.com:8080",
        "me@example.com",
        "two words",
        "*",
        "*.",
        "a.*.com",
        "*example.com",
        ".example.com",
        "a..b",
        "example.com?x",
        "2001:db8::1",
    ] {
        let error = read(format!("# one\ngood.test\n{bad}\n").as_bytes()).unwrap_err().to_string();
        let named = format!("is \"{bad}\", which names no host");
        assert!(error.contains("line 3 of the block list") && error.contains(&named), "{bad}: {error}");
    }
    assert!(read(b"good.test\n\xff\xfe\n").unwrap_err().to_string().contains("line 2"));
    let error = BlockList::read(Path::new("/no/such/list")).unwrap_err().to_string();
    assert!(error.contains("/no/such/list") && error.contains("crawl.block_list"), "{error}");
}

#[test]
fn a_missing_and_an_empty_file_block_nothing() {
    for list in [BlockList::default(), BlockList::read(Path::new("")).unwrap(), read(b"").unwrap()] {
        assert!(list.is_empty() && !list.blocks("example.com"));
    }
}

#[test]
fn lookups_in_a_million_lines_are_cheap() {
    let text: String = (0..1_000_000).map(|n| format!("host{n}.example{}.test\n", n % 1_000)).collect();
    let list = read(text.as_bytes()).unwrap();
    assert_eq!(list.len(), 1_000_000);
    let start = Instant::now();
    let blocked =
        (0..200_000).filter(|n| list.blocks(&format!("www.host{n}.example{}.test", n % 2_000))).count();
    assert_eq!(blocked, 100_000);
    // A scan of the list for each lookup would take minutes; the limit allows for a loaded machine.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
