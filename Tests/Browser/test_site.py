"""The documentation's site as a browser shows it: in four widths, by day and by night, and its search."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import pytest
from devtools import Chromium, Page

ROOT = Path(__file__).resolve().parents[2]
LINES = [line.strip() for line in (ROOT / "Tests/Docs/questions.txt").read_text().splitlines() if line.strip() and line[0] != "#"]
QUESTIONS = [tuple(part.strip() for part in line.split("|")) for line in LINES]

# All widths, and every page in both colours, take minutes.
FULL = "TUILE_FULL" in os.environ

# Elements that reach over the screen's edge, but for what scrolls by itself.
WIDE = """(() => {
  const edge = document.documentElement.clientWidth + 1, found = [];
  if (document.documentElement.scrollWidth > edge) found.push('the page: ' + document.documentElement.scrollWidth);
  for (const one of document.querySelectorAll('article *')) {
    const box = one.getBoundingClientRect();
    if (box.right <= edge || box.width === 0) continue;
    let scrolls = false;
    for (let above = one; above && above.tagName !== 'ARTICLE'; above = above.parentElement)
      scrolls ||= ['auto', 'scroll'].includes(getComputedStyle(above).overflowX);
    if (!scrolls) found.push(one.tagName + ' ' + one.className + ': ' + Math.round(box.right));
  }
  return found.slice(0, 3);
})()"""
# What axe-core says of a page by the rules of WCAG 2.2, A and AA, and of its headings.
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
ACCESSIBLE = """axe.run(document, {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  rules: {'heading-order': {enabled: true}, 'page-has-heading-one': {enabled: true}, 'empty-heading': {enabled: true}},
}).then((said) => said.violations.map((one) => one.id + ': ' + one.nodes[0].html.slice(0, 120)))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TUILE_SITE names, as scripts/docs made it before, or a new one."""
    if given := os.environ.get("TUILE_SITE"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("site") / "html"
    subprocess.run([ROOT / "scripts/docs", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def page(browser: Chromium) -> Iterator[Page]:
    page = Page(browser)
    yield page
    page.close()


def screen(page: Page, width: int, colours: str = "light") -> None:
    call, session = page.browser.call, page.session
    call("Emulation.setDeviceMetricsOverride", session, width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": colours}])


def accessible(page: Page) -> list[str]:
    """What axe-core finds wrong."""
    page.evaluate(f"{AXE}; 0")
    return list(page.evaluate(ACCESSIBLE))


def search(page: Page, site: Path, words: str) -> list[str]:
    """The pages that are found, best first."""
    page.open((site / "search.html").as_uri() + f"?q={quote(words)}")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if page.evaluate("!!document.querySelector('#search-results .search-summary') && !/Searching|Preparing/.test(document.querySelector('#search-results').innerText)"):
            break
        time.sleep(0.05)
    found = page.evaluate("[...document.querySelectorAll('#search-results ul.search li > a')].map((a) => a.getAttribute('href'))")
    return [str(link).partition("?")[0].partition("#")[0].removesuffix(".html") for link in found]


def pages(site: Path) -> list[Path]:
    found = [path for path in sorted(site.glob("*.html")) if path.name not in ("search.html", "genindex.html", "py-modindex.html")]
    assert len(found) > 60
    return found


def test_no_page_is_cut_off_or_wider_than_the_screen(site: Path, page: Page) -> None:
    wrong = {}
    for path in pages(site):
        page.open(path.as_uri())
        for width in (360, 768, 1280, 1920) if FULL else (360, 1280):
            screen(page, width)
            if found := page.evaluate(WIDE):
                wrong[path.name, width] = found
    assert wrong == {}


def test_every_page_can_be_read_by_day_and_by_night(site: Path, page: Page) -> None:
    wrong = {}
    for colours in ("light", "dark"):
        screen(page, 1280, colours)
        for path in pages(site)[:: 1 if FULL else 6]:
            page.open(path.as_uri())
            if found := accessible(page):
                wrong[path.name, colours] = found
    assert wrong == {}


def test_what_is_too_wide_and_pale_is_noticed(tmp_path: Path, page: Page) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text("<body style='background: #fff'><article><h1>x</h1><h3>y</h3><p style='width: 9000px'>z</p><p style='color: #ccc'>pale</p><img src='data:,'></article>")
    screen(page, 360)
    page.open(broken.as_uri())
    assert len(page.evaluate(WIDE)) >= 2
    assert {one.partition(":")[0] for one in accessible(page)} == {
        "color-contrast", "document-title", "heading-order", "html-has-lang", "image-alt",
    }  # fmt: skip


def test_the_search_answers_what_newcomers_ask(site: Path, page: Page) -> None:
    assert len(QUESTIONS) >= 30
    screen(page, 1280)
    wrong = {}
    for words, expected in QUESTIONS:
        first = search(page, site, words)[:3]
        if not set(first) & set(expected.split()):
            wrong[words] = first
    assert wrong == {}
    assert search(page, site, "nosuchthing") == []


def test_a_button_changes_the_colours(site: Path, page: Page) -> None:
    screen(page, 1280)
    page.open((site / "settings.html").as_uri())
    paper = "getComputedStyle(document.body).backgroundColor"
    seen = set()
    for _ in range(3):
        page.evaluate("document.querySelector('.theme-toggle-content button').click()")
        seen.add(page.evaluate(paper))
    assert len(seen) == 2 and page.evaluate("getComputedStyle(document.querySelector('.theme-toggle-content')).display") != "none"
    page.evaluate("localStorage.clear()")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_nothing_is_asked_of_a_network(site: Path, page: Page) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}/"
    try:
        screen(page, 1280)
        for name in ("index.html", "search.html", "tutorial-c.html", "c-the-manager.html"):
            page.open(here + name)
            loaded = [str(one) for one in page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")]
            assert len(loaded) > 3 and [one for one in loaded if not one.startswith((here, "data:"))] == []
    finally:
        server.shutdown()
        server.server_close()
