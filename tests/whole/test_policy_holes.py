"""Slips and holes in a copy of the shipped policy: `portiere policy check` refuses every one, with
the line where it stands, and a hole with a situation that falls through it."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import portiere
from tests_support import ROOT

SHIPPED = (ROOT / "policies" / "disclosure.toml").read_text()


@dataclass(frozen=True)
class Slip:
    """A change of the text, the line that is named, and what is said of it."""

    name: str
    old: str  # a regular expression
    new: str
    at: str  # what stands on the line that the complaint names, after the change
    says: tuple[str, ...]


def rule(name: str, key: str) -> str:
    """An expression for one key of one rule; what stands before it is group 1."""
    return rf'(id = "{name}"\n(?:.+\n)*?){key} = .+'


SLIPS = (
    Slip(
        "no-such-paragraph",
        r'add = "out_of_hours"',
        'add = "out_of_hour"',
        "out_of_hour",
        ("did you mean `out_of_hours`",),
    ),
    Slip(
        "no-such-template",
        rule("strangers-enquiry", "then"),
        r'\1then = "enquiry"\ntemplate = "../../etc"',
        "../../etc",
        ("there is no template",),
    ),
    Slip(
        "template-of-another-outcome",
        rule("strangers-enquiry", "then"),
        r'\1then = "enquiry"\ntemplate = "panel"',
        'template = "panel"',
        ("is not one of outcome `enquiry`",),
    ),
    Slip(
        "misspelt-fact",
        rule("own-ticket", "when.ticket"),
        r'\1when.tiket = "own"',
        "tiket",
        ("did you mean `ticket`",),
    ),
    Slip(
        "misspelt-value",
        rule("own-ticket", "when.proof"),
        r'\1when.proof = ["strong", "medum"]',
        "medum",
        ("did you mean `medium`",),
    ),
    Slip(
        "misspelt-outcome",
        rule("own-ticket", "then"),
        r'\1then = "tread"',
        "tread",
        ("did you mean `thread`",),
    ),
    Slip(
        "misspelt-key",
        rule("critical", "priority"),
        r'\1prioritty = "high"',
        "prioritty",
        ("did you mean `priority`",),
    ),
    Slip(
        "fail-is-let-through",
        rule("own-ticket", "when.proof"),
        r'\1when.proof = ["strong", "medium", "fail"]',
        'id = "own-ticket"',
        ("own-ticket", "proof=fail"),
    ),
    Slip(
        "others-ticket-is-continued",
        rule("own-ticket", "when.ticket"),
        r'\1when.ticket = ["own", "other"]',
        'id = "own-ticket"',
        ("own-ticket", "ticket=other"),
    ),
    Slip(
        "a-stranger-opens",
        rule("stranger", "then"),
        r'\1then = "open"',
        'id = "stranger"',
        ("`stranger`", "sender=unknown"),
    ),
    Slip(
        "machines-are-answered",
        rule("automatic", "then"),
        r'\1then = "refuse"',
        'id = "automatic"',
        ("`automatic`", "automatic="),
    ),
    Slip(
        "the-dialogue-tells-who-is-registered",
        rule("not-known-yet", "when.proof"),
        r'\1when.proof = "temperror"\nwhen.sender = "unknown"',
        'id = "not-known-yet"',
        ("not-known-yet", "sender"),
    ),
    Slip(
        "a-customer-without-scope",
        rule("own-ticket", "when.scope"),
        r"\1when.scope = false",
        'id = "own-ticket"',
        ("own-ticket", "scope=false"),
    ),
    Slip(
        "double-id",
        r'id = "just-thanks"',
        'id = "customer"',
        'id = "customer"',
        ("customer",),
    ),
    Slip(
        "wrong-type",
        rule("own-ticket", "when.scope"),
        r'\1when.scope = "true"',
        'when.scope = "true"',
        ("scope", "true"),
    ),
    Slip(
        "syntax",
        rule("own-ticket", "then"),
        r'\1then = "thread',
        'then = "thread',
        (),
    ),
    Slip(
        "missing-test",
        r'(?m)^name = "thanks alone open nothing"\n.+\n.+\n',
        'name = "nothing"\ngiven = { sender = "unknown" }\n'
        'expect = { discloses = ["none", "public"] }\n',
        'id = "just-thanks"',
        ("just-thanks", "test"),
    ),
    Slip(
        "a-theorem-is-broken",
        rule("others-service", "then"),
        r'\1then = "enquiry"',
        'id = "others-service"',
        ("others-service", "service=other"),
    ),
    Slip(
        "a-rule-that-never-decides",
        r'\[\[rule\]\]\nid = "nobody"',
        '[[rule]]\nid = "again"\nwhen.sender = "unknown"\nwhen.proof = "strong"\n'
        'then = "refuse"\nwhy = "x"\n\n[[rule]]\nid = "nobody"',
        'id = "again"',
        ("again",),
    ),
)


def mutated(slip: Slip) -> str:
    """The policy with this slip, and with nothing else changed."""
    text, count = re.subn(slip.old, slip.new, SHIPPED, count=1)
    assert count == 1, "the slip does not fit the shipped policy any more"
    return text


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_is_refused_at_its_line(slip: Slip, tmp_path: Path) -> None:
    """Exit 1; one of the complaints names the line, and says what is wrong."""
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    text = mutated(slip)
    (folder / "disclosure.toml").write_text(text)
    done = portiere("policy", "check", str(folder))
    assert done.returncode == 1, done.stdout
    lines = {n for n, line in enumerate(text.splitlines(), 1) if slip.at in line}
    named = {int(n) for n in re.findall(r"disclosure\.toml:(\d+):\d+", done.stderr)}
    blocks = {block for line in lines for block in range(line - 1, line + 9)}
    assert named & (blocks if slip.at.startswith("id = ") else lines), done.stderr
    for word in slip.says:
        assert word in done.stderr.replace(" = ", "="), done.stderr
    assert "Traceback" not in done.stderr


def test_the_shipped_policy_itself_is_sound() -> None:
    """Without a slip the same check says so: the refusals above are of the slips."""
    done = portiere("policy", "check", str(ROOT / "policies"))
    assert done.returncode == 0, done.stderr
    assert "is sound" in done.stdout
