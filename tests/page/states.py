"""What the page shows while there is nothing, something is missing, or nothing answers."""

import json
from urllib.parse import urlsplit

from api import Api, say
from chromium import hold, same

UNKNOWN, DISCOVERED = "never.example", "waiting.example"


def answers_with(tab, endpoint, status, body, headers=None):
    """Makes the program answer an endpoint so; `*` is every endpoint."""

    def answer(route):
        if endpoint in ("*", urlsplit(route.request.url).path.strip("/")):
            route.fulfill(status=status, content_type="application/json", headers=headers or {}, body=json.dumps({"status": status, **body}))
        else:
            route.fallback()

    tab.expected.add(status)
    tab.page.route(lambda url: not urlsplit(url).path.startswith("/ui/") and urlsplit(url).path != "/", answer)


def subject(browser):
    return Api(browser.origin).domains(1)[0]


def an_unknown_name_is_called_unknown(browser):
    tab = browser.tab()
    tab.open(f"/?url={UNKNOWN}")
    tab.shows(say("empty.unknown"))
    tab.shows(say("empty.unknown.hint"))
    tab.open(f"/?url={UNKNOWN}&view=backlinks")
    tab.shows(say("empty.unknown"))
    tab.shows(say("empty.unknown.hint"))


def a_name_that_was_not_visited_says_so(browser):
    tab = browser.tab()
    tab.open(f"/?url={DISCOVERED}&view=outgoinglinks")
    tab.shows(say("empty.discovered"))
    tab.shows(say("empty.explain"))


def a_filter_without_rows_says_so(browser):
    tab, name = browser.tab(), subject(browser)
    all_rows = Api(browser.origin).ask("backlinks", ("url", name), ("limit", 0))["count"]
    tab.open(f"/?url={name}&view=backlinks&where=sr%20gt%2010")
    tab.shows(say("empty.filtered"))
    tab.shows(say("empty.without", n=all_rows))
    tab.page.click(".note.empty a")
    tab.settle()
    hold(tab.page.locator("tr[data-row]").count() > 0, "the list stays empty without the filter")


def an_unfinished_list_is_read_to_its_end(browser):
    tab, name = browser.tab(), subject(browser)
    asked = []

    def answer(route):
        reply = route.fetch()
        body = reply.json()
        asked.append(route.request.url)
        if len(asked) < 3:
            body.update(exportFinished=False, response=body["response"][:2], count=2)
        route.fulfill(response=reply, json=body)

    tab.page.route("**/linktexts?*", answer)
    tab.open(f"/?url={name}&view=linktexts", settled=False)
    tab.shows(say("state.reading"))
    tab.page.get_by_text(say("state.reading")).wait_for(state="detached")
    rows = Api(browser.origin).ask("linktexts", ("url", name), ("limit", 50))["response"]
    same(tab.page.locator("tr[data-row]").count(), len(rows), "the number of rows in the end")


def a_refusal_is_shown_in_its_words(browser):
    for status, heading in ((403, "state.forbidden"), (400, "state.refused"), (500, "state.broken")):
        tab, name = browser.tab(), subject(browser)
        answers_with(tab, "summary", status, {"error": "This is the reason."})
        answers_with(tab, "tagtypes", status, {"error": "This is the reason."})
        for address in (f"/?url={name}", f"/?url={name}&view=tagtypes"):
            tab.open(address)
            tab.shows(say(heading))
            tab.shows("This is the reason.")


def too_many_requests_and_an_overload_pass(browser):
    for status, sentence in ((429, "trouble.many"), (503, "trouble.busy")):
        tab, name = browser.tab(), subject(browser)
        answers_with(tab, "*", status, {"error": "Later."}, {"Retry-After": "1"})
        tab.open(f"/?url={name}&view=tldlist", settled=False)
        tab.shows(say(sentence))
        hold(tab.page.locator("nav.side a").count() > 10, "the navigation is gone")
        # Once it passes, the page asks again by itself.
        tab.page.unroute_all()
        tab.page.locator("tr[data-row]").first.wait_for()
        tab.settle()
        same(tab.page.locator(".trouble").count(), 0, f"the number of notices after {status}")


def a_server_that_is_gone_is_noticed_and_found_again(browser):
    tab, name = browser.tab(), subject(browser)
    tab.open(f"/?url={name}")
    before = tab.texts(".card.kpi .big")
    tab.expected.add(0)
    tab.page.context.set_offline(True)
    tab.page.click("nav.side a[href*='view=tldlist']")
    tab.shows(say("trouble.gone"))
    # What was read before is still there.
    tab.page.go_back()
    tab.page.locator(".card.kpi").first.wait_for()
    same(tab.texts(".card.kpi .big"), before, "the cards without a server")
    tab.page.go_forward()
    tab.page.context.set_offline(False)
    tab.page.click(".trouble button")
    tab.page.locator("tr[data-row]").first.wait_for()
    same(tab.page.locator(".trouble").count(), 0, "the number of notices")


def without_a_session_the_page_asks_to_sign_in(browser):
    tab, name = browser.tab(), subject(browser)
    answers_with(tab, "*", 401, {"error": "Credentials are missing."})
    for view in ("overview", "backlinks", "compare", "start"):
        tab.open(f"/?url={name}&view={view}", settled=False)
        tab.page.locator("form.signin").wait_for()
        same(tab.page.locator("form.signin").count(), 1, f"the number of forms in {view}")


def a_script_that_cannot_be_loaded_leaves_the_rest(browser):
    tab, name = browser.tab(), subject(browser)
    tab.open(f"/?url={name}")
    tab.expected.add(0)
    tab.page.route("**/ui/compare-*.js", lambda route: route.abort())
    tab.page.click("nav.side a[href*='view=compare']")
    tab.shows(say("state.fault"))
    tab.page.click("nav.side a[href*='view=tldlist']")
    tab.page.locator("tr[data-row]").first.wait_for()


def an_address_that_makes_no_sense_is_refused_in_place(browser):
    tab = browser.tab()
    tab.expected.add(400)
    for address in ("/?url=http%3A%2F%2F%5B&view=backlinks", f"/?url={subject(browser)}&view=newbacklinks&from=20991301"):
        tab.open(address)
        tab.shows(say("state.refused"))
    tab.open(f"/?url={subject(browser)}&view=nothing&limit=x&offset=-3")
    hold(tab.page.locator(".card.kpi").count() > 0, "an unknown view does not show the overview")


def a_fresh_index_is_looked_at_again(browser):
    """The start shows what came into an index that was empty, without being loaded again."""
    tab, state = browser.tab(), {"visits": 0, "empty": True}

    def stats(route):
        reply = route.fetch()
        body = reply.json()
        if state["empty"]:
            body.update({name: 0 for name in ("links", "backlinks", "pages", "fetched", "hosts", "domains", "queued", "known")})
        route.fulfill(response=reply, json=body)

    tab.page.route("**/stats", stats)
    tab.page.route("**/crawl", lambda route: route.fulfill(json={"status": 200, "state": "running", "pagesPerSecond": 1, "visits": state["visits"]}))
    tab.open("/")
    tab.shows(say("first.title"))
    # What the crawl did is known before the figures of the index follow.
    state["visits"] = 3
    tab.shows(say("first.visits", n=3))
    state["empty"] = False
    tab.page.locator(".card.figures").wait_for()
    tab.settle()
    same(tab.page.locator("#seeds").count(), 0, "the number of forms for seeds")
    hold(tab.page.locator(".strongest tbody tr").count() > 0, "the list of domains is empty")


def links_of_the_other_host_are_named(browser):
    """A host without links says that its twin, with or without www., has some."""
    api, tab = Api(browser.origin), browser.tab()
    name = next(row["page"] for row in api.ask("bestpages", ("url", subject(browser)), ("limit", 50))["response"])
    host = name.split("://")[-1].split("/")[0]
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    links = api.ask("backlinks", ("url", host), ("scope", "prefix"), ("limit", 0))["count"]
    hold(links > 0 and not api.ask("backlinks", ("url", other), ("scope", "prefix"), ("limit", 0))["count"], f"{other} has links")
    for view in ("", "&view=backlinks"):
        tab.open(f"/?url={other}&scope=prefix{view}")
        tab.shows(say("empty.twin", n=links, name=host))
        tab.page.get_by_text(say("empty.twin.go")).click()
        tab.settle()
        same(tab.text("h1 bdi"), host, "the subject")
        hold(tab.page.locator(".note.empty").count() == 0, f"{host} has nothing")
    # Nothing is said where the whole domain was looked at.
    tab.open(f"/?url={UNKNOWN}")
    same(tab.page.get_by_text(say("empty.twin.go")).count(), 0, "the number of twins of a domain")


CHECKS = [
    an_unknown_name_is_called_unknown,
    a_name_that_was_not_visited_says_so,
    a_filter_without_rows_says_so,
    an_unfinished_list_is_read_to_its_end,
    a_refusal_is_shown_in_its_words,
    too_many_requests_and_an_overload_pass,
    a_server_that_is_gone_is_noticed_and_found_again,
    without_a_session_the_page_asks_to_sign_in,
    a_script_that_cannot_be_loaded_leaves_the_rest,
    an_address_that_makes_no_sense_is_refused_in_place,
    a_fresh_index_is_looked_at_again,
    links_of_the_other_host_are_named,
]
