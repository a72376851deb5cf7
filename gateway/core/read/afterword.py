"""Where words begin again under a signature: many people type below it, where their phone or
their desk's program put the cursor.

A signature is names, trades and ways to be reached; a paragraph that greets, asks or says
something is its owner's word now. In doubt it is.
"""

import re

from gateway.core.read import legal
from gateway.core.read.dates import ADDRESS
from gateway.core.read.lines import Line

_QUESTION = re.compile(r"[^\W\d_][\"')»”]?\s?[?？](?=[\s\"')!?»”]|\Z)")
_LINK = re.compile(r"https?://\S{1,400}|www\.\S{1,200}")
_GREETING = re.compile(
    r"\W{0,3}(?:buon ?giorno|buona ?sera|buon pomeriggio|salve|ciao|gentil[ei]|spett|egregi|"
    r"hello|hi|hey|dear|good (?:morning|evening|afternoon)|"
    r"guten (?:tag|morgen|abend)|hallo|sehr geehrte|liebe[sr]?|"
    r"bonjour|bonsoir|madame|monsieur|hola|buen[oa]s (?:d[ií]as|tardes|noches)|estimad[oa]s?)"
    r"(?!\w)",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"\+?\d[\d ./()-]{6,}|\b(?:tel|cell|mob|fax|phone|p\.? ?iva|c\.? ?f|pec)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_][\w'’.-]*")
_SAID_WORDS = 6
_LOWER = 0.6


def resumes(lines: list[Line], start: int, end: int, worded: bool) -> int:
    """The line of a signature's block `lines[start:end]` from which on it is no signature, or
    `end`.

    `worded`: something was written above it. Then its first paragraph is the signature, unless
    it asks; where nothing was, whatever reads as prose is what the mail has to say.
    """
    paragraphs = _paragraphs(lines, start, end)
    footed = False
    for number, (first, last) in enumerate(paragraphs):
        words = " ".join(line.text for line in lines[first:last])
        if legal.footer(words):
            footed = True  # such footers have paragraphs of prose
        elif _speaks(
            words, not (worded and number == 0), not footed, alone=not worded and number > 0
        ):
            return _back(lines, paragraphs[:number], first, worded)
    return end


def _paragraphs(lines: list[Line], start: int, end: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = None
    for at in range(start, end + 1):
        filled = at < end and not lines[at].blank
        if filled and first is None:
            first = at
        elif not filled and first is not None:
            found.append((first, at))
            first = None
    return found


def _speaks(words: str, asking: bool, saying: bool, alone: bool) -> bool:
    """Whether a paragraph is a word of now.

    A greeting always is; questions and plain sentences only where they count, since mottos and
    advertisements stand right under a name too. `alone`: the mail says nothing else, so that a
    short sentence is enough.
    """
    said = _WORD.findall(_LINK.sub(" ", words))
    if len(said) < 3:
        return False
    if _GREETING.match(words):
        return True
    if not asking:
        return False
    if _QUESTION.search(_LINK.sub(" ", words)):
        return True
    lower = sum(word[0].islower() for word in said)
    short = alone and words.rstrip().endswith((".", "!"))
    return (
        saying
        and (short or len(said) >= _SAID_WORDS)
        and lower >= _LOWER * len(said)
        and not _CONTACT.search(words)
        and not ADDRESS.search(words)
    )


def _back(lines: list[Line], before: list[tuple[int, int]], first: int, worded: bool) -> int:
    """Short paragraphs right above belong to the words too, down to the card itself."""
    for number, (start, last) in reversed(list(enumerate(before))):
        if (worded and number == 0) or all(_card(line.text) for line in lines[start:last]):
            break
        first = start
    return first


def _card(text: str) -> bool:
    """A name, a trade, an address, a number: each longer word with a capital, or a way to be
    reached.
    """
    if _CONTACT.search(text) or ADDRESS.search(text) or _LINK.search(text):
        return True
    words = [word for word in _WORD.findall(text) if len(word) > 3]
    return all(word[0].isupper() for word in words)
