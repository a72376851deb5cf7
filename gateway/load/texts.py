"""Reads `templates/` and `knowledge/` into plain values, with complaints by file and line."""

import re
from datetime import date
from pathlib import Path

from gateway.core.model import PublicArticle
from gateway.core.say.templates import Source, TemplateDefect, Templates, split
from gateway.errors import BadInput

_KIND = re.compile(r"[a-z][a-z0-9_-]*")
_LANGUAGE = re.compile(r"[a-z]{2}")
_ARTICLE = re.compile(r"(?P<slug>[a-z0-9][a-z0-9-]*)\.(?P<language>[a-z]{2})\.md")
_FENCE = "---"
_KEYS = ("title", "tags", "synonyms", "updated")


def load_templates(folder: Path) -> dict[str, dict[str, Source]]:
    """kind -> language -> (subject, text, HTML or None); `<kind>/<language>.txt`, `.html`."""
    found: dict[str, dict[str, Source]] = {}
    for path in sorted(_folder(folder).glob("*/*.txt")):
        kind, language = path.parent.name, path.stem
        if not (_KIND.fullmatch(kind) and _LANGUAGE.fullmatch(language)):
            raise BadInput("a template is called `<kind>/<language>.txt`", str(path))
        subject, text, _ = split(read_text(path))
        marked = path.with_suffix(".html")
        found.setdefault(kind, {})[language] = (
            subject,
            text,
            read_text(marked) if marked.is_file() else None,
        )
    return found


def compile_templates(folder: Path) -> Templates:
    """The templates, checked against what their kinds may print."""
    try:
        return Templates.load(load_templates(folder))
    except TemplateDefect as defect:
        path = folder / defect.kind / f"{defect.language}.txt"
        raise BadInput(defect.message, f"{path}:{defect.line + 1}", defect.hint) from None


def load_knowledge(folder: Path) -> tuple[PublicArticle, ...]:
    """The articles, by slug and language. Front matter lies between two lines of `---`."""
    return tuple(_article(path) for path in sorted(_folder(folder).glob("*.md")) if _named(path))


def _named(path: Path) -> bool:
    """README files are no articles; any other name that is not an article's is a mistake."""
    if path.stem.upper() == "README":
        return False
    if _ARTICLE.fullmatch(path.name):
        return True
    raise BadInput("an article is called `<slug>.<language>.md`", str(path))


def _article(path: Path) -> PublicArticle:
    named = _ARTICLE.fullmatch(path.name)
    if named is None:
        raise BadInput("an article is called `<slug>.<language>.md`", str(path))
    matter, body = _front_matter(path)
    if not matter.get("title"):
        raise BadInput("the article has no `title` in its front matter", f"{path}:1")
    if not body.strip():
        raise BadInput("the article has no words", str(path))
    return PublicArticle(
        slug=named["slug"],
        language=named["language"],
        title=matter["title"],
        body=body.strip(),
        tags=_list(matter.get("tags", "")),
        synonyms=_list(matter.get("synonyms", "")),
        updated=_date(path, matter.get("updated")),
    )


def _front_matter(path: Path) -> tuple[dict[str, str], str]:
    """`key: value` lines; a list is written `[a, b]` or `a, b`."""
    lines = read_text(path).split("\n")
    if lines[0].strip() != _FENCE or _FENCE not in [line.strip() for line in lines[1:]]:
        raise BadInput("the front matter stands between two lines of `---`", f"{path}:1")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == _FENCE)
    matter: dict[str, str] = {}
    for number, line in enumerate(lines[1:end], 2):
        key, colon, value = line.partition(":")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not colon or key.strip() not in _KEYS:
            known = ", ".join(_KEYS)
            raise BadInput(f"`{line.strip()}` is no `key: value`", f"{path}:{number}", known)
        matter[key.strip()] = value.strip().strip('"')
    return matter, "\n".join(lines[end + 1 :])


def _list(text: str) -> tuple[str, ...]:
    parts = text.strip().removeprefix("[").removesuffix("]").split(",")
    return tuple(part.strip().strip("\"'") for part in parts if part.strip())


def _date(path: Path, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"`{text}` is no date", str(path), "write updated: 2026-01-31") from None


def read_text(path: Path) -> str:
    """A UTF-8 file with its line ends folded; `BadInput` says what keeps it from being read."""
    try:
        # Some editors begin a file with a mark of its encoding; it is no part of the text.
        return path.read_text(encoding="utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 at byte {error.start}", str(path)) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", str(path)) from None


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise BadInput("no such folder", str(folder))
    return folder
