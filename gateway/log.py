"""Structured logs: one event a line, one id a mail in every line of it, no bodies, addresses as
ops ask for.

Whatever comes from outside is escaped by the JSON writer; nothing here reads a mail.
"""

import hashlib
import logging
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from threading import Lock
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]
Redact = Callable[[str], str]

# Keys of events whose values are mail addresses; docs/operating/logs.md lists the events.
ADDRESS_KEYS = ("author", "mail_from", "recipient", "to", "address")


def full(address: str) -> str:
    """The address as it is."""
    return address


def domain_only(address: str) -> str:
    """`a***@example.org`: enough to see which customer's server it was."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else address


def hashed(address: str) -> str:
    """The same short word for the same address, and no way back for people who read logs."""
    return "h:" + hashlib.sha256(address.lower().encode("utf-8", "replace")).hexdigest()[:12]


REDACTIONS: dict[str, Redact] = {"full": full, "domain": domain_only, "hash": hashed}


class Lines:
    """Writes lines to a stream. One that cannot be written is lost, and nothing else with it.

    The log often lies on the disk that is full: a line about a mail must not decide its fate.
    """

    def __init__(self, stream: TextIO) -> None:
        """`stream` is standard error."""
        self._stream = stream
        self._lock = Lock()

    def msg(self, line: str) -> None:
        """Write one line, and never raise."""
        with self._lock, suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(f"{line}\n")
            self._stream.flush()

    log = debug = info = warning = warn = error = exception = critical = fatal = failure = msg


def configure(level: str, form: str, addresses: str) -> None:
    """Set up the process's log on standard error. `form` is `json` or `console`."""
    redact = REDACTIONS[addresses]

    def redacted(_logger: object, _name: str, event: Event) -> Event:
        for key in ADDRESS_KEYS:
            if isinstance(value := event.get(key), str):
                event[key] = redact(value)
        return event

    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=True)
    if form == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redacted,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )


def get(room: str) -> Any:
    """A logger that names its room in every line."""
    return structlog.get_logger().bind(room=room)
