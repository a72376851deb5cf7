"""Footers that nobody wrote for this mail: confidentiality, privacy, scanners, printing, certified-mail envelopes.

A paragraph is one by several independent signs, since customers also write `ai sensi del GDPR chiedo …`.
"""

import re

_HEADLINE = re.compile(
    r"[*_\W]{0,4}(?:avviso di riservatezza|nota di riservatezza|riservatezza|informativa (?:sulla )?privacy|"
    r"disclaimer|avvertenza|avvertenze legali|confidentiality notice|confidentiality|legal notice|legal disclaimer|"
    r"privacy notice|vertraulichkeitshinweis|haftungsausschluss|rechtlicher hinweis|"
    r"avis de confidentialité|avertissement|aviso legal|aviso de confidencialidad|confidencialidad)\b",
    re.IGNORECASE,
)
_SIGNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"confiden[tzc]ial|riservat[ei]|vertraulich|privileged|confidenciel|segret[eio]|reservad",
        r"destinatari|addressee|recipient|intended for|intended solely|empfänger|adressat|destinataire",
        r"per errore|erroneamente|in error|by mistake|mistakenly|irrtümlich|fehlerhaft|par erreur|por error",
        r"distrugger|cancellar|eliminar|delete|destroy|vernichten|löschen|détruire|supprimer|destruir|borrar",
        r"vietat|proibit|prohibited|forbidden|unauthori[sz]ed|not permitted|nicht gestattet|unbefugt|"
        r"interdit|non autorisé|prohibid|non consentit",
        r"quest[oa] (?:messaggio|e-?mail|comunicazione|posta)|presente (?:messaggio|e-?mail|comunicazione)|"
        r"this (?:e-?mail|message|communication|transmission)|diese (?:e-?mail|nachricht)|"
        r"dieser e-?mail|ce (?:message|courriel|mail)|cet e-?mail|este (?:mensaje|correo|e-?mail)",
        r"allegat[oi]|attachments?|anhang|anhänge|anlagen|pièces jointes|adjuntos",
        r"196/2003|2016/679|101/2018|\bgdpr\b|d\.? ?lgs\.?|\bdsgvo\b|\brgpd\b|\brodo\b|privacy",
        r"informazioni (?:contenute|trasmesse|ivi)|information contained|contents? of this|"
        r"enthält|contient|contenid|si precisa che|si informa che",
        r"diffusione|distribuzione|copia|divulga|disclos|distribut|copying|dissemination|weitergabe|diffusion",
    )
]
_REQUEST = re.compile(
    r"\b(?:chiedo|richiedo|chiediamo|richiediamo|vorrei|vorremmo|voglio|desidero|esercit\w{1,6}|"
    r"i (?:would|want|request|ask|am|need|have)|please (?:send|confirm|tell|provide)|we (?:would|request)|"
    r"ich (?:möchte|bitte|fordere|verlange)|je (?:voudrais|souhaite|demande|vous)|solicito|quiero|pido|"
    r"vi (?:chiedo|prego di (?:inviar|cancellare i miei|comunicar))|i miei dati|my (?:personal )?data|"
    r"meiner daten|mes données|mis datos)",
    re.IGNORECASE,
)
_ONE_LINERS = re.compile(
    r"(?:mail priva di virus|nessun virus nel messaggio|virus-free|virenfrei|sans virus|libre de virus|"
    r"garanti sans virus|"
    r"quest[oa] (?:e-?mail|messaggio|mail|posta)[^.]{0,30} (?:è stat[ao]|non contiene)[^.]{0,60}(?:virus|avast|avg|malware|antivirus)|"
    r"this (?:e-?mail|message)[^.]{0,30} (?:has been|was) (?:checked|scanned|swept)[^.]{0,40}|"
    r"scansionat[oa] da|scanned by|"
    r"diese e-?mail wurde (?:auf|von)[^.]{0,60}(?:viren|virus|avast)|"
    r"l'absence de virus dans ce|"
    r"(?:prima di stampare|pensa all'ambiente|please consider the environment|think before (?:you )?print|"
    r"rispetta l'ambiente|considera l'ambiente|save paper|save a tree|"
    r"bitte denken sie an die umwelt|pensez à l'environnement|antes de imprimir))",
    re.IGNORECASE,
)
_PEC_TITLE = re.compile(
    r"(?:messaggio di posta certificata|certified email message)\.?$", re.IGNORECASE
)
_PEC_END = re.compile(
    r"(?:identificativo (?:del )?messaggio|message id(?:entifier)?)\s?:", re.IGNORECASE
)
_MAX = 4_000


def footer(paragraph: str) -> str | None:
    """The rule by which a paragraph is a footer, or None."""
    text = paragraph[:_MAX]
    lead = text.lstrip(" *_-–—|[(🌳🌱♻️")
    if _ONE_LINERS.match(lead) and len(text) <= 400:
        return "legal:notice"
    if len(text) < 60 or _REQUEST.search(text) or "?" in text:
        return None
    signs = sum(1 for sign in _SIGNS if sign.search(text))
    if _HEADLINE.match(text) and signs >= 2:
        return "legal:headline"
    return "legal:signs" if signs >= 3 and len(text) >= 90 else None


def signed(line: str) -> bool:
    """The line bears a sign of a footer, so that one may begin here."""
    lead = line.lstrip(" *_-–—|[(🌳🌱♻️")
    return bool(_ONE_LINERS.match(lead) or _HEADLINE.match(line)) or any(
        sign.search(line) for sign in _SIGNS
    )


def headline(line: str) -> bool:
    """`AVVISO DI RISERVATEZZA` alone on its line: the paragraph after it is judged with it."""
    return len(line) <= 80 and bool(_HEADLINE.match(line))


def opens_pec(line: str) -> bool:
    """The first line of the text that a certified-mail provider puts around a mail."""
    return bool(_PEC_TITLE.match(line))


def closes_pec(line: str) -> bool:
    """The last line of that text."""
    return bool(_PEC_END.match(line))
