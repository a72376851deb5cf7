"""How long 25 MB of hostile MIME take to be read, and how long one step holds the interpreter.

    python benchmarks/read_hostile.py [--megabytes 25] [NAME ...]

The goal is one second of CPU a mail and no stall above 50 ms. A second thread sleeps for a
millisecond again and again: by how much it oversleeps is the stall, so a busy machine adds to it.
"""

import argparse
import base64
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.core.model import Envelope, Listener
from gateway.core.read import language, read, wire

MOST_SECONDS, MOST_STALL = 1.0, 0.050
ENVELOPE = Envelope(
    "192.0.2.7", "h", "a@b.example", ("s@h.example",), Listener.EDGE, datetime.now(UTC)
)
HEAD = b"From: a@b.example\r\nTo: s@h.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
Case = Callable[[int], bytes]


def _fill(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def _text(piece: bytes, kind: bytes = b"text/plain; charset=utf-8", way: bytes = b"8bit") -> Case:
    head = HEAD + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + way + b"\r\n\r\n"
    return lambda size: head + _fill(piece, size)


def _alternative(size: int) -> bytes:
    plain, page = _fill(b"parola\r\n", size // 2), _fill(b"<p>parola</p>\r\n", size // 2)
    head = MIXED.replace(b"mixed", b"alternative") + b"--b\r\nContent-Type: text/plain\r\n\r\n"
    return head + plain + b"\r\n--b\r\nContent-Type: text/html\r\n\r\n" + page + b"\r\n--b--\r\n"


def _parts(kind: bytes) -> Case:
    part = b"--b\r\nContent-Type: " + kind + b"\r\n\r\n"
    return lambda size: MIXED + (part + _fill(b"parola \r\n", size // 490)) * 490


def _nested(size: int) -> bytes:
    lines = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(19)
    )
    return HEAD + lines + b"\r\n" + _fill(b"parola\r\n", size)


CASES: dict[str, Case] = {
    "words": _text(b"parola e ancora altre parole qui in una riga\r\n"),
    "one line": _text(b"parola "),
    "blank lines": _text(b"\r\n"),
    "accents": _text("perché è giù\r\n".encode()),
    "Latin-1": _text(b"perch\xe9 \r\n", b"text/plain; charset=iso-8859-1"),
    "broken UTF-8": _text(b"perch\xc3\xa9\xff \r\n"),
    "broken GB 18030": _text(b"\x81\x30\xff\xff \r\n", b"text/plain; charset=gb18030"),
    "ISO-2022-JP": _text(b"\x1b$B$^$_\x1b(B\r\n", b"text/plain; charset=iso-2022-jp"),
    "UTF-7": _text(b"+2AA-x ", b"text/plain; charset=utf-7"),
    "flowed": _text(b"parola \r\n", b"text/plain; format=flowed"),
    "short flowed lines": _text(b"a \r\n", b"text/plain; format=flowed"),
    "boundary of dashes": _text(b"-", b"multipart/mixed; boundary=" + b"-" * 60, b"7bit"),
    "delimiters after CR": _text(b"\r--bnd x", b"multipart/mixed; boundary=bnd", b"7bit"),
    "quoted-printable": _text(b"=C3=A9=\r\n", way=b"quoted-printable"),
    "quoted-printable blanks": _text(b"a \t \r\n", way=b"quoted-printable"),
    "Base64 of text": _text(base64.encodebytes(b"parola e ancora " * 3), way=b"base64"),
    "Base64 of padding": _text(b"YQ==\r\n", way=b"base64"),
    "uuencoded files": _text(b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n", way=b"7bit"),
    "one uuencoded file": lambda size: (
        _text(b"begin 644 a\r\n")(13) + _fill(b"#86)C\r\n", size) + b"`\r\nend\r\n"
    ),
    "page of paragraphs": _text(b"<p>parola e ancora</p>\r\n", b"text/html"),
    "page of text": _text(b"parola e ancora altre parole\r\n", b"text/html"),
    "page of angles": _text(b"<", b"text/html"),
    "page of entities": _text(b"&amp;&#233;", b"text/html"),
    "text and page": _alternative,
    "enriched": _text(b"<bold>x</bold><<", b"text/enriched"),
    "texts": _parts(b"text/plain"),
    "files": _parts(b"image/png; name=a.png"),
    "empty parts": lambda size: MIXED + _fill(b"--b\r\n\r\nx\r\n", size),
    "nested parts": _nested,
    "half delimiters": lambda size: MIXED + b"--b\r\n\r\n" + _fill(b"--bx\r\n", size),
    "no boundary": _text(b"--x y\r\n", b"multipart/mixed", b"7bit"),
    "attachment": _text(b"A" * 76 + b"\r\n", b"application/pdf; name=a.pdf", b"base64"),
    "a mail": _text(b"Subject: y\r\n\r\nparola\r\n", b"message/rfc822"),
    "winmail.dat": _text(
        b"\x78\x9f\x3e\x22\0\0" + b"\x01\x02\x90\x06\0\0\0\0\0\0\0" * 5000, b"application/ms-tnef"
    ),
    "smime.p7m": _text(b"0\x80", b"application/pkcs7-mime"),
    "delivery status": _text(b"Action: failed\r\n\r\n", b"message/delivery-status"),
}


def measured(raw: bytes) -> tuple[float, float]:
    """CPU seconds of the thread that reads, and by how much another was held up."""
    head = wire.read(raw)
    spent: list[float] = []

    def work() -> None:
        start = time.thread_time()
        read(raw, head.headers, ENVELOPE, "instance")
        spent.append(time.thread_time() - start)

    thread = threading.Thread(target=work)
    thread.start()
    longest = 0.0
    while thread.is_alive():
        before = time.perf_counter()
        time.sleep(0.001)
        longest = max(longest, time.perf_counter() - before - 0.001)
    thread.join()
    return spent[0] if spent else float("inf"), longest


def main() -> None:
    """Print one row a mail; mark those that are over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=25)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    language.warm()
    for name, make in CASES.items():
        if options.names and name not in options.names:
            continue
        raw = make(options.megabytes << 20)
        seconds, stall = measured(raw)
        over = "OVER" if seconds > MOST_SECONDS or stall > MOST_STALL else ""
        print(f"{name:26} {len(raw):>11,} B {seconds:6.3f} s {stall * 1e3:6.1f} ms {over}")


if __name__ == "__main__":
    main()
