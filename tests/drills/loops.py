"""Two gateways that face each other: each is a customer of the other, and everything that one
sends arrives at the other. One mail sets them off; each may send one mail, whichever single marker
of automatic mail survives the way between them.

Between them stands a relay of the drill's that takes every marker away but one.
"""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.process import daemon
from drills.senders import dotted
from fakes_smarthost import Sink, Taken

from gateway.demo.world import SUPPORT, World

OTHER = "support@altro.example"
SOURCES = {"host.example": "127.0.0.71", "altro.example": "127.0.0.72"}
MOST = 40  # mails: it will not end
QUIET = 1.5  # seconds without a mail: nobody will say anything more
LONGEST = 15.0  # seconds for one marker
FIRST = "Buongiorno,\r\nil sito non si apre da stamattina, riga {}.\r\n"

# Each marker alone, as name: the field that survives, or the one that the relay sets.
MARKERS: dict[str, tuple[str, str | None]] = {
    "our own instance": ("x-portiere-instance", None),
    "Auto-Submitted": ("auto-submitted", None),
    "X-Auto-Response-Suppress": ("x-auto-response-suppress", None),
    "null reverse-path": ("", None),
    "Precedence: bulk": ("precedence", "bulk"),
    "Precedence: auto_reply": ("precedence", "auto_reply"),
    "X-Autoreply": ("x-autoreply", "yes"),
    "X-Autorespond": ("x-autorespond", "yes"),
    "List-Id": ("list-id", "<all.example>"),
    "List-Unsubscribe": ("list-unsubscribe", "<mailto:x@all.example>"),
    "X-OTRS-Loop": ("x-otrs-loop", "1"),
    "X-RT-Loop-Prevention": ("x-rt-loop-prevention", "x"),
    "Feedback-ID": ("feedback-id", "1:a:b"),
}
_MARKS = re.compile(
    rb"(x-portiere-|auto-submitted|x-auto-response-suppress|precedence|list-)", re.I
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many mails each gateway sent, by the marker that survived."""

    sent: dict[str, tuple[int, int]]
    silent: int  # markers with which the first mail was not answered at all

    @property
    def clean(self) -> bool:
        """At most one each, and the first mail was answered."""
        return bool(self.sent) and not self.silent and not self.looped

    @property
    def looped(self) -> list[str]:
        """The markers by which they did not know each other's mail."""
        return [name for name, counts in self.sent.items() if max(counts) > 1]

    @property
    def words(self) -> str:
        """One line for the table."""
        counts = Counter(self.sent.values())
        said = ", ".join(
            f"{one} and {other} mails with {times} of the markers"
            for (one, other), times in sorted(counts.items())
        )
        looped = f"; looped: {', '.join(self.looped)}" if self.looped else ""
        return f"{len(self.sent)} markers, each alone: {said}{looped}"


class Between(Sink):
    """What one gateway takes for its smarthost: it hands on to the other."""

    def __init__(self, port: int, target: int) -> None:
        super().__init__(port=port)
        self.target = target
        self.marker: tuple[str, str | None] | None = None
        self.count = 0
        self.last = 0.0
        self._handing: set[asyncio.Task[None]] = set()

    def take(self, mail: Taken) -> None:
        """Strip it, and hand it on."""
        self.count += 1
        self.last = asyncio.get_running_loop().time()
        task = asyncio.get_running_loop().create_task(self._hand_on(mail))
        self._handing.add(task)
        task.add_done_callback(self._handing.discard)

    async def _hand_on(self, mail: Taken) -> None:
        name, value = self.marker or ("none", None)
        raw = stripped(mail.raw, name, value)
        author = re.search(rb"^From:[^\r\n]*<([^<>\r\n]+)>", raw, re.M | re.I)
        assert author is not None
        if name == "none":  # the control: nothing of the mail tells what it answers
            raw = _new(1_000 + self.count, author[1].decode(), mail.recipients[0])
        path = "" if self.marker == ("", None) else author[1].decode()
        await hand_over(self.target, path, author[1].decode(), mail.recipients[0], raw)


def stripped(raw: bytes, keep: str, value: str | None) -> bytes:
    """The mail without the fields that mark it as automatic, but for one."""
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    kept = [
        one
        for one in fields
        if not _MARKS.match(one) or one.lower().startswith(keep.encode() + b":")
    ]
    if value is not None:
        kept.append(f"{keep}: {value}".encode())
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


async def hand_over(port: int, path: str, author: str, to: str, raw: bytes) -> int:
    """One mail by SMTP from the author's own address; the code of the dot."""
    domain = author.rpartition("@")[2]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(SOURCES[domain], 0)
    )
    code = 0
    said = (f"EHLO mx.{domain}", f"MAIL FROM:<{path}>", f"RCPT TO:<{to}>", "DATA")
    await reader.readline()
    for line in said:
        writer.write(f"{line}\r\n".encode())
        while (heard := await reader.readline())[3:4] == b"-":
            pass
        code = int(heard[:3])
        if code >= 400:
            break
    if code == 354:
        writer.write(dotted(raw))
        code = int((await reader.readline())[:3])
    writer.close()
    return code


async def drill(folder: Path, few: int | None = None, unsafe: str | None = None) -> Outcome:
    """Each marker in its turn, or a few of them."""
    here, there = _pair(folder)
    markers = {"no marker": ("none", None)} if unsafe == "no-marker" else MARKERS
    markers = dict(list(markers.items())[:few])
    found: dict[str, tuple[int, int]] = {}
    silent = 0
    async with (
        Between(here.sink_port, there.smtp_port) as out,
        Between(there.sink_port, here.smtp_port) as back,
        daemon(here.config) as one,
        daemon(there.config) as other,
    ):
        await one.start(hurry=True)
        await other.start(hurry=True)
        for number, (name, marker) in enumerate(markers.items()):
            out.marker = back.marker = marker
            before = (out.count, back.count)
            code = await hand_over(here.smtp_port, OTHER, OTHER, SUPPORT, _first(number))
            assert code == 250, code
            await _quiet(out, back)
            found[name] = (out.count - before[0], back.count - before[1])
            silent += found[name][0] == 0
        await one.stop()
        await other.stop()
    return Outcome(found, silent)


async def _quiet(out: Between, back: Between) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while loop.time() - begun < LONGEST and out.count + back.count < MOST:
        await asyncio.sleep(0.1)
        if loop.time() - max(begun + 1.0, out.last, back.last) > QUIET:
            return


def _first(number: int) -> bytes:
    return _new(number, OTHER, SUPPORT)


def _new(number: int, author: str, to: str) -> bytes:
    domain = author.rpartition("@")[2]
    head = {
        "From": f"<{author}>",
        "To": f"<{to}>",
        "Subject": f"Il sito non si apre, riga {number}",
        "Message-ID": f"<first{number}@{domain}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{lines}\r\n{FIRST.format(number)}".encode()


def _pair(folder: Path) -> tuple[World, World]:
    """Two worlds whose only customer is the other."""
    here, there = ground.build(folder / "here", 0), ground.build(folder / "there", 0)
    ground.configure(
        there,
        ('addresses = ["support@host.example"]', f'addresses = ["{OTHER}"]'),
        ('domain = "host.example"', 'domain = "altro.example"'),
        ('host_name = "gateway.host.example"', 'host_name = "gateway.altro.example"'),
    )
    for world, customer in ((here, OTHER), (there, SUPPORT)):
        row = {
            "account": "L-1",
            "name": "Vicino",
            "language": "it",
            "state": "active",
            "primary": customer,
            "secondary": [],
            "services": [],
        }
        (world.folder / "accounts.jsonl").write_text(json.dumps(row) + "\n")
        (world.folder / "tickets.jsonl").write_text("")
        routing = world.folder / "policies" / "routing.toml"
        text = routing.read_text()
        assert "merge_receipts_minutes = 10" in text  # waiting would hide a loop
        routing.write_text(
            text.replace("merge_receipts_minutes = 10", "merge_receipts_minutes = 0")
        )
        path = world.folder / "zone.json"
        zone = json.loads(path.read_text())
        for domain, address in SOURCES.items():
            zone[domain] = {"TXT": [f"v=spf1 ip4:{address} -all"]}
            zone[f"mx.{domain}"] = {"A": [address], "TXT": [f"v=spf1 ip4:{address} -all"]}
            zone[f"_dmarc.{domain}"] = {"TXT": ["v=DMARC1; p=reject"]}
        path.write_text(json.dumps(zone))
        ground.load(world, f"sqlite:///{world.folder / 'portiere.db'}")
    return here, there
