"""The counters of several processes as those of one gateway.

Counters and histograms are added up; those of a front that has gone stay counted. Of a gauge the
highest counts, and of days that are left the lowest.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Key = tuple[str, tuple[tuple[str, str], ...]]
_LOWEST = "portiere_certificate_days"


class Together(Collector):
    """Our own registry, and what the fronts have told last."""

    def __init__(self, own: CollectorRegistry) -> None:
        """Fronts are added by `told`."""
        self._own = own
        self._told: dict[int, str] = {}
        self._gone: list[Metric] = []

    def told(self, front: int, counters: str) -> None:
        """What a front says of itself, in Prometheus' text form."""
        self._told[front] = counters

    def left(self, front: int) -> None:
        """A front has gone: what it counted stays, how it stood does not."""
        text = self._told.pop(front, None)
        if text is not None:
            counted = (one for one in _families(text) if one.type != "gauge")
            self._gone = list(_added([*self._gone, *counted]))

    def collect(self) -> Iterator[Metric]:
        """Everything, added up."""
        told = (one for text in self._told.values() for one in _families(text))
        return _added([*self._own.collect(), *self._gone, *told])


def _families(text: str) -> Iterator[Metric]:
    return iter(text_string_to_metric_families(text))


def _added(families: Iterable[Metric]) -> Iterator[Metric]:
    """One family of each name; samples of the same labels become one."""
    found: dict[str, Metric] = {}
    values: dict[str, dict[Key, float]] = {}
    for family in families:
        if family.name not in found:
            found[family.name] = Metric(family.name, family.documentation, family.type)
        samples = values.setdefault(family.name, {})
        join = _join(family)
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                key = (sample.name, tuple(sorted(sample.labels.items())))
                before = samples.get(key)
                samples[key] = sample.value if before is None else join(before, sample.value)
    for name, family in found.items():
        family.samples = [
            Sample(each, dict(labels), value) for (each, labels), value in values[name].items()
        ]
        yield family


def _join(family: Metric) -> Callable[[float, float], float]:
    if family.type != "gauge":
        return lambda one, other: one + other
    return min if family.name == _LOWEST else max
