#!/usr/bin/env python3
"""Takes the picture in README.md, `src/docs/images/page.webp`, from a running demo.

    backlinkd demo                                  in another terminal
    tests/page/picture.py 127.0.0.1:8080            with the Python of `make browser`

The dates in the picture are those of the day. Chromium itself writes WebP, so nothing else is needed.
"""

import base64
import pathlib
import sys

from chromium import Chromium

FILE = pathlib.Path(__file__).parents[2] / "src/docs/images/page.webp"
MOST_BYTES = 150_000
VIEW = "/?url=museum.example"
SIZE = {"width": 1200, "height": 760}

# Draws the screenshot on a canvas, which knows WebP. The address of the data is no part of the page's policy.
CONVERT = """async ([png, quality]) => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + png;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


def main():
    with Chromium(f"http://{sys.argv[1]}") as browser:
        tab = browser.tab(viewport=SIZE, device_scale_factor=1.5)
        tab.open(VIEW)
        png = base64.b64encode(tab.page.screenshot()).decode()
        for quality in (0.9, 0.8, 0.7, 0.6):
            data = base64.b64decode(tab.page.evaluate(CONVERT, [png, quality]))
            if len(data) <= MOST_BYTES:
                break
        FILE.write_bytes(data)
        print(f"{FILE}: {len(data)} bytes at quality {quality}")


if __name__ == "__main__":
    sys.exit(main())
