"""Two other SPF evaluators over our zones: pyspf and spftrace. Oracles, which may be wrong."""

import asyncio
from typing import Any

import spf as pyspf
import spftrace

Zone = dict[str, dict[str, Any]]


def by_pyspf(zone: Zone, client: str, mail_from: str, helo: str) -> tuple[str, str]:
    """Result and reason. pyspf asks through a function of its module, which is made for that."""

    def lookup(name: str, rtype: str, *_: object, **__: object) -> list[Any]:
        return list(_records(zone, str(name), rtype))

    kept, pyspf.DNSLookup = pyspf.DNSLookup, lookup
    try:
        query = pyspf.query(i=client, s=mail_from, h=helo, querytime=0)
        result, _, reason = query.check()
    finally:
        pyspf.DNSLookup = kept
    return result, f"{reason} {query.perm_error or ''}"


def _records(zone: Zone, name: str, rtype: str) -> list[Any]:
    entry = zone.get(name.lower().rstrip("."))
    if entry is None:
        return []
    if rtype not in entry and "CNAME" not in entry and entry.get("status"):
        raise pyspf.TempError(f"DNS {entry['status']}")
    found: list[Any] = []
    if rtype not in entry and "CNAME" in entry:
        found.append(((name, "CNAME"), entry["CNAME"][0]))
        return found + _records(zone, entry["CNAME"][0], rtype)
    for value in entry.get(rtype, []):
        if rtype == "TXT":
            value = (value.encode("latin-1"),)
        elif rtype == "MX":
            value = (value[0], value[1])
        found.append(((name, rtype), value))
    return found


def by_spftrace(zone: Zone, client: str, mail_from: str, helo: str) -> tuple[str, str]:
    """Result and the reason that its trace ends with."""
    resolver = spftrace.ZoneResolver({name: _entry(entry) for name, entry in zone.items()})
    evaluator = spftrace.Evaluator(resolver, spftrace.Limits())
    with asyncio.Runner() as runner:
        found = runner.run(evaluator.evaluate(client, mail_from, helo))
    return found.result, str(found.trace.to_list()[-1:])


def _entry(entry: dict[str, Any]) -> Any:
    lines = []
    for rtype, values in entry.items():
        if rtype == "status":
            lines.append(("*", "TIMEOUT"))
            continue
        for value in values:
            lines.append((rtype, value[1] if rtype == "MX" else value))
    return lines
