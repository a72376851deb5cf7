"""The configuration file: what is wrong is named by file, line and column; what is generated is
current."""

from dataclasses import asdict
from pathlib import Path

import pytest
from tests_support import ROOT

from gateway import config, configdoc
from gateway.errors import BadInput
from gateway.receive.limits import Limits


def test_an_empty_file_is_the_defaults() -> None:
    """Every key has a default that works on loopback."""
    assert config.parse("", "portiere.toml") == config.Config()


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_known_one() -> None:
    """A slip of the pen is found where it stands."""
    with pytest.raises(BadInput) as caught:
        config.parse("[smarthost]\nhst = 'mx'\n", "portiere.toml")
    assert str(caught.value).startswith("portiere.toml:2:1: unknown key `hst`")
    assert "did you mean `host`" in str(caught.value)


def test_a_wrong_value_is_named_with_its_place() -> None:
    """A value of the wrong type points at the value."""
    with pytest.raises(BadInput) as caught:
        config.parse("[smarthost]\nport = 'mail'\n", "portiere.toml")
    assert str(caught.value).startswith("portiere.toml:2:8: `smarthost.port`")


def test_an_unknown_key_in_a_list_of_tables_is_found() -> None:
    """The second listener's slip is told from the first's."""
    text = "[[listener]]\naddress = '127.0.0.1:2525'\n[[listener]]\nrol = 'relay'\n"
    with pytest.raises(BadInput, match=r"portiere\.toml:4:1: unknown key `rol`"):
        config.parse(text, "portiere.toml")


def test_a_zone_file_needs_every_listener_on_loopback() -> None:
    """A gateway that the Internet reaches never takes its DNS from a file."""
    text = "[dns]\nzone = 'zone.json'\n[[listener]]\naddress = '0.0.0.0:25'\n"
    with pytest.raises(BadInput, match="every listener is on loopback"):
        config.parse(text, "portiere.toml")


def test_tls_needs_a_certificate() -> None:
    """A listener with TLS and no certificate is refused at the start."""
    with pytest.raises(BadInput, match="certificate"):
        config.parse("[[listener]]\ntls = 'starttls'\n", "portiere.toml")


def test_a_missing_file_is_one_clear_message(tmp_path: Path) -> None:
    """The file's name and the reason are said."""
    with pytest.raises(BadInput, match=r"nowhere\.toml: cannot read the configuration"):
        config.load(tmp_path / "nowhere.toml")


def test_the_usual_file_is_read_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`portiere.toml` of the current folder; without it, the defaults."""
    monkeypatch.chdir(tmp_path)
    assert config.load(None).host_name == config.Config().host_name
    (tmp_path / "portiere.toml").write_text("host_name = 'gate.example.org'\n")
    assert config.load(None).host_name == "gate.example.org"


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    """The same file means the same places wherever the command is typed."""
    path = tmp_path / "portiere.toml"
    path.write_text("[database]\nurl = 'sqlite:///var/a.db'\n[paths]\npolicies = 'rules'\n")
    loaded = config.load(path)
    assert loaded.database.url == f"sqlite:///{tmp_path}/var/a.db"
    assert loaded.paths.policies == tmp_path / "rules"


def test_the_shipped_tables_are_used_where_none_are_named(tmp_path: Path) -> None:
    """A configuration without `[paths]` runs with what comes with the program."""
    path = tmp_path / "portiere.toml"
    path.write_text("")
    assert config.load(path).paths.policies == ROOT / "policies"


def test_the_example_holds_every_key_with_its_default() -> None:
    """The example is a valid configuration, and changes nothing but the places of the tables."""
    example = config.parse(configdoc.example(), "config.example.toml")
    assert example.model_copy(update={"paths": config.Paths()}) == config.Config()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/config/bad").glob("*.toml")), ids=lambda p: p.stem
)
def test_a_broken_configuration_has_its_exact_complaint(path: Path) -> None:
    """Each file beside this test is refused with the text that stands beside it."""
    with pytest.raises(BadInput) as caught:
        config.parse(path.read_text(), path.name)
    assert str(caught.value) == path.with_suffix(".error").read_text().rstrip("\n")


def test_every_limit_of_the_sessions_is_a_key() -> None:
    """The keys of `[limits]` are the bounds that receive knows, with the same defaults."""
    assert config.LimitsConfig().model_dump() == asdict(Limits())


def test_the_disk_of_an_embedded_database_must_have_room_too() -> None:
    """It is the spool of small mail; a server looks after its own."""
    embedded = config.parse('[database]\nurl = "sqlite:////a/b/c.db"\n[paths]\nblobs = "/d"', "x")
    assert embedded.disks == (Path("/d"), Path("/a/b"))
    served = config.parse('[database]\nurl = "postgresql://u@h/n"\n[paths]\nblobs = "/d"', "x")
    assert served.disks == (Path("/d"),)
