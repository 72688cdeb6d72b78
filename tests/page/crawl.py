"""The view of a crawl, beside one that runs: each number is that of the API, and it follows the crawl by itself."""

import json
import time
import urllib.request
from datetime import datetime, timezone

from accessibility import COLOURS, WIDTH, findings, load
from api import Api, address, has, host_text, number, say, squeeze, visible
from chromium import hold, same
from figures import compare, tag_name

PATIENCE, ENOUGH = 60, 25


def post(browser, path, body):
    request = urllib.request.Request(browser.origin + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status


def until(what, is_so):
    """Waits until a function returns something, and returns that."""
    end = time.monotonic() + PATIENCE
    while not (found := is_so()):
        hold(time.monotonic() < end, f"{what}: not within {PATIENCE} s")
        time.sleep(0.1)
    return found


def size(value):
    """Bytes, as a browser writes them."""
    units, power = ["bytes", "kB", "MB", "GB", "TB"], 0
    while value >= 1000 and power < 4:
        value, power = value / 1000, power + 1
    digits = 1 if power > 1 else 0
    return f"{number(value, digits).removesuffix('.0')} {units[power]}"


def short(value):
    """A large number is rounded; its title has all digits."""
    hold(value < 100_000, f"{value} is too large for this test")
    return number(value)


def ages(text):
    """How long ago a time was, as a browser says it now and in the seconds before."""
    seconds = int((datetime.now(timezone.utc) - datetime.fromisoformat(text)).total_seconds())
    return {squeeze("now" if age == 0 else f"{age} sec ago" if age < 60 else f"{age // 60} min ago") for age in range(max(0, seconds - 10), seconds + 3)}


def kpis(crawl):
    """The cards: their headings, and what is below."""
    rate = crawl["pagesPerSecond"]
    slow = say("crawl.slow", n=crawl["slowFetches"]) if crawl["slowFetches"] else ""
    rank = say("crawl.generation", n=crawl["rankGeneration"]) if crawl["rankGeneration"] else say("stats.unranked")
    return [
        say("crawl.pages") + number(rate, 1 if rate < 10 else 0),
        say("crawl.flight") + short(crawl["fetchesInFlight"]) + say("crawl.fetchers.of", n=crawl["fetchers"]) + slow,
        say("crawl.queued") + short(crawl["queued"]),
        say("crawl.fetched") + short(crawl["fetched"]) + say("crawl.known", n=crawl["known"]) + rank,
        say("crawl.disk") + size(crawl["diskFreeBytes"]),
    ]


def shares(counts):
    """For each count its name, itself and its share of all; the largest first."""
    everything = sum(counts.values())
    rows = [(name, count) for name, count in counts.items() if count]
    return {squeeze(f"{tag_name(name)}{number(count)}{number(100 * count / everything, 1)} %") for name, count in rows}


def block(tab, name, counts):
    title = squeeze(tab.text(f".{name} h2 .total"))
    same(title, squeeze(number(sum(counts.values()))), f"the sum of {name}")
    items = tab.texts(f".{name} ul.items > li")
    same((set(items), len(items)), (shares(counts), len(shares(counts))), f"the counts of {name}")
    found = [int(text.replace(",", "")) for text in tab.page.eval_on_selector_all(f".{name} li .figure:not(.share)", "(cells) => cells.map((cell) => cell.textContent)")]
    same(found, sorted(found, reverse=True), f"the order of {name}")


def host_row(host):
    budget = number(host["budget"]) if host["budget"] else "–"
    reason = f" · {visible(host['reason'])}" if host["reason"] else ""
    return host_text(host["host"]), number(host["queued"]), number(host["fetched"]), budget, say("crawl.seconds", n=host["delay"]), tag_name(host["state"]) + reason


def rows_of_hosts(tab):
    return tab.page.evaluate("""() => [...document.querySelectorAll('.hosts tr[data-row]')].map((row) => [...row.children].slice(1).map((cell) => cell.textContent.replace(/\\s+/g, '')))""")


def error_item(error):
    return error["time"][11:19] + tag_name(error["kind"]) + (address(error["url"]) if has_scheme(error["url"]) else visible(error["url"])) + visible(error["message"])


def has_scheme(text):
    return text.startswith(("http://", "https://"))


def still(answer):
    """What stays the same while nothing happens: without the time of the answer, and the space that others use."""
    return {name: value for name, value in answer.items() if name not in ("asOf", "diskFreeBytes")}


def asked(api):
    return [api.ask("crawl"), api.ask("crawl/hosts", ("order[]", "-queued"), ("limit", 25)), api.ask("crawl/errors", ("limit", 200))]


def the_view_shows_what_the_api_says(browser):
    api, tab = Api(browser.origin), browser.tab()
    until("the crawl has something of everything", lambda: (crawl := api.ask("crawl"))["visits"] >= ENOUGH and len(crawl["rate"]) > 2 and crawl["responses"].get("4xx") and crawl["failedRequests"])
    post(browser, "/crawl/pause", {})
    until("the crawl is paused", lambda: (crawl := api.ask("crawl"))["state"] == "paused" and not crawl["fetchesInFlight"])

    def opened():
        before = asked(api)
        tab.open("/?view=crawl")
        texts = tab.texts(".card.kpi"), tab.page.locator(".spark polyline").get_attribute("points")
        return (before, texts) if list(map(still, before)) == list(map(still, asked(api))) else None

    (crawl, hosts, errors), (cards, points) = until("two answers agree", opened)
    hold(squeeze(say("crawl.paused")) in squeeze(tab.text(".listhead .state")), "the state is not shown")
    # Others use the disk meanwhile, and its space is shown in tenths.
    same(cards[:-1], [squeeze(text) for text in kpis(crawl)[:-1]], "the cards")
    free = float(cards[-1].removeprefix(squeeze(say("crawl.disk"))).rstrip("kMGTB").replace(",", ""))
    wanted = float(size(crawl["diskFreeBytes"]).split()[0].replace(",", ""))
    hold(abs(free - wanted) <= max(1, wanted / 50), f"the free disk is {free}, not {wanted}")
    heights = [26 - float(point.split(",")[1]) for point in points.split()]
    most = max(crawl["rate"] + [1])
    same([round(height, 1) for height in heights], [round(24 * rate / most, 1) for rate in crawl["rate"]], "the heights of the curve")
    same(crawl["visits"], sum(crawl["responses"].values()) + sum(crawl["failures"].values()), "the visits")
    block(tab, "visits", {**crawl["responses"], **crawl["failures"]})
    block(tab, "failed", crawl["failedRequests"])
    same(squeeze(tab.text(".hosts h2 .total")), number(hosts["count"]), "the number of hosts")
    rows = rows_of_hosts(tab)
    same([(row[0], *row[1:5], row[6]) for row in rows], [tuple(map(squeeze, host_row(host))) for host in hosts["hosts"]], "the hosts")
    for row, host in zip(rows, hosts["hosts"]):
        last = ages(host["lastFetch"]) if host["lastFetch"] else {"–"}
        hold(row[5] in last, f"the last fetch of {host['host']} is {row[5]!r}, and not of {last}")
    compare(tab.texts(".items.long > li"), map(error_item, errors["errors"]), "the errors")
    names = {host_text(host["host"]) for host in hosts["hosts"]}
    hold({"bücher.example", "例え.テスト", "xn--pple-43d.com", "xn--80ak6aa92e.com"} <= names, f"the hosts are {names}")


def errors_can_be_filtered_and_hosts_sorted(browser):
    api, tab = Api(browser.origin), browser.tab()
    kind = api.ask("crawl/errors", ("limit", 1))["errors"][0]["kind"]
    tab.open(f"/?view=crawl&kind={kind}")
    same(len(tab.texts(".items.long > li")), len(api.ask("crawl/errors", ("kind", kind), ("limit", 200))["errors"]), f"the number of errors of the kind {kind}")
    tab.page.click(".hosts th:has-text('Fetched') a")
    tab.settle()
    expected = api.ask("crawl/hosts", ("order[]", "-fetched"), ("limit", 25))["hosts"]
    same([row[0] for row in rows_of_hosts(tab)], [host_text(host["host"]) for host in expected], "the hosts by fetched pages")
    tab.open("/?view=crawl&limit=2&offset=2&order=host")
    expected = api.ask("crawl/hosts", ("order[]", "host"), ("limit", 2), ("offset", 2))
    same([row[0] for row in rows_of_hosts(tab)], [host_text(host["host"]) for host in expected["hosts"]], "the second two hosts")
    same(squeeze(tab.text(".hosts .pager .range")), squeeze(say("pager.range", **{"from": 3, "to": 4, "of": expected["count"]})), "the range of hosts")


def the_view_follows_the_crawl(browser):
    api, tab = Api(browser.origin), browser.tab()
    tab.open("/?view=crawl")
    before = api.ask("crawl")["visits"]
    shown = lambda: int(tab.text(".visits h2 .total").replace(",", ""))
    same(shown(), before, "the visits of the paused crawl")
    tab.page.click(f".tools button:has-text('{say('crawl.resume')}')")
    tab.shows(say("crawl.done"))
    tab.page.locator(f".state b:has-text('{say('crawl.running')}')").wait_for()
    until("the view shows more visits", lambda: tab.page.wait_for_timeout(100) or shown() > before)
    hold(shown() <= api.ask("crawl")["visits"], "more visits are shown than were made")


def the_view_is_accessible(browser):
    tab, found = browser.tab(), []
    tab.open("/?view=crawl")
    load(tab)
    found += findings(tab, "crawl")
    tab.page.click(".hosts td.opener button >> nth=0")
    tab.settle()
    found += findings(tab, "a host", within=".hosts")
    tab.page.emulate_media(color_scheme="dark")
    found += findings(tab, "crawl, dark", COLOURS)
    tab.page.set_viewport_size({"width": 390, "height": 844})
    found += findings(tab, "crawl, narrow", WIDTH)
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    hold(wide <= 390, f"the view is {wide} pixels wide on a screen of 390")
    hold(not found, "; ".join(found))


CHECKS = [the_view_shows_what_the_api_says, errors_can_be_filtered_and_hosts_sorted, the_view_follows_the_crawl, the_view_is_accessible]
