#!/usr/bin/env python3
"""Reads Parquet and Arrow of every list with pyarrow, pandas, polars and DuckDB, and compares them with JSON lines.

    check.py BASE TOKEN OPEN SITE ENDPOINT?QUERY…

OPEN serves the same index without users, for polars, which sends no credentials. SITE is a domain whose counts are
recomputed from the tables. Prints a line for each check that is skipped.
"""

import datetime
import io
import json
import pathlib
import re
import sys
import tempfile
import urllib.request

import duckdb
import duckdb_extension_httpfs
import pandas
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

BASE, TOKEN, OPEN, SITE, *TARGETS = sys.argv[1:]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def get(target, method="GET", **headers):
    """The response to a request, and its body."""
    request = urllib.request.Request(BASE + target, headers=HEADERS | headers, method=method)
    with urllib.request.urlopen(request) as response:
        return response, response.read()


def connect():
    """DuckDB with the token and without the network."""
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    extension = next(pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"CREATE SECRET api (TYPE http, BEARER_TOKEN '{TOKEN}', SCOPE '{BASE}')")
    return connection


def day(text):
    number = f"{text:>08}"
    try:
        return datetime.date(int(number[:4]), int(number[4:6]), int(number[6:]))
    except ValueError:
        return None


def kinds(endpoint):
    """The kinds of the columns, as the OpenAPI document declares them."""
    operation = json.loads(get("/openapi.json")[1])["paths"][f"/{endpoint}"]["get"]
    return {column["name"]: column["kind"] for column in operation.get("x-columns", [])}


EXPORT_KINDS = {
    "nofollow": "flag", "active": "flag", "insDate": "day", "updDate": "day", "ip": "address", "sr": "rank",
    "blpcount": "number", "pos": "number", "sumL": "number", "http-code": "number",
}  # fmt: skip
TYPES = {
    "number": {pyarrow.int64(), pyarrow.float64()},
    "rank": {pyarrow.float64()},
    "flag": {pyarrow.bool_()},
    "day": {pyarrow.date32()},
    "text": {pyarrow.string()},
    "address": {pyarrow.string()},
}


def expected_cell(value, kind):
    if isinstance(value, list):
        return value
    if kind == "day":
        return day(value)
    if kind == "address":
        return value or None
    return value


def expected_rows(target):
    """The rows by JSON lines, with the types that tables have."""
    endpoint = target.split("?")[0].strip("/")
    declared = kinds(endpoint) or EXPORT_KINDS
    lines = get(f"{target}&format=jsonl")[1].decode().split("\n")
    rows = []
    for line in lines[:-1]:
        row = json.loads(line)
        row |= row.pop("info", {})
        rows.append({name: expected_cell(value, declared.get(name, "text")) for name, value in row.items()})
    return rows, declared


def check_schema(schema, declared, target):
    for field in schema:
        if pyarrow.types.is_list(field.type):
            assert field.name in ("extL", "intL") and "exportpages" in target, (target, field)
            continue
        kind = declared.get(field.name, "number" if field.name in ("extL", "intL") else "text")
        assert field.type in TYPES[kind], (target, field, kind)
        assert field.nullable == (kind in ("day", "address")), (target, field)
        assert field.metadata[b"description"], (target, field)
    about = schema.metadata
    assert about[b"backlinkd.request"].startswith(target.split("?")[0].encode()), about


def check_bytes(target):
    """Parquet and Arrow of a list, read by pyarrow; returns the table and the rows."""
    rows, declared = expected_rows(target)
    response, body = get(f"{target}&format=parquet", **{"Accept-Encoding": "gzip, zstd"})
    assert response.headers["Content-Type"] == "application/vnd.apache.parquet", target
    assert response.headers["Content-Encoding"] is None, target
    assert re.search(r'filename="[^"]*\.parquet"', response.headers["Content-Disposition"]), target
    parquet = pyarrow.parquet.read_table(io.BytesIO(body))
    response, body = get(f"{target}&format=arrow")
    assert response.headers["Content-Type"] == "application/vnd.apache.arrow.stream", target
    assert re.search(r'filename="[^"]*\.arrows"', response.headers["Content-Disposition"]), target
    arrow = pyarrow.ipc.open_stream(body).read_all()
    for table in (parquet, arrow):
        check_schema(table.schema, declared, target)
        found = table.to_pylist()
        differing = next(((one, other) for one, other in zip(found, rows, strict=False) if one != other), None)
        assert found == rows, (target, len(found), len(rows), differing)
    header = response.headers["Backlinkd-As-Of"]
    if header:
        time, change = header.split("; change=")
        about = arrow.schema.metadata
        assert (about[b"backlinkd.asOf"].decode(), about[b"backlinkd.change"].decode()) == (time, change)
    return parquet, rows


def check_pandas(target, table):
    frame = pandas.read_parquet(f"{BASE}{target}&format=parquet", storage_options=HEADERS)
    pandas.testing.assert_frame_equal(frame, table.to_pandas())


def check_polars(target, rows):
    """By ranges, from the address."""
    lazy = polars.scan_parquet(f"{OPEN}{target}&format=parquet")
    found = lazy.collect().to_dicts()
    assert found == rows, target


def check_duckdb(connection, target, rows):
    """By ranges, from the address."""
    result = connection.execute(f"SELECT * FROM read_parquet('{BASE}{target}&format=parquet')")
    names = [column[0] for column in result.description]
    found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    assert found == rows, target


def check_counts(connection):
    """Counts and groups of the tables are the figures of the API."""
    links = f"read_parquet('{BASE}/backlinks?url={SITE}&format=parquet')"
    export = f"read_parquet('{BASE}/exportbacklinks?url={SITE}&format=parquet')"
    figures = {endpoint: json.loads(get(f"/{endpoint}?url={SITE}&limit=10000")[1])["response"] for endpoint in
               ["anabacklinks", "domainpopularity", "tagtypes", "linkspread", "geolocationshort"]}  # fmt: skip
    backlinks = figures["anabacklinks"][0]["backlinks"]
    count = f"SELECT count(*) FROM {links}"
    assert connection.execute(count).fetchone()[0] == backlinks
    assert connection.execute(f"SELECT count(*) FROM {export} WHERE active").fetchone()[0] == backlinks
    by_tag = dict(connection.execute(f"SELECT tag, count(*) FROM {links} GROUP BY tag").fetchall())
    for row in figures["tagtypes"]:
        text = next(value for value in row.values() if isinstance(value, str))
        assert by_tag.get(text, 0) in row.values(), (row, by_tag)
    by_country = dict(connection.execute(f"SELECT ccode, count(*) FROM {links} GROUP BY ccode").fetchall())
    listed = {row["ccode"]: row["links"] for row in figures["geolocationshort"]}
    assert by_country == listed, (by_country, listed)
    domains = f"read_parquet('{BASE}/referringdomains?url={SITE}&format=parquet')"
    refdoms = connection.execute(f"SELECT count(*), sum(links) FROM {domains}").fetchone()
    assert refdoms == (next(iter(figures["domainpopularity"][0].values())), backlinks), refdoms
    frame = pandas.read_parquet(f"{BASE}/backlinks?url={SITE}&format=parquet", storage_options=HEADERS)
    assert frame.groupby("ccode").size().to_dict() == listed
    lazy = polars.scan_parquet(f"{OPEN}/backlinks?url={SITE}&format=parquet")
    assert dict(lazy.group_by("ccode").len().collect().iter_rows()) == listed
    check_spark(listed)


def check_spark(listed):
    try:
        import pyspark.sql
    except ImportError:
        print("SKIPPED: Spark needs the package pyspark and Java")
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(get(f"/backlinks?url={SITE}&format=parquet")[1])
        file.flush()
        spark = pyspark.sql.SparkSession.builder.master("local[1]").getOrCreate()
        rows = spark.read.parquet(file.name).groupBy("ccode").count().collect()
        spark.stop()
    assert {row["ccode"]: row["count"] for row in rows} == listed


connection = connect()
read = 0
for target in TARGETS:
    table, rows = check_bytes(target)
    check_pandas(target, table)
    check_polars(target, rows)
    check_duckdb(connection, target, rows)
    read += len(rows)
check_counts(connection)
print(f"{len(TARGETS)} tables with {read} rows")
