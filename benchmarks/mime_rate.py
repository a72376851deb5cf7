"""How long reading takes: real mails, and one of five megabytes, beside the standard library.

    python benchmarks/mime_rate.py [FOLDER OF MAILS]

Prints medians and ratios of the two, measured in turn; nothing is judged here.
"""

import base64
import email
import email.policy
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from gateway.core.read import automatic, mime, wire

ROUNDS = 5
FAULTS: Counter[str] = Counter()


def large(size: int = 3_700_000) -> bytes:
    """A mail of about five megabytes with one attachment."""
    data = base64.encodebytes(os.urandom(size)).replace(b"\n", b"\r\n")
    return (
        b"From: a@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nciao\r\n"
        b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + data + b"--b--\r\n"
    )


def mails(folder: Path) -> list[bytes]:
    """Every mail below the folder, with lines ended as on the wire."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix != ".tsv":
            raw = file.read_bytes()
            found.append(raw if b"\r" in raw else raw.replace(b"\n", b"\r\n"))
    return found


def ours(raw: bytes) -> None:
    """Structure, words, files and what the mail is."""
    headers = wire.read(raw).headers
    automatic.classify(headers, mime.read(raw, headers), "a@b.example", "instance")


def theirs(raw: bytes) -> None:
    """The same fields and parts by the standard library, as far as it reads them."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for name in ("subject", "from", "to", "cc", "date", "message-id"):
            str(message[name])
        for part in message.walk():
            part.get_payload(decode=True)
    except Exception as fault:  # a peer's fault is part of the measure
        FAULTS[type(fault).__name__] += 1


def best(work: Callable[[bytes], None], raw: bytes) -> float:
    """The best of a few rounds, in microseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work(raw)
        times.append(time.perf_counter() - start)
    return min(times) * 1e6


def main() -> None:
    """Print the table."""
    corpus = mails(Path(sys.argv[1])) if len(sys.argv) > 1 else []
    if corpus:
        mine = [best(ours, raw) for raw in corpus]
        peer = [best(theirs, raw) for raw in corpus]
        print(f"{len(corpus)} mails, median us: ours {statistics.median(mine):.0f},", end=" ")
        print(f"standard library {statistics.median(peer):.0f}", end=" ")
        print(f"(ratio {statistics.median(mine) / statistics.median(peer):.2f})")
        print(f"99th percentile us: ours {sorted(mine)[int(len(mine) * 0.99)]:.0f}")
    raw = large()
    mine_large, peer_large = best(ours, raw), best(theirs, raw)
    print(f"{len(raw) / 1e6:.1f} MB, ms: ours {mine_large / 1e3:.1f},", end=" ")
    print(f"standard library {peer_large / 1e3:.1f} (ratio {mine_large / peer_large:.2f})")
    if FAULTS:
        print(f"the standard library raised: {dict(FAULTS)}")


if __name__ == "__main__":
    main()
