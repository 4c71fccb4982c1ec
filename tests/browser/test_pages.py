"""Pages in a real browser: whole without a program, legible at each width and on paper, usable by
keyboard, and nothing that the accessibility rules of axe find.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import PAGES, RICH, Opener

EACH = pytest.mark.parametrize("name", [*PAGES, *RICH])
STATUS = {"problem": 404}
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def look(opened: Opener, name: str, **choices: Any) -> Page:
    if name in RICH:
        return opened(RICH[name], rich=True, **choices)
    return opened(PAGES[name], status=STATUS.get(name, 200), **choices)


@EACH
@SCHEMES
def test_axe_finds_nothing(opened: Opener, name: str, scheme: str):
    # Axe is a program, which the policy of our pages would not run.
    page = look(opened, name, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    # Without what is right: of a picture that is more than all pages together.
    found = Axe().run(page, options={"resultTypes": ["violations"]})["violations"]

    told = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
    assert not told


@EACH
def test_a_page_says_the_same_without_a_program(opened: Opener, name: str):
    with_program = look(opened, name).inner_text("main")
    without = look(opened, name, java_script_enabled=False)

    assert len(without.inner_text("main")) >= len(with_program)
    assert without.title()


@EACH
def test_nothing_is_wider_than_a_phone(opened: Opener, name: str):
    page = look(opened, name, viewport={"width": 360, "height": 780})

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@EACH
def test_no_table_has_to_be_moved_sideways_on_a_phone(opened: Opener, name: str):
    """A picture has: it would be too small to read."""
    page = look(opened, name, viewport={"width": 360, "height": 780})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    hidden = """[...document.querySelectorAll(".scroll:not(.plot), pre, table")]
        .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML)"""
    assert [html[:90] for html in page.evaluate(hidden)] == []


@pytest.mark.parametrize("name", ["records", "review"])
def test_on_a_phone_two_times_of_a_row_stand_apart_and_are_not_cut_off(opened: Opener, name: str):
    page = look(opened, name, viewport={"width": 360, "height": 780})
    told = page.evaluate(
        """[...document.querySelectorAll("td.when")].filter(one => one.querySelector(".small"))
        .map(one => {
          const first = document.createRange();
          first.selectNode([...one.childNodes].find(part => part.nodeType === 3));
          const edge = one.getBoundingClientRect().right, at = first.getBoundingClientRect();
          return [...one.querySelectorAll(".small")].map(part => part.getBoundingClientRect())
            .every(box => box.right <= edge + 1
              && (box.top >= at.bottom - 1 || box.left >= at.right + 4));
        })"""
    )

    assert told
    assert all(told)


@EACH
def test_on_paper_there_is_nothing_to_press_and_nothing_is_cut_off(opened: Opener, name: str):
    page = look(opened, name, viewport={"width": 794, "height": 1123})
    page.emulate_media(media="print")

    assert page.locator("nav:visible").count() == 0
    if name != "sign_in":
        assert page.locator("button:visible").count() == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    cut = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth"
        " && getComputedStyle(one).overflowX !== 'visible').length"
    )
    assert cut == 0


def test_on_paper_the_numbers_of_a_guard_stand_in_one_line(opened: Opener):
    page = look(opened, "guards", viewport={"width": 718, "height": 1050})  # A4 within its margins
    page.emulate_media(media="print")
    tops = page.evaluate(
        "[...document.querySelector('.guards tbody tr').querySelectorAll('td.number')]"
        ".map(one => one.getBoundingClientRect().top)"
    )

    assert len(tops) > 1
    assert max(tops) - min(tops) < 2


def test_every_page_is_reached_from_the_first_by_the_keyboard(opened: Opener):
    page = opened("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Courses"
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses")
    page.get_by_role("link", name="DEMO-constructed").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses/DEMO-constructed")

    assert page.locator("h1").inner_text().startswith("DEMO-constructed")


def test_whoever_tabs_does_not_pass_through_every_mark_of_the_picture(opened: Opener):
    page = look(opened, "course")

    assert page.locator("svg.timeline a").count() > 50
    assert page.locator("svg.timeline a:not([tabindex='-1'])").count() == 0


def test_a_mark_of_the_picture_says_what_it_is_and_leads_to_its_record(opened: Opener):
    page = look(opened, "course")
    mark = page.locator("svg.timeline a[href$='/records/46']:has(.mark.no)")

    assert "refused" in (mark.locator("title").text_content() or "")
    mark.click()
    page.wait_for_url("**/records/46")
    assert "refused" in page.locator("h2").first.inner_text()


def test_the_table_below_the_picture_has_every_mark_of_it(opened: Opener):
    page = look(opened, "course")
    drawn = page.locator("svg.timeline a[href*='/records/']").evaluate_all(
        "all => [...new Set(all.map(one => one.getAttribute('href')))].sort()"
    )
    told = page.locator("details table a[href*='/records/']").evaluate_all(
        "all => [...new Set(all.map(one => one.getAttribute('href')))].sort()"
    )

    assert drawn == told


def test_the_slider_goes_to_its_step_and_the_arrows_on_and_back(opened: Opener):
    page = look(opened, "replay")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=63**")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**step=62**")
    page.locator("input[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_url("**step=1")

    assert "Step 1 of" in page.locator(".steps b").inner_text()


def test_steps_go_forward_and_back_by_links_alone(opened: Opener):
    page = look(opened, "replay", java_script_enabled=False)
    page.get_by_role("link", name="forward").click()
    assert "step=63" in page.url
    page.get_by_role("link", name="as now believed").click()
    assert "sense=believed" in page.url
    page.locator("input[type=range]").fill("5")
    page.get_by_role("button", name="Go there").click()

    assert "step=5" in page.url
    assert "sense=believed" in page.url


def test_a_supposition_is_typed_and_its_first_difference_is_seen(opened: Opener):
    page = look(opened, "what_if_form", java_script_enabled=False)
    page.get_by_label("Worst grade of an adverse event that is still tolerated").fill("1")
    page.get_by_label("follow new").check()
    page.get_by_role("button", name="Lay side by side").click()

    assert page.url.endswith("what-if?policy=follow-new&set.tolerated_grade=1")
    assert page.get_by_role("heading", name="3 of 72 decisions would be different").is_visible()
    page.get_by_role("link", name="record 33", exact=True).click()
    row = page.locator("tr.parting + tr")
    assert page.url.endswith("#record-33")
    assert row.get_attribute("id") == "record-33"
    flipped = page.locator("#record-34 > td")
    assert flipped.nth(1).inner_text().startswith("✓ accepted")
    assert flipped.nth(2).inner_text().startswith("✗ refused")


def test_a_value_that_cannot_be_is_told_at_its_field_and_stays_there(opened: Opener):
    page = look(opened, "what_if_form")
    page.get_by_label("Platelets that stop IL-2 when sustained: below").fill("500")
    page.get_by_role("button", name="Lay side by side").click()
    field = page.get_by_label("Platelets that stop IL-2 when sustained: below")

    assert "at least 30 ×10³/µL" in page.get_by_role("alert").inner_text()  # noqa: RUF001  # as people write it
    assert field.input_value() == "500"
    assert field.get_attribute("aria-invalid") == "true"
    opened.complaints.clear()  # type: ignore[attr-defined]  # the browser tells of the status


def test_a_value_that_was_corrected_is_there_and_crossed_out(opened: Opener):
    page = look(opened, "replay")

    assert page.locator(".struck").first.inner_text().startswith("280")
    style = page.locator(".struck").first.evaluate(
        "one => getComputedStyle(one).textDecorationLine"
    )
    assert style == "line-through"


def test_the_policy_runs_no_program_that_gets_into_a_page(opened: Opener):
    page = look(opened, "courses")
    page.evaluate(
        "() => { const made = document.createElement('div'); document.body.append(made);"
        " made.innerHTML = '<img src=x onerror=\"window.ran = true\">' }"
    )
    page.wait_for_timeout(300)

    assert page.evaluate("window.ran") is None
    assert any("blocked" in one for one in opened.complaints)  # before the picture, or after
    opened.complaints.clear()


def test_what_anybody_wrote_is_shown_and_never_run(opened: Opener):
    """A program that got in would ask for what is not there, and the policy would complain."""
    for name in RICH:
        page = look(opened, name)
        assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0, name
    assert "<script>alert(1)</script>" in look(opened, "rich_record").inner_text("main")


def test_an_auditor_sees_who_signed_what_is_lacking_and_who_witnessed(opened: Opener):
    said = look(opened, "rich_record").inner_text("main")
    assert "signed: Dr ann" in said
    assert "proved by host" in said
    assert "unsigned: measured, verified" in look(opened, "rich_records").inner_text("main")
    audit = look(opened, "rich_audit").inner_text("main")

    assert "auditor.example/w1" in audit
    assert "signature holds" in audit
    assert "it has the root of the checkpoint" in audit


@SCHEMES
def test_text_in_the_pictures_can_be_read(opened: Opener, scheme: str):
    for name in ("course", "states"):
        page = look(opened, name, color_scheme=scheme)
        small = page.evaluate(
            "[...document.querySelectorAll('main svg text')].filter(one => "
            "one.getBoundingClientRect().height < 9 && one.textContent.trim()).length"
        )
        assert small == 0, name


@pytest.mark.parametrize("name", ["course", "rich_course", "rich_timeline"])
def test_texts_of_the_timeline_do_not_lie_on_each_other(opened: Opener, name: str):
    """Measured by the browser, with the letters that it has."""
    page = look(opened, name)
    met: list[Any] = page.evaluate("""() => {
      const texts = [...document.querySelectorAll('svg.timeline text')]
        .filter(one => !one.matches('.fold-text, .round-text, .lane'))
        .map(one => [one.textContent, one.getBoundingClientRect()]);
      const met = [];
      texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
        const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (wide > 3 && high > 4) met.push([a, b]);
      }));
      return met;
    }""")

    assert not met


SHOWN = {
    "worklists": (1100, 420),
    "course": (1240, 820),
    "states": (1240, 900),
    "records": (1100, 560),
    "replay": (1100, 600),
    "review": (1100, 560),
    "what_if": (1100, 760),
    "audit": (1100, 560),
    "guards": (1100, 640),
}
"""The pages of docs/pages.md, and how much of each."""
IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.mark.parametrize("name", SHOWN)
def test_the_pictures_of_the_docs_show_the_pages(
    opened: Opener, name: str, request: pytest.FixtureRequest
):
    """With --write-images they are made anew; else their size is held against the page's."""
    wide, high = SHOWN[name]
    page = look(opened, name, viewport={"width": wide, "height": high})
    file = IMAGES / f"{name}.png"
    if request.config.getoption("--write-images"):
        file.parent.mkdir(exist_ok=True)
        page.screenshot(path=file)
    header = file.read_bytes()[:24]

    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(header[16:20]), int.from_bytes(header[20:24])) == (wide, high)
    assert file.stat().st_size < 150_000
