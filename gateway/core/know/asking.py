"""What a mail asks, without the courtesy around it: greeting, thanks, closing, name, `help` alone.

Such words say nothing about the subject of a question, and a name below it even less. Nothing is
taken where nothing would be left. One pass over the lines; everything is bounded.
"""

import re
from collections.abc import Iterator

from gateway.core.know.phrases import folded

ANALYSED = 4_000  # characters
SHORT = 9  # words of a sentence that only closes
BELOW_LINES, BELOW_WORDS = 10, 60  # what may stand below a closing, and is a signature
GREETED = 5  # words of who is greeted

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_GREETING = re.compile(
    r"\s*(?:buon ?giorno|buona ?sera|buon pomeriggio|salve|ciao|gentil[ei]|gentilissim[aoie]|"
    r"egregi[oa]?|spett(?:\.|abile)?(?: ?le)?|car[oiae]|hello|hi|hey|dear|greetings|"
    r"good (?:morning|afternoon|evening|day)|"
    r"guten (?:tag|morgen|abend)|hallo|moin|sehr geehrte[rn]?|liebes?|"
    r"bonjour|bonsoir|madame|monsieur|chere?s?|hola|buen[oa]s(?: d[ií]as| tardes| noches)?|"
    r"estimad[oa]s?)\b(?P<whom>[^,.!:;?\n]{0,60})(?P<end>[,.!:;]|$)",
    re.IGNORECASE,
)
_CLOSINGS = tuple(
    folded(one)[1:]  # with the space that ends its last word
    for one in re.split(
        ";",
        """
        grazie; ringrazio; vi ringrazio; la ringrazio; ringraziando; molte grazie; mille grazie;
        saluti; un saluto; cordiali saluti; distinti saluti; cordialmente; cordialità; in
        attesa; resto in attesa; rimango in attesa; attendo; in fede; a presto; buona giornata;
        buona serata; buon lavoro; buon weekend; inviato da; thanks; thank you; many thanks;
        with thanks; cheers; regards; kind regards; best regards; warm regards; best wishes;
        best; yours; sincerely; all the best; looking forward; i look forward; have a nice; have
        a good; have a great; sent from; danke; vielen dank; besten dank; mit freundlichen;
        freundliche; viele grüße; liebe grüße; beste grüße; mfg; schönen; gesendet von; merci;
        cordialement; bien à vous; bien cordialement; salutations; dans l attente; bonne
        journée; bonne soirée; envoyé de; gracias; muchas gracias; un saludo; saludos;
        atentamente; cordialmente; quedo; enviado desde; que tengan
        """,
    )
)
_IDLE = frozenset(
    folded(
        """
        aiuto aiutatemi aiutarmi potete potreste puoi mi ci me us un una a an di per
        piacere favore domanda domande question questions info informazione informazioni
        information richiesta request enquiry inquiry query support supporto assistenza
        tecnica problema problemi problem problems issue urgente urgentissimo urgent
        asap help please need i can could you we bisogno ho abbiamo serve hello hi ciao
        salve buongiorno buonasera re fwd fw r i chiarimento chiarimenti dubbio
        consiglio curiosità hilfe bitte frage fragen anfrage dringend aide demande
        renseignement urgence ayuda consulta pregunta duda urgencia general quick veloce
        rapida simple semplice
        """
    ).split()
)


def question(text: str) -> str:
    """The sentences that say something; the text itself where none does."""
    lines = text[:ANALYSED].split("\n")
    said = [kept for line in _above_closing(lines) if (kept := _without_courtesy(line))]
    return "\n".join(said) if said else text


def _above_closing(lines: list[str]) -> list[str]:
    """The lines above a closing, if what stands below it can be a signature."""
    said = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for at in range(max(said + 1, len(lines) - BELOW_LINES - 1), len(lines)):
        if _closes(lines[at]) and not _asks(lines[at + 1 :]):
            return lines[:at]
    return lines


def _asks(below: list[str]) -> bool:
    return any("?" in line for line in below) or len(" ".join(below).split()) > BELOW_WORDS


def _without_courtesy(line: str) -> str:
    """A line without the greeting at its beginning and sentences that only are polite."""
    greeting = _GREETING.match(line)
    if greeting and len(greeting["whom"].split()) <= GREETED:
        line = line[greeting.end() :]
    return " ".join(_telling(line))


def _telling(line: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(line):
        words = folded(sentence).split()
        if words and not _closes(sentence) and not _IDLE.issuperset(words):
            yield sentence


def _closes(sentence: str) -> bool:
    """Whether it begins like a closing, is short, and asks nothing."""
    if "?" in sentence[:400] or len(sentence) > 400:
        return False
    words = folded(sentence)[1:]
    return words.startswith(_CLOSINGS) and len(words.split()) <= SHORT
