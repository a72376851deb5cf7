"""The file of token keys: made at first start, mode 0600, rotated by `portiere keys rotate`.

Old keys stay for reading until they are retired, since customers answer old mail.
"""

import json
import os
import secrets
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.core.know.token import MAX_AGE, Keys
from gateway.errors import BadInput

SECRET_BYTES = 32
MAX_KEYS = 256  # a key's id is one byte of a token


def load(path: Path, *, create: bool = True) -> Keys:
    """The keys of this file; a new file with one key where there is none.

    Without `create` such keys are only thought of: nothing is written, and their tokens verify
    nowhere else.
    """
    if not path.exists() and not create:
        return _keys({"current": 0, "keys": [_new(0)]}, path)
    if not path.exists():
        _write(path, {"current": 0, "keys": [_new(0)]})
    return _keys(_read(path), path)


def again(path: Path) -> Keys:
    """The keys as the file has them now; `BadInput` where it is gone or damaged."""
    return _keys(_read(path), path)


def state(path: Path) -> tuple[int, ...]:
    """What is another one when the file has been written since; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def rotate(path: Path) -> Keys:
    """Make a new current key; the old ones still read."""
    load(path)
    content = _read(path)
    used = {int(key["id"]) for key in content["keys"]}
    free = next((number for number in range(MAX_KEYS) if number not in used), None)
    if free is None:
        raise BadInput(f"all {MAX_KEYS} key ids are in use; retire old ones", str(path))
    content["keys"].append(_new(free))
    content["current"] = free
    _write(path, content)
    return _keys(content, path)


def retire(path: Path, key_id: int, now: datetime, *, force: bool = False) -> Keys:
    """Forget a key that is not the current one; tokens that it made no longer verify.

    Without `force` only once all of them are too old anyway.
    """
    content = _read(path)
    if key_id == content["current"]:
        raise BadInput(f"key `{key_id}` is the current one; rotate first", str(path))
    kept = [key for key in content["keys"] if key["id"] != key_id]
    if len(kept) == len(content["keys"]):
        raise BadInput(f"there is no key `{key_id}`", str(path))
    unused = _unused_since(content["keys"], key_id, path)
    if not force and now < unused + MAX_AGE:
        raise BadInput(
            f"key `{key_id}` made tokens until {unused:%Y-%m-%d %H:%M} UTC; answers to them, and "
            f"delivery reports, may come until {unused + MAX_AGE:%Y-%m-%d}",
            str(path),
            hint="`--force` forgets it all the same: such answers then open new tickets",
        )
    content["keys"] = kept
    _write(path, content)
    return _keys(content, path)


def _unused_since(keys: list[dict[str, Any]], key_id: int, path: Path) -> datetime:
    """When the key after it was made: they stand in the order in which they were current."""
    ids = [key["id"] for key in keys]
    try:
        return datetime.fromisoformat(keys[ids.index(key_id) + 1]["made"])
    except (IndexError, KeyError, TypeError, ValueError):
        raise BadInput(
            "the file of keys is damaged; restore it from a backup", str(path)
        ) from None


def describe(path: Path) -> list[dict[str, Any]]:
    """Id, time of making and whether it is current, of every key; never a secret."""
    load(path)
    content = _read(path)
    return [
        {"id": key["id"], "made": key["made"], "current": key["id"] == content["current"]}
        for key in content["keys"]
    ]


def _new(key_id: int) -> dict[str, Any]:
    return {
        "id": key_id,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "secret": b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise BadInput(f"cannot read the keys: {error.strerror}", str(path)) from None
    except ValueError:
        raise BadInput(
            "the file of keys is not JSON; restore it from a backup", str(path)
        ) from None
    return content


def _keys(content: dict[str, Any], path: Path) -> Keys:
    try:
        pairs = tuple((int(key["id"]), b64decode(key["secret"])) for key in content["keys"])
        keys = Keys(int(content["current"]), pairs)
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            "the file of keys is damaged; restore it from a backup", str(path)
        ) from None
    if keys.secret(keys.current) is None:
        raise BadInput("the current key is missing; restore the file from a backup", str(path))
    return keys


def _write(path: Path, content: dict[str, Any]) -> None:
    """Written beside, flushed and renamed, so that a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
