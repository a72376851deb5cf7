"""Templates, checked and compiled at load: what they print is held against their kind.

Jinja2's sandbox runs them, and of its language only plain names, `if` and `for` are let through,
so that no filter or concatenation can wash a sender's words clean of their mark.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.core.model import Tainted
from gateway.core.say.html import LINE_BREAK
from gateway.core.say.kinds import allowed, did_you_mean, kind_of

WIDTH, WIDEST = 72, 78  # RFC 5322 2.1.1: no line over 78 characters
Source = tuple[str, str, str | None]  # subject, text, HTML (None: made from the text)

_SPOKEN = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If),
    *(nodes.For, nodes.Not, nodes.And, nodes.Or, nodes.Const, nodes.Compare, nodes.Operand),
)
# Fields of a value that a template may name, such as an article's in a list.
_FIELDS = frozenset({"title", "url", "text"})


class TemplateDefect(ValueError):
    """A template that cannot be used: which, where, and why."""

    def __init__(self, kind: str, language: str, line: int, message: str, hint: str = "") -> None:
        """`line` counts the file's lines from 0, which is the subject where there is one."""
        super().__init__(f"templates/{kind}/{language}.txt:{line}: {message}")
        self.kind, self.language, self.line = kind, language, line
        self.message, self.hint = message, hint


class _Environment(ImmutableSandboxedEnvironment):
    """No attribute of a value but the listed fields can be reached."""

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return attr in _FIELDS and super().is_safe_attribute(obj, attr, value)


def _for_customers(value: object) -> object:
    """What is printed, in an automatic reply: never a sender's words (never-rule 4)."""
    if isinstance(value, Tainted):
        raise TypeError("text of the sender may not be printed by an automatic reply")
    return value


@cache
def _environment(for_staff: bool, html: bool) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        autoescape=html,
        finalize=None if for_staff else _for_customers,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.globals.clear()  # no cycler, no range: a template has its values and nothing else
    return environment


class Compiled:
    """One template in one language, checked. Its code is made at the first use, or by `warm`."""

    def __init__(self, staff: bool, subject: nodes.Template, text: nodes.Template) -> None:
        """The parts are syntax trees that were checked; `marked` may be set beside them."""
        self._staff, self._subject, self._text = staff, subject, text
        self.marked: nodes.Template | None = None

    @cached_property
    def subject(self) -> Template:
        """The subject; empty for a paragraph."""
        return _environment(self._staff, html=False).from_string(self._subject)

    @cached_property
    def text(self) -> Template:
        """The plain text."""
        return _environment(self._staff, html=False).from_string(self._text)

    @cached_property
    def html(self) -> Template | None:
        """The HTML part, where the template has one of its own."""
        if self.marked is None:
            return None
        return _environment(self._staff, html=True).from_string(self.marked)


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates of a house. `load` is the only maker."""

    compiled: dict[tuple[str, str], Compiled]
    languages: tuple[str, ...]

    @classmethod
    def load(cls, sources: Mapping[str, Mapping[str, Source]]) -> "Templates":
        """Check and compile kind -> language -> source. TemplateDefect names the first fault."""
        compiled: dict[tuple[str, str], Compiled] = {}
        for kind, by_language in sources.items():
            for language, source in by_language.items():
                compiled[kind, language] = _compile(kind, language, source)
        return cls(compiled, tuple(dict.fromkeys(language for _, language in compiled)))

    def warm(self) -> "Templates":
        """Make the code of all of them now: the first use must not be slower than later ones."""
        for one in self.compiled.values():
            _ = one.subject, one.text, one.html
        return self

    def has(self, kind: str) -> bool:
        """Whether there is such a template in any language."""
        return any((kind, language) in self.compiled for language in self.languages)

    @property
    def paragraphs(self) -> frozenset[str]:
        """The names that a `[[notice]]` of the policy may add."""
        return frozenset(kind for kind, _ in self.compiled if kind_of(kind).paragraph)

    def find(self, kind: str, language: str, default: str) -> tuple[str, Compiled] | None:
        """The template and the language that it is in: as asked, the default's, any."""
        for choice in (language, default, "en", *self.languages):
            found = self.compiled.get((kind, choice))
            if found is not None:
                return choice, found
        return None


def split(file: str) -> Source:
    """A template file: `Subject: …`, a blank line, the text. A paragraph has no subject."""
    first, _, rest = file.partition("\n")
    if first.lower().startswith("subject:"):
        return first[len("subject:") :].strip(), rest.rstrip("\n"), None
    return "", file.rstrip("\n"), None


def variables(source: str) -> frozenset[str]:
    """The names that a template takes from outside (jinja2's AST)."""
    return _taken(_environment(for_staff=True, html=False).parse(source))


def _taken(tree: nodes.Template) -> frozenset[str]:
    names = list(tree.find_all(nodes.Name))
    bound = {node.name for node in names if node.ctx == "store"}
    return frozenset({node.name for node in names if node.ctx == "load"} - bound)


def _compile(kind: str, language: str, source: Source) -> Compiled:
    subject, text, html = source
    made = Compiled(
        kind_of(kind).staff,
        _checked(kind, language, subject, 0),
        _checked(kind, language, text, 1 if subject else 0),
    )
    if html is not None:
        made.marked = _checked(kind, language, html, 0)
    return made


def _checked(kind: str, language: str, source: str, first_line: int) -> nodes.Template:
    """`first_line` is where the part begins in its file."""
    before = first_line - 1
    try:
        tree = _environment(for_staff=True, html=False).parse(source)
    except TemplateSyntaxError as error:
        message = str(error.message)
        raise TemplateDefect(kind, language, error.lineno + before, message) from error
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _SPOKEN):
            what = type(node).__name__.lower()
            message = f"`{what}` is not part of a template's language"
            raise TemplateDefect(kind, language, node.lineno + before, message)
    for name in sorted(_taken(tree) - allowed(kind)):
        named = (one.lineno for one in tree.find_all(nodes.Name) if one.name == name)
        message, hint = f"a `{kind}` may not print `{name}`", did_you_mean(name, kind)
        raise TemplateDefect(kind, language, min(named) + before, message, hint)
    return tree


def tidy(text: str) -> str:
    """Without the empty lines that conditions leave behind, and with values' own line ends."""
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line.rstrip(" \t")
        if stripped or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).strip("\n")


def as_text(tidied: str) -> str:
    """The plain text part: a paragraph that its values have made too wide is wrapped anew."""
    blocks = (_narrow(block) for block in tidied.split("\n\n"))
    return "\n\n".join(blocks).replace(LINE_BREAK, "\n") + "\n"


def _narrow(block: str) -> str:
    """Lists, links and lines that somebody broke on purpose stay as they are."""
    lines = block.split("\n")
    if max(map(len, lines)) <= WIDEST or LINE_BREAK in block or "://" in block:
        return block
    if any(line.startswith(("- ", "  ", "#")) for line in lines):
        return block
    joined = " ".join(lines)
    return textwrap.fill(joined, WIDTH, break_long_words=False, break_on_hyphens=False)
