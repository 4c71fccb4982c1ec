"""A process that sends the events of a file one by one and prints each acknowledgement.

python -m tests.crash.writer URL FILE
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import structlog

from engine import bootstrap
from engine.settings import Settings


def main(url: str, file: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    service = bootstrap.service(replace(Settings(), database_url=url))
    for line in Path(file).read_text().splitlines():
        answer = service.submit(json.loads(line))
        if not answer.repeated:
            told = {"course": answer.course, "seq": answer.seq, "decision": answer.decision}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
