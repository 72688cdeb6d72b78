#!/usr/bin/env python3
"""How soon the page is there: times in Chromium over an index, and sizes.

    benches/page.py BACKLINKD DATA URL [--user NAME:PASSWORD] [--rounds N]

Serves the data directory on loopback, opens the overview and the lists of URL (a domain, host or URL), and prints one
line for each figure: the median of all rounds, the least and the largest. Needs what `make browser` installs. A round is

* never asked: a browser without a cache, a program that was just started, and no search index of any scope;
* cold: the same, but the search indexes of earlier runs are on disk;
* new: a browser without a cache, and a program that has answered the view before;
* warm: the browser has shown the view before, too.
"""

import argparse
import base64
import contextlib
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/page"))
sys.dont_write_bytecode = True

# Notes when the figures of the cards are there, and when nothing in the view is awaited any more.
WATCH = """
window.shown = {};
const look = () => {
    const note = (name, now) => { if (now) window.shown[name] ??= performance.now(); else delete window.shown[name]; };
    const figures = [...document.querySelectorAll('.card.kpi .big')];
    note('figures', figures.length > 1 && !figures.some((one) => one.textContent === '…'));
    note('whole', document.querySelector('.card.kpi, tr[data-row]') && !document.querySelector('.skeleton, [aria-busy=true], .stale, .reading, .facets.awaited'));
    note('rows', document.querySelector('tr[data-row]') && !document.querySelector('.stale, .tablecard .skeleton, .reading'));
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# Goals in seconds, for a scope with 1,000,000 backlinks.
GOALS = {
    "first contentful paint, new": 0.3,
    "first contentful paint, warm": 0.3,
    "overview whole, warm": 0.6,
    "overview whole, never asked": 3,
}
FIRST_VIEW, EVERYTHING = 60_000, 130_000
PATIENCE = 120


@contextlib.contextmanager
def served(binary, data, *more):
    """The address at which the program answers."""
    with tempfile.TemporaryFile("w+") as log:
        program = subprocess.Popen([binary, "--data", data, *more, "serve", "--listen", "127.0.0.1:0"], stdout=log, stderr=log)
        try:
            while True:
                log.seek(0)
                text = log.read()
                if "answers at http://" in text:
                    yield "http://" + text.split("answers at http://")[1].split("/")[0].split()[0]
                    return
                if program.poll() is not None:
                    raise SystemExit(text)
                time.sleep(0.02)
        finally:
            program.terminate()
            program.wait()


def settle(page, name):
    """Waits until something has been there for a while. The policy of the page forbids a condition as a text in it."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate("(name) => window.shown[name] && performance.now() - window.shown[name] > 250", name):
        if time.monotonic() > end:
            raise SystemExit(f"{page.url}: nothing for {PATIENCE} s; shown so far: {page.evaluate('window.shown')}")
        page.wait_for_timeout(50)


class Bench:
    """A browser and a running program."""

    def __init__(self, browser, origin, user):
        self.browser, self.origin, self.user = browser, origin, user
        headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()} if user else {}
        self.options = {"viewport": {"width": 1280, "height": 900}, "extra_http_headers": headers}

    def context(self):
        context = self.browser.new_context(**self.options)
        context.add_init_script(WATCH)
        return context

    def open(self, context, address):
        """Seconds until the first paint, the figures, and the whole view."""
        page = context.new_page()
        page.goto(self.origin + address)
        settle(page, "whole")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        shown = page.evaluate("window.shown")
        size = page.evaluate("performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map((one) => [new URL(one.name).pathname, one.encodedBodySize])")
        page.close()
        return paint / 1000, {name: at / 1000 for name, at in shown.items()}, size

    def follow(self, context, url, selector):
        """Seconds from a click in the overview to the rows of a list."""
        page = context.new_page()
        page.goto(f"{self.origin}/?url={url}")
        settle(page, "whole")
        begun = page.evaluate("(selector) => { document.querySelector(selector).click(); window.shown = {}; return performance.now(); }", selector)
        settle(page, "rows")
        rows = page.evaluate("window.shown.rows")
        page.close()
        return (rows - begun) / 1000


def line(name, values):
    goal = f"   goal {GOALS[name]:.1f} s" if name in GOALS else ""
    print(f"{name:38} {statistics.median(values):7.3f} s   {min(values):.3f} to {max(values):.3f}{goal}", flush=True)


def ask(address, user):
    request = urllib.request.Request(address)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def once(browser, options, *more):
    """Times of the overview from a program and a browser that have just begun, and the sizes of what was loaded."""
    with served(options.binary, options.data, *more) as origin:
        bench = Bench(browser, origin, options.user)
        context = bench.context()
        found = bench.open(context, f"/?url={quote(options.url, safe='')}")
        context.close()
        return found


def beginnings(browser, options):
    for name, fresh in (("never asked", True), ("cold", False)):
        rounds = []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as searches:
                rounds.append(once(browser, options, *(["--set", f"search.directory={searches}"] if fresh else [])))
        times(name, rounds)
    loaded = rounds[-1][2]
    parts = [bytes for path, bytes in loaded if path == "/" or path.startswith("/ui/")]
    print(f"{'document, scripts and style':38} {sum(parts) / 1000:7.1f} kB, of at most {FIRST_VIEW / 1000:.0f}")
    print(f"{'answers of the API':38} {(sum(bytes for _, bytes in loaded) - sum(parts)) / 1000:7.1f} kB in {len(loaded) - len(parts)} requests")


def files(bench):
    """The size of all that the page can load, compressed as it is served."""
    folder = pathlib.Path(__file__).parents[1] / "src/web/dist"
    sizes = {}
    for path in ["", *(f"ui/{file.name}" for file in folder.iterdir() if file.suffix in (".js", ".css", ".svg"))]:
        request = urllib.request.Request(f"{bench.origin}/{path}", headers={"Accept": "text/html", "Accept-Encoding": "gzip"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                sizes[path] = len(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"/{path}: {error}; the program was built with other files than those in {folder}")
    print(f"{'all files of the page':38} {sum(sizes.values()) / 1000:7.1f} kB, of at most {EVERYTHING / 1000:.0f}")


def measure(bench, url, rounds):
    summary = ask(f"{bench.origin}/summary?url={url}", bench.user)
    print(f"{url}: {summary['backlinks']} backlinks, {summary['refdoms']} referring domains")
    found = []
    for _ in range(rounds):
        context = bench.context()
        found.append(bench.open(context, f"/?url={url}"))
        context.close()
    times("new", found)
    context = bench.context()
    bench.open(context, f"/?url={url}")
    times("warm", [bench.open(context, f"/?url={url}") for _ in range(rounds)])
    for name in ("backlinks", "referringdomains", "linktexts"):
        line(f"from the overview to {name}", [bench.follow(context, url, f"nav.side a[href*='view={name}']") for _ in range(rounds)])
    context.close()


def times(name, rounds):
    line(f"first contentful paint, {name}", [paint for paint, _, _ in rounds])
    line(f"figures of the overview, {name}", [shown["figures"] for _, shown, _ in rounds])
    line(f"overview whole, {name}", [shown["whole"] for _, shown, _ in rounds])


def main():
    own = pathlib.Path.home() / ".cache/backlinkd/python/bin/python3"
    if not importlib.util.find_spec("playwright") and own.exists() and sys.executable != str(own):
        os.execv(own, [str(own), *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", metavar="BACKLINKD")
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--user", help="NAME:PASSWORD, if the index has users")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    from chromium import Chromium

    with Chromium("") as chromium:
        beginnings(chromium.browser, options)
        with served(options.binary, options.data) as origin:
            bench = Bench(chromium.browser, origin, options.user)
            files(bench)
            measure(bench, quote(options.url, safe=""), options.rounds)


if __name__ == "__main__":
    main()
