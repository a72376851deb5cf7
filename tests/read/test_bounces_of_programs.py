"""Bounces of some fifty mail programs, with and without a null reverse-path.

bounces_of_programs.txt is written from knowledge of them: `=== ` with the class of the status and
a name, then a mail in which `{w}` is the address that failed. None has a machine-readable report.
"""

from pathlib import Path

import pytest
from read_support import classified

from gateway.core.model import Automatic

WHO = "rossi@cliente.example"


FIELDS = (
    "To: support@host.example\nDate: Mon, 02 Mar 2026 10:00:00 +0100\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\n"
)
SECTIONS = Path(__file__).with_name("bounces_of_programs.txt").read_text("utf-8").split("=== ")[1:]
CASES = [section.split("\n", 1) for section in SECTIONS]


@pytest.mark.parametrize("path", ["", "unknown@envelope.example"])
@pytest.mark.parametrize(("title", "mail"), CASES, ids=[title for title, _ in CASES])
def test_a_bounce(title: str, mail: str, path: str) -> None:
    """It is a bounce, of this class, about this address."""
    kind, _, report = classified(FIELDS + mail.replace("{w}", WHO), path)
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert (report.status or "")[:1] == title[0]
    assert report.final_recipient == (WHO if "{w}" in mail else report.final_recipient)
