"""The line between fronts and office.

Values pass unchanged, nothing else passes, and a broken line answers every open question.
"""

import asyncio
import io
import os
import pickle
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway import line
from gateway.config import LimitsConfig
from gateway.core.model import Committed, Listener, Moved, Spend, Tainted
from gateway.errors import BadInput, Defect, Temporary
from gateway.line import LONGEST, Line, announced, pack, unpack

HEAD = 13


def through(value: object) -> Any:
    """A value as it comes out at the other end."""
    frame = pack(1, "x", value)
    number, size = announced(frame[:HEAD])
    assert (number, size) == (1, len(frame) - HEAD)
    return unpack(frame[HEAD:])[1]


@pytest.mark.parametrize(
    "value",
    [
        Committed("id", duplicate=True),
        Spend("ledger", "key", datetime(2026, 11, 22, 14, 5, tzinfo=ZoneInfo("Europe/Rome")), 3),
        Listener.RELAY,
        (Tainted("words"), b"\x00\xff", {"a": [1, None, 2.5]}, frozenset({"x"})),
        datetime(2026, 11, 22, tzinfo=UTC),
    ],
)
def test_a_value_comes_out_as_it_went_in(value: object) -> None:
    """Dataclasses, members of enumerations, moments with their zone, bytes and containers."""
    assert through(value) == value
    assert type(through(value)) is type(value)


class _Evil:
    def __init__(self, call: Any, *arguments: object) -> None:
        self.call = call
        self.arguments = arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize(
    "evil",
    [
        _Evil(os.system, "exit 1"),
        _Evil(getattr, "x", "upper"),
        _Evil(eval, "1"),
        _Evil(Path, "/"),
        _Evil(io.open, "/etc/hosts"),
    ],
)
def test_a_frame_that_names_anything_else_is_refused(evil: object) -> None:
    """Nothing is imported, and nothing called."""
    with pytest.raises(Defect, match="is no value"):
        unpack(pickle.dumps(("x", evil), protocol=5))


@pytest.mark.parametrize(
    "name", ["account.dataclasses", "Account.__init__", "dataclass", "datetime.datetime"]
)
def test_a_name_inside_the_values_that_is_no_value_is_refused(name: str) -> None:
    """What a module of values has imported is no value, and no path leads through one."""
    body = b"\x80\x05\x8c\x12gateway.core.model\x8c" + bytes([len(name)]) + name.encode()
    with pytest.raises(Defect):
        unpack(body + b"\x93.")


@pytest.mark.parametrize("body", [b"", b"\x80", b"garbage", pickle.dumps(7), b"\xff" * 100])
def test_garbage_is_a_defect(body: bytes) -> None:
    """Whatever stands in a frame, one error comes out."""
    with pytest.raises(Defect):
        unpack(body)


def test_another_version_is_refused() -> None:
    """Two versions of the program do not guess what the other one means."""
    frame = bytearray(pack(1, "x", None))
    frame[0] = 99
    with pytest.raises(Defect, match="version 99"):
        announced(bytes(frame[:HEAD]))


async def talk(
    folder: Path,
    answers: Callable[[str, Any], Awaitable[Any]],
    work: Callable[[Line, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """Run `work` at one end of a line, with `answers` at the other."""
    path = folder / "line"
    others: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        others.append(writer)
        assert line.same_user(writer)
        await Line(reader, writer, answers).run()

    server = await line.listen(path, serve)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    one = Line(*await asyncio.open_unix_connection(path), answers)
    running = asyncio.create_task(one.run())
    try:
        await one.ask("hello")
        await work(one, others[0])
    finally:
        server.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for each in others:
            each.close()
        await asyncio.sleep(0)


async def answers(what: str, about: Any) -> Any:
    """Answers of every kind."""
    if what == "slow":
        await asyncio.sleep(60)
    errors = {"moved": Moved(), "later": Temporary("later"), "wrong": BadInput("wrong")}
    if what in errors:
        raise errors[what]
    if what == "broken":
        raise KeyError("our own fault")
    return about


def test_errors_arrive_as_what_they_are(tmp_path: Path) -> None:
    """`Moved` is decided again, `Temporary` said later; an unknown error is a defect of ours."""

    async def work(one: Line, _other: asyncio.StreamWriter) -> None:
        assert await one.ask("echo", Committed("1")) == Committed("1")
        found = await asyncio.gather(
            *(one.ask(what) for what in ("moved", "later", "wrong", "broken")),
            return_exceptions=True,
        )
        assert [type(each) for each in found] == [Moved, Temporary, BadInput, Defect]

    asyncio.run(talk(tmp_path, answers, work))


def test_a_line_that_breaks_answers_every_open_question(tmp_path: Path) -> None:
    """What was asked and not answered may come later: the sender is told 451 and comes again."""

    async def work(one: Line, other: asyncio.StreamWriter) -> None:
        open_question = one.ask("slow")
        await asyncio.sleep(0.01)
        other.close()
        with pytest.raises(Temporary):
            await open_question
        with pytest.raises(Temporary):
            await one.ask("echo")

    asyncio.run(talk(tmp_path, answers, work))


def test_the_largest_mail_fits_into_a_frame() -> None:
    """Its bytes, as much again for its files and for its parts, and room."""
    most = next(
        each.le
        for each in LimitsConfig.model_fields["message_bytes"].metadata
        if hasattr(each, "le")
    )
    assert 4 * most <= LONGEST
