"""The documentation's site as a browser shows it: on a phone, by night, and its search."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from devtools import Chromium, Page

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "html"
    subprocess.run([ROOT / "scripts/docs", folder], check=True)
    return folder


@pytest.fixture
def page(browser: Chromium) -> Iterator[Page]:
    page = Page(browser)
    yield page
    page.close()


def screen(page: Page, width: int, colours: str = "light") -> None:
    call, session = page.browser.call, page.session
    call("Emulation.setDeviceMetricsOverride", session, width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": colours}])


def search(page: Page, words: str) -> list[str]:
    """The addresses that are found."""
    return list(
        page.evaluate(
            f"(() => {{ const box = document.getElementById('search'); box.value = {words!r}; box.dispatchEvent(new Event('input'));"
            "return [...document.querySelectorAll('#found a')].map((a) => a.getAttribute('href')); })()"
        )
    )


@pytest.mark.parametrize("width", [360, 1400])
def test_no_page_is_wider_than_the_screen(site: Path, page: Page, width: int) -> None:
    screen(page, width)
    too_wide = {}
    for file in sorted(site.glob("*.html")):
        page.open(file.as_uri())
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            too_wide[file.name] = wide
    assert too_wide == {}


def test_the_search_finds_names_headings_and_pages(site: Path, page: Page) -> None:
    page.open((site / "index.html").as_uri())
    assert search(page, "tuile_session_load")[0] == "c-sessions-more-ways-to-their-values.html#tuile_session_load"
    assert search(page, "session load")[0] == "c-sessions-more-ways-to-their-values.html#tuile_session_load"
    assert search(page, "TUILE_E_SPACE")[0] == "types-basics.html#TUILE_E_SPACE"
    assert search(page, "nginx")[0] == "nginx.html"
    assert "stores.html#redis" in search(page, "redis")
    assert search(page, "no such thing") == []
    assert search(page, "") == []


def test_a_phone_shows_the_list_of_pages_when_it_is_asked_for(site: Path, page: Page) -> None:
    screen(page, 390)
    page.open((site / "stores.html").as_uri())
    shown = "getComputedStyle(document.querySelector('.side')).display"
    assert page.evaluate(shown) == "none"
    page.evaluate("document.querySelector('.bar label').click()")
    assert page.evaluate(shown) == "block"


def test_text_and_paper_have_contrast_by_day_and_by_night(site: Path, page: Page) -> None:
    light = (
        "(() => { const sum = (of) => getComputedStyle(document.body)[of].match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0);"
        "return [sum('color'), sum('backgroundColor')]; })()"
    )
    for colours, text_is_darker in (("light", True), ("dark", False)):
        screen(page, 1400, colours)
        page.open((site / "stores.html").as_uri())
        text, paper = page.evaluate(light)
        assert abs(text - paper) > 500
        assert (text < paper) is text_is_darker
