"""From a reply to a finished mail. There is no parameter here through which a header of the mail
that came in could arrive, but for Message-IDs, which are held against their grammar.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from gateway.core.model import (
    AccountReply,
    AccountText,
    AddressNotice,
    Article,
    Constant,
    KindNotice,
    PublicReply,
    StaffNotice,
    StaffText,
    Tainted,
)
from gateway.core.say import html, mailbytes, markdown
from gateway.core.say.headers import UNSAFE
from gateway.core.say.kinds import kind_of
from gateway.core.say.mailbytes import Letter
from gateway.core.say.templates import Compiled, Templates, as_text, tidy
from gateway.core.say.words import Marked, Spoken

Sayable = AccountReply | PublicReply | StaffNotice | KindNotice | AddressNotice


Slots = dict[str, str]  # Markdown, and what holds its place until the mail is laid out


@dataclass(frozen=True, slots=True)
class Ourselves:
    """The destination of what is written and thrown away."""

    address: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A constant text that nobody gets: no row of the outbox can be made of it."""

    to: Ourselves
    text: Constant


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on every mail: public facts, from the configuration."""

    name: str
    support: str  # the address that our mail comes from
    panel_url: str
    instance: str  # the marker by which we know our own mail
    default_language: str

    @property
    def values(self) -> dict[str, object]:
        """What every template may print."""
        return {"desk": self.name, "panel_url": self.panel_url, "support": self.support}


@dataclass(frozen=True, slots=True)
class Threading:
    """The only traces of other mails. `parent` is the mail answered, `earlier` are ours."""

    parent: str | None = None
    earlier: tuple[str, ...] = ()
    topic: str | None = None
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished mail, not yet a row."""

    kind: str
    language: str
    subject: str
    text: str
    raw: bytes


class NoTemplate(LookupError):
    """There is no template of this name in any language."""


def kind_named(reply: Sayable | Silence) -> str:
    """The name of the template."""
    if isinstance(reply, KindNotice | AddressNotice):
        return reply.template
    text = reply.text
    if isinstance(text, AccountText | Constant):
        return text.template
    return "answer" if isinstance(text, Article) else "enquiry-reply"


def render(
    reply: Sayable | Silence,
    templates: Templates,
    identity: Identity,
    language: str,
    bilingual: bool,
    message_id: str,
    date: datetime,
    reply_to: str | None = None,
    threading: Threading | None = None,
    paragraphs: tuple[str, ...] = (),
) -> Rendered:
    """The mail as bytes. TypeError: an automatic reply would print a sender's words."""
    kind = kind_named(reply)
    languages = _languages(language, bilingual, identity.default_language)
    slots: Slots = {}
    spoken = [
        _spoken(kind, reply, templates, identity, one, paragraphs, slots) for one in languages
    ]
    subject = " / ".join(dict.fromkeys(one.subject for one in spoken))
    flowing = f"\n\n{html.RULE}\n\n".join(one.text for one in spoken)
    text, marked = as_text(flowing), spoken[0].html or html.paragraphs(flowing)
    for body, place in slots.items():
        text = text.replace(place, markdown.as_text(body))
        marked = marked.replace(place, markdown.as_html(body))
    letter = Letter(
        sender_name=identity.name,
        sender=identity.support,
        to=reply.to.address,
        reply_to=reply_to,
        subject=subject,
        date=date,
        message_id=message_id,
        text=text,
        html=html.framed(marked, spoken[0].language, subject),
        in_reply_to=threading.parent if threading else None,
        references=threading.earlier if threading else (),
        marks=_marks(kind, identity, threading),
    )
    return Rendered(kind, spoken[0].language, subject, text, mailbytes.write(letter))


def _marks(
    kind: str, identity: Identity, threading: Threading | None
) -> tuple[tuple[str, str], ...]:
    """RFC 3834 5, Exchange's own word for it, our marker, and what Outlook threads by."""
    marks = [("X-Portiere-Instance", identity.instance)]
    meant = kind_of(kind)
    if meant.automatic:
        word = "auto-generated" if meant.generated else "auto-replied"
        marks += [("Auto-Submitted", word), ("X-Auto-Response-Suppress", "All")]
    if threading and threading.topic and threading.index:
        marks += [("Thread-Topic", threading.topic), ("Thread-Index", threading.index)]
    return tuple(marks)


def _languages(language: str, bilingual: bool, default: str) -> tuple[str, ...]:
    """A guessed language is said twice: in the default and in English."""
    return tuple(dict.fromkeys((default, "en"))) if bilingual else (language,)


@dataclass(frozen=True, slots=True)
class _Spoken:
    language: str  # that of the template, where the one asked for is not written
    subject: str
    text: str
    html: str | None


def _spoken(
    kind: str,
    reply: Sayable | Silence,
    templates: Templates,
    identity: Identity,
    language: str,
    paragraphs: tuple[str, ...],
    slots: Slots,
) -> _Spoken:
    found = templates.find(kind, language, identity.default_language)
    if found is None:
        raise NoTemplate(kind)
    written, compiled = found
    values = identity.values | _values(reply, language, slots)
    said = (_paragraph(name, values, templates, identity, language) for name in paragraphs)
    values["notices"] = "\n\n".join(one for one in said if one)
    return _filled(written, compiled, values)


def _filled(language: str, compiled: Compiled, values: dict[str, object]) -> _Spoken:
    marked = compiled.html.render(values) if compiled.html else None
    subject = " ".join(compiled.subject.render(values).split())
    return _Spoken(language, subject, tidy(compiled.text.render(values)), marked)


def _paragraph(
    name: str,
    values: dict[str, object],
    templates: Templates,
    identity: Identity,
    language: str,
) -> str:
    found = templates.find(name, language, identity.default_language)
    return tidy(found[1].text.render(values)) if found and kind_of(name).paragraph else ""


def _values(reply: Sayable | Silence, language: str, slots: Slots) -> dict[str, object]:
    if isinstance(reply, KindNotice | AddressNotice):
        return {}
    text = reply.text
    if isinstance(text, AccountText):
        values = text.values.items()
        return {name: _prepared(value, language, slots) for name, value in values}
    if isinstance(text, StaffText):
        return {"text": _prepared(text.text, language, slots)}
    if isinstance(text, Article):
        body = _prepared(Marked(text.body), language, slots)
        return {"title": printable(text.title), "url": text.url, "body": body}
    return {}


def _prepared(value: object, language: str, slots: Slots) -> object:
    if isinstance(value, Spoken):
        return _prepared(value.said(language), language, slots)
    if isinstance(value, Marked):
        return slots.setdefault(printable(value.text), html.slot(len(slots)))
    if isinstance(value, Tainted):
        return Tainted(_broken(printable(value)))
    if isinstance(value, str):
        return _broken(printable(value))
    if isinstance(value, tuple | list):
        return [_prepared(one, language, slots) for one in value]
    if isinstance(value, dict):
        return {name: _prepared(one, language, slots) for name, one in value.items()}
    return value


def printable(text: str) -> str:
    """Text without control and bidirectional characters, line ends as LF."""
    if UNSAFE.search(text) is None:
        return str(text)
    plain = str(text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "\n".join(UNSAFE.sub("", line) for line in plain.split("\n"))


def _broken(text: str) -> str:
    """A value's own line ends are kept as such, also in HTML; empty lines part paragraphs."""
    if "\n" not in text:
        return text
    blocks = re.split(r"\n[ \n]*\n", text.strip("\n"))
    return "\n\n".join(block.replace("\n", html.LINE_BREAK) for block in blocks)
