"""The JSON form of `portiere explain` (docs/interface.md): every key always there, null where
unknown.

A public form: other programs read it, so it is made here alone, from the values of one course.
"""

import base64
from collections.abc import Iterable
from typing import Any

from gateway.core.decide import facts
from gateway.core.decide.policy import Policy
from gateway.core.model import (
    DISCLOSES,
    Decision,
    Evidence,
    Incident,
    Mail,
    Outgoing,
    Proof,
    Report,
    Situation,
    TicketMatch,
    outcome_of,
)
from gateway.pipeline import Course


def as_dict(identifier: str, course: Course, policy: Policy) -> dict[str, Any]:
    """One object of `explain --json` or one line of `--batch`; `policy` names its notices."""
    situation = course.situation
    outgoing = course.effects.outgoing if course.effects else ()
    evidence = course.arrival.evidence if course.arrival else None
    return {
        "id": identifier,
        "wire": _wire(course),
        "author": str(course.author) if course.author else None,
        **_evidence(evidence),
        "proof": _proof(course.proof),
        "sender": _sender(situation),
        "ticket": _ticket(situation),
        "mail": _mail(course.mail),
        "request": _request(situation),
        "incident": _incident(situation.incident if situation else None),
        "knowledge": _knowledge(situation),
        "facts": facts.as_dict(course.facts) if course.facts else None,
        "decision": _decision(course.decision, situation, policy),
        "smtp": {"code": course.answer.code, "enhanced": course.answer.enhanced},
        "replies": _outgoing(one for one in outgoing if not one.notice),
        "notices": _outgoing(one for one in outgoing if one.notice),
    }


def _wire(course: Course) -> dict[str, Any]:
    defect = course.wire.defect
    return {"ok": defect is None, "defect": defect.kind if defect else None}


def _evidence(evidence: Evidence | None) -> dict[str, Any]:
    spf = evidence.spf if evidence else None
    dmarc = evidence.dmarc if evidence else None
    return {
        "spf": {
            "result": spf.result.value if spf else None,
            "domain": spf.domain if spf else None,
            "helo_result": spf.helo_result.value if spf else None,
            "term": spf.term if spf else None,
            "explanation": spf.explanation if spf else None,
            "problem": spf.problem if spf else None,
        },
        "dkim": [
            {
                "result": one.result.value,
                "domain": one.domain,
                "selector": one.selector,
                "problem": one.problem,
            }
            for one in (evidence.dkim if evidence else ())
        ],
        "dmarc": {
            "result": dmarc.result.value if dmarc else None,
            "aligned": dmarc.aligned if dmarc else None,
            "policy": dmarc.policy if dmarc else None,
            "org_domain": dmarc.org_domain if dmarc else None,
            "record": dmarc.record if dmarc else None,
        },
        "arc": {"result": evidence.arc.result if evidence else None},
    }


def _proof(proof: Proof | None) -> dict[str, Any]:
    return {
        "level": proof.level.value if proof else None,
        "because": list(proof.because) if proof else [],
    }


def _sender(situation: Situation | None) -> dict[str, Any]:
    if situation is None:
        return {"kind": None, "account": None}
    account = situation.sender.account
    return {"kind": situation.sender.kind.value, "account": account.number if account else None}


def _ticket(situation: Situation | None) -> dict[str, Any]:
    if situation is None:
        return {"match": None, "number": None}
    reference = situation.reference
    own = reference.match is TicketMatch.OWN and reference.ticket is not None
    return {
        "match": reference.match.value,
        "number": reference.ticket.number if own and reference.ticket else None,
    }


def _mail(mail: Mail | None) -> dict[str, Any] | None:
    if mail is None:
        return None
    return {
        "subject": mail.subject,
        "from_name": mail.from_name,
        "text": mail.text,
        "new_text": mail.new_text,
        "quoted_text": mail.quoted_text,
        "html": mail.html,
        "language": mail.language,
        "automatic": mail.automatic.value,
        "message_id": mail.message_id,
        "date": mail.date.isoformat() if mail.date else None,
        "attachments": [
            {
                "filename": one.filename,
                "content_type": one.content_type,
                "size": one.size,
                "inline": one.inline,
            }
            for one in mail.attachments
        ],
        "report": _report(mail.report),
        "defects": list(mail.defects),
    }


def _report(report: Report | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "final_recipient": report.final_recipient,
        "action": report.action,
        "status": report.status,
        "original_message_id": report.original_message_id,
    }


def _request(situation: Situation | None) -> dict[str, Any]:
    if situation is None:
        return {"kind": None, "because": []}
    return {"kind": situation.request.kind.value, "because": list(situation.request.because)}


def _incident(incident: Incident | None) -> dict[str, Any]:
    return {
        "ip": incident.ip if incident else None,
        "order": incident.order if incident else None,
        "service": incident.service if incident else None,
        "started": incident.started.isoformat() if incident and incident.started else None,
        "missing": list(incident.missing) if incident else [],
    }


def _knowledge(situation: Situation | None) -> dict[str, Any]:
    found = situation.knowledge if situation else None
    best = found.best if found else None
    return {
        "article": best.slug if best else None,
        "confidence": found.confidence.value if found else None,
        "score": round(best.score, 3) if best else None,
    }


def _decision(
    decision: Decision | None, situation: Situation | None, policy: Policy
) -> dict[str, Any]:
    paragraphs = decision.notices if decision else ()
    outcome = outcome_of(decision) if decision else None
    department = decision.department if decision else None
    return {
        "outcome": outcome.value if outcome else None,
        "rule": decision.rule if decision else None,
        "because": decision.because if decision else None,
        "discloses": DISCLOSES[outcome].value if outcome else None,
        "department": department or (situation.department if situation else None),
        "priority": decision.priority if decision else None,
        "notices": [one.id for one in policy.notices if one.add in paragraphs],
    }


def _outgoing(rows: Iterable[Outgoing]) -> list[dict[str, Any]]:
    return [
        {
            "to": one.to,
            "envelope_from": one.envelope_from,
            "kind": one.kind,
            "language": one.language,
            "raw_base64": base64.b64encode(one.raw).decode(),
        }
        for one in rows
    ]
