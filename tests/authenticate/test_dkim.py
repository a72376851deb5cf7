"""DKIM as a whole: each attack row, each result, the order and the bounds."""

import asyncio
import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim_signing import MAIL, NOW, SECONDS, Keys, ed_key, record, rsa_key, sign, spki
from tests_support import SUITES, needs_suites

from gateway.authenticate import dkim
from gateway.authenticate.lookup import Status
from gateway.authenticate.zone import ZoneResolver
from gateway.core.model import DkimResult, Signature
from gateway.core.read import wire

ENGINES = ("native", "dkimpy")
SELECTOR = "sel._domainkey.victim.example"


def verify(
    raw: bytes,
    keys: Keys | ZoneResolver | None = None,
    author: str | None = "victim.example",
    settings: dkim.DkimSettings | None = None,
) -> tuple[Signature, ...]:
    headers = wire.read(raw).headers
    return asyncio.run(
        dkim.verify(raw, headers, keys or Keys(), NOW, author, settings or dkim.DkimSettings())
    )


def only(raw: bytes, keys: Keys | None = None, **settings: object) -> Signature:
    """Both engines must say the same of the one signature."""
    by_engine = []
    for engine in ENGINES:
        made = replace(dkim.DkimSettings(), engine=engine, **settings)
        (found,) = verify(raw, keys, settings=made)
        by_engine.append(found)
    assert by_engine[0].result == by_engine[1].result
    return by_engine[0]


def keyed(key_record: bytes | list[bytes] | Status, name: str = SELECTOR) -> Keys:
    return Keys({name: key_record})


def public(key_bytes: bytes) -> bytes:
    return b"v=DKIM1; k=rsa; p=" + b64encode(key_bytes)


def replaced(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new, 1)


NUL_SELECTOR = sign(fold=False, s="sel._domainkey.evil.example\0")
REVOKED = b"v=DKIM1; p="
BOMB = public(spki((1 << 16_383) | 1, (1 << 16_383) | 1))

# Row of auth/attacks.json -> mail, keys, result. None of them may pass.
ATTACKS: Mapping[str, tuple[bytes, Keys, DkimResult]] = {
    "D01": (NUL_SELECTOR, Keys(), DkimResult.PERMERROR),
    "D02-quote": (sign(d="victim'a.evil.example"), Keys(), DkimResult.PERMERROR),
    "D02-parenthesis": (sign(d="victim(.evil.example"), Keys(), DkimResult.PERMERROR),
    "D02-semicolon": (sign(d="victim\\;.evil.example"), Keys(), DkimResult.PERMERROR),
    "D03": (sign(h="to:subject"), Keys(), DkimResult.PERMERROR),
    "D05-512": (sign(), keyed(public(spki((1 << 511) | 1, 65537))), DkimResult.PERMERROR),
    "D05-768": (sign(), keyed(public(spki((1 << 767) | 1, 65537))), DkimResult.PERMERROR),
    "D07": (sign(), keyed(BOMB), DkimResult.PERMERROR),
    "D07-exponent": (
        sign(),
        keyed(public(spki((1 << 2047) | 1, (1 << 2046) | 1))),
        DkimResult.PERMERROR,
    ),
    "D07-modulus": (sign(), keyed(public(spki((1 << 8191) | 1, 65537))), DkimResult.PERMERROR),
    "D09": (
        replaced(sign(l="0"), b"My server  is down.", b"Send me the password."),
        Keys(),
        DkimResult.PERMERROR,
    ),
    "D10": (sign(l="99999"), Keys(), DkimResult.PERMERROR),
    "D11-second": (sign(x=str(SECONDS - 1)), Keys(), DkimResult.PERMERROR),
    "D11-hours": (sign(x=str(SECONDS - 9 * 3600)), Keys(), DkimResult.PERMERROR),
    "D11-year": (sign(x=str(SECONDS - 365 * 86400), t=None), Keys(), DkimResult.PERMERROR),
    "D13": (
        sign(x=str(SECONDS + 50), t=str(SECONDS + 100)),
        Keys(),
        DkimResult.PERMERROR,
    ),
    "D14": (sign(), keyed(record(rsa_key(), t="y")), DkimResult.NEUTRAL),
    "D14-strict": (sign(), keyed(record(rsa_key(), t="s:y")), DkimResult.NEUTRAL),
    "D15": (
        sign(i="@sub.victim.example"),
        keyed(record(rsa_key(), t="s")),
        DkimResult.PERMERROR,
    ),
    "D17": (sign(), keyed(record(rsa_key(), s="other")), DkimResult.PERMERROR),
    "D17-tlsrpt": (sign(), keyed(record(rsa_key(), s="tlsrpt")), DkimResult.PERMERROR),
    "D18": (sign(), keyed(record(ed_key())), DkimResult.PERMERROR),
    "D18-other": (sign(key=ed_key()), keyed(record(rsa_key())), DkimResult.PERMERROR),
    "D19": (sign(), keyed(REVOKED), DkimResult.PERMERROR),
    "D21": (sign(i="victim.example"), Keys(), DkimResult.PERMERROR),
    "D22-length": (sign(l=""), Keys(), DkimResult.PERMERROR),
    "D22-junk": (
        re.sub(rb"\bb=", b"b=!", sign(fold=False), count=1),
        Keys(),
        DkimResult.PERMERROR,
    ),
    "D22-twice": (
        replaced(sign(), b"DKIM-Signature: ", b"DKIM-Signature: v=1;"),
        Keys(),
        DkimResult.PERMERROR,
    ),
    "D23-tld": (
        sign(d="com"),
        keyed(record(rsa_key()), "sel._domainkey.com"),
        DkimResult.PERMERROR,
    ),
    "D23-suffix": (
        sign(d="co.uk"),
        keyed(record(rsa_key()), "sel._domainkey.co.uk"),
        DkimResult.PERMERROR,
    ),
    "D26": (sign(h="from:" + ":".join(["x"] * 250)), Keys(), DkimResult.PERMERROR),
    "D30": (sign(), keyed(Status.SERVFAIL), DkimResult.TEMPERROR),
    "D30-timeout": (sign(), keyed(Status.TIMEOUT), DkimResult.TEMPERROR),
    "D33": (sign() + b"-- \r\nlist footer\r\n", Keys(), DkimResult.FAIL),
}


@pytest.mark.parametrize("row", ATTACKS)
def test_each_attack_on_a_signature_fails_in_its_own_way(row: str) -> None:
    """No row passes, no row raises, and a failed look-up is told apart from a bad key."""
    raw, keys, result = ATTACKS[row]
    found = only(raw, keys)
    assert found.result is result
    assert found.problem


@needs_suites
def test_the_suite_asks_for_no_more_than_is_shown_here() -> None:
    """Every D row is a test here, or is about what comes after DKIM."""
    later = {"D25", "D27", "D29", "D31", "D34", "D06"}  # below, or in the level of proof
    rows = json.loads((SUITES / "auth" / "attacks.json").read_text())
    wanted = {row["id"] for row in rows if row["id"].startswith("D")}
    assert wanted <= {row.split("-")[0] for row in ATTACKS} | later


def test_d01_the_name_that_is_asked_for_never_holds_a_nul() -> None:
    """The selector with a NUL asks nothing of DNS, and the wire gate refuses the mail as well."""
    keys = keyed(record(rsa_key()), "sel._domainkey.evil.example")
    assert verify(NUL_SELECTOR, keys)[0].result is DkimResult.PERMERROR
    assert keys.asked == []
    defect = wire.read(NUL_SELECTOR).defect
    assert defect is not None
    assert defect.kind == "nul-in-header"


def test_d06_a_key_of_1024_bits_passes_unless_more_is_asked_for() -> None:
    """RFC 8301 allows it; `min_bits` makes it a matter of policy."""
    raw, keys = sign(key=rsa_key(1024)), keyed(record(rsa_key(1024)))
    assert only(raw, keys).result is DkimResult.PASS
    found = only(raw, keys, min_bits=2048)
    assert (found.result, found.problem) == (DkimResult.POLICY, "the key has 1024 bits")


def test_d29_only_the_fields_that_are_covered_are_named() -> None:
    """`signed` lists covered instances; what h= names and the mail lacks covers nothing."""
    found = only(sign(h="From : date:to:cc:from"))
    assert found.result is DkimResult.PASS
    assert found.signed == ("from", "date", "to")


def test_d31_another_domains_signature_passes_under_its_own_name() -> None:
    """A third party's signature is true, and says nothing of the author."""
    keys = keyed(record(rsa_key()), "sel._domainkey.esp.example")
    found = only(sign(d="esp.example"), keys)
    assert (found.result, found.domain, found.aligned) == (DkimResult.PASS, "esp.example", False)


def test_d34_a_plain_forwarder_does_not_harm_a_signature() -> None:
    """Fields added on top by relays leave it whole."""
    forwarded = b"Received: from a by b\r\nReturn-Path: <x@fwd.example>\r\n" + sign()
    assert only(forwarded).result is DkimResult.PASS


@pytest.mark.parametrize("canon", ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed"])
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_every_canonicalisation_and_algorithm_passes(canon: str, kind: str) -> None:
    """RFC 6376 3.4 and RFC 8463."""
    key = rsa_key() if kind == "rsa" else ed_key()
    found = only(sign(key=key, c=canon), keyed(record(key)))
    assert (found.result, found.algorithm) == (DkimResult.PASS, f"{kind}-sha256")


@pytest.mark.parametrize("canon", ["simple/simple", "relaxed/relaxed"])
@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n", b" \r\n\t\r\n", b"x", b"x\r\n\r\n\r\n"]
)
def test_empty_and_odd_bodies_pass(canon: str, body: bytes) -> None:
    """RFC 6376 3.4.3 and 3.4.4, at their edges."""
    mail = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    assert only(sign(mail, c=canon)).result is DkimResult.PASS


def test_a_mail_signed_by_dkimpy_passes() -> None:
    """A signer that nobody here wrote."""
    pem = _pem()
    for canon in ((b"simple", b"simple"), (b"relaxed", b"relaxed")):
        field = dkimpy.sign(MAIL, b"sel", b"victim.example", pem, canonicalize=canon)
        raw = re.sub(rb"\bt=\d+", lambda _: b"t=%d" % SECONDS, field) + MAIL
        assert only(raw).result is DkimResult.FAIL  # t= is signed too
        found = verify_at_signing_time(field + MAIL)
        assert found.result is DkimResult.PASS
        assert found.identity == "@victim.example"


def verify_at_signing_time(raw: bytes) -> Signature:
    claimed = re.search(rb"\bt=(\d+)", raw)
    assert claimed is not None
    then = NOW.fromtimestamp(int(claimed[1]), NOW.tzinfo)
    headers = wire.read(raw).headers
    (found,) = asyncio.run(dkim.verify(raw, headers, Keys(), then, None))
    return found


def _pem() -> bytes:
    form = PrivateFormat.TraditionalOpenSSL
    return rsa_key().private_bytes(Encoding.PEM, form, NoEncryption())


@pytest.mark.parametrize(
    "old, new",
    [
        (b"Subject: A  question", b"Subject: Another"),
        (b"My server", b"Your server"),
        (b"alice@victim.example", b"mallory@victim.example"),
        (b"d=victim.example", b"d=victim.example;x=99999999999"),
    ],
)
def test_whatever_is_signed_may_not_change(old: bytes, new: bytes) -> None:
    """Header, body and the signature's own tags."""
    assert only(replaced(sign(), old, new)).result is DkimResult.FAIL


@pytest.mark.parametrize(
    "offset, result",
    [(299, DkimResult.PASS), (300, DkimResult.PASS), (301, DkimResult.PERMERROR)],
)
def test_a_clock_ahead_of_ours_is_allowed_five_minutes(offset: int, result: DkimResult) -> None:
    """t= in the future beyond the skew is no signature."""
    assert only(sign(t=str(SECONDS + offset))).result is result


def test_a_signature_lives_to_its_last_second() -> None:
    """x= now is not over yet."""
    assert only(sign(x=str(SECONDS))).result is DkimResult.PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"v": "2"},
        {"v": None},
        {"d": None},
        {"s": None},
        {"h": None},
        {"h": ""},
        {"h": "from::to"},
        {"h": "from:t o"},
        {"bh": "AAAA"},
        {"bh": ""},
        {"a": "rsa-sha1"},
        {"a": "rsa-sha512"},
        {"c": "nofws"},
        {"c": "relaxed/relaxed/relaxed"},
        {"q": "dns/x"},
        {"t": "soon"},
        {"x": "1.5"},
        {"x": "9" * 13},
        {"i": "@evil.example"},
        {"i": "@evilvictim.example"},
        {"i": "@victim.example.evil"},
        {"d": "victim.example."},
        {"d": "vic_tim.example"},
        {"d": "victím.example"},
        {"s": "a..b"},
        {"s": "a b"},
        {"s": "é"},
        {"s": "x" * 64},
        {"z1": "a\x01b"},
        {"1z": "x"},
        {"n": "a b=c"},
        {"n": "x" * 17_000},
        {"s": ".".join(["x" * 60] * 4)},
    ],
)
def test_a_signature_that_is_not_well_formed_is_a_permanent_error(
    changes: dict[str, str | None],
) -> None:
    """Nothing is asked of DNS for it."""
    keys = Keys()
    found = only(sign(**changes), keys)
    assert found.result is DkimResult.PERMERROR
    assert keys.asked == []


def test_unknown_tags_and_methods_beside_ours_are_ignored() -> None:
    """RFC 6376 3.2 and 3.5."""
    raw = sign(q="x/y:dns/txt", zz="anything=goes", z="From:x=20y", r="y")
    assert only(raw).result is DkimResult.PASS


@pytest.mark.parametrize("canon", ["simple/simple", "relaxed/relaxed"])
@pytest.mark.parametrize("place", [0, 3, None])
@pytest.mark.parametrize("spacing", ["none", "around", "folded"])
def test_the_signature_tag_may_stand_anywhere(canon: str, place: int | None, spacing: str) -> None:
    """Only the value of b= is left out of what is signed, with the white space around it."""
    raw = sign(fold=False, place=place, c=canon)
    value = signature_of(raw)
    spaced = {
        "none": value,
        "around": b" " + value + b" ",
        "folded": b"\r\n\t".join(re.findall(rb".{1,60}", value)),
    }[spacing]
    assert only(raw.replace(value, spaced)).result is DkimResult.PASS


def signature_of(raw: bytes) -> bytes:
    match = re.search(rb"[ ;]b=([A-Za-z0-9+/=]+)", raw)
    assert match is not None
    return match[1]


def test_a_second_spelling_of_the_same_signature_is_refused() -> None:
    """The unused bits of base64 must be zero, or a replay would look like another mail."""
    raw = sign(fold=False)
    value = signature_of(raw)
    assert value.endswith(b"==")
    other = value[:-3] + b"%c==" % (value[-3] + 1)
    changed = raw.replace(value, other)
    found = only(changed)
    assert (found.result, found.problem) == (DkimResult.PERMERROR, "b= is not canonical base64")


def test_a_signature_that_is_too_long_or_beyond_the_modulus_fails() -> None:
    """s + n would verify by plain arithmetic, and be another string (RFC 8017 8.2.2)."""
    key = rsa_key(1024)
    raw = sign(key=key, fold=False)
    value = signature_of(raw)
    number = int.from_bytes(b64decode(value), "big")
    larger = number + key.public_key().public_numbers().n
    size = max(128, (larger.bit_length() + 7) // 8)
    text = b64encode(larger.to_bytes(size, "big"))
    found = only(raw.replace(value, text), keyed(record(key)))
    assert found.result is DkimResult.FAIL
    modulus = b64encode(key.public_key().public_numbers().n.to_bytes(128, "big"))
    found = only(raw.replace(value, modulus), keyed(record(key)))
    assert (found.result, found.problem) == (
        DkimResult.FAIL,
        "the signature does not fit the key",
    )
    zero_first = b64encode(b"\0" + number.to_bytes(128, "big"))
    assert only(raw.replace(value, zero_first), keyed(record(key))).result is DkimResult.FAIL


def test_the_digest_is_of_the_signature_without_white_space() -> None:
    """Folding b= anew does not make another signature of it."""
    raw = sign(fold=False)
    value = signature_of(raw)
    folded = raw.replace(value, value[:50] + b"\r\n " + value[50:])
    expected = hashlib.sha256(value).hexdigest()
    assert only(raw).digest == only(folded).digest == expected
    assert only(raw).signed_at == SECONDS - 60


def test_fields_are_taken_from_the_bottom_up() -> None:
    """A second instance on top is not what was signed, unless h= asks for two (RFC 6376 5.4.2)."""
    mail = b"X-A: lower\r\n" + MAIL
    once = sign(mail, h="from:x-a")
    assert only(b"X-A: upper\r\n" + once).result is DkimResult.PASS
    twice = sign(mail, h="from:x-a:x-a")
    assert only(twice).signed == ("from", "x-a")
    assert only(b"X-A: upper\r\n" + twice).result is DkimResult.FAIL


def test_a_mail_with_two_authors_has_no_signature_that_counts() -> None:
    """Even where operators keep such a mail, nothing of it is proven."""
    found = only(b"From: mallory@evil.example\r\n" + sign())
    assert (found.result, found.problem) == (
        DkimResult.PERMERROR,
        "there is not one From field",
    )


def test_a_signature_may_cover_an_older_one_but_never_itself() -> None:
    """h=dkim-signature means those that were there before."""
    older = sign()
    newer = sign(older, h="from:dkim-signature:dkim-signature", s="new")
    keys = Keys({SELECTOR: record(rsa_key()), "new._domainkey.victim.example": record(rsa_key())})
    for engine in ENGINES:
        found = verify(newer, keys, settings=dkim.DkimSettings(engine=engine))
        assert [s.result for s in found] == [DkimResult.PASS, DkimResult.PASS]
        assert found[0].signed == ("from", "dkim-signature")


def test_signatures_that_may_align_come_first_and_the_number_is_bounded() -> None:
    """Junk in front does not push the author's signature out; what is over costs no look-up."""
    raw = sign()
    names = {SELECTOR: record(rsa_key())}
    for number in range(12):
        names[f"sel._domainkey.esp{number}.example"] = record(rsa_key())
        raw = sign(raw, d=f"esp{number}.example")
    raw = sign(raw, d="mail.victim.example")
    names["sel._domainkey.mail.victim.example"] = record(rsa_key())
    keys = Keys(names)
    found = verify(raw, keys)
    assert [s.domain for s in found[:2]] == ["mail.victim.example", "victim.example"]
    assert [s.domain for s in found[2:4]] == ["esp11.example", "esp10.example"]
    assert [s.result for s in found] == [DkimResult.PASS] * 10 + [DkimResult.POLICY] * 4
    assert {s.problem for s in found[10:]} == {"too many signatures"}
    assert len(keys.asked) == 10


def test_a_signature_beyond_the_number_that_is_malformed_stays_so() -> None:
    """The gate's reason is told for each, however many there are."""
    raw = sign(d="esp.example", v="2")
    found = verify(raw, settings=dkim.DkimSettings(max_signatures=0))
    assert [(s.result, s.problem) for s in found] == [(DkimResult.PERMERROR, "v= is not 1")]


def test_a_key_is_asked_for_once_a_mail() -> None:
    """Two signatures by one selector share the answer."""
    keys = Keys()
    found = verify(sign(sign()), keys)
    assert [s.result for s in found] == [DkimResult.PASS, DkimResult.PASS]
    assert keys.asked == [SELECTOR]


def test_a_mail_without_signatures_asks_nothing() -> None:
    """No signature, no result, no look-up."""
    keys = Keys()
    assert verify(MAIL, keys) == ()
    assert keys.asked == []


def test_a_large_mail_is_verified_in_a_thread_with_the_same_result() -> None:
    """Above 64 KB nothing but the place of work changes."""
    mail = MAIL + b"A  line of text \r\n" * 8_000 + b"\r\n\r\n"
    for canon in ("relaxed/relaxed", "simple/simple"):
        raw = sign(mail, c=canon)
        assert len(raw) > dkim.THREAD_ABOVE
        assert only(raw).result is DkimResult.PASS
        assert only(raw + b"x\r\n").result is DkimResult.FAIL


@needs_suites
@pytest.mark.parametrize(
    "name, results",
    [
        ("ctl-dkim-aligned", ["pass"]),
        ("auth-dkim-unaligned", ["pass"]),
        ("auth-dkim-subdomain-strict", ["pass"]),
        ("auth-dkim-body-changed", ["fail"]),
        ("auth-dkim-subject-changed", ["fail"]),
        ("auth-dkim-expired-x", ["permerror"]),
        ("auth-dkim-l-tag-append", ["permerror"]),
        ("auth-dkim-no-key", ["permerror"]),
        ("auth-dkim-rsa-sha1", ["permerror"]),
        ("auth-dkim-extra-from-after-sign", ["permerror"]),
        ("auth-dkim-t-y-testing", ["neutral"]),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_signed_mails_that_nobody_here_made(engine: str, name: str, results: list[str]) -> None:
    """The DKIM mails of the attack suite, over its zone."""
    world = json.loads((SUITES / "attacks" / "world.json").read_text())
    raw = (SUITES / "attacks" / "eml" / f"{name}.eml").read_bytes()
    claimed = re.search(rb"\bt=(\d+);", raw)
    assert claimed is not None
    then = NOW.fromtimestamp(int(claimed[1]) + 60, NOW.tzinfo)
    found = asyncio.run(
        dkim.verify(
            raw,
            wire.read(raw).headers,
            ZoneResolver(world["dns"]),
            then,
            "cliente.example",
            replace(dkim.DkimSettings(), engine=engine),
        )
    )
    assert [s.result.value for s in found] == results
