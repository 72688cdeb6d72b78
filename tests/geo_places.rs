//! Places by address: compared with another reader's results, and with broken databases.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use backlinkd::config::GeoConfig;
use backlinkd::geo::{Geo, PlaceSchema};
use backlinkd::model::Place;

use crate::support::shared;

fn open(database: &Path, language: &str) -> Geo {
    Geo::open(&GeoConfig { database: database.to_owned(), language: language.to_owned() }).unwrap()
}

fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/geo").join(name)
}

fn place(geo: &Geo, address: &str) -> [String; 3] {
    let Place { ccode, country, city } = geo.place(address.parse().unwrap());
    [ccode, country, city]
}

#[test]
fn places_are_named_in_the_configured_language_or_in_english() {
    let database = own("GeoLite2-City-Test.mmdb");
    for (language, expected) in [
        ("en", ["SE", "Sweden", "Linköping"]),
        ("de", ["SE", "Schweden", "Linköping"]),
        ("ja", ["SE", "スウェーデン王国", "リンシェーピング"]),
        ("xx", ["SE", "Sweden", "Linköping"]),
    ] {
        assert_eq!(place(&open(&database, language), "89.160.20.112"), expected, "{language}");
    }
    let geo = open(&database, "en");
    assert_eq!(place(&geo, "::ffff:89.160.20.112"), ["SE", "Sweden", "Linköping"]);
    assert_eq!(place(&geo, "127.0.0.1"), ["", "", ""]);
}

#[test]
fn a_country_database_knows_no_cities() {
    let geo = open(&own("GeoLite2-Country-Test.mmdb"), "en");
    assert_eq!(place(&geo, "89.160.20.112"), ["SE", "Sweden", ""]);
}

/// The records are those of tests/data/geo/make_flat.py, as Python's maxminddb reads them.
#[test]
fn flat_records_are_places_too() {
    for (database, sweden, japan, six) in [
        ("flat-names.mmdb", ["SE", "Sweden", ""], ["JP", "Japan", ""], ["NO", "Norway", ""]),
        ("flat-codes.mmdb", ["SE", "", "Linköping"], ["JP", "Japan", "Kyoto"], ["NO", "", ""]),
        ("flat-city.mmdb", ["SE", "", "Linköping"], ["JP", "", "Kyoto"], ["NO", "", ""]),
        ("networks-only.mmdb", ["", "", ""], ["", "", ""], ["", "", ""]),
    ] {
        let geo = open(&own(database), "de");
        for (address, expected) in [
            ("198.51.100.127", sweden),
            ("203.0.113.0", japan),
            ("::ffff:203.0.113.255", japan),
            ("2001:db8:1::5", six),
            ("198.51.100.128", ["", "", ""]),
            ("2001:db8:2::", ["", "", ""]),
        ] {
            assert_eq!(place(&geo, address), expected, "{database} {address}");
        }
    }
}

#[test]
fn the_schema_is_read_from_the_records() {
    let numbers = ["autonomous_system_number", "autonomous_system_organization"].map(str::to_owned).to_vec();
    for (database, kind, schema) in [
        ("GeoLite2-City-Test.mmdb", "GeoLite2-City", PlaceSchema::Cities),
        ("GeoLite2-Country-Test.mmdb", "GeoLite2-Country", PlaceSchema::Countries),
        ("flat-names.mmdb", "ipinfo bundle_location_lite.mmdb", PlaceSchema::Countries),
        ("flat-codes.mmdb", "ipinfo standard_location.mmdb", PlaceSchema::Cities),
        ("flat-city.mmdb", "dbip-city", PlaceSchema::Cities),
        ("networks-only.mmdb", "Example-ASN", PlaceSchema::Unknown(numbers)),
    ] {
        let summary = open(&own(database), "en").summary().unwrap().unwrap();
        assert_eq!((summary.kind.as_str(), &summary.schema), (kind, &schema), "{database}");
        assert!(summary.built.is_some());
    }
    assert_eq!(Geo::open(&GeoConfig::default()).unwrap().summary().unwrap(), None);
}

#[test]
fn without_a_database_every_place_is_unknown() {
    let geo = Geo::open(&GeoConfig::default()).unwrap();
    assert!(!geo.knows_places());
    assert_eq!(geo.place("89.160.20.112".parse().unwrap()), Place::default());
    assert!(open(&own("GeoLite2-City-Test.mmdb"), "en").knows_places());
    let absent = GeoConfig { database: own("absent.mmdb"), ..GeoConfig::default() };
    let message = Geo::open(&absent).unwrap_err().to_string();
    assert!(message.contains("absent.mmdb") && message.contains("geo.database"), "{message}");
}

#[test]
fn another_reader_returns_the_same_places() {
    let Some(expected) = shared("geo/expected_city.tsv") else { return };
    let folder = expected.parent().unwrap().to_owned();
    let (mut compared, mut named) = (0, 0);
    for database in ["GeoIP2-City-Test", "GeoLite2-City-Test"] {
        let geo = open(&folder.join(format!("{database}.mmdb")), "en");
        for row in std::fs::read_to_string(&expected).unwrap().lines() {
            let columns: Vec<&str> = row.split('\t').collect();
            let &[of, address, _, _, ccode, country, city] = columns.as_slice() else { panic!("{row}") };
            if of == database {
                assert_eq!(place(&geo, address), [ccode, country, city], "{database} {address}");
                compared += 1;
                named += usize::from(!city.is_empty());
            }
        }
    }
    assert_eq!(compared, 972);
    assert!(named > 10, "{named}");
}

#[test]
fn a_broken_database_is_an_error_or_has_no_places() {
    let mut files = vec![own("cyclic-data-structure.mmdb"), own("libmaxminddb-deep-nesting.mmdb")];
    if let Some(folder) = shared("geo/bad") {
        files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 21);
    }
    let addresses =
        ["0.0.0.0", "1.1.1.1", "1.128.0.0", "89.160.20.112", "255.255.255.255", "::", "2a02:d300::"];
    let mut refused = 0;
    for file in files {
        let config = GeoConfig { database: file.clone(), ..GeoConfig::default() };
        match Geo::open(&config) {
            Err(_) => refused += 1,
            Ok(geo) => {
                for address in addresses {
                    let address: IpAddr = address.parse().unwrap();
                    assert_eq!(geo.place(address), Place::default(), "{} {address}", file.display());
                }
            }
        }
    }
    assert!(refused > 0);
}
