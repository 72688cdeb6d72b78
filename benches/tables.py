#!/usr/bin/env python3
"""How fast a list is read as Parquet, Arrow, CSV and JSON lines, and how fast DuckDB writes the same rows.

    benches/tables.py BACKLINKD DATA URL [--rounds N] [--endpoint NAME] [--format FORMAT…]

Serves the data directory on loopback, and downloads all rows of URL (a domain, host or URL) in each format, in turn.
The index of the scope is ready before. DuckDB has the rows in memory and writes them as Parquet with zstd on as many
threads. Prints the median of the rounds, the least and the largest: seconds until the last byte, seconds of processor
time of the program, bytes, and the peak memory of the program. Needs what `make python` installs.
"""

import argparse
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import duckdb  # noqa: E402
from page import served  # noqa: E402

FORMATS = ["parquet", "arrow", "csv", "jsonl"]


def processor_seconds(process):
    """User and system time of a process, in seconds."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_bytes(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def forget_peak(process):
    pathlib.Path(f"/proc/{process}/clear_refs").write_text("5")


def find_server(binary, data):
    """The process that serves the directory."""
    for status in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        words = status.read_bytes().split(b"\0") if status.exists() else []
        if words[:1] == [str(binary).encode()] and str(data).encode() in words:
            return int(status.parent.name)
    raise SystemExit("the server is gone")


def download(address, path):
    """Reads a response to its end; returns its bytes."""
    size = 0
    with urllib.request.urlopen(address) as response, open(path, "wb") as file:
        while piece := response.read(1 << 20):
            file.write(piece)
            size += len(piece)
    return size


def shown(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("data")
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--endpoint", default="exportbacklinks")
    parser.add_argument("--format", nargs="+", default=FORMATS)
    options = parser.parse_args()
    times, used, sizes, peaks = {}, {}, {}, {}
    with tempfile.TemporaryDirectory() as folder, served(options.binary, options.data) as address:
        process = find_server(options.binary, options.data)
        target = f"{address}/{options.endpoint}?url={options.url}"
        urllib.request.urlopen(f"{address}/backlinks?url={options.url}&limit=1&where=pos%20ge%200").read()
        for _ in range(options.rounds):
            for name in options.format:
                path = pathlib.Path(folder, f"rows.{name}")
                forget_peak(process)
                before, start = processor_seconds(process), time.monotonic()
                sizes[name] = download(f"{target}&format={name}", path)
                times.setdefault(name, []).append(time.monotonic() - start)
                used.setdefault(name, []).append(processor_seconds(process) - before)
                peaks.setdefault(name, []).append(peak_bytes(process) / 1e6)
            if "parquet" in options.format:
                write_with_duckdb(pathlib.Path(folder), times, used, sizes)
        rows = duckdb.sql(f"SELECT count(*) FROM '{folder}/rows.parquet'").fetchone()[0] if "parquet" in sizes else ""
    print(f"{rows} rows; seconds, processor seconds, MB, peak MB")
    for name in times:
        peak = f"{max(peaks[name]):.0f}" if name in peaks else "–"
        print(f"| {name} | {shown(times[name])} | {shown(used[name])} | {sizes[name] / 1e6:.1f} | {peak} |")


def write_with_duckdb(folder, times, used, sizes):
    """DuckDB writes the rows of the file that it read."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS SELECT * FROM '{folder}/rows.parquet'")
    for codec in ("zstd", "snappy"):
        name, path = f"DuckDB, {codec}", folder / f"duckdb-{codec}.parquet"
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet, COMPRESSION {codec})")
        after = resource.getrusage(resource.RUSAGE_SELF)
        times.setdefault(name, []).append(time.monotonic() - start)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        used.setdefault(name, []).append(spent)
        sizes[name] = path.stat().st_size


main()
