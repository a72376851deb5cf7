"""What each kind of mail may print: the names of its template's variables, and nothing else.

This list is the disclosure of a template. A template that prints more is refused when it is
loaded, so that nobody can widen a reply by editing a text file.
"""

import difflib
from dataclasses import dataclass

HOUSE = frozenset({"desk", "panel_url", "support"})  # public facts about ourselves
_RECEIPT = frozenset({"ticket", "department", "ahead", "due", "notices"})
_STAFF = frozenset(
    {
        *("ticket", "department", "priority", "account", "customer", "proof", "verified"),
        *("kind", "candidates", "author", "subject", "text", "attachments", "masked", "pending"),
        *("linked", "due", "opened", "state", "why", "to"),
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a template of this name is for."""

    variables: frozenset[str] = frozenset()
    public: bool = False  # the same for everybody, or published anyway
    automatic: bool = True  # carries Auto-Submitted; never prints a sender's words
    generated: bool = False  # is no reply to a mail (RFC 3834 5.1)
    staff: bool = False  # goes to staff, who may read what the sender wrote
    paragraph: bool = False  # is put into a receipt by name


KINDS: dict[str, Kind] = {
    # to an account's official address
    "open": Kind(_RECEIPT),
    "ask": Kind(_RECEIPT | {"missing"}),
    "panel": Kind(_RECEIPT),
    "thread": Kind(_RECEIPT | {"reopened"}),
    "hold": Kind(),
    "confirm": Kind(),
    "closed": Kind(frozenset({"ticket"}), generated=True),
    "staff-reply": Kind(frozenset({"ticket", "text", "closed", "masked"}), automatic=False),
    "official-changed": Kind(generated=True),
    "address-added": Kind(frozenset({"address"})),
    "announcement": Kind(frozenset({"title", "text"}), generated=True),
    # public texts, to an official address or to a proven author
    "answer": Kind(frozenset({"title", "url", "body"}), public=True),
    "refuse": Kind(public=True),
    "receipt": Kind(public=True),
    "enquiry": Kind(public=True),
    "enquiry-reply": Kind(frozenset({"text"}), public=True, automatic=False),
    # to an address that waits to be confirmed: constant
    "address-confirm": Kind(generated=True),
    # to a notification address: content-free
    "notice": Kind(generated=True),
    # to staff
    "staff-new": Kind(_STAFF, staff=True, generated=True),
    "staff-entry": Kind(_STAFF, staff=True, generated=True),
    "staff-held": Kind(_STAFF, staff=True, generated=True),
    "staff-undelivered": Kind(_STAFF, staff=True, generated=True),
    "staff-unsent": Kind(_STAFF, staff=True, generated=True),
    "staff-overdue": Kind(_STAFF, staff=True, generated=True),
    # paragraphs
    "out_of_hours": Kind(frozenset({"opens"}), paragraph=True),
    "same_incident": Kind(frozenset({"ticket"}), paragraph=True),
    "sender_not_proven": Kind(paragraph=True),
    "linked": Kind(frozenset({"linked"}), paragraph=True),
    "articles": Kind(frozenset({"articles"}), public=True, paragraph=True),
    "announcements": Kind(frozenset({"announcements"}), public=True, paragraph=True),
    "panel_hint": Kind(paragraph=True),
    "which_service": Kind(paragraph=True),
}


def kind_of(name: str) -> Kind:
    """The kind of a template; `open-gold` is an `open`; an unknown paragraph prints nothing."""
    base = name
    while base:
        if base in KINDS:
            return KINDS[base]
        base = base.rpartition("-")[0]
    return Kind(public=True, paragraph=True)


def allowed(name: str) -> frozenset[str]:
    """The variables that a template of this name may print."""
    return kind_of(name).variables | HOUSE


def did_you_mean(word: str, name: str) -> str:
    """A hint for a variable that the kind does not have."""
    close = difflib.get_close_matches(word, sorted(allowed(name)), 1)
    return f"did you mean `{close[0]}`?" if close else ""


def speaks_for(template: str, outcome: str) -> bool:
    """Whether a rule with this outcome may name this template: its own, a variant, a constant."""
    if template == outcome or template.startswith(f"{outcome}-"):
        return True
    kind = KINDS.get(template)
    return outcome == "refuse" and kind is not None and kind.public and not kind.variables
