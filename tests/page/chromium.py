"""Chromium, and tabs in it that notice whatever a page must not do.

A tab collects faults: messages in the console, exceptions, reports of the content security policy, requests to another
origin, and failed requests. `Chromium.no_faults` raises them.
"""

import os
import shutil
import time

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# Shows that something is still awaited.
BUSY = "!document.getElementById('main') || !!document.querySelector('.skeleton, [aria-busy=true], .stale, .facets.awaited, .chart > .reserve')"

# Keeps what the browser refuses by the content security policy.
WATCH = """
window.refusedByPolicy = [];
document.addEventListener('securitypolicyviolation', (event) =>
    window.refusedByPolicy.push(`${event.violatedDirective} refuses ${event.blockedURI || event.sample}`));
"""


class Fault(Exception):
    """What does not hold, in a sentence."""


def hold(condition, sentence):
    if not condition:
        raise Fault(sentence)


def same(found, expected, what):
    if found != expected:
        raise Fault(f"{what} is {found!r}, not {expected!r}")


def program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One process of Chromium for a group of checks."""

    def __init__(self, origin):
        self.origin = origin
        self.tabs = []

    def __enter__(self):
        from playwright.sync_api import sync_playwright

        self.playwright = sync_playwright().start()
        # The name stands for a host of someone else whose address was changed to that of the program.
        arguments = ["--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage", "--host-resolver-rules=MAP rebound.example 127.0.0.1"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        self.browser = self.playwright.chromium.launch(executable_path=program(), args=arguments)
        return self

    def __exit__(self, *_):
        self.close_tabs()
        self.browser.close()
        self.playwright.stop()

    def tab(self, watched=True, **options):
        """A tab with its own cookies. Unwatched ones may do anything."""
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "color_scheme": "light", **options}
        tab = Tab(self, self.browser.new_context(**options))
        if watched:
            self.tabs.append(tab)
        return tab

    def no_faults(self):
        for tab in self.tabs:
            refused = tab.page.evaluate("window.refusedByPolicy ?? []") if tab.page.url.startswith("http") else []
            faults = tab.faults + refused
            hold(not faults, "; ".join(dict.fromkeys(faults)))

    def close_tabs(self):
        for tab in self.tabs:
            tab.page.context.close()
        self.tabs = []


class Tab:
    def __init__(self, browser, context):
        self.browser, self.faults, self.awaited = browser, [], set()
        # Statuses that the present check brings about.
        self.expected = set()
        context.add_init_script(WATCH)
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self.on_message)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        self.page.on("request", self.on_request)
        self.page.on("requestfinished", lambda request: self.awaited.discard(request))
        self.page.on("requestfailed", self.on_failure)
        self.page.on("response", self.on_response)

    def on_message(self, message):
        # Chromium reports each failed request as a message; `on_response` and `on_failure` judge those.
        if not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def on_request(self, request):
        self.awaited.add(request)
        if not request.url.startswith((self.browser.origin + "/", "data:")):
            self.faults.append(f"a request to another origin: {request.url}")

    def on_failure(self, request):
        self.awaited.discard(request)
        # Whatever a view no longer needs is aborted when it is left, and a download takes its request over.
        if 0 not in self.expected and request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.failure}: {request.url}")

    def on_response(self, response):
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"status {response.status}: {response.url}")

    def open(self, address, settled=True):
        """Loads the page at an address."""
        self.page.goto(self.browser.origin + address)
        if settled:
            self.settle()

    def go(self, address):
        """Shows another view without loading the page again, as a click on a link does."""
        self.page.evaluate("(address) => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')); scrollTo(0, 0); }", address)
        self.settle()

    def settle(self, patience=20):
        """Waits until nothing is awaited any more."""
        end, quiet = time.monotonic() + patience, 0
        while quiet < 2:
            self.page.wait_for_timeout(20)
            quiet = 0 if self.awaited or self.page.evaluate(BUSY) else quiet + 1
            if time.monotonic() > end:
                waiting = ", ".join(request.url for request in self.awaited) or self.page.evaluate("document.querySelector('.skeleton, [aria-busy=true], .stale, .facets.awaited, .chart > .reserve')?.outerHTML.slice(0, 200)")
                raise Fault(f"{self.page.url} is not complete after {patience} s: {waiting}")

    def text(self, selector="body"):
        return self.page.locator(selector).first.inner_text()

    def texts(self, selector):
        """The whole text of each element, without white space."""
        script = "(selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent.replace(/\\s+/g, ''))"
        return self.page.evaluate(script, selector)

    def shows(self, text):
        """Waits until a text can be read."""
        try:
            self.page.get_by_text(text).filter(visible=True).first.wait_for()
        except Exception as error:
            raise Fault(f"{text!r} cannot be read in {self.text()[:300]!r}") from error
        hold(len(self.text("#main").strip()) > 0 or self.page.locator("form.signin, .trouble").count(), "the page is blank")
