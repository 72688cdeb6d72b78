"""Every figure on every view is that of the API, asked apart from the page: a walk over ten domains.

Elements are compared as a whole, so that a figure that is missing, doubled or in another's place is noticed too.
"""

from urllib.parse import quote

from api import Api, address, crawled, day, days_ago, domain, has, host_text, next_day, number, say, share, signed, squeeze, visible
from chromium import hold, same
from views import DATED, LISTS

DOMAINS, ROWS = 10, 100


def compare(found, expected, what):
    """Compares the texts of elements, without white space."""
    expected = [squeeze(text) for text in expected]
    for at, (left, right) in enumerate(zip(found, expected)):
        same(left, right, f"{what}, number {at + 1},")
    same(len(found), len(expected), f"the number of elements in {what}")


def tag_name(value):
    return say(f"tag.{value}") if has(f"tag.{value}") else visible(value)


def status(code, failure=None):
    return "" if code is None else str(code) if code else failure or say("status.none")


# --- the overview --------------------------------------------------------------------------------------------------


def whole_share(part, everything):
    return f"{number(100 * part / everything)} %" if everything else "–"


def difference(now, before):
    if now == before:
        return "±0"
    return ("▲" if now > before else "▼") + signed(now - before)


def changed_domains(data):
    since = data["since"]
    return f"{difference(data['refdoms'], since['refdoms'])}{say('cards.new', n=since['newRefdoms'])} · {say('cards.lost', n=since['lostRefdoms'])}"


def changed_links(data, listed):
    """What came and went, and how many of each the lists have that the card leads to."""
    since, (first, lost) = data["since"], listed
    came, went = say("cards.returned", n=since["newBacklinks"]), say("cards.lost", n=since["lostBacklinks"])
    return f"{difference(data['backlinks'], since['backlinks'])}{came}{say('cards.firstSeen', n=first)}{went}{say('cards.stillLost', n=lost)}"


def cards(data, listed):
    first = say("cards.first", day=day(data["firstSeen"])) if data["firstSeen"] else ""
    schools = (data["edu"]["refdoms"], data["gov"]["refdoms"])
    return [
        say("field.sr") + number(data["sr"], 2) + say("cards.rank") + first,
        say("nav.referringdomains") + number(data["refdoms"]) + changed_domains(data),
        say("nav.backlinks") + number(data["backlinks"]) + changed_links(data, listed),
        say("cards.followed")
        + whole_share(data["followed"], data["backlinks"])
        + say("cards.ofLinks", n=data["followed"], of=data["backlinks"])
        + say("cards.images", share=whole_share(data["image"], data["backlinks"])),
        say("cards.ips") + number(data["ips"]) + say("cards.nets", n=data["net24"]) + say("count.countries", n=data["countries"])
        + (say("cards.edugov", edu=schools[0], gov=schools[1]) if any(schools) else ""),
        say("cards.own") + number(data["pages"]) + say("cards.external", n=data["external"]) + say("cards.internal", n=data["internal"]),
    ]


def link_item(row):
    return f"{crawled(row['title'] or row['backlinkpage'])}{crawled(row['linktext'])} → {address(row['linktarget'])}{number(row['sr'], 2)}"


def country_item(row):
    return (row["country"] if row["ccode"] else say("place.unknown")) + number(row["links"]) + share(row["percentage"])


# Message of the heading, endpoint, parameters, and the text of a row.
BLOCKS = [
    ("block.domains", "referringdomains", {"order[]": "-sr", "limit": 9}, lambda row: domain(row["domain"]) + say("count.links", n=row["links"]) + number(row["sr"], 2)),
    ("nav.linktexts", "linktexts", {"limit": 7}, lambda row: crawled(row["anchortext"]) + say("count.domains", n=row["refdoms"]) + share(row["percentage"])),
    ("block.ranks", "srspread", {"showgroup": "true"}, lambda row: row["sr"] + number(row["links"])),
    ("nav.bestpages", "bestpages", {"limit": 7}, lambda row: address(row["page"]) + say("count.domains", n=row["refdoms"]) + status(row["code"])),
    ("nav.geolocationshort", "geolocationshort", {"limit": 6}, country_item),
    ("nav.tldlist", "tldlist", {"limit": 6}, lambda row: (f".{host_text(row['toplevel'])}" if row["toplevel"] else say("tld.none")) + say("count.domains", n=row["diffdomains"]) + share(row["percentage"])),
    ("block.tags", "tagtypes", {"order[]": "-frequency", "limit": 6}, lambda row: tag_name(row["tag"]) + number(row["frequency"]) + share(100 * row["frequency"] / row["all"])),
    ("block.week", "newbacklinks", {"from": days_ago(7), "limit": 5}, link_item),
    ("block.lost", "lostbacklinks", {"from": days_ago(30), "limit": 5}, link_item),
    ("nav.brokenbacklinks", "brokenbacklinks", {"limit": 5}, lambda row: address(row["linktarget"]) + status(row["code"], row.get("failure"))),
    ("nav.competitors", "competitors", {"limit": 6}, lambda row: domain(row["domain"]) + say("block.common", n=row["common"]) + number(row["sr"], 2)),
    ("nav.outgoinghosts", "outgoinghosts", {"limit": 6}, lambda row: domain(row["host"]) + say("count.links", n=row["frequency"])),
    ("nav.httpstatus", "httpstatus", {"limit": 6}, lambda row: status(row["code"]) + say("count.urls", n=row["pages"]) + share(row["percentage"])),
]
# The lists that the card of backlinks leads to.
CHANGES = ("newbacklinks", "lostbacklinks")
# Blocks that say how many rows there are in all.
COUNTED = ("block.week", "block.lost", "nav.brokenbacklinks")


def blocks_of(tab):
    """By heading: the texts of the rows, and the line that counts them."""
    return tab.page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.overview section.block')].map((block) => {
        const text = (element) => element.textContent.replace(/\\s+/g, '');
        return [text(block.querySelector('h2')), { rows: [...block.querySelectorAll('ul.items > li')].map(text), count: [...block.querySelectorAll('p.count')].map(text) }];
    }))""")


def an_overview(api, tab, name):
    tab.go(f"/?url={name}")
    data = api.ask("summary", ("url", name), ("since", days_ago(30)))
    hold(squeeze(say("foot.change", n=data["asOf"]["change"])) in squeeze(tab.text(".foot")), f"{name} is not shown as of change {data['asOf']['change']}")
    since = next_day(data["since"]["date"])
    listed = [api.ask(view, ("url", name), ("from", since), ("limit", 0))["count"] for view in CHANGES]
    compare(tab.texts(".card.kpi"), cards(data, listed), f"the cards of {name}")
    shown = blocks_of(tab)
    for key, endpoint, params, text in BLOCKS:
        answer = api.ask(endpoint, ("url", name), *params.items())
        rows = [{**row, "all": data["backlinks"]} for row in answer["response"]]
        if key == "block.ranks" and not data["backlinks"]:
            rows = []
        block = shown.pop(squeeze(say(key)), None)
        hold(block is not None, f"the overview of {name} lacks the block {say(key)}")
        compare(block["rows"], map(text, rows), f"{say(key)} of {name}")
        if key in COUNTED:
            compare(block["count"], [say("count.links", n=answer["count"])] if rows else [], f"the count of {say(key)} of {name}")
    same(list(shown), [], f"the further blocks of {name}")
    history = api.ask("history", ("url", name), ("from", days_ago(365)), ("step", "week"))["history"]
    rows = [day(row["date"]) + number(row["refdoms"]) + number(row["newRefdoms"]) + number(row["lostRefdoms"]) for row in reversed(history)]
    compare(tab.texts(".growth .twin tbody tr"), rows, f"the growth of {name}")


def overviews_show_the_figures_of_the_api(browser):
    api, tab = Api(browser.origin), browser.tab()
    names = api.domains(DOMAINS)
    same(len(names), DOMAINS, "the number of domains to look at")
    tab.open("/")
    for name in names:
        an_overview(api, tab, name)


def linked_figures_are_those_of_their_lists(browser):
    """A figure of a card that is a link is the number of rows that it leads to."""
    api, tab = Api(browser.origin), browser.tab()
    tab.open("/")
    differ = 0
    for name in api.domains(DOMAINS):
        summary = api.ask("summary", ("url", name), ("since", days_ago(30)))["since"]
        tab.go(f"/?url={name}")
        links = tab.page.eval_on_selector_all(".card.kpi .sub a[href*='from=']", "(links) => links.map((link) => [link.getAttribute('href'), link.textContent.match(/[0-9,]+/)[0]])")
        same(len(links), 4, f"the number of lists of changes of {name}")
        for href, figure in links:
            tab.go(href)
            same(tab.text(".listhead .total").split()[0], figure, f"the number of rows of {href}")
            differ += figure != number(summary["newBacklinks"]) and "newbacklinks" in href
    hold(differ > 0, "no link has returned, so that new and first seen are one figure")


# --- tables --------------------------------------------------------------------------------------------------------


def anchor_cell(row):
    kinds = [tag_name(row["tag"])] if row.get("tag", "a") != "a" else []
    kinds += ["ugc"] if row.get("ugc") else []
    kinds += [say("tag.sponsored")] if row.get("sponsored") else []
    return crawled(row["linktext"]) + (say("tag.nofollow") if row.get("nofollow") else "") + "".join(kinds)


def percent_cell(value, field):
    return share(100 * value if field == "jaccard" else value)


def share_cell(value, row):
    return number(value) + (f"{number(100 * value / row['links'])} %" if row["links"] else "")


CELLS = {
    "rank": lambda value, field, row: number(value, 2),
    "number": lambda value, field, row: number(value),
    "percent": lambda value, field, row: percent_cell(value, field),
    "share": lambda value, field, row: share_cell(value, row),
    "text": lambda value, field, row: crawled(value),
    "day": lambda value, field, row: day(value),
    "flag": lambda value, field, row: say("yes" if value else "no"),
    "page": lambda value, field, row: visible(row["title"]).strip() + address(value),
    "target": lambda value, field, row: address(value),
    "anchor": lambda value, field, row: anchor_cell(row),
    "domain": lambda value, field, row: domain(value),
    "host": lambda value, field, row: domain(value),
    "country": lambda value, field, row: value + row.get("country", "") if value else say("place.unknown"),
    "address": lambda value, field, row: value + (f"+{row['ip_count_additional']}" if row.get("ip_count_additional") else ""),
    "status": lambda value, field, row: status(value, row.get("failure")),
    "tag": lambda value, field, row: tag_name(str(value)),
    "tld": lambda value, field, row: f".{host_text(value)}" if value else say("tld.none"),
}


def table_of(tab):
    """For each row its cells: column, look, text, and the title inside."""
    return tab.page.evaluate("""() => [...document.querySelectorAll('.tablecard tr[data-row]')].map((row) => [...row.querySelectorAll('td[class*="look-"]')].map((cell) => [
        /c-(\\S+)/.exec(cell.className)[1], /look-(\\S+)/.exec(cell.className)[1], cell.textContent.replace(/\\s+/g, ''), cell.querySelector('[title]')?.title ?? '']))""")


def in_marked_order(tab, rows, where):
    """The heading of one column says by what the rows are sorted."""
    marked = tab.page.evaluate("""() => [...document.querySelectorAll('.tablecard thead th')].flatMap((head, at) => head.ariaSort ?
        [[/c-(\\S+)/.exec(document.querySelector('.tablecard tr[data-row]').children[at].className)[1], head.ariaSort]] : [])""")
    hold(len(marked) < 2, f"{where} marks {len(marked)} columns as sorted")
    for field, direction in marked:
        values = [row[field] for row in rows]
        same(values, sorted(values, reverse=direction == "descending"), f"{field} of {where}, which is marked as {direction},")


def a_table(api, tab, view, endpoint, unit, *params):
    tab.go(f"{view}&limit={ROWS}")
    answer = api.ask(endpoint, *params, ("limit", ROWS))
    where = f"{endpoint} {dict(params).get('url', '')}"
    same(squeeze(tab.text(".listhead .total")), squeeze(say(f"count.{unit}", n=answer["count"])), f"the count of {where}")
    rows, found = answer["response"], table_of(tab)
    same(len(found), len(rows), f"the number of rows of {where}")
    if rows:
        same(squeeze(tab.text(".pager .range")), squeeze(say("pager.range", **{"from": 1, "to": len(rows), "of": answer["count"]})), f"the range of {where}")
    in_marked_order(tab, rows, where)
    for at, (cells, row) in enumerate(zip(found, rows)):
        hold(len(cells) > 1, f"{where} shows the columns {[cell[0] for cell in cells]} alone")
        for field, look, text, title in cells:
            what = f"{field} in row {at + 1} of {where}"
            if look == "seen":
                same(title, day(row.get("confirmed") or row[field]), what)
            elif look == "country" and row[field] and "country" not in row:
                # The browser knows the name of the country.
                same(text[:2], row[field], what)
            else:
                same(text, squeeze(CELLS[look](row[field], field, row)), what)
    return sum(len(cells) for cells in found)


UNITS = {
    "referringdomains": "domains", "linktexts": "texts", "bestpages": "pages", "newdomains": "domains", "lostdomains": "domains", "competitors": "domains",
    "iplist": "addresses", "geolocationshort": "countries", "tldlist": "tlds", "tagtypes": "tags", "outgoinghosts": "hosts", "httpstatus": "codes",
}


def tables_show_the_rows_of_the_api(browser):
    api, tab = Api(browser.origin), browser.tab()
    tab.open("/")
    seen = dict.fromkeys(LISTS, 0)
    for name in api.domains(DOMAINS):
        for view in LISTS:
            more = [("from", days_ago(30))] if view in DATED else [("order[]", "-frequency")] if view == "tagtypes" else []
            seen[view] += a_table(api, tab, f"/?url={name}&view={view}", view, UNITS.get(view, "links"), ("url", name), *more)
    api_has = api.ask("openapi.json")["paths"]
    empty = [view for view, cells in seen.items() if not cells and f"/{view}" in api_has]
    same(empty, [], "the tables that were empty for all domains")


def sorted_and_paged_tables_show_the_rows_of_the_api(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open(f"/?url={name}&view=backlinks&limit=25")
    tab.page.click("th:has-text('Page') a")
    tab.settle()
    tab.page.click(".pager a[rel=next]")
    tab.settle()
    order = tab.page.evaluate("new URLSearchParams(location.search).get('order')")
    rows = api.ask("backlinks", ("url", name), ("order[]", order), ("limit", 25), ("offset", 25))
    same([cells[1][2] for cells in table_of(tab)], [squeeze(CELLS["page"](row["backlinkpage"], "", row)) for row in rows["response"]], "the second page by title")
    a_table(api, tab, f"/?url={name}&view=backlinks&group=domain", "backlinks", "domains", ("url", name), ("group", "domain"))
    a_table(api, tab, f"/?url={name}&view=newbacklinks&from=20200101&active=false", "newbacklinks", "links", ("url", name), ("from", "20200101"), ("active", "false"))
    a_table(api, tab, f"/?url={name}&view=backlinks&internal=exclude&scope=host", "backlinks", "links", ("url", name), ("internal", "exclude"), ("scope", "host"))


# --- the other views -----------------------------------------------------------------------------------------------


def the_start_shows_the_size_of_the_index(browser):
    api, tab = Api(browser.origin), browser.tab()
    tab.open("/")
    stats = api.ask("stats")
    names = ("domains", "pages", "links", "backlinks", "hosts", "queued")
    titles = tab.page.eval_on_selector_all(".figures dd", "(cells) => cells.map((cell) => cell.title)")
    same(titles, [number(stats[name]) for name in names], "the size of the index")
    compare(tab.texts(".figures dd"), titles, "the figures of the index")
    rows = api.ask("domains", ("order[]", "-sr"), ("limit", 10))["response"]
    expected = [f"{at + 1}{domain(row['domain'])}{number(row['sr'], 2)}{number(row['refdoms'])}{number(row['backlinks'])}{number(row['pages'])}" for at, row in enumerate(rows)]
    compare(tab.texts(".strongest tbody tr"), expected, "the strongest domains")
    a_table(api, tab, "/?view=domains", "domains", "domains")


def comparisons_show_the_figures_of_the_api(browser):
    api, tab = Api(browser.origin), browser.tab()
    names = api.domains(4)
    tab.open("/?view=compare&" + "&".join(f"url={name}" for name in names))
    data = [api.ask("summary", ("url", name), ("since", days_ago(30))) for name in names]
    figures = [
        ("field.sr", [number(one["sr"], 2) for one in data]),
        ("nav.referringdomains", [number(one["refdoms"]) for one in data]),
        ("nav.backlinks", [number(one["backlinks"]) for one in data]),
        ("compare.newLinks", [number(one["since"]["newBacklinks"]) for one in data]),
        ("compare.lostLinks", [number(one["since"]["lostBacklinks"]) for one in data]),
        ("compare.followed", [f"{number(100 * one['followed'] / one['backlinks'])} %" for one in data]),
        ("cards.ips", [number(one["ips"]) for one in data]),
        ("compare.countries", [number(one["countries"]) for one in data]),
        ("compare.pages", [number(one["pages"]) for one in data]),
        ("compare.first", [day(one["firstSeen"]) for one in data]),
    ]
    compare(tab.texts(".compare > .card.scroll tbody tr"), [say(key) + "".join(values) for key, values in figures], "the comparison")
    common = [[api.ask("linkintersect", ("targets[]", one), ("targets[]", other), ("limit", 0))["count"] if one != other else api.ask("referringdomains", ("url", one), ("limit", 0))["count"]
               for other in names] for one in names]
    compare(tab.texts(".matrix tbody tr"), [name + "".join(map(number, row)) for name, row in zip(names, common)], "the domains in common")
    series = [{row["date"]: row["refdoms"] for row in api.ask("history", ("url", name), ("from", days_ago(365)), ("step", "week"))["history"]} for name in names]
    dates = sorted(set().union(*series), reverse=True)
    compare(tab.texts(".growth .twin tbody tr"), [day(date) + "".join(number(one[date]) if date in one else "–" for one in series) for date in dates], "the growth side by side")
    targets = [("targets[]", name) for name in names[:3]]
    view = "/?view=intersect&" + "&".join(f"targets[]={name}" for _, name in targets)
    a_table(api, tab, view, "linkintersect", "domains", *targets)
    a_table(api, tab, f"{view}&exclude[]={names[3]}", "linkintersect", "domains", *targets, ("exclude[]", names[3]))


def page_link(link, external):
    kind = tag_name(link["tag"]) if link["tag"] != "a" else ""
    nofollow = say("tag.nofollow") if link["nofollow"] else ""
    return f"{link['pos']}{address(link['url'])}{crawled(link['anchor'])}{kind}{nofollow}{say('page.external' if external else 'page.internal')}"


def a_page(api, tab, url):
    tab.go(f"/?url={quote(url, safe='')}&view=page")
    page = api.ask("exportpages", ("url", url), ("scope", "url"), ("limit", 2))["response"][0]
    facts = dict(tab.page.eval_on_selector_all(".onepage > .block:first-child > .facts > div", "(facts) => facts.map((fact) => [...fact.children].map((part) => part.textContent.replace(/\\s+/g, '')))"))
    info = page["info"]
    expected = {"URL": address(info["url"], full=True), say("page.status"): status(info["http-code"]), say("page.title"): crawled(info["title"]), say("field.sr"): number(info["sr"], 2), say("page.first"): day(info["insDate"])}
    for name, text in expected.items():
        same(facts.get(squeeze(name)), squeeze(text), f"{name} of {url}")
    links = sorted([(link, True) for link in page["extL"]] + [(link, False) for link in page["intL"]], key=lambda one: one[0]["pos"])
    compare(tab.texts(".onepage ol.items > li"), [page_link(*link) for link in links], f"the links on {url}")
    answer = api.ask("backlinks", ("url", url), ("scope", "url"), ("limit", 12))
    rows = [f"{crawled(row['title'] or row['backlinkpage'])}{crawled(row['linktext'])} · {address(row['backlinkpage'])}{say('tag.nofollow') if row['nofollow'] else ''}{number(row['sr'], 2)}" for row in answer["response"]]
    compare(tab.texts(".onepage ul.items > li"), rows, f"the links to {url}")
    chain = api.ask("redirectchain", ("url", url))["response"]
    hops = [status(row["code"]) + address(row["url"], full=True) + row["tag"] + (say(f"page.{row['end']}") if row["end"] else "") for row in chain]
    compare(tab.texts("ol.chain > li"), hops if len(chain) > 1 else [], f"the redirects of {url}")


def pages_show_what_the_api_exports(browser):
    api, tab = Api(browser.origin), browser.tab()
    tab.open("/")
    for name in api.domains(DOMAINS):
        for page in api.ask("exportpages", ("url", name), ("limit", 2))["response"]:
            a_page(api, tab, page["info"]["url"])


def the_graph_shows_the_neighbourhood(browser):
    api, tab = Api(browser.origin), browser.tab()
    for name in api.domains(3):
        answer = api.ask("neighbourhood", ("url", name), ("nodes", 100))
        if answer["status"] == 404:
            return
        tab.open(f"/?url={name}&view=graph")
        nodes = sorted((node for node in answer["nodes"] if not node["centre"]), key=lambda node: -node["sr"])
        compare(tab.texts(".graph ol.items > li"), [domain(node["id"]) + node["ccode"] + say("count.links", n=node["links"]) + number(node["sr"], 2) for node in nodes], f"the neighbourhood of {name}")
        edges = [edge for edge in answer["edges"] if edge["from"] != edge["to"]]
        same((tab.page.locator("svg.net a.node").count(), tab.page.locator("svg.net line").count()), (len(nodes) + 1, len(edges)), f"the nodes and edges of {name}")


CHECKS = [
    overviews_show_the_figures_of_the_api,
    linked_figures_are_those_of_their_lists,
    tables_show_the_rows_of_the_api,
    sorted_and_paged_tables_show_the_rows_of_the_api,
    the_start_shows_the_size_of_the_index,
    comparisons_show_the_figures_of_the_api,
    pages_show_what_the_api_exports,
    the_graph_shows_the_neighbourhood,
]
