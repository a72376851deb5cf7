"""The counters of several processes told as one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.together import Together


def told(mails: int, days: float, waiting: int) -> tuple[CollectorRegistry, str]:
    """A process that has counted."""
    registry = CollectorRegistry()
    Counter("mails", "Mails.", ["outcome"], registry=registry).labels("open").inc(mails)
    Gauge("portiere_certificate_days", "Days.", registry=registry).set(days)
    Gauge("waiting", "Rows.", registry=registry).set(waiting)
    Histogram("seconds", "Time.", buckets=(1, 2), registry=registry).observe(1.5)
    return registry, generate_latest(registry).decode()


def lines(together: Together) -> set[str]:
    """The samples as they are scraped."""
    text = generate_latest(together).decode()
    return {one for one in text.splitlines() if not one.startswith("#")}


def test_counters_are_added_gauges_are_not() -> None:
    """Sums of counters and of a histogram's buckets; the highest of a gauge, the fewest days."""
    own, _ = told(1, 90.0, 0)
    together = Together(own)
    together.told(1, told(2, 30.0, 5)[1])
    together.told(2, told(3, 60.0, 4)[1])
    assert lines(together) == {
        'mails_total{outcome="open"} 6.0',
        "portiere_certificate_days 30.0",
        "waiting 5.0",
        'seconds_bucket{le="1.0"} 0.0',
        'seconds_bucket{le="2.0"} 3.0',
        'seconds_bucket{le="+Inf"} 3.0',
        "seconds_count 3.0",
        "seconds_sum 4.5",
    }


def test_what_a_front_counted_stays_when_it_is_gone() -> None:
    """Its counters go on counting, how it stood does not; the next one begins at nothing."""
    own, _ = told(1, 90.0, 0)
    together = Together(own)
    together.told(1, told(2, 30.0, 5)[1])
    together.told(1, told(4, 30.0, 7)[1])
    together.left(1)
    together.left(1)
    together.told(1, told(1, 50.0, 1)[1])
    found = lines(together)
    assert 'mails_total{outcome="open"} 6.0' in found
    assert "waiting 1.0" in found
    assert "portiere_certificate_days 50.0" in found
