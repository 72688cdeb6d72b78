#!/usr/bin/env python3
"""Writes the databases with flat records: made-up places in the formats of IPinfo and ip-location-db.

Needs mmdb_writer and netaddr from PyPI. The same input gives the same places, but another build date.
"""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

FOLDER = Path(__file__).parent
SWEDEN, JAPAN, SIX = "198.51.100.0/25", "203.0.113.0/24", "2001:db8:1::/48"

DATABASES = {
    # Country names beside codes, no cities.
    "flat-names.mmdb": ("ipinfo bundle_location_lite.mmdb", {
        SWEDEN: {"asn": "AS64500", "as_name": "Example", "continent": "Europe", "continent_code": "EU",
                 "country": "Sweden", "country_code": "SE"},
        JAPAN: {"asn": "AS64501", "as_name": "Example", "continent": "Asia", "continent_code": "AS",
                "country": "Japan", "country_code": "JP"},
        SIX: {"asn": "AS64502", "continent": "Europe", "continent_code": "EU", "country": "Norway",
              "country_code": "NO"},
    }),
    # `country` is a code, and coordinates are texts.
    "flat-codes.mmdb": ("ipinfo standard_location.mmdb", {
        SWEDEN: {"city": "Linköping", "country": "SE", "lat": "58.41", "lng": "15.62", "region": "Östergötland",
                 "timezone": "Europe/Stockholm"},
        JAPAN: {"city": "Kyoto", "country": "jp", "country_name": "Japan", "lat": "35.02", "lng": "135.75"},
        SIX: {"city": "", "country": "NO", "lat": "0", "lng": "0"},
    }),
    # Codes and cities, coordinates are numbers.
    "flat-city.mmdb": ("dbip-city", {
        SWEDEN: {"city": "Linköping", "country_code": "SE", "latitude": 58.41, "longitude": 15.62, "postcode": "",
                 "state1": "Östergötland", "state2": "", "timezone": ""},
        JAPAN: {"city": "Kyoto", "country_code": "JP", "latitude": 35.02, "longitude": 135.75},
        SIX: {"city": "", "country_code": "NO", "latitude": 0.0, "longitude": 0.0},
    }),
    # No places.
    "networks-only.mmdb": ("Example-ASN", {
        SWEDEN: {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"},
        JAPAN: {"autonomous_system_number": 64501, "autonomous_system_organization": "Example"},
    }),
}

for name, (kind, networks) in DATABASES.items():
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind, languages=["en"],
                        description="made-up places for tests", float_type="f64")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(FOLDER / name))
