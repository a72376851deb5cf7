"""Rules changed under the running daemon: by SIGHUP, by `portiere policy reload`, and the shadow
of policies/next."""

import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running import Gateway, gateway, portiere, until
from test_daemon import own_policies, page, scene

from gateway.demo.scenes import ANNA
from gateway.demo.world import World

THANKS = replace(scene("open"), kind="thanks", subject="Grazie", body="Grazie mille!\n")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with policies of its own."""
    with gateway(tmp_path / "world", own_policies) as started:
        yield started


def rules(of: Gateway) -> Path:
    """Its rule file."""
    return of.world.folder / "policies" / "disclosure.toml"


def more_open(text: str) -> str:
    """The same rules, but thanks open a ticket: sound, and telling more."""
    changed = re.sub(r'(id = "just-thanks"(?:\n.+?)*?\nthen = )"record"', r'\1"open"', text)
    assert changed != text
    return changed


def without(text: str, rule: str) -> str:
    """The same rules without one of them and the tests that name it."""
    blocks = re.split(r"\n(?=\[\[)", text)
    kept = [one for one in blocks if f'"{rule}"' not in one]
    assert len(kept) < len(blocks)
    return "\n".join(kept)


def reload(of: Gateway, *more: str) -> "tuple[int, str]":
    """`portiere policy reload`; its status and all that it said."""
    done = portiere("policy", "reload", *more, "--config", str(of.world.config))
    return done.returncode, done.stdout + done.stderr


def digest(of: Gateway) -> str:
    """The digest of the policy in force, by its metric: there is exactly one."""
    (found,) = re.findall(r'portiere_policy_info\{digest="(\w+)"\} 1\.0', page(of, "metrics"))
    return str(found)


def refused(of: Gateway) -> int:
    """How many reloads were refused so far."""
    found = re.search(r'portiere_reloads_total\{result="refused"\} (\d+)', page(of, "metrics"))
    return int(found[1]) if found else 0


def outcome(of: Gateway, kind: str) -> str:
    """What becomes of a mail of thanks now; `kind` tells one such mail from the next."""
    codes, identifier = of.send(replace(THANKS, kind=kind, body=f"Grazie mille!\n\n-- \n{kind}\n"))
    assert codes == [250]
    return str(of.trace(identifier)["outcome"])


def test_a_broken_file_is_refused_with_its_place_and_a_mended_one_takes_over(
    running: Gateway,
) -> None:
    """The command says line and column; log and metrics say so; no restart is needed."""
    right, before = rules(running).read_text(), digest(running)
    rules(running).write_text(right.replace('then = "hold"', 'then = "hodl"', 1))
    status, said = reload(running)
    assert status == 1
    line = rules(running).read_text()[: rules(running).read_text().index("hodl")].count("\n") + 1
    assert f"disclosure.toml:{line}:" in said
    assert "did you mean `hold`" in said
    assert refused(running) == 1
    assert f"disclosure.toml:{line}:" in running.log
    assert digest(running) == before
    assert outcome(running, "still") == "record"
    renamed = right.replace('"just-thanks"', '"only-thanks"')
    rules(running).write_text(renamed)
    status, said = reload(running)
    assert status == 0, said
    assert digest(running) in said
    assert digest(running) != before
    codes, identifier = running.send(replace(THANKS, kind="mended"))
    assert codes == [250]
    assert running.trace(identifier)["rule"] == "only-thanks"


def test_a_policy_that_tells_more_needs_a_word(running: Gateway) -> None:
    """Neither SIGHUP nor a plain reload takes it; `--accept` does, and says what is in force."""
    assert running.process is not None
    before = digest(running)
    rules(running).write_text(more_open(rules(running).read_text()))
    running.process.send_signal(signal.SIGHUP)
    assert until(lambda: refused(running) == 1)
    status, said = reload(running)
    assert status == 1
    assert "--accept" in said
    assert "just-thanks" in said
    assert refused(running) == 2
    assert digest(running) == before
    assert outcome(running, "before") == "record"
    status, said = reload(running, "--accept")
    assert status == 0, said
    assert digest(running) != before
    assert outcome(running, "after") == "open"


def test_telling_less_needs_no_word(running: Gateway) -> None:
    """Going back is a plain reload, and SIGHUP is enough."""
    assert running.process is not None
    right = rules(running).read_text()
    rules(running).write_text(more_open(right))
    assert reload(running, "--accept")[0] == 0
    taken = digest(running)
    rules(running).write_text(right)
    running.process.send_signal(signal.SIGHUP)
    assert until(lambda: digest(running) != taken)
    assert refused(running) == 0


def beside(world: World) -> None:
    """Policies with a `next/` in which thanks open a ticket and no forgery is rejected."""
    own_policies(world)
    folder = world.folder / "policies" / "next"
    folder.mkdir(exist_ok=True)
    right = (world.folder / "policies" / "disclosure.toml").read_text()
    (folder / "disclosure.toml").write_text(without(more_open(right), "forged"))


def test_the_shadow_decides_beside_and_only_differences_are_told(tmp_path: Path) -> None:
    """Counted and logged by both rules; what happens is what the rules in force say."""
    with gateway(tmp_path / "world", beside) as running:
        running.send(scene("open"))
        assert "shadow differs" not in running.log
        assert outcome(running, "thanks") == "record"
        assert running.send(scene("forged-reject"))[0] == [550]
        said = page(running, "metrics")
        counted = r'portiere_shadow_differences_total\{next_rule="%s",rule="%s"\} 1\.0'
        assert re.search(counted % ("just-thanks", "just-thanks"), said)
        assert re.search(counted % (r"[\w-]+", "forged"), said)
        lines = [line for line in running.log.splitlines() if "shadow differs" in line]
        assert len(lines) == 2
        assert '"next_outcome": "open"' in lines[0]
        assert '"outcome": "record"' in lines[0]
        assert ANNA not in lines[0]


def test_the_shadow_ends_with_its_folder(tmp_path: Path) -> None:
    """`next/` is read again at a reload; one that is broken refuses the reload."""
    with gateway(tmp_path / "world", beside) as running:
        folder = running.world.folder / "policies" / "next"
        right = (folder / "disclosure.toml").read_text()
        (folder / "disclosure.toml").write_text(right.replace("when.proof", "when.prof", 1))
        status, said = reload(running)
        assert status == 1
        assert str(Path("next") / "disclosure.toml") in said
        shutil.rmtree(folder)
        assert reload(running)[0] == 0
        outcome(running, "alone")
        assert "shadow differs" not in running.log
