"""What people type wrong: one clear message, exit status 1, and nothing half-applied."""

import json
import shutil
import socket
from pathlib import Path

import pytest
from running import portiere
from tests_support import ROOT

from gateway.demo.world import World, build


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's files, with nothing imported yet."""
    return build(tmp_path / "world", 0, 9, 0)


def refused(*words: str) -> str:
    """The one message of a command that exits 1."""
    done = portiere(*words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("portiere: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_bad_row_of_an_accounts_file_is_named_and_nothing_is_applied(world: World) -> None:
    """The second line is wrong; the first is not applied either."""
    file = world.folder / "bad.jsonl"
    rows = (world.folder / "accounts.jsonl").read_text().splitlines()
    second = json.loads(rows[1])
    second["primery"] = second.pop("primary")
    file.write_text(rows[0] + "\n" + json.dumps(second) + "\n")
    said = refused("accounts", "import", str(file), "--config", str(world.config))
    assert "bad.jsonl:2" in said
    assert "did you mean `primary`" in said
    listed = portiere("accounts", "list", "--json", "--config", str(world.config))
    assert json.loads(listed.stdout) == []


OURS = (
    "support@host.example",
    "Support+x.y@HOST.example",
    "bounce+x@host.example",
    "bounce+t@brand.example",
    "help+1@brand.example",
)


def test_an_address_of_ours_is_no_customers(world: World) -> None:
    """Neither by file nor by command; nothing is applied, and a neighbour's address is."""
    more = 'own_domains = ["brand.example"]\nlanguages = ["it"'
    text = world.config.read_text().replace('languages = ["it"', more)
    world.config.write_text(text.replace("@host.example", '@host.example", "Help@brand.example'))
    config = ("--config", str(world.config))
    file = world.folder / "ours.jsonl"
    good = json.loads((world.folder / "accounts.jsonl").read_text().splitlines()[0])
    bad = [{"account": f"B-{n}", "primary": ours} for n, ours in enumerate(OURS)]
    file.write_text("\n".join(json.dumps(row) for row in (good, *bad)))
    said = refused("accounts", "import", str(file), *config).splitlines()
    for line, ours in enumerate(OURS, 2):
        local, _, domain = ours.rpartition("@")
        complaint = f"ours.jsonl:{line}: `{local}@{domain.lower()}` is an address of this desk"
        assert complaint in said[line - 2]
    assert said[-1] == "nothing of the file was applied"
    assert json.loads(portiere("accounts", "list", "--json", *config).stdout) == []
    file.write_text(json.dumps(good))
    portiere("accounts", "import", str(file), *config)
    words = (good["account"], "bounce+t@brand.example", *config)
    assert "is an address of this desk" in refused("accounts", "address", "add", *words)
    assert "is an address of this desk" in refused("accounts", "address", "primary", *words)
    words = (good["account"], "bruno@brand.example", *config)
    assert portiere("accounts", "address", "add", *words).returncode == 0


def test_closing_twice_says_so_and_tells_nobody(world: World) -> None:
    """One line of history, one mail."""
    config = ("--config", str(world.config))
    portiere("accounts", "import", str(world.folder / "accounts.jsonl"), *config)
    row = json.loads((world.folder / "tickets.jsonl").read_text().splitlines()[0])
    file = world.folder / "open.jsonl"
    file.write_text(json.dumps({**row, "state": "open"}) + "\n")
    portiere("tickets", "import", str(file), *config)
    first = portiere("tickets", "close", row["number"], *config)
    again = portiere("tickets", "close", row["number"], *config)
    assert first.stdout == f"#{row['number']} is closed\n"
    assert again.stdout == f"#{row['number']}: the ticket is closed already\n"
    shown = json.loads(portiere("tickets", "show", row["number"], "--json", *config).stdout)
    assert [one["text"] for one in shown["entries"]].count("closed") == 1
    assert [one["kind"] for one in shown["sent"]].count("closed") == 1


def test_a_bad_value_is_shown_without_its_control_characters(world: World) -> None:
    """A file cannot write lines of its own, or colours, on the operator's screen."""
    file = world.folder / "bad.jsonl"
    file.write_text(json.dumps({"account": "A-1", "primary": "a\r\nb\x1b[1m@c"}))
    said = refused("accounts", "import", str(file), "--config", str(world.config))
    assert said.endswith("`a\\r\\nb\\x1b[1m@c` is no address\nnothing of the file was applied\n")


def test_a_state_that_is_none_is_refused_with_those_that_are(world: World) -> None:
    """Exit status 2, as for any word of the command line."""
    done = portiere("tickets", "list", "--state", "bogus", "--config", str(world.config))
    assert done.returncode == 2
    assert "waiting for staff" in done.stderr


def test_the_same_file_twice_changes_nothing(world: World) -> None:
    """An import is idempotent, and says so."""
    words = ("accounts", "import", str(world.folder / "accounts.jsonl"), "--json")
    first = portiere(*words, "--config", str(world.config))
    again = portiere(*words, "--config", str(world.config))
    assert json.loads(first.stdout)["created"] == 2
    assert json.loads(again.stdout)["unchanged"] == 2


def test_what_is_exported_can_be_imported(world: World) -> None:
    """Export and import speak the same form."""
    config = ("--config", str(world.config))
    portiere("accounts", "import", str(world.folder / "accounts.jsonl"), *config)
    exported = world.folder / "exported.jsonl"
    exported.write_text(portiere("accounts", "export", *config).stdout)
    again = portiere("accounts", "import", str(exported), "--json", *config)
    assert json.loads(again.stdout)["unchanged"] == 2


def test_a_broken_configuration_is_one_message_with_its_place(world: World) -> None:
    """Every command says the same of it."""
    world.config.write_text(world.config.read_text().replace("[smarthost]", "[smarthots]"))
    said = refused("config", "check", "--config", str(world.config))
    assert "portiere.toml:" in said
    assert "did you mean `smarthost`" in said
    assert refused("serve", "--config", str(world.config)) == said


def test_an_unreadable_policy_keeps_the_gateway_from_starting(world: World) -> None:
    """The missing file is named."""
    text = world.config.read_text().replace("[paths]\n", '[paths]\npolicies = "nowhere"\n')
    world.config.write_text(text)
    assert "nowhere" in refused("serve", "--config", str(world.config))
    assert "nowhere" in refused("config", "check", "--config", str(world.config))


RELAY = '[[trusted_relays]]\nnetworks = ["{}"]\nmethod = "none"\n'
MISTAKES = {
    "password": ("[smarthost]\n", '[smarthost]\npassword_file = "nowhere.txt"\n', "nowhere.txt"),
    "zone": ('zone = "zone.json"', 'zone = "nowhere.json"', "nowhere.json"),
    "language": ('languages = ["it"', 'languages = ["pt", "it"', "not in `pt`"),
    "relays": (
        "[smarthost]\n",
        RELAY.format("192.0.2.0/24") + RELAY.format("192.0.2.7") + "[smarthost]\n",
        "overlap",
    ),
    "webhook": (
        "[smarthost]\n",
        '[[webhook]]\nurl = "https://a.example/x"\nsecret_file = "no.secret"\n[smarthost]\n',
        "no.secret",
    ),
    "certificate": (
        'protocol = "smtp"',
        'protocol = "smtp"\ntls = "required"\ncertificate = "no.pem"\nkey = "no.key"',
        "certificate",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_check_says_what_a_start_would_say(world: World, mistake: str) -> None:
    """Files, languages, relays, certificates: the same message, before anything is running."""
    old, new, said = MISTAKES[mistake]
    text = world.config.read_text()
    assert old in text
    world.config.write_text(text.replace(old, new, 1))
    checked = refused("config", "check", "--config", str(world.config))
    assert said in checked
    assert refused("serve", "--config", str(world.config)) == checked


def test_a_mark_at_the_beginning_of_a_file_is_no_mistake(world: World) -> None:
    """Some editors write one before UTF-8: configuration, rules, texts and articles."""
    for name in ("policies", "templates", "knowledge"):
        shutil.copytree(ROOT / name, world.folder / name)
    text = world.config.read_text().replace(
        "[paths]\n",
        '[paths]\npolicies = "policies"\ntemplates = "templates"\nknowledge = "knowledge"\n',
    )
    world.config.write_text("\ufeff" + text)
    for name in ("policies/disclosure.toml", "templates/open/it.txt", "knowledge/spf.it.md"):
        file = world.folder / name
        file.write_text("\ufeff" + file.read_text())
    done = portiere("config", "check", "--config", str(world.config))
    assert (done.returncode, done.stdout) == (0, "the configuration is right\n"), done.stderr


def test_a_taken_port_is_one_message(world: World) -> None:
    """The listener's address is named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = world.config.read_text().replace(
            '"127.0.0.1:0"\nprotocol', f'"{address}"\nprotocol'
        )
        world.config.write_text(text)
        assert f"cannot listen on `{address}`" in refused("serve", "--config", str(world.config))


def test_a_damaged_file_of_keys_is_one_message(world: World) -> None:
    """It is not overwritten: old mail could not be answered any more."""
    secrets = world.folder / "secrets.json"
    secrets.write_text("{")
    assert "secrets.json" in refused("keys", "list", "--config", str(world.config))
    assert secrets.read_text() == "{"


def test_keys_are_made_with_mode_0600_and_rotate(world: World) -> None:
    """The current key is another one after a rotation, and the old one stays for reading."""
    config = ("--config", str(world.config))
    first = json.loads(portiere("keys", "list", "--json", *config).stdout)
    portiere("keys", "rotate", *config)
    second = json.loads(portiere("keys", "list", "--json", *config).stdout)
    assert [key["current"] for key in first] == [True]
    assert [key["current"] for key in second] == [False, True]
    assert (world.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert "current" in refused("keys", "retire", "1", *config)
    soon = refused("keys", "retire", "0", *config)
    assert "--force" in soon
    assert second[1]["made"][:10] in soon
    portiere("keys", "retire", "0", "--force", *config)
    third = json.loads(portiere("keys", "list", "--json", *config).stdout)
    assert [key["id"] for key in third] == [1]


@pytest.mark.parametrize(
    "words",
    [
        ("accounts", "show", "A-9"),
        ("tickets", "show", "999999"),
        ("tickets", "reply", "999999", "--text", "x"),
        ("tickets", "close", "999999"),
        ("tickets", "token", "999999"),
        ("trace", "<nobody@example.org>"),
        ("queue", "show", "99"),
        ("accounts", "address", "primary", "A-9", "a@b.example"),
        ("tickets", "import", "absent.jsonl"),
        ("explain", "absent.eml"),
        ("demo", "send", "nothing"),
        ("policy", "reload"),
    ],
    ids=" ".join,
)
def test_a_thing_that_is_not_there_is_one_message(world: World, words: tuple[str, ...]) -> None:
    """Exit status 1, a sentence, and no traceback."""
    config = () if words[0] == "demo" else ("--config", str(world.config))
    assert refused(*words, *config)


def test_an_export_of_events_says_what_it_cannot_mean(world: World) -> None:
    """A word that is no kind or moment is a wrong call (2); a ticket that is not there is 1."""
    for words in (("--kind", "nope"), ("--since", "yesterday"), ("--until", "x")):
        done = portiere("events", "export", *words, "--config", str(world.config))
        assert (done.returncode, words[1] in done.stderr) == (2, True), done.stderr
    for command in ("export", "list"):
        asked = ("events", command, "--ticket", "999999", "--config", str(world.config))
        assert "no ticket `999999`" in refused(*asked)
