"""The pages of `fusedb serve` in a real browser: what starts both, and what is asked of every page."""

import contextlib
import json
import os
import re
import shlex
import subprocess

from playwright.sync_api import sync_playwright

from conftest import ROOT

#: Debian's browser. As root it has no sandbox of its own.
CHROMIUM = "/usr/bin/chromium"
SCREENSHOTS = ROOT / "build" / "screenshots"
TOKEN = "a-token-of-tests-0123456789"
NARROW, WIDE = 400, 1600
#: What a page may weigh with all that it loads.
MOST_BYTES = 60_000


@contextlib.contextmanager
def serving(command, files, *options):
    """The address of a server of these files, by their names. FUSEDB_SERVE names another program that takes NAME=FILE."""
    names = [f"{name}={path}" for name, path in files.items()]
    words = os.environ.get("FUSEDB_SERVE")
    run = [*shlex.split(words), *names] if words else [command.path, "serve", "--listen", "127.0.0.1:0", *options, *names]
    process = subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"listening (?:at )?(http://\S+)", line):
                break
        else:
            raise AssertionError(f"the server ended with {process.wait()}: {said}")
        yield found[1].rstrip("/")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextlib.contextmanager
def browser():
    assert os.path.exists(CHROMIUM), f"no browser at {CHROMIUM}; make test installs it"
    with sync_playwright() as playwright:
        with contextlib.closing(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as program:
            yield program


class Visit:
    """A page in the browser, and what it did."""

    def __init__(self, program, base, width=1280, scheme="light", **options):
        self.base = base
        self.context = program.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.errors = []
        self.requests = []
        self.dialogs = []
        self.byte_count = 0
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", self.weigh)
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def weigh(self, response):
        with contextlib.suppress(Exception):
            self.byte_count += int(response.headers.get("content-length", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def open(self, path):
        """Opens a page, and waits until no work is under way. What pages did before counts no more."""
        self.errors.clear()
        self.requests.clear()
        self.byte_count = 0
        answer = self.page.goto(self.base + path)
        self.settle()
        return answer

    def settle(self):
        self.page.wait_for_load_state()
        self.page.wait_for_selector("#live:not([data-live])")

    def check(self):
        """What is to be true of each page."""
        assert self.errors == []
        assert self.dialogs == []
        foreign = [url for url in self.requests if not url.startswith((self.base + "/", "data:,"))]
        assert foreign == []
        assert self.context.cookies() == []
        page = self.page
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"
        assert unnamed(page) == []

    def picture(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def unnamed(page):
    """The controls that the accessibility tree has no name for."""
    lines = [line.strip() for line in page.locator("body").aria_snapshot().splitlines()]
    kinds = "button|link|textbox|searchbox|combobox|checkbox|progressbar|img|region|navigation|search|form|table"
    found = [line for line in lines if re.match(rf"- ({kinds})\b", line)]
    assert found, "the accessibility tree is empty"
    return [line for line in found if not re.match(r'- \w+ ("(?:[^"\\]|\\.)+"|/)', line.removesuffix(":"))]


#: Each text with its colour and what is behind it, and the contrast of both, by WCAG 2.2.
CONTRASTS = """
() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, under) => {
    const a = top[3];
    return [0, 1, 2].map((i) => top[i] * a + under[i] * (1 - a)).concat(1);
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
    return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const add = (element, colour, text) => {
    const back = behind(element);
    const [a, b] = [light(over(parse(colour), back)), light(back)];
    found.push({ text: text.slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  };
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility() || element.closest("svg, noscript")) continue;
    add(element, getComputedStyle(element).color, walk.currentNode.data);
  }
  for (const input of document.querySelectorAll("input:not([type=hidden])")) {
    add(input, getComputedStyle(input).color, input.value || "input");
    add(input, getComputedStyle(input, "::placeholder").color, input.placeholder || "placeholder");
  }
  return found;
}
"""


def records(pairs):
    """Lines of records, for build."""
    return "".join(json.dumps({"keys": keys, "value": value}) + "\n" for keys, value in pairs).encode()
