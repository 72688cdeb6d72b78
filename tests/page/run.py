#!/usr/bin/env python3
"""Runs one group of checks of the page in Chromium, and prints a line for each.

    run.py ready                     prints what is missing, if anything, with exit status 77
    run.py GROUP ADDRESS [CHECK…]    the checks of a group, against the program at http://ADDRESS

A group is a file beside this one. A failed check is a line `FAILED name: reason`, and exit status 1.
"""

import importlib
import sys
import time

MISSING = 77


def missing():
    """A sentence about what is missing, or an empty text."""
    try:
        import axe_playwright_python
        import playwright
    except ImportError as error:
        return f"the Python package {error.name} is absent; `make browser` installs it"
    import chromium

    return "" if chromium.program() else "Chromium is absent; install chromium or chromium-headless-shell"


def main():
    lack = missing()
    if lack:
        print(lack)
        return MISSING
    if sys.argv[1] == "ready":
        return 0
    from chromium import Chromium, Fault

    group, address, wanted = importlib.import_module(sys.argv[1]), sys.argv[2], sys.argv[3:]
    failed = 0
    with Chromium(f"http://{address}") as browser:
        for check in group.CHECKS:
            if wanted and check.__name__ not in wanted:
                continue
            begun, reason = time.monotonic(), None
            try:
                check(browser)
                browser.no_faults()
            except Fault as fault:
                reason = str(fault)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            browser.close_tabs()
            took = time.monotonic() - begun
            failed += reason is not None
            print(f"ok      {check.__name__} ({took:.1f} s)" if reason is None else f"FAILED  {check.__name__}: {reason}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
