"""Somebody looks through a queue in a real browser, and signs off what they looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener


def form(page: Page) -> Page:
    page.get_by_role("link", name="Overrides").click()
    page.locator("main tbody th a").first.click()
    expect(page.get_by_role("heading", name="Review")).to_be_in_viewport()
    return page


@pytest.mark.parametrize("program", [True, False], ids=["with a program", "without"])
def test_a_record_is_signed_off_and_the_queue_is_shorter(opened: Opener, program: bool):
    page = form(opened("/review?queue=refusal", java_script_enabled=program))
    record = page.url.split("?")[0]
    page.get_by_role("radio", name="Accepted").check()
    page.get_by_role("textbox", name="Comment").fill("Read with the chart beside it.")
    page.get_by_role("button", name="Sign off").click()

    page.wait_for_url(f"{record}?queue=override#review")
    expect(page.locator(".signed-off")).to_contain_text("Read with the chart beside it.")
    expect(page.get_by_role("button", name="Sign off")).to_have_count(0)
    page.get_by_role("link", name="Next in overrides").click()
    assert not page.url.startswith(f"{record}?")
    page.get_by_role("link", name="All overrides").click()
    expect(page.locator(f"a[href^='{record.partition('/courses')[2]}?']")).to_have_count(0)


def test_a_double_click_signs_off_once(opened: Opener):
    page = form(opened("/review?queue=refusal"))
    page.get_by_role("radio", name="Accepted").check()
    page.get_by_role("button", name="Sign off").dblclick()

    expect(page.locator(".signed-off")).to_have_count(1)
    assert page.locator("[role=alert]").count() == 0


def test_a_form_without_an_answer_is_not_sent(opened: Opener):
    page = form(opened("/review?queue=refusal"))
    page.get_by_role("button", name="Sign off").click()

    assert page.evaluate("document.querySelector('input[name=outcome]').validity.valueMissing")
    expect(page.locator(".signed-off")).to_have_count(0)


def test_what_was_done_must_be_said_and_what_was_written_stays(opened: Opener):
    page = form(opened("/review?queue=refusal"))
    page.get_by_role("radio", name="Acted on").check()
    page.get_by_role("button", name="Sign off").click()

    expect(page.get_by_role("alert")).to_contain_text("needs a comment")
    expect(page.get_by_role("radio", name="Acted on")).to_be_checked()
    opened.complaints.clear()  # type: ignore[attr-defined]  # the browser tells of the status
