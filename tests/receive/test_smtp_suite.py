"""The SMTP attacks of the suites, by their ids: each is played against an open door."""

import asyncio
import json
from typing import Any

import pytest
from receive_support import Client, World, run
from tests_support import ROOT, SUITES, needs_suites

from gateway.receive.limits import Limits

pytestmark = needs_suites

QUICK = Limits(
    error_delay_seconds=0.0,
    command_seconds=0.3,
    data_grace_seconds=0.1,
    data_bytes_per_second=100_000,
)


def smtp_cases() -> list[dict[str, Any]]:
    path = SUITES / "attacks" / "cases.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [case for case in map(json.loads, lines) if case["group"] == "smtp"]


async def opened(client: Client, case: dict[str, Any]) -> None:
    """Hello, sender and recipient of the case."""
    env = case["env"]
    await client.reply()
    await client.say(
        f"EHLO {env['helo']}", f"MAIL FROM:<{env['mail_from']}>", f"RCPT TO:<{env['rcpt'][0]}>"
    )


async def smtp_eod(client: Client, case: dict[str, Any]) -> None:
    """A false end of data, with a second mail behind it, then the true end."""
    await opened(client, case)
    await client.say("DATA")
    second = (
        "MAIL FROM:<alice@victim.example>\r\nRCPT TO:<support@support.host.example>\r\nDATA\r\n"
        "From: alice@victim.example\r\n\r\nforged\r\n.\r\nQUIT\r\n"
    )
    first = f"From: {case['env']['mail_from']}\r\n\r\nbody{case['gen']['seq']}"
    await client.send((first + second).encode("latin-1"))
    said = await client.reply()
    assert said[:1] in case["must"]["smtp"] or (not said and "close" in case["must"]["smtp"])


async def smtp_script(client: Client, case: dict[str, Any]) -> None:
    """Lines as they are written, with their escapes; each is answered."""
    for line in case["gen"]["lines"]:
        early = line.startswith("<before banner>")
        data = line.removeprefix("<before banner>").encode().decode("unicode_escape")
        if not early:
            await client.reply()
            await client.say("EHLO x.example")
            if data.startswith("RCPT"):
                await client.say("MAIL FROM:<a@b.example>")
        await client.send(data.encode("latin-1") + b"\r\n")
        replies = [await client.reply()]
        if early:
            replies.append(await client.reply())
        assert replies[-1][:1] in ("4", "5")


async def smtp_flood(client: Client, case: dict[str, Any]) -> None:
    """The commands in one go; the session ends by rule."""
    await opened(client, case)
    command, count = case["gen"]["cmd"], case["gen"]["n"]
    lines = (command % n if "%d" in command else command for n in range(count))
    client.writer.write("".join(line + "\r\n" for line in lines).encode())
    replies = []
    while said := await client.reply():
        replies.append(said[:3])
    assert len(replies) <= 51
    assert replies[-1] == "421"


async def smtp_noread(client: Client, case: dict[str, Any]) -> None:
    """Commands whose replies nobody reads."""
    await client.send(b"NOOP\r\n" * 10_000)
    await asyncio.sleep(0.2)


async def smtp_slow(client: Client, case: dict[str, Any]) -> None:
    """A line now and then; here the clock runs faster."""
    await opened(client, case)
    await client.say("DATA")
    while not client.reader.at_eof():
        client.writer.write(b"line\r\n")
        await asyncio.sleep(0.02)
        if client.reader.exception() is not None:
            return


async def smtp_rst(client: Client, case: dict[str, Any]) -> None:
    """A reset right behind the dot."""
    await opened(client, case)
    await client.say("DATA")
    await client.send(b"From: a@b.example\r\n\r\nx\r\n.\r\n")
    client.abort()
    await asyncio.sleep(0.05)


PLAYS = {
    play.__name__: play
    for play in (smtp_eod, smtp_script, smtp_flood, smtp_noread, smtp_slow, smtp_rst)
}


@pytest.mark.parametrize("case", smtp_cases(), ids=lambda case: case["id"])
def test_attack(case: dict[str, Any]) -> None:
    """What must hold, holds: at most one mail, no defect, and the door still open."""

    async def body(world: World) -> None:
        await PLAYS[case["gen"]["kind"]](await world.connect(), case)
        assert (await (await world.connect()).reply()).startswith("220")

    world = run(body, limits=QUICK)
    assert len(world.mails) <= case["must"].get("must_messages", 1)
    assert not {"a defect in a session", "the handler failed"} & set(world.log.texts())


def test_every_smtp_row_of_the_authentication_attacks_has_a_dialogue() -> None:
    """Rows M01 to M20 are named in the dialogues that play them."""
    rows = json.loads((SUITES / "auth" / "attacks.json").read_text(encoding="utf-8"))
    ids = {row["id"] for row in rows if row["id"].startswith("M")}
    told = " ".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "dialogs").glob("*.smtp")
    )
    assert {each for each in ids if each not in told} == set()
    assert len(ids) >= 15
