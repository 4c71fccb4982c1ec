"""What every store promises. The suite is written for the port and run on each adapter."""

from __future__ import annotations

from tests.store.content_contract import ContentContract
from tests.store.course_contract import CourseContract


class StoreContract(CourseContract, ContentContract):
    """Inherit, and give a fixture `clinic`: a tenant of the store that is tested."""
