"""A published workflow is never changed: courses are pinned to its digest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.core.blueprint import workflow_digest
from engine.core.definition import Workflow
from workflows import ALL

FILE = Path(__file__).parents[2] / "workflows" / "published.json"


@pytest.mark.parametrize("workflow", ALL, ids=lambda workflow: workflow.label)
def test_what_is_published_has_the_digest_that_was_published(workflow: Workflow):
    published, digest = json.loads(FILE.read_text()), workflow_digest(workflow)
    line = f'  "{workflow.label}": "{digest}"'

    assert workflow.label in published, (
        f"{workflow.label} is new: publish it with this line in {FILE.name}, and never change it "
        f"from then on\n{line}"
    )
    assert published[workflow.label] == digest, (
        f"{workflow.label} was published as {published[workflow.label]}, and courses may be pinned "
        f"to that: what has changed is another version, with a line of its own in {FILE.name}, and "
        f"the older line stays. (Titles and citations may change; whatever is weighed, "
        f"advised or permitted may not.)"
    )


def test_no_two_workflows_have_one_name_and_version():
    labels = [workflow.label for workflow in ALL]

    assert len(set(labels)) == len(labels)


def test_the_list_of_what_is_published_names_each_once_in_order():
    pairs = json.loads(FILE.read_text(), object_pairs_hook=list)
    labels = [label for label, _ in pairs]

    assert labels == sorted(set(labels))
    for label, digest in pairs:
        assert re.fullmatch(r"[a-z][a-z0-9_]*@[A-Za-z0-9._-]+", label)
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
