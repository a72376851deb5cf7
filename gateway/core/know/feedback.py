"""Whether a mail says that an answer of ours did not help. It is counted, and decides nothing.

A reply to an answer is read by a person: no article answers it again.
"""

from gateway.core.know.phrases import Words
from gateway.core.model import Mail
from gateway.core.model.routing import RequestRules

ANALYSED = 2_000  # characters of new text that are looked at


def unsolved(mail: Mail, rules: RequestRules) -> bool:
    """Whether a reply has one of the phrases; whose answer it means, its Message-IDs say."""
    if not (mail.in_reply_to or mail.references):
        return False
    words = Words(mail.new_text[:ANALYSED])
    return any(words.ends(phrase) for phrases in rules.unsolved.values() for phrase in phrases)


def answers_us(mail: Mail, domain: str) -> bool:
    """Whether it replies to a Message-ID of ours, by the domain that we make them with."""
    ours = f"@{domain}>".lower()
    return bool(domain) and any(one.lower().endswith(ours) for one in mail.in_reply_to[:10])
