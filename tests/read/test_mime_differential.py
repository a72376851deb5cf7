"""Our reader against the standard library's on mail that means no harm: the same words, the
same files.
"""

import email
import hashlib
import re
from collections.abc import Iterator
from email.message import Message

from hypothesis import given, settings
from hypothesis import strategies as st
from read_support import suite_mails
from tests_support import needs_suites

from gateway.core.read import flowed, mime, wire

# Mails that the two read differently, and why ours is right or as good.
DIFFERENT = {
    "bounce/cpython-3.11.7__msg_25.txt": "the header names no boundary; ours finds it",
    "charset/mail-parser__mail_test_9": "GB 18030 holds the characters that GB 2312 lacks",
    "inline/mail-parser__mail_test_4": "Spanish in UTF-8, labelled as Cyrillic",
    "hugeheaders/mail-parser__mail_outlook_1": "an Outlook file, no mail",
    "list/mail-parser__mail_test_6": "one broken character: ours stays UTF-8",
    "multipart/james-mime4j__twopart.msg": "`BASE64 ` is Base64",
    "multipart/mail-mime-parser__m0020.txt": "words under a file that the page alone has",
    "multipart/mail-mime-parser__m0021.txt": "a boundary folded inside its quotes",
    "multipart/mail-parser__mail_malformed_3": "the header names another boundary; ours finds it",
    "plain/cpython-3.11.7__msg_19.txt": "there is no header",
    "plain/cpython-3.11.7__msg_35.txt": "there is no line between header and body",
    "plain/mail__plain_emails-raw_email_incorrect_header.eml": "refused: a line without colon",
    "plain/james-mime4j__obsolete.msg": "refused: blanks before the colon",
    "plain/mail__rfc2822-example13.eml": "refused: blanks before the colon",
}
MARKED_UP = ("text/enriched", "text/richtext")


def _leaves(
    message: Message, parent: Message | None = None
) -> Iterator[tuple[Message, Message | None]]:
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            assert isinstance(part, Message)
            yield from _leaves(part, message)
    elif message.get_content_maintype() not in ("message", "multipart"):
        yield message, parent


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _text(leaf: Message, data: bytes) -> str:
    if leaf.get_param("format") == "flowed":
        source = data.decode(leaf.get_content_charset() or "utf-8").replace("\r\n", "\n")
        return flowed.unwrapped(source, str(leaf.get_param("delsp")).lower() == "yes")
    for charset in (leaf.get_content_charset() or "utf-8", "utf-8"):
        try:
            return data.decode(charset)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def _unread(raw: bytes) -> list[str]:
    """The types of the leaves that the standard library sees and our reading holds nowhere."""
    parsed = mime.read(raw, wire.read(raw).headers)
    words = _flat((parsed.body_text or "") + " " + (parsed.body_html or ""))
    # Blank lines at the end of a part are where the two end it differently.
    files = {hashlib.sha256(a.content.rstrip()).digest() for a in parsed.attachments}
    reports = b" ".join(part.content for part in parsed.reports)
    missing = []
    for leaf, _ in _leaves(email.message_from_bytes(raw)):
        data = leaf.get_payload(decode=True)
        kind = leaf.get_content_type()
        if not isinstance(data, bytes) or not data.strip() or kind in MARKED_UP:
            continue
        if hashlib.sha256(data.rstrip()).digest() in files or data.strip() in reports:
            continue
        if kind.startswith("text/") and _flat(_text(leaf, data)) in words:
            continue
        missing.append(kind)
    return missing


def _is_listed(path: str, raw: bytes, missing: list[str]) -> bool:
    """Differences by design: nameless signatures, uuencoded files that leave the text, fixed
    charsets.
    """
    if path in DIFFERENT or set(missing) == {"application/pgp-signature"}:
        return True
    return bool(re.search(rb"^begin [0-7]{3} ", raw, re.MULTILINE))


@needs_suites
def test_real_mails_read_alike() -> None:
    """Every part of the benign mails of the suite is in our reading, or the reason is listed."""
    compared, wrong = 0, []
    for mail in suite_mails():
        if (
            mail.path.startswith("broken/")
            or "james-mime4j" in mail.path
            or "pdf_non_ascii" in mail.path
        ):
            continue
        missing = _unread(mail.raw)
        compared += 1
        if missing and not _is_listed(mail.path, mail.raw, missing):
            wrong.append((mail.path, missing))
    assert compared > 300
    assert wrong == []


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60
).filter(str.strip)
FILES = st.lists(
    st.tuples(
        st.from_regex(r"[a-z]{1,8}\.[a-z]{3}", fullmatch=True), st.binary(min_size=1, max_size=200)
    ),
    max_size=4,
)


@settings(max_examples=60)
@given(words=WORDS, page=st.one_of(st.none(), WORDS), subject=WORDS, files=FILES)
def test_what_the_standard_library_writes_is_read(
    words: str, page: str | None, subject: str, files: list[tuple[str, bytes]]
) -> None:
    """Mail that the standard library builds comes back word for word and byte for byte."""
    message = email.message.EmailMessage()
    message["From"] = "anna@cliente.example"
    message["Subject"] = subject
    message.set_content(words)
    if page is not None:
        message.add_alternative(page, subtype="html")
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    raw = message.as_bytes(policy=email.policy.SMTP)
    parsed = mime.read(raw, wire.read(raw).headers)
    assert _flat(parsed.body_text or "") == _flat(words)
    assert page is None or _flat(parsed.body_html or "") == _flat(page)
    assert [a.content for a in parsed.attachments] == [data for _, data in files]
    assert _unread(raw) == []
