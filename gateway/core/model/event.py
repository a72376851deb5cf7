"""The kinds of events that followers learn of, with their meanings."""

KINDS: dict[str, str] = {
    "ticket.opened": "A ticket was opened; the entry is its first one.",
    "entry.added": "Something was said in a ticket: by the customer, by staff, or an inner note.",
    "ticket.closed": "A ticket was closed.",
    "ticket.reopened": "A closed ticket waits for staff again.",
    "ticket.changed": "Another field of a ticket changed; the entry says which.",
    "ticket.merged": "A ticket was merged into another one, which `merged_into` names.",
    "ticket.split": "Entries were moved out of a ticket into a new one; both say so.",
    "ticket.overdue": "The first reply is overdue; staff were told.",
    "reply.undelivered": "Our mail to the customer could not be delivered; the ticket is back.",
    "question.answered": "A question was answered by an article; there is no ticket.",
}
