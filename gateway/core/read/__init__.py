"""From bytes to the author and the words written now. `wire` alone is believed; others may err."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from gateway.core.model import Automatic, Envelope, Headers, Mail
from gateway.core.read import alternatives, automatic, html_text, language, mime, text

_STEP = 64 * 1024


def read(
    raw: bytes,
    headers: Headers,
    envelope: Envelope,
    instance: str,
    budget: mime.Budget = mime.USUAL,
) -> Mail:
    """Read one mail in full. Total: what cannot be read is named in `defects`, nothing raises.

    `instance` is the value of our own marker header, by which loops are seen; `budget` how much
    of the mail is opened.
    """
    parsed = mime.read(raw, headers, budget)
    kind, because, report = automatic.classify(headers, parsed, envelope.mail_from, instance)
    html = html_text.to_text(parsed.body_html) if parsed.body_html else None
    chosen = alternatives.choose(parsed.body_text, html)
    spans = text.spans(chosen.text, html.hints if html and chosen.from_html else ())
    mail = Mail(
        subject=parsed.subject,
        from_name=parsed.from_name,
        text=chosen.text,
        spans=spans,
        html=chosen.from_html,
        language=None,
        automatic=kind,
        automatic_because=because,
        message_id=parsed.message_id,
        in_reply_to=parsed.in_reply_to,
        references=parsed.references,
        date=parsed.date,
        to=parsed.to,
        cc=parsed.cc,
        attachments=parsed.attachments,
        report=report,
        content_digest=hashlib.sha256(raw).hexdigest(),
        body_digest="",
        defects=(*parsed.defects, *(html.defects if html else ()), *chosen.defects),
        thread_topic=parsed.thread_topic,
        thread_index=parsed.thread_index,
    )
    return replace(mail, language=_language(mail), body_digest=body_digest(mail))


def _language(mail: Mail) -> str | None:
    if mail.automatic is not Automatic.NO:
        return None
    return language.guess(f"{mail.subject}\n{mail.new_text}")[0]


def without_our_words(mail: Mail, sent_texts: tuple[str, ...]) -> Mail:
    """The same mail with the lines that we wrote ourselves marked as quoted."""
    if not sent_texts:
        return mail
    spans = text.subtract(mail.text, mail.spans, sent_texts)
    return mail if spans == mail.spans else replace(mail, spans=spans)


def body_digest(mail: Mail) -> str:
    """SHA-256 over the new text and the attachments: equal when the same thing is said again."""
    digest = hashlib.sha256()
    for piece in _folded(mail.new_text):
        digest.update(piece.encode("utf-8", "replace"))
    for attachment in mail.attachments:
        digest.update(attachment.digest.encode())
    return digest.hexdigest()


def _folded(text: str) -> Iterator[str]:
    """The words with one space between them, in steps: a long text must not stall its thread."""
    between, rest = "", ""
    for at in range(0, len(text), _STEP):
        piece = rest + text[at : at + _STEP]
        words = piece.split()
        rest = words.pop() if words and not piece[-1].isspace() else ""
        if words:
            yield between + " ".join(words)
            between = " "
    if rest:
        yield between + rest


__all__ = ["body_digest", "read", "without_our_words"]
