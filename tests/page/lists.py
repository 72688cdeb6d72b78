"""What a list offers beside its rows: fields, columns, conditions, code, files and feeds."""

import json
import shutil
import subprocess
import sys
from urllib.parse import quote
from xml.etree import ElementTree

from api import Api, say, squeeze
from chromium import hold, same
from flow import params
from views import LISTS

FEEDS = ("newbacklinks", "lostbacklinks")
FORMATS = ["csv", "excel", "jsonl", "parquet", "arrow"]


def every_field_of_the_filter_has_a_name_of_its_own(browser):
    """The fields are offered once, by a name in words, and the server takes each of them."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    values = {"number": "0", "rank": "0", "flag": "true", "day": "20260101", "text": "'a'", "address": "'198.51.100.1'"}
    described = api.ask("openapi.json")["paths"]
    for view in (*LISTS, "backlinks&group=domain"):
        endpoint = view.partition("&")[0]
        tab.go(f"/?url={name}&view={view}")
        tab.page.click("#add-filter")
        tab.settle()
        offered = tab.page.eval_on_selector_all(".builder label:first-child option", "(options) => options.map((option) => [option.value, option.textContent])")
        names = [text for _, text in offered]
        same(sorted(set(names)), sorted(names), f"the names of the fields of {view}")
        raw = [field for field, text in offered if text == field]
        same(raw, [], f"the fields of {view} without a name")
        kinds = {column["name"]: column["kind"] for column in described[f"/{endpoint}"]["get"]["x-columns"]}
        where = " AND ".join(f"{field} ne {values[kinds[field]]}" for field, _ in offered)
        tab.go(f"/?url={name}&view={view}&limit=1&where={quote(where)}")
        same(tab.texts(".refusal"), [], f"the refusals of {where} in {view}")
        same(tab.page.locator(".chips .chip:has(.field)").count(), len(offered), f"the number of chips of {where}")


def a_column_that_is_offered_is_shown(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    for view in ("backlinks&active=all", "backlinks&group=domain", "referringdomains", "newbacklinks&from=20200101", "lostbacklinks&from=20200101", "linktexts"):
        tab.open(f"/?url={name}&view={view}&limit=5")
        tab.page.click(".tools details:not(#export):not(.corner) > summary")
        offered = [text.strip() for text in tab.page.locator(".checks label").all_inner_texts()]
        for at in range(len(offered)):
            box = tab.page.locator(".checks input").nth(at)
            if not box.is_checked():
                box.check()
        tab.settle()
        heads = tab.page.eval_on_selector_all(".tablecard thead th:not(.opener)", "(heads) => heads.map((head) => head.textContent.replace(/[▲▼]/g, ''))")
        same(sorted(heads), sorted(offered), f"the columns of {view}")


def conditions_are_joined_by_or(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open(f"/?url={name}&view=backlinks&where=nofollow%20eq%20true")
    tab.page.click("#add-or")
    tab.page.select_option(".builder select >> nth=0", "tag")
    tab.page.select_option(".builder select >> nth=1", "eq")
    tab.page.select_option(".builder select >> nth=2", "aimg")
    tab.page.click(".builder button.primary")
    tab.settle()
    where = "nofollow eq true OR tag eq 'aimg'"
    for joint in ("OR", "AND"):
        where = where.replace(" OR ", f" {joint} ")
        tab.page.select_option(".joint", joint)
        tab.settle()
        same((params(tab)["where"], tab.page.locator(".chips .chip:has(.field)").count()), (where, 2), "the filter, and the number of its chips")
        count = api.ask("backlinks", ("url", name), ("where", where), ("limit", 0))["count"]
        same(squeeze(tab.text(".listhead .total")), squeeze(say("count.links", n=count)), f"the count of {where}")


def code_for_a_server_without_users_runs(browser):
    """It has no credentials, and prints what the view shows."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browser.origin)
    tab.open(f"/?url={name}&view=backlinks&limit=25")
    rows = tab.page.locator("tr[data-row]").count()
    for button, command in ((0, ["sh", "-c"]), (1, [sys.executable, "-c"])):
        tab.page.click(".listhead details.corner > summary")
        tab.page.locator(".listhead .corner button").nth(button).click()
        tab.page.wait_for_function("(begin) => navigator.clipboard.readText().then((text) => text.startsWith(begin))", arg="curl" if button == 0 else "import")
        code = tab.page.evaluate("navigator.clipboard.readText()")
        hold("USER" not in code and "user" not in code, f"the code has credentials: {code}")
        tab.page.keyboard.press("Escape")
        if button == 0 and not shutil.which("curl"):
            print("SKIPPED: curl is absent, so the copied command does not run")
            continue
        answer = subprocess.run([*command, code], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        hold(answer.returncode == 0, f"{code} fails: {answer.stderr}")
        same(len(json.loads(answer.stdout)["response"]), rows, "the number of rows that the code prints")


def every_list_is_a_file_and_some_are_feeds(browser):
    """Each format of the API is in both menus and at the foot; feeds are named in the head, and are Atom."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    for view in LISTS:
        tab.go(f"/?url={name}&view={view}&from=20200101&to=20991231&where=" + quote("" if view not in FEEDS else "nofollow eq false"))
        for place in ("#export", ".listhead .corner", ".tablefoot .files"):
            formats = tab.page.eval_on_selector_all(f"{place} a[download]", "(links) => links.map((link) => new URL(link.href).searchParams.get('format'))")
            same(formats, FORMATS, f"the files of {view} in {place}")
        feeds = tab.page.eval_on_selector_all("#export a[href*='format=atom'], .listhead .corner a[href*='format=atom'], link[rel=alternate]", "(links) => links.map((link) => link.getAttribute('href'))")
        same(len(feeds), 3 if view in FEEDS else 0, f"the number of links to feeds of {view}")
        same(len(set(feeds)), min(len(feeds), 1), f"the number of addresses of feeds of {view}")
        for feed in set(feeds):
            status, headers, body = api.open(feed)
            hold(status == 200 and headers["Content-Type"].startswith("application/atom+xml"), f"{feed} is {status} {headers['Content-Type']}")
            root = ElementTree.fromstring(body)
            count = api.ask(view, ("url", name), ("from", "20200101"), ("where", "nofollow eq false"), ("limit", 0))["count"]
            same(len(root.findall("{http://www.w3.org/2005/Atom}entry")), min(100, count), f"the number of entries of {feed}")
            hold("to=" not in feed, f"{feed} ends some day")


CHECKS = [
    every_field_of_the_filter_has_a_name_of_its_own,
    a_column_that_is_offered_is_shown,
    conditions_are_joined_by_or,
    code_for_a_server_without_users_runs,
    every_list_is_a_file_and_some_are_feeds,
]
