"""Every attack of the suite through the whole house, judged by what its `must` says."""

import asyncio
import email
import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import pytest
from attack_world import NOW, World, build, filled
from tests_support import SUITES, needs_suites

from gateway.authenticate.resolver import Resolver, read_zone
from gateway.core.model import ProofLevel
from gateway.explainer import Explainer
from gateway.house import zone_from
from gateway.pipeline import Course

SUITE = SUITES / "attacks"
# Scripts of the SMTP dialogue and of several mails have tests of their own.
DIALOGUES = {"smtp_eod", "smtp_script", "smtp_flood", "smtp_noread", "smtp_slow", "smtp_rst"}
# What the two cases with a fault of DNS mean by it.
FAULTS = {
    "dns-timeout": read_zone({"cliente.example": {"status": "timeout"}}),
    "dns-huge-txt": read_zone(
        {"cliente.example": {"TXT": ["v=spf1 " + "ip4:192.0.2.10 " * 5000]}}
    ),
}
TELLING = ("account exists", "ticket exists", "non esiste", "does not exist", "no such ticket")


def cases() -> list[dict[str, Any]]:
    """The cases that are one mail each."""
    if not SUITE.is_dir():
        return []
    lines = (SUITE / "cases.jsonl").read_text().splitlines()
    read = [json.loads(line) for line in lines]
    return [c for c in read if c.get("gen", {}).get("kind") not in {*DIALOGUES, "sequence"}]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The suite's world, built once."""
    if not SUITE.is_dir():
        pytest.skip("the suites are absent (PORTIERE_SUITES)")
    return build(SUITE, tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def explainer(world: World) -> Iterator[Explainer]:
    """The house over it, without a writer."""
    with Explainer(world.config) as opened:
        yield opened


@pytest.fixture(scope="module")
def zone(world: World) -> Resolver:
    """Its DNS."""
    return zone_from(world.zone)


def raw_of(case: dict[str, Any], world: World, explainer: Explainer) -> bytes:
    """The mail of a case, with our tokens in it."""
    if "eml" in case:
        raw = (SUITE / case["eml"]).read_bytes()
        return filled(raw.decode("latin-1"), world, explainer).encode("latin-1")
    spec = importlib.util.spec_from_file_location("attack_build", SUITE / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: bytes = module.build(case["gen"])
    return made


@needs_suites
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_an_attack_ends_as_it_must(
    case: dict[str, Any], world: World, explainer: Explainer, zone: Resolver
) -> None:
    """Proof, disclosure, threading, destinations and the reply are as the case demands."""
    env = case["env"]
    raw = raw_of(case, world, explainer)
    told = {
        "client_ip": env["ip"],
        "helo": env["helo"],
        "mail_from": env["mail_from"],
        "rcpt": [filled(one, world, explainer) for one in env["rcpt"]],
        "now": NOW.isoformat(),
    }
    resolver = FAULTS.get(env.get("dns_fault"), zone)
    course = asyncio.run(explainer.course(explainer.envelope(told, raw), raw, resolver))
    judge(case["must"], course, world)


def judge(must: dict[str, Any], course: Course, world: World) -> None:
    """Hold one course against one `must`."""
    # A look-alike proves his own address, and that is no registered one: the case asks for those.
    registered = course.wire.author is not None and course.wire.author.key in world.primaries
    proven = (ProofLevel.STRONG, ProofLevel.MEDIUM)
    verified = registered and course.proof is not None and course.proof.level in proven
    if isinstance(must.get("verified"), bool):
        assert verified is must["verified"], course.proof
    outgoing = course.effects.outgoing if course.effects else ()
    replies = [one for one in outgoing if not one.notice]
    if must.get("disclose") is False:
        assert not disclosed(replies, world)
    if "thread_to" in must:
        check_thread(must["thread_to"], course, world)
    if "reply_to_only" in must:
        check_destinations(must["reply_to_only"], replies, course, world)
    if must.get("no_auto_reply"):
        assert not replies
    if isinstance(must.get("opens_ticket"), bool):
        opened = bool(course.effects and course.effects.tickets)
        assert opened is must["opens_ticket"]
    if "smtp" in must:
        assert str(course.answer.code)[0] in must["smtp"]
    if must.get("names_safe"):
        check_names(course)
    for text in must.get("literal", ()):
        assert course.mail is not None
        words = (course.mail.subject, course.mail.text, course.mail.from_name)
        # Line breaks inside a header are shown as blanks.
        assert " ".join(text.split()) in " ".join(" ".join(words).split())
    if must.get("out_headers_clean"):
        check_headers([one.raw for one in outgoing], world)


def disclosed(replies: list[Any], world: World) -> list[str]:
    """Every secret that stands in a reply."""
    found = []
    for one in replies:
        parts = email.message_from_bytes(one.raw).walk()
        words = one.raw.decode("latin-1") + "".join(
            (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
            for part in parts
            if not part.is_multipart()
        )
        found += [secret for secret in (*world.secrets, *TELLING) if secret in words]
    return found


def check_thread(wanted: int | None, course: Course, world: World) -> None:
    """Only the ticket named may have taken the mail; none may where none is named."""
    standing = {str(ticket["id"]) for ticket in world.told["tickets"]}
    entries = course.effects.entries if course.effects else ()
    changes = course.effects.changes if course.effects else ()
    taken = {one.ticket for one in entries} | {one.number for one in changes}
    assert taken & standing == ({str(wanted)} if wanted else set())


def check_destinations(
    allowed: list[str], replies: list[Any], course: Course, world: World
) -> None:
    """Envelope recipient and To are of the list; PRIMARY is the official address of the author."""
    author = str(course.wire.author) if course.wire.author else ""
    primary = world.primaries.get(author.lower(), "")
    wanted = {primary if one == "PRIMARY" else one for one in allowed}
    for one in replies:
        assert one.to in wanted
        assert email.message_from_bytes(one.raw)["To"].strip("<> ") in wanted


def check_names(course: Course) -> None:
    """No path, drive, control or bidirectional character in a stored file name."""
    assert course.mail is not None
    for one in course.mail.attachments:
        assert one.filename
        assert one.filename not in (".", "..")
        assert not set(one.filename) & set('/\\:*?"<>|\0\r\n\t\u202e\u202d\u2066\u2044')
        assert len(one.filename.encode()) <= 255
        assert all(char.isprintable() for char in one.filename)


def check_headers(raws: list[bytes], world: World) -> None:
    """No header line that the sender made, and no raw control character."""
    for raw in raws:
        head = raw.split(b"\r\n\r\n", 1)[0]
        names = [line.split(b":", 1)[0].lower() for line in head.split(b"\r\n") if line[:1] > b" "]
        assert b"bcc" not in names
        assert not any(name.startswith((b"x-inject", b"x-evil")) for name in names)
        assert all(byte >= 32 or byte in (9, 10, 13) for byte in head)
        assert head.count(b"\n") == head.count(b"\r\n")


def test_the_judgement_can_fail(world: World, explainer: Explainer, zone: Resolver) -> None:
    """A harmless mail of a customer held against the demand that it be unproven fails."""
    case = next(case for case in cases() if case["id"] == "ctl-spf-aligned")
    raw = raw_of(case, world, explainer)
    told = {"client_ip": case["env"]["ip"], "mail_from": "anna@cliente.example"}
    told |= {"helo": "mx.cliente.example", "now": NOW.isoformat()}
    course = asyncio.run(explainer.course(explainer.envelope(told, raw), raw, zone))
    with pytest.raises(AssertionError):
        judge({"verified": False}, course, world)
    with pytest.raises(AssertionError):
        judge({"reply_to_only": []}, course, world)
