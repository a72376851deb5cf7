"""Rows of the outbox go to the smarthost; this room does not know that policies exist."""
