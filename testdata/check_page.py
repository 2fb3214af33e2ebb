"""Opens the page of `cdrlake audit --html` in a browser, headless, light and dark, wide and narrow.

    python testdata/check_page.py CDRLAKE [--screenshots DIR] [--browser chromium]

It makes lakes of synthetic deliveries, one of them with file names that would be elements and
scripts if they were not escaped, and asserts of their pages: nothing is requested but the page itself,
nothing is logged, no script is there, nothing is wider than the window, text has a contrast of 4.5,
pictures have titles, tables captions and heads, and the figures are those of `--json`. The browser is
driven through its debugging pipe, so that only it and Python are needed.
"""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

BROWSER = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
]  # fmt: skip

HOSTILE = [
    "<script>document.title='owned'<!--.cdr",
    "\"><img src=x onerror=alert(1)> &amp;lt;.cdr",
    "<style>body{display:none}<!--.cdr",
]

# The least contrast of text, and where; what is hidden does not count.
CONTRAST = """(() => {
    const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    let least = [99, ''];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const element = node.parentElement;
        if (!node.data.trim() || !element.getClientRects().length || element.closest('title')) continue;
        const style = getComputedStyle(element);
        const ink = rgb(element.closest('svg') ? style.fill : style.color);
        let paper, at = element;
        do {
            paper = rgb(getComputedStyle(at).backgroundColor);
            at = at.parentElement;
        } while (at && paper[3] === 0);
        const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 120)];
    }
    return least;
})()"""

STRUCTURE = """(() => {
    const wrong = [];
    const none = (selector, what) => document.querySelectorAll(selector)
        .forEach(it => wrong.push(what + ': ' + it.outerHTML.slice(0, 120)));
    none('script, iframe, object, embed, link, img, [src], [onerror]', 'not ours');
    none('svg:not(:has(> title)):not([aria-hidden=true])', 'a picture without a title');
    none('table:not(:has(> caption))', 'a table without a caption');
    none('th:not([scope])', 'a head without a scope');
    for (const selector of ['header', 'main', 'footer', 'nav[aria-label]', 'html[lang]', 'h1'])
        if (!document.querySelector(selector)) wrong.push('no ' + selector);
    const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
    if (new Set(ids).size !== ids.length) wrong.push('an id twice');
    document.querySelectorAll('a[href^="#"]').forEach(it => {
        if (!document.getElementById(it.hash.slice(1))) wrong.push('leads nowhere: ' + it.hash);
    });
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(it => +it.tagName[1]);
    levels.forEach((level, i) => {
        if (i && level > levels[i - 1] + 1) wrong.push('a heading level left out');
    });
    return wrong;
})()"""


class Browser:
    """A browser with one page, and what it was told of: requests, and whatever it logs."""

    def __init__(self, program, profile):
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()
        # The browser reads commands from 3 and writes answers to 4, so neither may be taken.
        arguments = [program, *BROWSER, f"--user-data-dir={profile}"]

        def place():
            reading, writing = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            arguments,
            preexec_fn=place,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.commands = os.fdopen(ours, "wb")
        self.answers = os.fdopen(theirs, "rb")
        self.number, self.session, self.rest = 0, None, b""
        self.requests, self.logged, self.events = [], [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ["Page", "Network", "Log", "Runtime"]:
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers.fileno(), 1 << 16)
            if not more:
                raise SystemExit("the browser ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Log.entryAdded":
            self.logged.append(parameters["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.logged.append(json.dumps(parameters))
        if method:
            self.events.append(method)
        return message

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        self.commands.write(json.dumps(command).encode() + b"\0")
        self.commands.flush()
        while True:
            message = self.message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]

    def evaluate(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def open(self, url, width, scheme):
        self.requests.clear()
        self.logged.clear()
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=url)
        while "Page.loadEventFired" not in self.events:
            self.message()

    def screenshot(self, path):
        height = self.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.evaluate("innerWidth"), "height": min(height, 6000)}
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={**clip, "scale": 1})
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.commands.write(json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        self.commands.flush()
        self.process.wait(timeout=20)


def run(*arguments, statuses=(0,), **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, **options)
    if done.returncode not in statuses:
        raise SystemExit(f"{arguments}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def hostile(cdrlake, place):
    """A month with gaps and rejects; files whose names are markup; a gap that was accepted."""
    inbox = place / "inbox"
    run(cdrlake, "generate", "--records", 60_000, "--files", 60, "--gaps", 3,
        "--from", "2025-10-01", "--damage", "all=0.1%", "-o", inbox)  # fmt: skip
    for name in HOSTILE:
        (inbox / name).write_text("not a record\n" * 20)
    run(cdrlake, "convert", "--country", "GB", inbox, "-o", place / "lake", statuses=(3, 4))
    found = json.loads(run(cdrlake, "audit", "--json", "--today", "2025-11-02T08:00", place / "lake", statuses=(3,)))
    gap = next(it for it in found["audits"][0]["findings"] if it["kind"] == "missing_delivery")
    run(cdrlake, "audit", place / "lake", "--today", "2025-11-02T08:00",
        "--accept", gap["id"], "--reason", "<b onmouseover=alert(1)>a strike</b>")  # fmt: skip
    return "2025-11-02T08:00"


def years(cdrlake, place):
    """Four years, twice a day, and so few calls that it is made quickly."""
    run(cdrlake, "generate", "--records", 29_200, "--files", 2_920, "--gaps", 40,
        "--from", "2022-01-01", "-o", place / "inbox")  # fmt: skip
    run(cdrlake, "convert", place / "inbox", "-o", place / "lake")
    return "2025-12-31T08:00"


def whole(cdrlake, place):
    """Nothing to find."""
    run(cdrlake, "generate", "--records", 600, "--files", 6, "--from", "2025-10-01", "-o", place / "inbox")
    run(cdrlake, "convert", place / "inbox", "-o", place / "lake")
    return "2025-10-04T08:00"


def check(browser, page, answer, screenshots, name):
    for scheme in ["light", "dark"]:
        for width in [1400, 390]:
            where = f"{name}, {scheme}, {width} px"
            browser.open(page.as_uri(), width, scheme)
            assert browser.requests == [page.as_uri()], (where, browser.requests)
            assert browser.logged == [], (where, browser.logged)
            overflow = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, (where, f"{overflow} px too wide")
            assert browser.evaluate(STRUCTURE) == [], (where, browser.evaluate(STRUCTURE))
            ratio, worst = browser.evaluate(CONTRAST)
            assert ratio >= 4.5, (where, ratio, worst)
            if screenshots:
                browser.screenshot(screenshots / f"{name}-{scheme}-{width}.png")
    assert browser.evaluate("document.title").startswith("Audit of "), "a name became a script"
    text = browser.evaluate("document.body.textContent")
    for audit in answer["audits"]:
        for finding in audit["findings"] + audit["accepted"]:
            assert finding["message"] in text, (name, finding["message"])
            assert finding["id"] in text.replace("'\\''", "'"), (name, finding["id"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cdrlake", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--browser", default="chromium")
    arguments = parser.parse_args()
    cdrlake = arguments.cdrlake.resolve()
    # The browser's own processes write on for a moment after it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        directory = pathlib.Path(directory)
        browser = Browser(arguments.browser, directory / "browser")
        for make in [whole, hostile, years]:
            place = directory / make.__name__
            place.mkdir()
            today = make(cdrlake, place)
            page = place / "report.html"
            command = [cdrlake, "audit", "lake", "--today", today, "--json", "--html", page.name]
            answer = json.loads(run(*command, cwd=place, statuses=(0, 3)))
            first = page.read_bytes()
            run(*command, cwd=place, statuses=(0, 3))
            assert first == page.read_bytes(), "another page the second time"
            assert len(first) < 500_000, (make.__name__, len(first))
            check(browser, page, answer, arguments.screenshots, make.__name__)
            print(f"{make.__name__}: {len(first)} bytes, {len(answer['audits'][0]['findings'])} findings")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
