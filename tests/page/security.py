"""What a crawled page, a page of another site, or a reader without credentials must not achieve.

The program has the user `alice` and an index of crawled pages whose titles and anchor texts are hostile. Tests in
`tests/api` cover the answers themselves; these cover what a browser makes of them.
"""

import csv
import http.server
import io
import pathlib
import threading
from urllib.parse import quote, urlsplit

from api import Api, say
from chromium import hold, same

NAME, PASSWORD = "alice", "correct horse"
TARGET = "target.example"


def sign_in(tab, password=PASSWORD):
    tab.page.fill("form.signin input[name=name]", NAME)
    tab.page.fill("form.signin input[name=password]", password)
    tab.page.click("form.signin button")


def signed_in(browser, **options):
    tab = browser.tab(**options)
    tab.expected.add(401)
    tab.open("/", settled=False)
    sign_in(tab)
    tab.page.locator("form.signin").wait_for(state="detached")
    tab.settle()
    tab.expected.clear()
    return tab


def session(tab):
    found = [cookie for cookie in tab.page.context.cookies() if cookie["name"] == "backlinkd_session"]
    return found[0] if found else None


class OtherSite:
    """Pages of another site: `localhost`, where the program is at 127.0.0.1."""

    def __init__(self, pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(pages.get(self.path, "").encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def signing_in_leads_back_to_the_view(browser):
    """No parameter of the address leads elsewhere, before or after."""
    tab = browser.tab()
    tab.expected.add(401)
    address = f"/?url={TARGET}&view=linktexts&next=//evil.example/&return_to=https://evil.example/"
    tab.open(address, settled=False)
    tab.page.locator("form.signin").wait_for()
    same(tab.page.locator("tr[data-row]").count(), 0, "the number of rows without credentials")
    sign_in(tab, "wrong")
    tab.shows(say("session.wrong"))
    sign_in(tab)
    tab.page.locator("tr[data-row]").first.wait_for()
    same(tab.page.url, browser.origin + address, "the address after the sign-in")
    tab.expected.clear()
    tab.open("/?url=//evil.example/&view=page")
    same(urlsplit(tab.page.url).netloc, urlsplit(browser.origin).netloc, "the server after an address with two slashes")
    hrefs = tab.page.eval_on_selector_all("a[href]:not([target=_blank])", "(links) => links.map((link) => new URL(link.href).origin)")
    same(set(hrefs), {browser.origin}, "the origins of links that replace the page")
    tab.expected.add(401)
    tab.page.click(".top details.drop summary")
    tab.page.click(f"text={say('session.out', name=NAME)}")
    tab.page.locator("form.signin").wait_for()
    same(session(tab), None, "the cookie after the sign-out")


def the_session_is_closed_to_scripts_and_other_sites(browser):
    tab = signed_in(browser)
    cookie = session(tab)
    same((cookie["httpOnly"], cookie["sameSite"], cookie["path"]), (True, "Strict", "/"), "HttpOnly, SameSite and Path of the cookie")
    same(tab.page.evaluate("document.cookie"), "", "the cookies that a script reads")
    kept = tab.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    hold(PASSWORD not in kept and cookie["value"] not in kept, f"the browser keeps credentials: {kept}")


def pages_of_other_sites_cannot_act(browser):
    """Neither with the cookie nor by a form: the program sees another site, and answers 403."""
    tab = signed_in(browser)
    own = tab.page.evaluate("fetch('/iscached', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ url: 'a.example', resources: 'sr' }) }).then((answer) => answer.status)")
    same(own, 200, "the status of a POST of the page itself")
    attack = f"""<form id="f" method="post" action="{browser.origin}/session" enctype="text/plain"><input name="x" value="y"></form>
        <script>fetch('{browser.origin}/iscached', {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: '{{}}' }}).finally(() => f.submit())</script>"""
    with OtherSite({"/": attack, "/read": "<p>Reads</p>"}) as other:
        stranger = tab.page.context.new_page()
        answers = []
        stranger.on("response", lambda answer: answers.append((answer.request.method, urlsplit(answer.url).path, answer.status)))
        stranger.goto(other.origin + "/")
        stranger.wait_for_url(f"{browser.origin}/session")
        same([one for one in answers if one[0] == "POST"], [("POST", "/iscached", 403), ("POST", "/session", 403)], "the answers to another site")
        stranger.goto(other.origin + "/read")
        read = stranger.evaluate(f"fetch('{browser.origin}/stats', {{ credentials: 'include' }}).then((answer) => answer.text(), () => 'refused')")
        same(read, "refused", "what another site reads")
        stranger.close()
    tab.page.reload()
    tab.settle()
    hold(session(tab) is not None and not tab.page.locator("form.signin").count(), "another site ended the session")


def no_frame_shows_the_page(browser):
    with OtherSite({"/": f"<iframe src='{browser.origin}/' width=800 height=600></iframe>"}) as other:
        tab = browser.tab(watched=False)
        messages = []
        tab.page.on("console", lambda message: messages.append(message.text))
        tab.page.goto(other.origin + "/", wait_until="networkidle")
        frame = tab.page.frames[1]
        same(frame.evaluate("!!document.getElementById('page')") if frame.url.startswith(browser.origin) else False, False, "the page in a frame")
        hold(any("frame-ancestors" in text for text in messages), f"the frame was not refused by the policy: {messages}")
        tab.page.context.close()


# Titles and anchor texts as `tests/page/web.rs` writes them, and as a reader sees them.
HOSTILE = [
    "<script>window.owned = 1</script>",
    "<img src=x onerror=\"window.owned = 2\">",
    "\"><svg onload=window.owned=3>",
    "javascript:window.owned=4",
    "safe⟨RLO⟩txt.exe",
    "=HYPERLINK(\"http://evil.example/\",\"click\")",
    "{{constructor.constructor('window.owned=5')()}}",
]


def crawled_texts_are_only_texts(browser):
    tab = signed_in(browser)
    api = Api(browser.origin, f"backlinkd_session={session(tab)['value']}")
    tab.page.on("dialog", lambda dialog: (tab.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    sources = [row["backlinkpage"] for row in api.ask("backlinks", ("url", TARGET), ("limit", 100))["response"]]
    hold(len(sources) >= len(HOSTILE), f"only {len(sources)} links were crawled")
    views = [f"/?url={TARGET}"] + [f"/?url={TARGET}&view={view}" for view in ("backlinks", "linktexts", "newbacklinks", "bestpages")]
    views += [f"/?url={TARGET}&view=page"] + [f"/?url={quote(source, safe='')}&view=page" for source in dict.fromkeys(sources)]
    views += [f"/?url={TARGET}&view=backlinks&where={quote(chr(39).join(['linktext eq ', text.replace(chr(39), chr(39) * 2), '']))}" for text in HOSTILE]
    views += [f"/?url={quote(text)}" for text in HOSTILE] + [f"/?url={TARGET}&view={quote(text)}&order={quote(text)}&fields={quote(text)}" for text in HOSTILE]
    read = ""
    tab.expected.add(400)
    for view in views:
        tab.go(view)
        read += tab.text("body")
        made = tab.page.evaluate("[...document.querySelectorAll('script:not([src]), img, iframe, object, embed, svg [onload], [onerror], [onload], [style*=url], a[href^=\"javascript:\" i], a[href^=\"data:\" i]')].map((one) => one.outerHTML.slice(0, 120))")
        same(made, [], f"the elements that crawled texts made in {view}")
        same(tab.page.evaluate("window.owned ?? null"), None, f"what a crawled script did in {view}")
    for text in HOSTILE:
        hold(text in read, f"{text!r} cannot be read")
    hold("\u202e" not in read, "a mark reverses the text after it")


def links_out_tell_nothing(browser):
    tab = signed_in(browser)
    tab.go(f"/?url={TARGET}&view=backlinks")
    links = tab.page.eval_on_selector_all("a.out", "(links) => links.map((link) => [link.target, link.rel, new URL(link.href).protocol])")
    hold(len(links) > 0, "no link leads out")
    same({tuple(link) for link in links}, {("_blank", "noopener noreferrer nofollow", "http:")}, "target, rel and scheme of links out")


def files_for_spreadsheets_have_no_formulas(browser):
    tab = signed_in(browser)
    tab.go(f"/?url={TARGET}&view=backlinks")
    with tab.page.expect_download() as download:
        tab.page.click(".tablefoot a[href*='format=excel']")
    rows = list(csv.reader(io.StringIO(pathlib.Path(download.value.path()).read_text("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    hold(any(cell.startswith("'=HYPERLINK") for cell in cells), "the formula of a crawled text is not in the file")
    same([cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))], [], "the cells that a spreadsheet computes")


def copied_code_asks_for_credentials(browser):
    tab = signed_in(browser)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browser.origin)
    tab.go(f"/?url={TARGET}&view=backlinks")
    for button, part in ((0, "-u USER"), (1, "getpass.getpass()")):
        tab.page.click(".listhead details.corner > summary")
        tab.page.locator(".listhead .corner button").nth(button).click()
        tab.page.wait_for_function("(part) => navigator.clipboard.readText().then((text) => text.includes(part))", arg=part)
        tab.page.keyboard.press("Escape")


CHECKS = [
    signing_in_leads_back_to_the_view,
    the_session_is_closed_to_scripts_and_other_sites,
    pages_of_other_sites_cannot_act,
    no_frame_shows_the_page,
    crawled_texts_are_only_texts,
    links_out_tell_nothing,
    files_for_spreadsheets_have_no_formulas,
    copied_code_asks_for_credentials,
]
