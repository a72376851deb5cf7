"""Footers that nobody wrote for this mail: confidentiality, privacy, scanners, printing, PEC
envelopes.

A paragraph is one by several independent signs, since customers also write `ai sensi del GDPR
chiedo …`.
"""

import re

_HEADLINE = re.compile(
    r"[*_\W]{0,4}(?:avvis[oi] di riservatezza|nota di riservatezza|riservatezza|disclaimer|"
    r"informativa (?:sulla )?privacy|avvertenz[ae](?: legal[ei])?|note legali|"
    r"confidentiality(?: notice)?|legal (?:notice|disclaimer)|privacy notice|"
    r"vertraulichkeitshinweis|haftungsausschluss|rechtlicher hinweis|"
    r"avis de confidentialité|avertissement|clause de confidentialité|"
    r"aviso legal|aviso de confidencialidad|confidencialidad)(?!\w)",
    re.IGNORECASE,
)
# Each paragraph is one sign: any of its words, in lower case. A footer has several of them.
_SIGN_WORDS = """
    confidenti; confidenzial; confidencial; riservat; vertraulich; privileged

    destinatari; addressee; recipient; intended for; intended solely; empfänger; adressat;
    destinataire; indirizzata esclusivamente; indicati in indirizzo

    per errore; erroneamente; in error; by mistake; mistakenly; irrtümlich; par erreur; por
    error

    distrugger; distruzione; cancellarl; eliminarl; delete; destroy; vernichten; löschen;
    détruire; supprimer; destruir; borrarl; cancellare il; eliminare il

    vietat; proibit; prohibit; forbidden; unauthori; not permitted; nicht gestattet;
    unbefugt; interdit; non autorisé; non consentit

    questo messaggio; questa e-mail; questa email; questa comunicazione; questa mail;
    presente messaggio; presente e-mail; presente email; presente comunicazione; this
    e-mail; this email; this message; this communication; this transmission; diese e-mail;
    diese nachricht; dieser e-mail; ce message; ce courriel; cet e-mail; este mensaje; este
    correo

    allegat; attachment; anhang; anhänge; pièces jointes; adjunto

    196/2003; 2016/679; 101/2018; gdpr; d.lgs; d. lgs; dsgvo; rgpd; privacy

    informazioni contenute; informazioni trasmesse; informazioni ivi; si precisa che;
    information contained; contents of this; enthält; si informa che; contiene; informations
    contenues; información contenida

    diffusione; distribuzione; divulgazione; disclosure; disclose; distribution;
    dissemination; copying; weitergabe; diffusion; riproduzione; divulgación
"""
_SIGNS = tuple(
    tuple(" ".join(word.split()) for word in sign.split(";")) for sign in _SIGN_WORDS.split("\n\n")
)
# Who speaks of himself asks for something.
_REQUEST = re.compile(
    r"\b(?:chied(?:o|iamo)|richied(?:o|iamo)|vorr(?:ei|emmo)|voglio|desidero|esercit\w{1,6}|"
    r"i (?:would|want|request|ask|am|need|have)|we (?:would|request)|please (?:send|confirm|tell)|"
    r"ich (?:möchte|bitte|fordere|verlange)|je (?:voudrais|souhaite|demande|vous)|"
    r"solicito|quiero|pido|vi (?:chiedo|prego)|i miei dati|my (?:personal )?data|"
    r"meiner daten|mes données|mis datos)(?!\w)"
)
_ONE_LINERS = re.compile(
    r"(?:mail priva di virus|nessun virus nel messaggio|virus-free|virenfrei|sans virus|"
    r"garanti sans virus|libre de virus|l'absence de virus dans ce|scansionat[oa] da|scanned by|"
    r"quest[oa] (?:e-?mail|messaggio|mail|posta) (?:è stat[ao]|non contiene)"
    r".{0,60}(?:virus|avast|avg|malware)|"
    r"this (?:e-?mail|message) (?:has been|was) (?:checked|scanned|swept)|"
    r"diese e-?mail wurde .{0,60}(?:viren|virus|avast)|"
    r"cet e-?mail a été vérifié|ce courrier électronique a été vérifié|"
    r"este correo electrónico ha sido comprobado|"
    r"prima di stampare|pensa all'ambiente|rispetta l'ambiente|"
    r"please consider the environment|think before (?:you )?print|"
    r"bitte denken sie an die umwelt|pensez à l'environnement|antes de imprimir)"
)
# One of these stands in the first line of every footer: the cheap question before the dear ones.
_GATE = re.compile(
    r"messa|mail|comunica|communic|informa|nachricht|courri|correo|mensaje|virus|scan|stamp|print|"
    r"imprimir|umwelt|environ|riservat|confiden|vertraulich|haftung|rechtlich|privacy|gdpr|rgpd|"
    r"dsgvo|disclaim|lega|avve|avis|d\. ?lgs|2016/679"
)
_PEC_TITLE = re.compile(r"(?:messaggio di posta certificata|certified email message)\.?$")
_PEC_END = re.compile(r"(?:identificativo (?:del )?messaggio|message id(?:entifier)?)\s?:")
_LEAD = " *_-–—|[(🌳🌱♻️"
_MAX = 4_000
_SHORTEST, _NOTICE = 60, 400


def _signs(folded: str) -> int:
    return sum(any(word in folded for word in sign) for sign in _SIGNS)


def footer(paragraph: str) -> str | None:
    """The rule by which a paragraph is a footer, or None."""
    folded = paragraph[:_MAX].lower()
    if _ONE_LINERS.match(folded.lstrip(_LEAD)) and len(folded) <= _NOTICE:
        return "legal:notice"
    if len(folded) < _SHORTEST or "?" in folded:
        return None
    signs = _signs(folded)
    if signs < 2 or _REQUEST.search(folded):
        return None
    if _HEADLINE.match(folded):
        return "legal:headline"
    return "legal:signs" if signs >= 3 else None


def signed(line: str) -> bool:
    """The line bears a sign of a footer, so that one may begin here."""
    folded = line[:_NOTICE].lower()
    return bool(_GATE.search(folded)) and bool(
        _signs(folded) or _ONE_LINERS.match(folded.lstrip(_LEAD)) or _HEADLINE.match(folded)
    )


def headline(line: str) -> bool:
    """`AVVISO DI RISERVATEZZA` at the start of a line: a footer may begin within a paragraph."""
    return bool(_HEADLINE.match(line))


def opens_pec(line: str) -> bool:
    """The first line of the text that a certified-mail provider puts around a mail."""
    return len(line) < 40 and bool(_PEC_TITLE.match(line.lower()))


def closes_pec(line: str) -> bool:
    """The last line of that text."""
    return bool(_PEC_END.match(line[:60].lower()))
