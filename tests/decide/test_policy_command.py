"""`portiere policy` as people and programs use it."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from policy_tables import facts_of
from typer.testing import CliRunner

from gateway.cli.policy import app
from gateway.core.decide.facts import as_dict
from gateway.core.model import Effects, Envelope, Listener, MailRow
from gateway.errors import BadInput
from gateway.store.engine import Store
from gateway.store.writer import Writer

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = str(ROOT / "policies")
BAD = ROOT / "tests" / "policies" / "bad"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def said(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exception is None or result.exit_code == 1, result.exception
    return json.loads(result.stdout)


@pytest.fixture
def wider(tmp_path: Path) -> Path:
    """The shipped rules, but strangers' enquiries with a weak article are answered."""
    text = (ROOT / "policies" / "disclosure.toml").read_text(encoding="utf-8")
    rules = text.split("# ---- theorems")[0]
    was = 'id = "customers-question"\n'
    assert was in rules
    changed = tmp_path / "disclosure.toml"
    changed.write_text(
        rules.replace('when.knowledge = "sure"', 'when.knowledge = ["sure", "weak"]')
    )
    return changed


def test_checking_a_sound_folder_says_what_was_proved() -> None:
    """Exit 0, each rule with its situations, and the space that was proved."""
    result = run("check", SHIPPED)
    assert result.exit_code == 0
    assert "is sound" in result.stdout
    assert "own-ticket" in result.stdout
    found = said("check", SHIPPED)
    assert found["ok"] is True
    assert found["situations"] == sum(rule["situations"] for rule in found["rules"])
    assert set(found["left_out"]) == {"spent", "office", "standing", "unnamed"}


def test_checking_a_bad_file_names_every_complaint() -> None:
    """Exit 1; places and hints are in the text and in the JSON."""
    path = BAD / "unknown-value.toml"
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "unknown-value.toml:3:27: unknown value `secondry`" in result.stderr
    assert "did you mean `secondary`?" in result.stderr
    assert "2 complaints" in result.stdout
    found = said("check", str(path))
    assert [each["message"] for each in found["complaints"]] == [
        "unknown value `secondry` of `sender`",
        "`token` is true or false",
    ]


def test_checking_the_folder_of_the_configuration(tmp_path: Path) -> None:
    """Without a folder the configuration says which."""
    config = tmp_path / "portiere.toml"
    config.write_text(f'[paths]\npolicies = "{SHIPPED}"\n')
    assert said("check", "--config", str(config))["ok"] is True


def test_tests_run_alone_and_a_failing_one_shows_its_situation() -> None:
    """Exit 1 with an example; 0 where all hold."""
    assert run("test", SHIPPED).exit_code == 0
    assert all(each["ok"] for each in said("test", SHIPPED))
    path = str(BAD / "failing-test.toml")
    result = run("test", path)
    assert result.exit_code == 1
    assert "sender = primary" in result.stderr
    broken = [each for each in said("test", path) if not each["ok"]]
    assert [each["name"] for each in broken] == ["nobody else is"]
    assert broken[0]["example"]["sender"] == "primary"


def test_explaining_facts_shows_each_rule_and_what_was_assumed() -> None:
    """The usual value stands for what is not given."""
    found = said("explain", "sender=primary", "proof=strong", "ticket=own", "--policies", SHIPPED)
    assert found["decision"]["outcome"] == "thread"
    assert found["decision"]["rule"] == "own-ticket"
    assert found["decision"]["discloses"] == "account"
    assert found["steps"][-1]["matched"] is True
    assert found["steps"][0] == {
        "rule": "not-known-yet",
        "outcome": "defer",
        "matched": False,
        "fact": "proof",
        "value": "strong",
        "wanted": "temperror",
    }
    assert found["assumed"]["scope"] is True
    assert "sender" not in found["assumed"]
    text = run("explain", "sender=unknown", "proof=temperror", "--policies", SHIPPED).stdout
    assert "defer by rule not-known-yet" in text


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("sendr=primary", "sender"),
        ("sender=primry", "primary"),
        ("sender", "fact=value"),
        ("token=yes", "true"),
    ],
)
def test_words_that_are_off_exit_two_with_a_hint(word: str, hint: str) -> None:
    """An unknown fact or value names the nearest one."""
    result = run("explain", word, "--policies", SHIPPED)
    assert result.exit_code == 2
    assert hint in result.stderr


def test_signals_can_be_explained(tmp_path: Path) -> None:
    """A signal is given like a fact, and is false where it is not."""
    path = tmp_path / "disclosure.toml"
    path.write_text(
        '[[signal]]\nid = "partner"\ndomain_in = ["a.example"]\n'
        '[[rule]]\nid = "partners"\nwhen.partner = true\nthen = "record"\nwhy = "W."\n'
    )
    yes = said("explain", "partner=true", "--policies", str(path))
    no = said("explain", "--policies", str(path))
    assert yes["decision"]["rule"] == "partners"
    assert no["decision"]["rule"] == "default"
    assert no["facts"]["partner"] is False


def test_a_difference_is_exact_and_may_fail_a_script(wider: Path) -> None:
    """Exit 1 only with --discloses-more and only when something does."""
    found = said("diff", SHIPPED, str(wider))
    pairs = {(c["from"]["rule"], c["to"]["rule"]): c for c in found["changes"]}
    assert set(pairs) == {
        ("customer", "customers-question"),
        ("strangers-enquiry", "strangers-question"),
    }
    # Both texts are public; an acknowledgement of a ticket told more than an article does.
    assert found["discloses_more"] == 0
    assert run("diff", SHIPPED, str(wider), "--discloses-more").exit_code == 0
    back = said("diff", str(wider), SHIPPED)
    assert back["changed"] == found["changed"] > 0
    assert back["discloses_more"] == pairs["customer", "customers-question"]["situations"]
    assert run("diff", str(wider), SHIPPED, "--discloses-more").exit_code == 1
    assert run("diff", str(wider), SHIPPED).exit_code == 0
    assert said("diff", SHIPPED, SHIPPED)["changes"] == []


def test_a_missing_argument_is_named_as_the_usage_names_it() -> None:
    """In capitals, without braces."""
    result = run("diff")
    assert result.exit_code == 2
    assert "OLD NEW" in result.stderr
    assert "{" not in result.stderr


def test_one_complaint_is_one(tmp_path: Path) -> None:
    """The count agrees with its noun."""
    path = tmp_path / "disclosure.toml"
    path.write_text('[[rule]]\nid = "all"\nthen = "record"\nwhy = "W."\n')
    assert run("check", str(path)).stdout.rstrip().endswith("is refused: 1 complaint")


def test_explaining_a_mail_names_the_command_that_does(tmp_path: Path) -> None:
    """A file instead of a fact: the neighbour command is meant."""
    mail = tmp_path / "m.eml"
    mail.write_text("From: a@b.example\n\nx\n")
    result = run("explain", str(mail), "--policies", SHIPPED)
    assert result.exit_code == 2
    assert "portiere explain" in result.stderr
    assert "portiere explain" not in run("explain", "m.eml", "--policies", SHIPPED).stderr


def test_the_never_rules_are_printed() -> None:
    """In words for people, no wider than a terminal; in sets for programs."""
    text = run("invariants").stdout
    assert "smtp-tells-nothing" in text
    assert max(map(len, text.splitlines())) <= 80
    found = {each["id"]: each for each in said("invariants")}
    assert found["staff"]["unless"] == [
        {"sender": ["staff"], "proof": ["strong"], "token": [True]}
    ]
    assert "sender" in found["smtp-tells-nothing"]["may_not_depend_on"]


# ---- replay


def row(number: int, at: datetime, **named: str | bool) -> Effects:
    """A stored mail of which only the facts matter."""
    envelope = Envelope(None, None, "a@b.example", ("s@h.example",), Listener.EDGE, at)
    return Effects(
        MailRow(
            id=f"m{number}",
            key=f"k{number}",
            received_at=at,
            envelope=envelope,
            raw=b"From: a@b.example\r\n\r\n",
            author_key="a@b.example",
            message_id=None,
            content_digest=f"c{number}",
            body_digest=f"b{number}",
            subject="",
            outcome=str(named.pop("outcome")),
            rule=str(named.pop("rule")),
            because="",
            proof="strong",
            policy_digest="d",
            facts=as_dict(facts_of(dict(named))),
            evidence={},
            account=None,
            ticket=None,
            automatic="no",
        )
    )


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A database with three mails of today and one of last year."""
    now = datetime.now(UTC)
    question = {"sender": "unknown", "proof": "strong", "request": "general"}
    enquiry = {"outcome": "enquiry", "rule": "strangers-enquiry", **question}
    rows = [
        row(1, now, **enquiry, knowledge="weak"),
        row(2, now, **enquiry, knowledge="none"),
        row(3, now, outcome="thread", rule="own-ticket", sender="primary", proof="strong",
            ticket="own"),
        row(4, now - timedelta(days=365), **enquiry, knowledge="weak"),
    ]  # fmt: skip
    store = Store.open(f"sqlite:///{tmp_path / 'portiere.db'}", tmp_path / "blobs")
    with Writer(store) as writer:
        for each in rows:
            writer.commit(each).result()
    store.close()
    config = tmp_path / "portiere.toml"
    config.write_text(
        '[database]\nurl = "sqlite:///portiere.db"\n'
        f'[paths]\nblobs = "blobs"\npolicies = "{SHIPPED}"\n'
    )
    return config


def test_a_replay_shows_which_mails_would_end_differently(stored: Path, wider: Path) -> None:
    """Stored facts are decided again; the days bound what is read."""
    assert said("replay", SHIPPED, "--config", str(stored))["changed"] == 0
    found = said("replay", str(wider), "--config", str(stored))
    assert (found["mails"], found["changed"]) == (3, 1)
    assert found["changes"][0]["mail"] == "m1"
    assert found["changes"][0]["to"] == {"rule": "strangers-question", "outcome": "answer"}
    older = said("replay", str(wider), "--days", "400", "--config", str(stored))
    assert (older["mails"], older["changed"]) == (4, 2)
    text = run("replay", str(wider), "--config", str(stored)).stdout
    assert "1 of 3 mails would change" in text


def test_a_replay_says_when_the_rules_are_not_sound(stored: Path, wider: Path) -> None:
    """Unfinished rules are tried all the same; sound ones are replayed without a word."""
    unsound = run("replay", str(wider), "--config", str(stored))
    assert unsound.exit_code == 0
    assert f"{wider} is not sound" in unsound.stderr
    assert run("replay", SHIPPED, "--config", str(stored)).stderr == ""


# ---- reload


class Daemon:
    """Answers one command on a Unix socket, as the daemon does."""

    def __init__(self, path: Path, answer: dict[str, Any]) -> None:
        self.asked: dict[str, Any] = {}
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        line, _ = self._socket.accept()
        with line, line.makefile("rwb") as stream:
            self.asked = json.loads(stream.readline())
            stream.write(json.dumps(self._answer).encode() + b"\n")

    def __enter__(self) -> "Daemon":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def control(tmp_path: Path) -> tuple[Path, Path]:
    config = tmp_path / "portiere.toml"
    config.write_text('[paths]\ncontrol = "c.sock"\n')
    return config, tmp_path / "c.sock"


def test_a_reload_asks_the_running_gateway(control: tuple[Path, Path]) -> None:
    """The answer's digests are shown, and --accept is passed on."""
    config, path = control
    with Daemon(path, {"ok": True, "policy": "new", "was": "old"}) as daemon:
        result = run("reload", "--accept", "--config", str(config))
    assert result.exit_code == 0
    assert daemon.asked == {"command": "reload", "accept": True}
    assert "policy new was old" in result.stdout


def test_a_refused_reload_is_an_error(control: tuple[Path, Path]) -> None:
    """What the daemon says against it reaches the person who asked."""
    config, path = control
    with Daemon(path, {"ok": False, "error": "discloses more"}):
        result = run("reload", "--config", str(config))
    assert isinstance(result.exception, BadInput)
    assert "discloses more" in str(result.exception)


def test_without_a_daemon_a_reload_says_so(control: tuple[Path, Path]) -> None:
    """Nothing is reloaded by itself."""
    result = run("reload", "--config", str(control[0]))
    assert isinstance(result.exception, BadInput)
