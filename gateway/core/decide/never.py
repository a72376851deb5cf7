"""The never-rules: walls around every rule file, which nobody can move without changing this code.

Each bars some outcomes everywhere but in the situations in which they are allowed all the same.
`prove` shows at load that a file keeps them; `guard`, written without this table, checks each mail
again. `docs/never.md` is made from it.
"""

from dataclasses import dataclass

from gateway.core.decide.facts import EARLY, VOCABULARY
from gateway.core.decide.rules import SMTP, SPEAKS_OF_ACCOUNTS, Conditions, conditions
from gateway.core.model import (
    Automatic,
    Outcome,
    ProofLevel,
    RequestKind,
    SenderKind,
    ServiceMatch,
    TicketMatch,
)

LATE: tuple[str, ...] = tuple(name for name in VOCABULARY if name not in EARLY)


@dataclass(frozen=True, slots=True)
class Never:
    """One never-rule. `unless` is a union: any of these conditions allows the outcomes."""

    id: str
    bars: frozenset[Outcome]
    unless: tuple[Conditions, ...]
    sentence: str
    may_not_depend_on: tuple[str, ...] = ()  # facts that may not lead in or out of the outcomes


_PROVEN = (ProofLevel.STRONG, ProofLevel.MEDIUM)
_ONE_ACCOUNT = (SenderKind.PRIMARY, SenderKind.SECONDARY)
_FILED = (RequestKind.ABUSE, RequestKind.DATA_RIGHTS)

NEVER: tuple[Never, ...] = (
    Never(
        "proven",
        SPEAKS_OF_ACCOUNTS,
        (conditions({"proof": _PROVEN}),),
        "Nothing is said about an account to an author who is not proven.",
    ),
    Never(
        "one-account",
        SPEAKS_OF_ACCOUNTS,
        (conditions({"sender": _ONE_ACCOUNT}),),
        "Nothing is said about an account unless the author's address stands on exactly one.",
    ),
    Never(
        "scope",
        SPEAKS_OF_ACCOUNTS,
        (conditions({"scope": (True,)}),),
        "An address speaks about no department but its own.",
    ),
    Never(
        "others-ticket",
        SPEAKS_OF_ACCOUNTS,
        (conditions({"ticket": (TicketMatch.NONE, TicketMatch.OWN)}),),
        "A mail about somebody else's ticket, or one that does not exist, discloses nothing.",
    ),
    Never(
        "others-service",
        SPEAKS_OF_ACCOUNTS,
        (
            conditions({"service": (ServiceMatch.NONE, ServiceMatch.OWN)}),
            conditions({"ticket": (TicketMatch.OWN,)}),
            conditions({"request": (RequestKind.GENERAL, *_FILED)}),
        ),
        "A question about a service that is not the author's own discloses nothing.",
    ),
    Never(
        "own-thread",
        frozenset({Outcome.THREAD}),
        (conditions({"ticket": (TicketMatch.OWN,)}), conditions({"repeat": (True,)})),
        "A mail joins the author's own ticket, and no other.",
    ),
    Never(
        "automatic",
        frozenset(Outcome) - SMTP - {Outcome.RECORD},
        (conditions({"automatic": (Automatic.NO,)}),),
        "Automatic mail is recorded, or settled inside the SMTP dialogue, and never answered.",
    ),
    Never(
        "public-answer",
        frozenset({Outcome.ANSWER}),
        (conditions({"proof": _PROVEN, "sender": (SenderKind.UNKNOWN, *_ONE_ACCOUNT)}),),
        "A public answer goes to a proven author alone, so that nobody is mailed by forgery.",
    ),
    Never(
        "enquiry",
        frozenset({Outcome.ENQUIRY}),
        (
            conditions({"proof": _PROVEN, "sender": (SenderKind.UNKNOWN,)}),
            conditions({"request": _FILED}),
        ),
        "An enquiry comes from a proven author without an account; "
        "reports of abuse and data-protection requests may come from anybody.",
    ),
    Never(
        "several-accounts",
        frozenset({Outcome.SORT}),
        (conditions({"proof": _PROVEN, "sender": (SenderKind.AMBIGUOUS,)}),),
        "Staff choose between accounts only for a proven author registered on several.",
    ),
    Never(
        "staff",
        frozenset({Outcome.STAFF}),
        (
            conditions(
                {"sender": (SenderKind.STAFF,), "proof": (ProofLevel.STRONG,), "token": (True,)}
            ),
        ),
        "A staff member answers or commands with a strong proof and a staff token, both.",
    ),
    Never(
        "confirm",
        frozenset({Outcome.CONFIRM}),
        (
            conditions(
                {
                    "sender": _ONE_ACCOUNT,
                    "proof": (ProofLevel.STRONG,),
                    "request": (RequestKind.CONFIRM,),
                }
            ),
        ),
        "Parked mail is released by mail only with a strong proof from the account itself.",
    ),
    Never(
        "smtp-tells-nothing",
        SMTP,
        ((),),
        "The SMTP reply is fixed before any account is read, so it never tells who is registered.",
        may_not_depend_on=LATE,
    ),
)
