"""DNS is down, silent, broken or lies in fragments: nobody is proven by it, nobody is refused by
it, and those whose names still resolve do not wait for the others.
"""

import asyncio
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from drills import gauges, ground
from drills.ground import CUSTOMERS, STRANGERS
from drills.process import daemon
from drills.senders import Client, compose
from fakes_smarthost import Sink

MODES = ("answers", "silent", "servfail", "garbage", "refused")
PEOPLE = 40
WARM = 3
OTHERS = 20


class Names(asyncio.DatagramProtocol):
    """A DNS server over a zone of ours, which can be broken for one domain or for all."""

    def __init__(self, zone: dict[str, dict[str, list[object]]]) -> None:
        """`mode` may be changed while it runs; `spared` are ends of names that it goes on
        answering.
        """
        self.mode = "answers"
        self.spared: tuple[str, ...] = ()
        self.asked = 0
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it for the answers."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """One question, and what the mode makes of it."""
        self.asked += 1
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text().lower().removesuffix(".")
        spared = name.endswith(self.spared) if self.spared else False
        mode = "answers" if spared else self.mode
        if mode == "silent":
            return
        answer = dns.message.make_response(question)
        if mode == "answers":
            self._answer(answer, name)
        else:
            answer.set_rcode(dns.rcode.REFUSED if mode == "refused" else dns.rcode.SERVFAIL)
        wire = answer.to_wire()
        self._transport.sendto(b"\xff" * len(wire) if mode == "garbage" else wire, address)

    def _answer(self, answer: dns.message.Message, name: str) -> None:
        answer.flags |= dns.flags.RA
        kind = dns.rdatatype.to_text(answer.question[0].rdtype)
        if name not in self._zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self._zone[name].get(kind):
            words = [_shown(kind, record) for record in records]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 1, "IN", kind, *words))


def _shown(kind: str, record: object) -> str:
    if kind == "TXT":
        text = str(record)
        return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
    if kind == "MX":
        preference, host = record  # type: ignore[misc]  # a zone's MX is a pair
        return f"{preference} {host}."
    return str(record)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Replies of each mode; what was stored as proven while nothing could prove it."""

    codes: dict[str, Counter[int]]
    proven: int
    spared: float  # the p99 of senders whose names still resolved, in seconds
    orphan: tuple[int, float]  # code and seconds where the parent's name alone does not resolve
    waited: float  # the slowest answer to one whose names did not

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        down = [codes for mode, codes in self.codes.items() if mode not in ("answers", "again")]
        permanent = any(code >= 500 for codes in self.codes.values() for code in codes)
        permanent = permanent or self.orphan[0] != 250
        worked = set(self.codes["answers"]) == set(self.codes["again"]) == {250}
        deferred = all(codes[451] for codes in down)
        return worked and deferred and not permanent and not self.proven

    @property
    def words(self) -> str:
        """One line for the table."""
        said = "; ".join(
            f"{mode}: {', '.join(f'{n} times {code}' for code, n in codes.items())}"
            for mode, codes in self.codes.items()
        )
        code, seconds = self.orphan
        return (
            f"{said}; {self.proven} proven meanwhile; slowest answer"
            f" {self.waited:.1f} s; p99 of others meanwhile {self.spared * 1000:.0f} ms"
            f" (goal 100); with a silent `_dmarc` of the parent {code} after {seconds:.1f} s"
        )


async def drill(folder: Path, mails: int = 4, unsafe: str | None = None) -> Outcome:
    """Some mails in each mode, while others come whose names resolve."""
    made = ground.build(folder, PEOPLE)
    zone = json.loads((made.folder / "zone.json").read_text())
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(
        lambda: Names(zone), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    ground.configure(made, ('zone = "zone.json"', f'servers = ["127.0.0.1:{port}"]'))
    codes: dict[str, Counter[int]] = {}
    waited, others = 0.0, list[float]()
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        for number, mode in enumerate((*MODES, "again")):
            await held.start(unsafe=unsafe)  # with empty caches
            names.mode, names.spared = "answers", ()
            for count in range(WARM):  # the first mails of a process are slow whatever DNS does
                await _mail(made.smtp_port, f"w{number}x{count}", CUSTOMERS)
            await asyncio.sleep(1.5)  # what is remembered of them is over
            if mode not in ("answers", "again"):
                names.mode, names.spared = mode, (CUSTOMERS, "_dmarc.example")
            done, beside = await asyncio.gather(
                asyncio.gather(
                    *(_mail(made.smtp_port, f"n{number}x{n}", STRANGERS) for n in range(mails))
                ),
                _beside(made.smtp_port, number),
            )
            codes[mode] = Counter(code for code, _ in done)
            codes[mode].update(code for code, _ in beside if code != 250)
            waited = max(waited, *(seconds for _, seconds in done))
            others += [seconds for _, seconds in beside]
            await held.stop()
        await held.start(unsafe=unsafe)
        names.mode, names.spared = "silent", (CUSTOMERS,)
        orphan = await _mail(made.smtp_port, "orphan", CUSTOMERS)
        await held.stop()
    transport.close()
    broken = [str(number) for number, mode in enumerate(MODES) if mode != "answers"]
    spared = gauges.share(others, 0.99)
    return Outcome(codes, _proven(made.folder, broken), spared, orphan, waited)


async def _beside(port: int, number: int) -> list[tuple[int, float]]:
    """One mail after the other whose names resolve; each asks again, for answers last a second."""
    done = []
    for count in range(OTHERS):
        done.append(await _mail(port, f"n{number}s{count}", CUSTOMERS))
        await asyncio.sleep(0.1)
    return done


async def _mail(port: int, name: str, domain: str) -> tuple[int, float]:
    """Its code, and how long it took."""
    kind = "question" if domain == STRANGERS else "open"
    loop = asyncio.get_running_loop()
    client = await Client.open(port, domain)
    begun = loop.time()
    try:
        return await client.mail(compose(name, kind, 1)), loop.time() - begun
    finally:
        client.close()


def _proven(folder: Path, broken: list[str]) -> int:
    """Mails of strangers that were stored with a proof while their names did not resolve."""
    connection = sqlite3.connect(folder / "portiere.db")
    rows = connection.execute(
        "SELECT message_id FROM mails WHERE proof IN ('strong', 'medium')"
    ).fetchall()
    connection.close()
    starts = tuple(f"<n{number}x" for number in broken)
    return sum(str(ident).startswith(starts) for (ident,) in rows)
