"""A memory with a bound in bytes: what others choose the size of must not grow without end."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, at most `capacity` of weight in all; the oldest are forgotten first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[K, tuple[V, int]] = {}
        self._weight = 0

    def get(self, key: K) -> V | None:
        """The value, or None."""
        found = self._held.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keeps the value, unless it alone is heavier than everything that may be kept."""
        self.drop(key)
        if weight > self._capacity:
            return
        self._held[key] = (value, weight)
        self._weight += weight
        while self._weight > self._capacity:
            self.drop(next(iter(self._held)))

    def drop(self, key: K) -> None:
        """Forgets the value, if there is one."""
        found = self._held.pop(key, None)
        if found is not None:
            self._weight -= found[1]

    def __len__(self) -> int:
        return len(self._held)
