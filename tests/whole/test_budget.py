"""How far a mail is opened: the keys of `[limits]` reach whoever reads it."""

from pathlib import Path

from gateway import config
from gateway.core.read import mime, wire
from gateway.house import Rooms

MAIL = (
    b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 60
    + b"--b--\r\n"
)


def test_the_configuration_says_how_far_a_mail_is_opened(tmp_path: Path) -> None:
    """Parts, depth, decoded bytes and reports."""
    (tmp_path / "portiere.toml").write_text(
        "[limits]\nmime_depth = 7\nmime_parts = 50\n"
        "mime_decoded_bytes = 2000000\nreport_bytes = 9000\n"
    )
    rooms = Rooms.open(config.load(tmp_path / "portiere.toml"))
    try:
        budget = rooms.house().budget
    finally:
        rooms.close()
    assert budget == mime.Budget(depth=7, parts=50, decoded=2_000_000, report=9_000)
    headers = wire.read(MAIL).headers
    assert mime.read(MAIL, headers, budget).defects
    assert not mime.read(MAIL, headers).defects
