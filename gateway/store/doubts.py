"""A destination that may have been stolen: why text about an account must wait.

Mail that waits for this alone carries one of these reasons, and goes once ops have confirmed the
address again.
"""

from gateway.store.columns import moment

DOUBT = "the official address is in doubt: "  # how each reason begins


def doubtful(confirmed: int | None, bounced: int | None, changed: int | None) -> str | None:
    """Why no text about the account may go to its official address for now, or None."""
    why = _why(confirmed, bounced, changed)
    return f"{DOUBT}{why}" if why else None


def _why(confirmed: int | None, bounced: int | None, changed: int | None) -> str | None:
    if confirmed is None:
        return "it was never confirmed"
    if bounced is not None:
        return f"mail to it bounced on {moment(bounced):%Y-%m-%d}"
    if changed is not None and changed >= confirmed:
        day = f"{moment(changed):%Y-%m-%d}"
        return f"its domain expired or changed hands on {day}, after it was confirmed"
    return None
