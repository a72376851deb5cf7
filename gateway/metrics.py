"""Every metric with its help text, where it is declared; docs/operating/metrics.md is generated
from here."""

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

mails = Counter(
    "portiere_mails_total",
    "Mails decided, by outcome and rule.",
    ["outcome", "rule"],
    registry=REGISTRY,
)
replies = Counter(
    "portiere_replies_total", "Mails put into the outbox, by kind.", ["kind"], registry=REGISTRY
)
proofs = Counter(
    "portiere_proofs_total", "Authors by level of proof.", ["level"], registry=REGISTRY
)
smtp_replies = Counter(
    "portiere_smtp_replies_total", "Final replies to DATA, by code.", ["code"], registry=REGISTRY
)
duplicates = Counter(
    "portiere_duplicates_total",
    "Mails that came again and had no second effect.",
    registry=REGISTRY,
)
defects = Counter(
    "portiere_defects_total", "Mails kept raw because our own code failed.", registry=REGISTRY
)
decided_again = Counter(
    "portiere_decided_again_total",
    "Mails decided again because a ticket moved meanwhile.",
    registry=REGISTRY,
)
guarded = Counter(
    "portiere_guard_total", "Decisions that the guard turned into a refusal.", registry=REGISTRY
)
stage_seconds = Histogram(
    "portiere_stage_seconds",
    "Wall time of each stage of a mail.",
    ["stage"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10),
    registry=REGISTRY,
)
deliveries = Counter(
    "portiere_deliveries_total",
    "Attempts to hand a mail to the smarthost, by result.",
    ["result"],
    registry=REGISTRY,
)
maybe_twice = Counter(
    "portiere_maybe_twice_total",
    "Mails sent again though they may have gone before; counted with the row, by the database.",
    registry=REGISTRY,
)
answers = Counter(
    "portiere_answers_total",
    "Answers by article: sent; unsolved, a reply said so; ticket, its author opened one in 72 h.",
    ["what"],
    registry=REGISTRY,
)
webhooks = Counter(
    "portiere_webhook_deliveries_total",
    "Attempts to tell a follower of an event, by result.",
    ["result"],
    registry=REGISTRY,
)
webhooks_waiting = Gauge(
    "portiere_webhooks_waiting",
    "Events that followers have not taken, by state.",
    ["state"],
    registry=REGISTRY,
)
outbox_waiting = Gauge(
    "portiere_outbox_waiting",
    "Rows of the outbox not yet sent, by state.",
    ["state"],
    registry=REGISTRY,
)
failed_mails = Gauge(
    "portiere_failed_mails", "Mails kept raw that wait for `queue retry`.", registry=REGISTRY
)
parked_mails = Gauge(
    "portiere_parked_mails", "Mails that wait for their account's confirmation.", registry=REGISTRY
)
escalations = Counter(
    "portiere_escalations_total", "Tickets whose first reply was overdue.", registry=REGISTRY
)
reloads = Counter(
    "portiere_reloads_total",
    "Reloads of policies, templates, knowledge.",
    ["result"],
    registry=REGISTRY,
)
policy_info = Gauge(
    "portiere_policy_info",
    "1 for the digest of the policy in force.",
    ["digest"],
    registry=REGISTRY,
)
waiting = Gauge(
    "portiere_waiting",
    "What waits, by kind: mail, outbox, webhooks, tickets; 10,000 are counted at most.",
    ["what"],
    registry=REGISTRY,
)
waiting_seconds = Gauge(
    "portiere_waiting_seconds",
    "For how long the first of a kind has waited; what is due later does not wait.",
    ["what"],
    registry=REGISTRY,
)
gateways = Gauge(
    "portiere_gateways", "Gateways seen on this database in the last minute.", registry=REGISTRY
)
policy_digests = Gauge(
    "portiere_policy_digests",
    "Different policies by which these gateways decide; more than 1 is an alarm.",
    registry=REGISTRY,
)
certificate_days = Gauge(
    "portiere_certificate_days",
    "Days until the certificate of a listener ends; below zero when it has.",
    ["listener"],
    registry=REGISTRY,
)
shadow_differences = Counter(
    "portiere_shadow_differences_total",
    "Mails that policies/next would have decided differently.",
    ["rule", "next_rule"],
    registry=REGISTRY,
)


@cache
def stage(name: str) -> Callable[[float], None]:
    """Counts seconds of a stage: the label is looked up once."""
    observe: Callable[[float], None] = stage_seconds.labels(name).observe
    return observe
