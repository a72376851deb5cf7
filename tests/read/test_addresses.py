"""Addresses: the author of a From field, SMTP paths, what operators type, and lists."""

import json

import pytest
from tests_support import SUITES, needs_suites

from gateway.core.model import Address, WireDefect
from gateway.core.read import addresses


def _suite() -> list[dict[str, str | None]]:
    file = SUITES / "auth" / "from_addresses.json"
    return json.loads(file.read_text()) if file.is_file() else []


def _author(value: str | bytes, smtputf8: bool = False) -> str | None:
    raw = value if isinstance(value, bytes) else value.encode()
    found = addresses.from_field(raw, smtputf8)
    return str(found) if isinstance(found, Address) else None


def _kind(value: str | bytes) -> str:
    found = addresses.from_field(value if isinstance(value, bytes) else value.encode())
    assert isinstance(found, WireDefect)
    return found.kind


@needs_suites
@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{n:02d} {c['note']}") for n, c in enumerate(_suite(), 1)]
)
def test_the_suite_of_from_fields(case: dict[str, str | None]) -> None:
    """auth/from_addresses.json: the author, or none."""
    assert case["from"] is not None
    assert _author(" " + case["from"]) == case["expect"]
    assert _author(case["from"] + "\r\n") == case["expect"]


@pytest.mark.parametrize(
    "value, author",
    [
        ("alice@victim.example", "alice@victim.example"),
        ("<alice@victim.example>", "alice@victim.example"),
        ("alice@victim.example (Alice)", "alice@victim.example"),
        ("(Alice (the) first) alice@victim.example", "alice@victim.example"),
        ("Alice <alice@victim.example> (work)", "alice@victim.example"),
        ("John Q. Public <j@victim.example>", "j@victim.example"),
        ('"a@evil.example, x <y@z.example>" <j@victim.example>', "j@victim.example"),
        ("x (a@evil.example) <j@victim.example>", "j@victim.example"),
        ("Mirko =?utf-8?q?Bianchi=2C_Rag=2E?= <j@victim.example>", "j@victim.example"),
        ("j@VICTIM.Example", "j@victim.example"),
        ("o'neil+tag@victim.example", "o'neil+tag@victim.example"),
        ("j@bücher.example", "j@xn--bcher-kva.example"),
        ("j@faß.example", "j@xn--fa-hia.example"),
    ],
)
def test_one_mailbox_however_it_is_dressed(value: str, author: str) -> None:
    """Phrases, comments and quoted strings around one address change nothing."""
    assert _author(value) == author


@pytest.mark.parametrize(
    "value, kind",
    [
        ("", "from-empty"),
        ("   \r\n\t", "from-empty"),
        ('"x" <>', "from-empty"),
        ("<", "from-empty"),
        ("Alice", "from-no-address"),
        ("=?utf-8?b?YW5uYUBjbGllbnRlLmV4YW1wbGU=?=", "from-no-address"),
        ("Friends: a@b.example;", "from-group"),
        ("a@b.example, c@d.example", "from-list"),
        ("a@b.example; c@d.example", "from-list"),
        ("<@x.example:a@b.example>", "from-route"),
        ("<a@b.example> c", "from-after-angle"),
        ("<a@b.example><c@d.example>", "from-syntax"),
        ("<a@b.example> <c@d.example>", "from-syntax"),
        ("a@b.example <<c@d.example>>", "from-syntax"),
        ("alice@victim.example <a@evil.example>", "from-syntax"),
        ("< a@b.example >", "from-syntax"),
        ("<a@(x)b.example>", "from-syntax"),
        ("a@b(x).example", "from-syntax"),
        ("a.@b.example", "from-syntax"),
        (".a@b.example", "from-syntax"),
        ("a@b.example.", "from-syntax"),
        ('"a"b@c.example', "from-syntax"),
        ('"a b"@c.example', "from-local-part"),
        ('"a@c.example"@evil.example', "from-local-part"),
        ('""@c.example', "from-local-part"),
        ("=?utf-8?q?alice?=@evil.example", "from-encoded-word"),
        ("a@[192.0.2.1]", "from-literal"),
        ("a@b", "from-domain"),
        ("a@-b.example", "from-domain"),
        ("a@b-.example", "from-domain"),
        ("a@192.0.2.1", "from-domain"),
        ("a@b!c.example", "from-domain"),
        ("a@cli\u200dente.example", "from-domain"),
        ("a@victim\uff0eexample", "from-domain"),
        ("a@\uff56ictim.example", "from-domain"),
        ("a@\u212alaus.example", "from-domain"),
        ("a\uff20victim.example", "from-no-address"),
        ('"alice <a@b.example>', "from-syntax"),
        ("a@b.example (x", "from-syntax"),
        ("a@b.example)c@d.example", "from-syntax"),
        ("a@b.example\x0bFrom: c@d.example", "from-syntax"),
        ("a@b.example\x00", "from-syntax"),
        ("a" * 65 + "@b.example", "from-local-part"),
        ("a@" + "b." * 127 + "example", "from-domain"),
        ("a@b.example" + " " * 20_000, "from-too-long"),
        ("x " * 2_000 + "<a@b.example>", "from-too-long"),
    ],
)
def test_what_is_not_exactly_one_mailbox_says_why(value: str, kind: str) -> None:
    """Each refusal has its stable word, which wire's table lists."""
    assert _kind(value) == kind
    assert kind in addresses.DEFECTS


def test_bytes_that_are_no_utf8_are_no_domain() -> None:
    """Latin-1 in a domain is refused; in a display name it is not looked at."""
    assert _kind(b"a@b\xfccher.example") == "from-domain"
    assert _author(b"J\xfcrgen <a@b.example>") == "a@b.example"


def test_smtputf8_allows_letters_beyond_ascii_in_the_local_part() -> None:
    """RFC 6531: the local part is NFC, and nothing else is folded (I04)."""
    assert _author("al\u00edce@victim.example", smtputf8=True) == "al\u00edce@victim.example"
    assert _author("ali\u0301ce@victim.example", smtputf8=True) == "al\u00edce@victim.example"
    for lookalike in ("al\u0131ce", "\uff41lice", "\u0430lice"):
        found = addresses.from_field(f"{lookalike}@victim.example".encode(), smtputf8=True)
        assert isinstance(found, Address)
        assert found.key != "alice@victim.example"


@pytest.mark.parametrize("local", ["an\u212aa", "a\u200db", "a\u202eb", "a\u00a0b", "a\uff20b"])
def test_characters_that_deceive_have_no_place_in_a_local_part(local: str) -> None:
    """Nothing that NFC turns into ASCII, nothing invisible, nothing that looks like an at sign."""
    assert _author(f"{local}@victim.example", smtputf8=True) is None


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("ALICE@victim.example", "alice@victim.example", True),  # I07
        ('"alice"@victim.example', "alice@victim.example", True),  # I05
        ("alice+x@victim.example", "alice@victim.example", False),
        ("a.lice@victim.example", "alice@victim.example", False),
        ("alice@victіm.example", "alice@victim.example", False),
        ("\u0130lker@victim.example", "ilker@victim.example", False),
    ],
)
def test_two_addresses_are_one_by_their_key_alone(one: str, other: str, same: bool) -> None:
    """ASCII letter case and quotes do not matter, everything else does."""
    first, second = (addresses.from_field(text.encode(), smtputf8=True) for text in (one, other))
    assert isinstance(first, Address)
    assert isinstance(second, Address)
    assert (first.key == second.key) is same


def test_a_display_name_that_is_an_address_is_not_the_author() -> None:
    """I01: the author is whoever stands between the angle brackets."""
    assert _author('"alice@victim.example" <a@evil.example>') == "a@evil.example"


@pytest.mark.parametrize(
    "text, found",
    [
        ("alice@victim.example", "alice@victim.example"),
        ("Alice@VICTIM.example", "Alice@victim.example"),
        ("root@localhost", "root@localhost"),
        ("x@srv_1.victim.example", "x@srv_1.victim.example"),
        ('"alice"@victim.example', "alice@victim.example"),
        ('"alice b"@victim.example', "alice b@victim.example"),
        ("prvs=1234=bob@victim.example", "prvs=1234=bob@victim.example"),
        ("SRS0=ab=cd=evil.example=bob@fwd.example", "SRS0=ab=cd=evil.example=bob@fwd.example"),
        ("", None),
        ("alice", None),
        ("@victim.example", None),
        ("alice@", None),
        ("(any@victim.example", None),  # M10
        ("any@victim'@any.evil", None),  # M12
        ("@victim.example,@x.example:'any@evil.example", None),  # M13
        ("a@b\0.example", None),  # M14
        ("a\0@b.example", None),
        ("a@b.example\r", None),
        ("a@b.example ", None),
        ("a b@c.example", None),
        ('"a@b"@c.example', None),
        ('"a\rb"@c.example', None),
        ("a@[192.0.2.1]", None),
        ("a@b..example", None),
        ("a@b.example.", None),
        ("a..b@c.example", None),
        ("a@b,c@d.example", None),
        ("á@b.example", None),
        ("a@bücher.example", None),
        ("a" * 65 + "@b.example", None),
        ("a@" + "b" * 64 + ".example", None),
        ("a@" + "b." * 125 + "example", None),
    ],
)
def test_an_smtp_path_is_plain_or_nothing(text: str, found: str | None) -> None:
    """RFC 5321 4.1.2 without routes, literals, controls, or lengths beyond the limits."""
    path = addresses.path(text)
    assert (str(path) if path else None) == found


def test_smtputf8_opens_the_path_to_other_letters() -> None:
    """The domain becomes an A-label, the local part NFC."""
    path = addresses.path("ali\u0301ce@b\u00fccher.example", smtputf8=True)
    assert str(path) == "al\u00edce@xn--bcher-kva.example"
    assert addresses.path("a\u2028b@c.example", smtputf8=True) is None


@pytest.mark.parametrize(
    "text, found",
    [
        (" alice@victim.example\n", "alice@victim.example"),
        ("a@B\u00fccher.example", "a@xn--bcher-kva.example"),
        ("al\u00edce@victim.example", "al\u00edce@victim.example"),
        ("Alice <alice@victim.example>", None),
        ("Alice<alice@victim.example>", None),
        ("alice@victim.example (x)", None),
        ("alice@victim", None),
        ("alice victim.example", None),
        ("a@b.example,c@d.example", None),
        ("\ud800@b.example", None),
        ("a@" + "b" * 2_000, None),
        ("", None),
    ],
)
def test_what_operators_type_is_one_bare_address(text: str, found: str | None) -> None:
    """Account files and commands hold addresses without names around them."""
    parsed = addresses.parse(text)
    assert (str(parsed) if parsed else None) == found


@pytest.mark.parametrize(
    "value, found",
    [
        ("a@b.example", ["a@b.example"]),
        (
            "a@b.example, X <c@d.example>,e@f.example",
            ["a@b.example", "c@d.example", "e@f.example"],
        ),
        (
            "Friends: a@b.example, c@d.example; e@f.example",
            ["a@b.example", "c@d.example", "e@f.example"],
        ),
        ("undisclosed-recipients:;", []),
        ('"x, support@host.example" <a@evil.example>', ["a@evil.example"]),
        ('"support@host.example"@evil.example', []),
        ("(support@host.example) a@evil.example", ["a@evil.example"]),
        ("support@host.example <a@evil.example>", []),
        ("<@support.host.example,support@host.example,x:a@evil.example>", []),
        ("<x,support@host.example,y>", []),
        ("a@b.example, junk, , <>, c@d.example", ["a@b.example", "c@d.example"]),
        ("bad\\ , a@b.example", ["a@b.example"]),
        ('a@b.example, "open, c@d.example', ["a@b.example"]),
        ("a@b.example, (open, c@d.example", ["a@b.example"]),
        ("", []),
    ],
)
def test_a_list_of_recipients_gives_what_is_surely_a_mailbox(value: str, found: list[str]) -> None:
    """Names, comments and broken items never become addresses; nothing raises."""
    assert [str(address) for address in addresses.mailboxes(value.encode())] == found


def test_a_list_that_is_too_long_is_cut_between_addresses() -> None:
    """An address cut short would be another address."""
    item = b"a@support.host.example.evil.example, "
    for extra in range(len(item)):
        found = addresses.mailboxes(b" " * extra + item * 2_000)
        assert {str(address) for address in found} == {"a@support.host.example.evil.example"}


@pytest.mark.parametrize(
    "value, name",
    [
        ("Alice <a@b.example>", "Alice"),
        (' "Alice, \\"A\\"." <a@b.example>\r\n', 'Alice, "A".'),
        ("John   Q.\r\n Public <a@b.example>", "John Q. Public"),
        ("=?utf-8?q?J=C3=B6?= =?utf-8?q?rg?= <a@b.example>", "=?utf-8?q?J=C3=B6?= =?utf-8?q?rg?="),
        ("a@b.example (Alice)", "Alice"),
        ("<a@b.example>", ""),
        ("a@b.example", ""),
        ("Jörg <a@b.example>", "Jörg"),
        ("Alice", "Alice"),
        ("", ""),
        ("alice@victim.example <a@evil.example>", "alice@victim.example"),
        ("Alice\r\nBob: x", "Alice Bob: x"),
        ('"Alice\r\n<a@b.example>', '"Alice <a@b.example>'),
    ],
)
def test_the_display_name_is_the_phrase_as_people_read_it(value: str, name: str) -> None:
    """Quotes and folds are gone, encoded words are left to the reader of texts."""
    assert addresses.display_name(value.encode()) == name


def test_a_display_name_that_is_no_utf8_is_latin1() -> None:
    """Eight-bit names of old clients stay readable."""
    assert addresses.display_name(b"J\xf6rg <a@b.example>") == "J\u00f6rg"
