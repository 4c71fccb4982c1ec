"""The pages of the service, under `/`: for people, by the same gate as the API under `/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.screens import (
    audit,
    canaries,
    courses,
    door,
    dossiers,
    guards,
    records,
    reviews,
    what_if,
    workflows,
    worklists,
)

ROUTERS: tuple[APIRouter, ...] = (
    door.router,
    worklists.router,
    courses.router,
    records.router,
    reviews.router,
    what_if.router,
    dossiers.router,
    workflows.router,
    audit.router,
    guards.router,
    canaries.router,
)
"""Every page, in the order in which people come to them."""
