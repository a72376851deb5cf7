"""`portiere explain`: the public JSON form, over files of cases, without writing anything."""

import base64
import json
from pathlib import Path

import pytest
from running import portiere
from tests_support import ROOT, SUITES, needs_suites

from gateway.demo.world import build

KEYS = {
    *("id", "wire", "author", "spf", "dkim", "dmarc", "arc", "proof", "sender", "ticket", "mail"),
    *("request", "incident", "knowledge", "facts", "decision", "smtp", "replies", "notices"),
}
PLAIN = b"From: a@b.example\r\nTo: support@host.example\r\nSubject: s\r\n\r\nwords\r\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose database does not exist yet."""
    return build(tmp_path / "world", 2525, 2526, 2527).config


def batch(folder: Path, config: Path, *cases: object) -> list[dict[str, object]]:
    """The answers to these cases."""
    file = folder / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in cases))
    done = portiere("explain", "--batch", str(file), "--config", str(config))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_key_is_there_even_for_a_malformed_mail(tmp_path: Path, config: Path) -> None:
    """A mail that is refused still fills `mail` as far as it goes."""
    (tmp_path / "bad.eml").write_bytes(PLAIN.replace(b"From:", b"From: x@y.example\r\nFrom:"))
    (found,) = batch(tmp_path, config, {"id": "bad", "path": "bad.eml", "zone": {}})
    assert set(found) == KEYS
    assert found["wire"] == {"ok": False, "defect": "repeated-field"}
    assert found["smtp"] == {"code": 550, "enhanced": "5.6.0"}
    assert found["mail"]["subject"] == "s"  # type: ignore[index]
    assert found["author"] is None


def test_a_case_that_cannot_be_read_is_an_error_and_the_batch_goes_on(
    tmp_path: Path, config: Path
) -> None:
    """Order and number of lines stay those of the cases."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    good = {"id": "good", "path": "good.eml", "zone": {}}
    found = batch(
        tmp_path,
        config,
        {"id": "absent", "path": "absent.eml"},
        [1],
        {"id": "neither"},
        {"id": "zone", "path": "good.eml", "zone": {"b.example": ["x"]}},
        {"id": "now", "path": "good.eml", "zone": {}, "now": "yesterday"},
        {"id": "base64", "raw_base64": "?"},
        {"id": "far", "path": "good.eml", "zone": {}, "now": "9999-12-31T23:59:59Z"},
        {"id": "client", "path": "good.eml", "zone": {}, "client_ip": "999.1"},
        good,
    )
    ids = ["absent", 2, "neither", "zone", "now", "base64", "far", "client", "good"]
    assert [one["id"] for one in found] == ids
    assert all("error" in one for one in found[:-1])
    assert set(found[-1]) == KEYS


def test_options_are_the_defaults_of_every_case(tmp_path: Path, config: Path) -> None:
    """What a case says itself wins over the option."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    file = tmp_path / "cases.jsonl"
    zone = {"b.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}}
    case = {"path": "good.eml", "zone": zone}
    other = {**case, "client_ip": "192.0.2.2"}
    file.write_text(f"{json.dumps(case)}\n\n{json.dumps(other)}\n")
    words = ("--client-ip", "192.0.2.1", "--mail-from", "a@b.example", "--config", str(config))
    done = portiere("explain", "--batch", str(file), *words)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["spf"]["result"] for one in found] == ["pass", "fail"]


def test_a_file_without_cr_is_read_with_lf_as_crlf_and_base64_as_it_is(
    tmp_path: Path, config: Path
) -> None:
    """Bare LF is a defect of a mail, not of a file saved by an editor."""
    unix = PLAIN.replace(b"\r\n", b"\n")
    (tmp_path / "unix.eml").write_bytes(unix)
    encoded = base64.b64encode(unix).decode()
    found = batch(
        tmp_path,
        config,
        {"id": "file", "path": "unix.eml", "zone": {}},
        {"id": "base64", "raw_base64": encoded, "zone": {}},
    )
    assert [one["wire"]["ok"] for one in found] == [True, False]  # type: ignore[index]


def test_nothing_is_written(tmp_path: Path, config: Path) -> None:
    """A database that does not exist yet is an empty one, and still does not exist afterwards."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    batch(tmp_path, config, {"id": "good", "path": "good.eml", "zone": {}})
    assert not (config.parent / "portiere.db").exists()
    assert not (config.parent / "secrets.json").exists()


@pytest.mark.parametrize(
    "word,value,code",
    [
        ("mail_from", "a@b.example\r\nRCPT TO:<x@y.example>", 501),
        ("mail_from", "a b@c.example", 501),
        ("mail_from", "nobody", 501),
        ("mail_from", "<a@b.example", 501),
        ("rcpt", "bob@elsewhere.example", 550),
        ("rcpt", ["support@host.example", "bob@elsewhere.example"], 550),
        ("rcpt", "supp ort@host.example", 501),
    ],
)
def test_a_path_that_the_door_refuses_is_an_error_and_the_door_s_answer(
    tmp_path: Path, config: Path, word: str, value: object, code: int
) -> None:
    """In a batch the public form stands beside the error; a single mail ends with status 2."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    case = {"id": "off", "path": "good.eml", "zone": {}, word: value}
    (found,) = batch(tmp_path, config, case)
    assert set(found) == KEYS | {"error"}
    assert f"`{word}`" in str(found["error"])
    assert found["smtp"]["code"] == code  # type: ignore[index]
    assert found["decision"]["outcome"] == "reject"  # type: ignore[index]
    values = value if isinstance(value, list) else [value]
    options = [one for each in values for one in (f"--{word.replace('_', '-')}", str(each))]
    mail = str(tmp_path / "good.eml")
    done = portiere("explain", mail, "--config", str(config), *options)
    assert done.returncode == 2, done.stdout
    assert f"`{word}`" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize("now", ["2026-11-22 20:00", "2026-11-22", "tomorrow"])
def test_a_moment_says_its_zone(tmp_path: Path, config: Path, now: str) -> None:
    """Without one nobody knows which moment is meant."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    (found,) = batch(tmp_path, config, {"id": "n", "path": "good.eml", "zone": {}, "now": now})
    assert set(found) == {"id", "error"}
    mail = str(tmp_path / "good.eml")
    done = portiere("explain", mail, "--config", str(config), "--now", now)
    assert done.returncode == 2


def test_sub_addresses_return_paths_and_brackets_are_taken(tmp_path: Path, config: Path) -> None:
    """As at the door: what stands behind the plus, bounces, postmaster."""
    (tmp_path / "good.eml").write_bytes(PLAIN)
    ours = ["<support+x@host.example>", "bounce+t@host.example", "Postmaster@host.example"]
    paths = ("", "<>", "<a@b.example>", '"a b"@c.example', "a@localhost")
    cases = [{"path": "good.eml", "zone": {}, "mail_from": one, "rcpt": ours} for one in paths]
    assert all(set(one) == KEYS for one in batch(tmp_path, config, *cases))


@needs_suites
def test_real_mails_have_one_line_each_and_no_error(tmp_path: Path, config: Path) -> None:
    """496 mails that nobody here wrote are read without an exception."""
    paths = [
        line.split("\t")[0]
        for line in (SUITES / "mail" / "MANIFEST.tsv").read_text().splitlines()[1:]
    ]
    cases = [
        {"id": path, "path": str(SUITES / "mail" / path), "zone": {}, "client_ip": "192.0.2.1"}
        for path in paths
    ]
    found = batch(tmp_path, config, *cases)
    assert [one["id"] for one in found] == paths
    assert [one["error"] for one in found if "error" in one] == []
    assert all(set(one) == KEYS for one in found)


def test_the_words_of_a_command_that_are_off_end_with_2(tmp_path: Path) -> None:
    """Neither a mail nor a batch, or an unknown option, is a usage error."""
    assert portiere("explain").returncode == 2
    assert portiere("explain", "--frobnicate").returncode == 2
    assert portiere("frobnicate").returncode == 2


def test_one_mail_is_a_page_for_people(tmp_path: Path, config: Path) -> None:
    """Author, proof, decision and why stand on it; control characters are escaped."""
    mail = tmp_path / "mail.eml"
    mail.write_bytes(PLAIN.replace(b"words", b"red \x1b[31mwords"))
    zone = tmp_path / "zone.json"
    zone.write_text("{}")
    done = portiere("explain", str(mail), "--config", str(config), "--zone", str(zone))
    assert done.returncode == 0
    assert "a@b.example" in done.stdout
    assert "\x1b" not in done.stdout
    assert str(ROOT) not in done.stdout
