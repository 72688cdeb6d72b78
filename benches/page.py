#!/usr/bin/env python3
"""How soon the page is there: times in Chromium over an index, and sizes.

    benches/page.py BACKLINKD DATA URL [--user NAME:PASSWORD] [--rounds N]

Serves the data directory on loopback, opens the overview and the lists of URL (a domain, host or URL), and prints one
line for each figure: the median of all rounds, and the least and the largest. `cold` is a browser without a cache and
a program that was just started; `new` is a browser without a cache; `warm` has opened the same view before. Needs
what `make browser` installs.
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
GOALS = {"first contentful paint": 0.3, "overview whole, warm": 0.6}


@contextlib.contextmanager
def served(binary, data):
    """The address at which the program answers."""
    with tempfile.TemporaryFile("w+") as log:
        program = subprocess.Popen([binary, "--data", data, "serve", "--listen", "127.0.0.1:0"], stdout=log, stderr=log)
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


class Bench:
    def __init__(self, browser, origin, user):
        self.browser, self.origin = browser, origin
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
        page.wait_for_function("window.shown.whole && performance.now() - window.shown.whole > 250", timeout=120_000)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        shown = page.evaluate("window.shown")
        size = page.evaluate("performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map((one) => [new URL(one.name).pathname, one.transferSize])")
        page.close()
        return paint / 1000, {name: at / 1000 for name, at in shown.items()}, size

    def follow(self, context, url, selector):
        """Seconds from a click in the overview to the rows of a list."""
        page = context.new_page()
        page.goto(f"{self.origin}/?url={url}")
        page.wait_for_function("window.shown.whole && performance.now() - window.shown.whole > 250", timeout=120_000)
        begun = page.evaluate("(selector) => { document.querySelector(selector).click(); window.shown = {}; return performance.now(); }", selector)
        page.wait_for_function("window.shown.rows && performance.now() - window.shown.rows > 250", timeout=120_000)
        rows = page.evaluate("window.shown.rows")
        page.close()
        return (rows - begun) / 1000


def line(name, values):
    goal = f"  (goal {GOALS[name]:.1f} s)" if name in GOALS else ""
    print(f"{name:36} {statistics.median(values):7.3f} s   {min(values):.3f} to {max(values):.3f}{goal}", flush=True)


def size(address, user):
    request = urllib.request.Request(address)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def measure(bench, url, rounds, user):
    summary = size(f"{bench.origin}/summary?url={url}", user)
    print(f"{url}: {summary['backlinks']} backlinks, {summary['refdoms']} referring domains")
    paints, figures, whole = [], [], []
    for _ in range(rounds):
        context = bench.context()
        paint, shown, _ = bench.open(context, f"/?url={url}")
        paints.append(paint), figures.append(shown["figures"]), whole.append(shown["whole"])
        context.close()
    line("first contentful paint", paints)
    line("figures of the overview, new", figures)
    line("overview whole, new", whole)
    context = bench.context()
    bench.open(context, f"/?url={url}")
    found = [bench.open(context, f"/?url={url}") for _ in range(rounds)]
    line("first contentful paint, warm", [paint for paint, _, _ in found])
    line("figures of the overview, warm", [shown["figures"] for _, shown, _ in found])
    line("overview whole, warm", [shown["whole"] for _, shown, _ in found])
    for name in ("backlinks", "referringdomains", "linktexts"):
        line(f"from the overview to {name}", [bench.follow(context, url, f"nav.side a[href*='view={name}']") for _ in range(rounds)])
    context.close()


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

    url = quote(options.url, safe="")
    with served(options.binary, options.data) as origin, Chromium(origin) as chromium:
        bench = Bench(chromium.browser, origin, options.user)
        context = bench.context()
        _, shown, loaded = bench.open(context, f"/?url={url}")
        context.close()
        line("overview whole, cold", [shown["whole"]])
        parts = [bytes for path, bytes in loaded if path == "/" or path.startswith("/ui/")]
        print(f"{'scripts, style and document':36} {sum(parts) / 1000:7.1f} kB of at most 60")
        print(f"{'answers of the API':36} {(sum(bytes for _, bytes in loaded) - sum(parts)) / 1000:7.1f} kB in {len(loaded) - len(parts)} requests")
        measure(bench, url, options.rounds, options.user)


if __name__ == "__main__":
    main()
