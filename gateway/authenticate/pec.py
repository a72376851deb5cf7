"""Who wrote a letter that came by certified mail (posta elettronica certificata, DPR 68/2005).

The provider wraps the letter, says in `daticert.xml` whose it is, and signs both. Only a wrapper
that has exactly this form, under a signature that chains to the list that ops keep, names the
author of its letter; every other one proves what any mail proves.
"""

import asyncio
import re
from datetime import datetime

from gateway.authenticate import smime
from gateway.core.model import Address, Attachment, Certified, Headers
from gateway.core.read import bodies, pec, transfer, wire
from gateway.core.read.structure import Budget, Part, tree

_THREADED_BYTES = 65_536
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature")
_BUDGET = Budget()


async def certified(
    raw: bytes, headers: Headers, provider: Address | None, trust: smime.Trust, now: datetime
) -> Certified | None:
    """What the wrapper certifies; None where there is no list, or the mail is no wrapper.

    `provider` is the author of the wrapper itself, `now` (aware) the moment of receipt.
    """
    if not trust.certificates or provider is None or pec.kind_of(headers) != ("transport", None):
        return None
    if len(raw) <= _THREADED_BYTES:
        return _certified(raw, headers, provider, trust, now)
    return await asyncio.to_thread(_certified, raw, headers, provider, trust, now)


def _certified(
    raw: bytes, headers: Headers, provider: Address, trust: smime.Trust, now: datetime
) -> Certified:
    root, _ = tree(raw, headers, _BUDGET)
    signed = _signed(raw, root)
    if signed is None:
        return Certified(None, "it is not one signed part with one signature")
    encoded, _ = transfer.decode(root.children[1].body, root.children[1].encoding)
    wrong = smime.problem(signed, bytes(encoded), str(provider), trust, now)
    if wrong is not None:
        return Certified(None, wrong)
    return _vouched(signed, provider)


def _signed(raw: bytes, root: Part) -> bytes | None:
    """The bytes under the signature (RFC 1847 2.1): the first of two parts, with its header.

    None unless the reader, whose words people will see, cuts the mail at the same places.
    """
    if root.type != "multipart/signed" or len(root.children) != 2:
        return None
    if root.children[1].type not in _SIGNATURES:
        return None
    boundary = (root.content_type.get("boundary") or "").rstrip().encode("utf-8", "replace")
    line = re.compile(rb"\r\n--" + re.escape(boundary) + rb"(?:--)?[ \t]{0,80}(?=\r\n|\Z)")
    lines = list(line.finditer(raw, max(0, root.start - 2), root.end))
    if len(lines) != 3:
        return None
    begin, end = lines[0].end() + 2, lines[1].start()
    first = root.children[0]
    return raw[begin:end] if begin <= first.start <= first.end == end else None


def _vouched(signed: bytes, provider: Address) -> Certified:
    entity = wire.split(signed)
    root, _ = tree(signed, entity, _BUDGET)
    files = bodies.collect(root, _BUDGET).attachments
    data, letter = _one(files, "daticert.xml"), _one(files, "postacert.eml")
    if data is None or letter is None:
        return Certified(None, "it has not one daticert.xml and one postacert.eml")
    said = pec.certificate(data.content)
    if said.kind != "posta-certificata" or said.sender is None:
        return Certified(None, "daticert.xml certifies no sender")
    inner = wire.read(letter.content).author
    if inner is None or inner.key != said.sender.key:
        return Certified(None, "the From of the letter is not the certified sender")
    return Certified(
        sender=said.sender,
        provider=str(provider),
        recipients=frozenset(one.key for one in said.recipients),
        at=said.at,
    )


def _one(files: list[Attachment], name: str) -> Attachment | None:
    found = [one for one in files if one.filename.lower() == name]
    return found[0] if len(found) == 1 else None
