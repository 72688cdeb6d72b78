#!/usr/bin/env python3
"""backlinkd, Scrapy and the `spider` crate crawl the same web from the same nginx, in turn, each extracting the same
links: tag, target, anchor text and rel. Prints Markdown tables.

    benches/peers/run.py BACKLINKD [--web DIR] [--work DIR] [--rounds N] [--only NAME,…] [--scheme https|http|both]

BACKLINKD is the program, built with optimisation. DIR of --web is the built test web (~/.cache/backlinkd/web), DIR
of --work the folder of downloads, builds and output (~/.cache/backlinkd/peers). CPU time and peak memory are those of
the crawler's process alone, as the kernel counts them (wait4). Of several rounds the one with the least CPU time counts.

Needs Linux with namespaces (root, or unprivileged user namespaces), nginx, iproute2, Python 3.10 and Rust. It downloads
Scrapy, the spider crate and their dependencies first. During the measurement no request can leave the machine.
"""

import argparse
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit


import closed_world

HERE = Path(__file__).resolve().parent
CACHE = Path.home() / ".cache/backlinkd"
AGENT = "benchbot"
PAGE_SIZES = range(32_000, 48_001)


@dataclass
class Run:
    """The work and the cost of one crawler. Requests, pages and errors are those of the server's log: a page is a URL
    with a response of 200 and HTML, counted once."""

    name: str
    requests: int
    pages: int
    again: int
    disallowed: int
    links: int
    bytes: int
    wall: float
    cpu: float
    peak: float
    output: str


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backlinkd", type=Path)
    parser.add_argument("--web", type=Path, default=CACHE / "web")
    parser.add_argument("--work", type=Path, default=CACHE / "peers")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", help="names of crawlers, with commas between: " + ", ".join(CRAWLERS))
    parser.add_argument("--scheme", choices=["https", "http", "both"], default="both")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.inside:
        python = prepare(options.work)
        os.execv(python, [str(python), *sys.argv, "--inside"])
    closed_world.leave_the_network()
    closed_world.NameServer(closed_world.hosts(options.web)).start()
    names = options.only.split(",") if options.only else list(CRAWLERS)
    for scheme in ["https", "http"] if options.scheme == "both" else [options.scheme]:
        nginx = closed_world.Nginx(options.web, options.work, tls=scheme == "https")
        try:
            compare(options, scheme, names, nginx)
            if scheme == "https" and "backlinkd" in names:
                one_size(options, nginx)
        finally:
            nginx.stop()


def prepare(work):
    """Downloads and builds the peers; returns the Python interpreter that has Scrapy."""
    python = work / "scrapy/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "scrapy"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "scrapy==2.19.0", "aiohttp"], check=True)
    environment = os.environ | {"CARGO_TARGET_DIR": str(work / "spider")}
    subprocess.run(["cargo", "build", "-q", "--locked", "--release"], cwd=HERE / "spider", env=environment, check=True)
    return python


def seeds(options, scheme):
    """The seeds of the crawls: the page to which the root of each host leads. Each target host has one seed, because
    spider would crawl a host again for every further one."""
    trusted = ssl.create_default_context(cafile=options.web / "certs/ca.pem")
    found = {}
    for host in closed_world.hosts(options.web):
        try:
            with urllib.request.urlopen(f"{scheme}://{host}/", context=trusted) as answer:
                found.setdefault(urlsplit(answer.url).hostname, answer.url)
        except OSError:
            pass
    return sorted(found.values())


def backlinkd(options, urls, depth=50):
    data = options.work / "data"
    shutil.rmtree(data, ignore_errors=True)
    file = options.work / "seeds.txt"
    file.write_text("\n".join(urls) + "\n")
    settings = {
        "crawl.delay": "0s",
        "crawl.stay_on_seed_domains": "true",
        "crawl.max_depth": depth,
        "fetch.user_agent": AGENT,
        "fetch.extra_ca": options.web / "certs/ca.pem",
        "fetch.allow_private_addresses": '["127.0.0.0/8"]',
    }
    flags = [flag for key, value in settings.items() for flag in ("--set", f"{key}={value}")]
    return [options.backlinkd, "--data", data, *flags, "crawl", "--no-rank", "--seeds", file]


def stored(options, output):
    """The links in the index, and the bytes of HTML that contained them."""
    command = [options.backlinkd, "--data", options.work / "data", "stats", "--json"]
    stats = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = next(line.split()[3] for line in output.splitlines() if line.strip().startswith("bytes of pages"))
    return stats["links"], int(size.replace(",", ""))


def told(_options, output):
    """The JSON in the last line of a peer's output."""
    figures = json.loads(output.splitlines()[-1])
    return figures["links"], figures["bytes"]


def scrapy(variant):
    return lambda options, urls: [sys.executable, HERE / "scrapy_peer.py", variant, AGENT, *urls]


def spider(variant):
    return lambda options, urls: [options.work / "spider/release/spider-peer", variant, AGENT, *urls]


CRAWLERS = {
    "backlinkd": (backlinkd, stored),
    "spider-lol-html": (spider("lol-html"), told),
    "spider-scraper": (spider("scraper"), told),
    "scrapy-link-extractor": (scrapy("link-extractor"), told),
    "scrapy-lxml": (scrapy("lxml"), told),
}


def measure(name, command, read, options, nginx):
    """Runs one crawler to its end."""
    environment = os.environ | {"SSL_CERT_FILE": str(options.web / "certs/ca.pem")}
    log = options.work / f"{name}.log"
    nginx.requests()
    start = time.monotonic()
    with open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name} failed; see {log}")
    links, size = read(options, output)
    cpu = usage.ru_utime + usage.ru_stime
    rows = nginx.requests()
    pages = Counter(url for url, status, kind in rows if status == "200" and kind.startswith("text/html"))
    rules = closed_world.robots(options.work)
    run = Run(
        name=name,
        requests=len(rows),
        pages=len(pages),
        again=pages.total() - len(pages),
        disallowed=sum(not allowed(url, rules) for url in pages),
        links=links,
        bytes=size,
        wall=wall,
        cpu=cpu,
        peak=usage.ru_maxrss / 1024,
        output=output,
    )
    statuses = dict(Counter(status for _, status, _ in rows))
    print(f"{name}: {wall:.1f} s, {cpu:.1f} CPU-s, {run.pages} pages, {links} links, {statuses}", file=sys.stderr)
    return run


def allowed(url, rules):
    host = urlsplit(url).hostname
    return host not in rules or rules[host].can_fetch(url, AGENT)


def compare(options, scheme, names, nginx):
    """Prints a table; in brackets, backlinkd's pages per CPU-second divided by the peer's."""
    best = {}
    start = seeds(options, scheme)
    for _ in range(options.rounds):
        for name in names:
            command, read = CRAWLERS[name]
            run = measure(name, command(options, start), read, options, nginx)
            if name not in best or run.cpu < best[name].cpu:
                best[name] = run
    print(f"\n{scheme}:\n")
    columns = ["crawler", "requests", "pages", "asked again", "disallowed", "MB of HTML", "links"]
    columns += ["pages/s", "pages per CPU-second", "CPU-ms a page", "peak MB"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    own = best.get("backlinkd")
    for run in best.values():
        row = [
            run.name,
            f"{run.requests:,}",
            f"{run.pages:,}",
            f"{run.again:,}",
            f"{run.disallowed:,}",
            f"{run.bytes / 1e6:,.0f}",
            f"{run.links:,}",
            f"{run.pages / run.wall:,.0f}",
            f"{run.pages / run.cpu:,.0f}" + (f" ({own.pages / own.cpu * run.cpu / run.pages:.1f})" if own else ""),
            f"{1000 * run.cpu / run.pages:.2f}",
            f"{run.peak:,.0f}",
        ]
        print("| " + " | ".join(row) + " |")
    if own:
        print(f"\n```text\n{own.output.strip()}\n```", flush=True)


def one_size(options, nginx):
    """CPU time per page of about 40 kB, from fetch to index, by TLS over persistent connections."""
    urls = pages_of(PAGE_SIZES, options.web)
    runs = []
    for _ in range(options.rounds):
        runs.append(measure("backlinkd", backlinkd(options, urls, depth=0), stored, options, nginx))
    best = min(runs, key=lambda run: run.cpu)
    sizes = f"{PAGE_SIZES.start:,} to {PAGE_SIZES.stop - 1:,} bytes"
    print(f"\nPages of {sizes}: {best.pages:,} with {best.links:,} links, {1000 * best.cpu / best.pages:.2f} CPU-ms a page")
    print(f"\n```text\n{best.output.strip()}\n```", flush=True)


def pages_of(sizes, web):
    """URLs of the web's pages of these sizes."""
    sys.argv = ["server.py"]
    sys.path.insert(0, str(web))
    import server

    urls = []
    served = closed_world.hosts(web)
    for host, mounts in server.mounts.items():
        for prefix, directory, _ in mounts:
            files = Path(directory).rglob("*.html") if host in served else []
            for file in files:
                if file.is_file() and not file.is_symlink() and file.stat().st_size in sizes:
                    urls.append(f"https://{host}{prefix}{quote(str(file.relative_to(directory)))}")
    return sorted(set(urls))


if __name__ == "__main__":
    main()
