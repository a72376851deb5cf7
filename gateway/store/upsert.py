"""INSERT … ON CONFLICT, in words that both engines speak.

They are SQLAlchemy's for SQLite: its room for PostgreSQL loads that engine's five drivers, which
an SQLite gateway need not wait for at each start.
"""

from typing import Any, Self

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import dml


class _Nothing(dml.OnConflictDoNothing):
    inherit_cache = True
    constraint_target = None  # PostgreSQL's compiler asks for it; we name columns


class _Update(dml.OnConflictDoUpdate):
    inherit_cache = True
    constraint_target = None


class Insert(dml.Insert):
    """New rows, or something else where they are there already."""

    inherit_cache = True

    def on_conflict_do_nothing(self, index_elements: Any = None, index_where: Any = None) -> Self:
        """Leave the rows that are there as they are."""
        return self.ext(_Nothing(index_elements, index_where))

    def on_conflict_do_update(
        self,
        index_elements: Any = None,
        index_where: Any = None,
        set_: Any = None,
        where: Any = None,
    ) -> Self:
        """Change the rows that are there."""
        return self.ext(_Update(index_elements, index_where, set_, where))


def insert(table: Table) -> Insert:
    """Into this table."""
    return Insert(table)
