"""Bounces that are no RFC 3464 reports: qmail, Exim, old Sendmail, Exchange, Notes, GroupWise, Yahoo and their kin.

A bounce is told by who sends it (a daemon, the null reverse-path), what its subject says, and how its text begins,
never by one of them alone. A person who forwards or quotes a bounce writes in his own name and puts words before it.
"""

import re
from dataclasses import dataclass

from gateway.core.model import Headers, Report
from gateway.core.read import addresses, identifiers
from gateway.core.read.mime import Parsed
from gateway.core.read.report import original_message_id, stated_status

_LOOKED_AT = 16384  # characters of the text
_TAGS = re.compile(r"<(?:style|script)\b[^<]{0,20000}|</?[a-zA-Z!][^<>]{0,400}>")

# Who sends bounces. `_DAEMON` sends nothing else; a `_CLERK` may be a person.
_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|maildaemon|mdaemon|mail[._-]delivery[._-]\w+|mmdf|nondelivery|ndr|"
    r"microsoftexchange[0-9a-f]{20,})\Z",
    re.IGNORECASE,
)
_CLERK = re.compile(
    r"(?:postmaster|mailmaster|daemon|mailer|root|system|administrator|admin|bounces?|mail|imss|mailsystem|"
    r"notification[s]?|antivirus|symantec_antivirus\w*|e500_smtp_mail_service|.*mail_?service.*)\Z",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)? ?(?:delivery|daemon)|delivery (?:sub)?system|system administrator|mailer-daemon|mail system|"
    r"internet mail delivery|amministratore di sistema|administrateur syst|systemadministrator|"
    r"mail delivery|jetmail system|postmaster",
    re.IGNORECASE,
)

_SUBJECT = re.compile(
    r"undeliver(?:ed|able)|\bnon-?deliver|undelivered|not? (?:be )?delivered\b|could not be delivered|"
    r"delivery (?:status|failure|failed|error|problem|report|notification|warning|has failed|incomplete|delayed)|"
    r"returned (?:mail|to sender|message)|return(?:ing|ed)? (?:message )?to sender|failure (?:notice|delivery)|"
    r"mail (?:failure|failed|error|system error|delivery|not delivered)|failed (?:mail|delivery|message)|"
    r"message (?:delayed|not delivered|delivery|status - undeliverable)|warning: (?:message|could not send)|"
    r"(?:automatically )?rejected (?:mail|message|by)|permanent delivery|processing error|delayed mail|"
    r"user unknown|unknown user|message you sent (?:blocked|was)|bounced? (?:mail|message)\b|nondeliverable|"
    r"mancat[oa] (?:recapito|consegna)|non recapitabil[ei]|impossibile (?:recapitare|consegnare)|"
    r"recapito (?:non riuscito|fallito|ritardato)|mancata consegna|messaggio non (?:recapitato|consegnato)|"
    r"notifica(?:zione)? (?:di|sullo) (?:mancato|stato)|stato del recapito|posta non recapitata|errore di consegna|"
    r"unzustellbar|nicht zustellbar|nicht zugestellt|zustellung(?:sfehler| fehlgeschlagen|sstatus)|"
    r"zustellstatus|unzustellbare|zur(?:ü|ue)ckgewiesen|"
    r"non remis|non d[ée]livr|[ée]chec (?:de (?:la )?(?:remise|distribution|livraison)|d'envoi)|"
    r"notification d'[ée]tat de|impossible (?:de remettre|à remettre)|courrier non|"
    r"no se (?:puede|pudo|ha podido) entregar|no entregad|error (?:de|en la) entrega|correo devuelto|"
    r"notificaci[óo]n (?:de estado|sobre el estado)|mensaje (?:devuelto|no entregado)|"
    r"n[ãa]o (?:[ée] poss[íi]vel entregar|entregue|foi poss[íi]vel)|falha na entrega|devolvida|"
    r"onbestelbaar|niet (?:bezorgd|afgeleverd)|olevererbar|kan (?:inte|ikke) lever|ikke lever|ej levererat|"
    r"ei voi(?:da|tu)? toimittaa|toimitus ep[äa]onnistui|niedostarcz|nie mo[żz]na dostarczy|zwrot|"
    r"nedoru[čc]iteln|nelze doru[čc]it|k[ée]zbes[íi]thetetlen|nelivrat|teslim edilemedi|iletilemedi|"
    r"не (?:удается |удалось |может быть )?доставлен|недоставлен|не удается доставить|не доставлено|"
    r"配信不能|配信できません|配送失敗|無法(?:傳遞|送達|投遞)|无法(?:送达|投递|发送|传递)|未(?:送达|传递)|退信|传输失败|投递失败|"
    r"배달(?:되지| 실패)|전송 실패|반송|αδύνατη η παράδοση|לא ניתן למסור|תعذر|تعذر التسليم",
    re.IGNORECASE,
)
# How such a mail begins, in its own words.
_OPENING = re.compile(
    r"could not be delivered|couldn't be delivered|cannot be delivered|was not delivered|wasn't delivered|"
    r"has not (?:yet )?been delivered|not yet been delivered|been delayed|(?:wasn't|was not|not|un)\s*able to deliver|"
    r"(?:did|has) not reach the following|did not reach some or all|permanent(?:ly)? (?:fatal )?(?:error|failed|delivery)|"
    r"delivery (?:to the following|has failed|failed|failure|status notification|attempts will)|has failed due to|"
    r"del[ei]very (?:of|to) (?:email to )?(?:this|the following)|address(?:\(es\)|es)? (?:failed|had permanent)|"
    r"undeliver(?:ed|able)|invalid final delivery|unknown user:|recipient (?:address )?(?:rejected|unknown)|"
    r"mailbox is full|failed recipient|failed addresses|has been returned because|was automatically rejected|"
    r"(?:following|these) (?:recipient|address)(?:\(?e?s\)?)? (?:could|cannot|can't|failed|was|were)|"
    r"returned (?:below|mail)|encountered (?:delivery problems|an error)|message was rejected|"
    r"not delivered to the following|no such user here|error was detected while processing|"
    r"this is a permanent error|message that you sent (?:could|was|has)|your message (?:to|with|was|did|has|couldn't)|"
    r"did not exactly match|problem with the e-mail address|check your send e-mail address|"
    r"was undeliverable to|transcript of session|addresses had permanent|non-delivery report|"
    r"non (?:è stato possibile|ha potuto|può essere|è stato) (?:recapitat|consegnat|recapitare|consegnare|inoltrat)|"
    r"non recapitabile|impossibile (?:recapitare|consegnare)|mancat[oa] (?:recapito|consegna)|recapito non riuscito|"
    r"konnte(?:n)? (?:leider )?nicht (?:\w+ )?(?:zugestellt|ausgeliefert)|nicht zugestellt werden|unzustellbar|"
    r"n'a (?:pas )?pu (?:être|etre) (?:remis|d[ée]livr|distribu)|n'a pas pu|[ée]chec de la remise|non remis|"
    r"no (?:se )?(?:pudo|ha podido|puede) (?:ser )?entreg|no pudo ser entregado|n[ãa]o (?:p[ôo]de|foi) (?:ser )?entreg|"
    r"kon niet worden (?:bezorgd|afgeleverd)|kunde inte levereras|kunne ikke leveres|nie mo[żz]e zosta[ćc] dostarczon|"
    r"невозможно доставить|не может быть доставлено|не было доставлено|не удалось доставить|"
    r"无法(?:发送|送达|投递)|投递失败|配信できません|配信不能|お届けできません|배달하지 못",
    re.IGNORECASE,
)
_HUMAN_PREFIX = re.compile(
    r"\s*(?:re|r|rif|ris|aw|antw|antwort|sv|vs|fw|fwd|i|inoltro|tr|wg|rv|enc|doorst|vb|vl|pd|odp|rép|ref|res|回复|转发|答复)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"\bdelay(?:ed)?\b|still being retried|not yet been delivered|warning message only|will be retried|"
    r"will continue to (?:try|attempt|be made)|attempts will continue|has been postponed|delivery warning|"
    r"ritardat|in ritardo|verz(?:ö|oe)gert|retard|aplazad|задерж|warning: (?:message|could not send)",
    re.IGNORECASE,
)
# The returned mail begins: what stands after it was not said by the daemon.
_COPY = re.compile(
    r"^[ \t>*|=_-]{0,80}(?:original message\b|message header follows|this is a copy of|here is a copy of|"
    r"below (?:this|the next) line is a copy|.{0,40}\bcopy of (?:the|your)(?: original)? message|"
    r"start of returned message|returned (?:mail|message)|"
    r"message (?:text|headers?|body) follows?|unsent message|the headers? of the original|header of the source|"
    r"forwarded message|mensaje original|messaggio originale|ursprüngliche nachricht|message d'origine|"
    r"the first \d+ lines|your message reads|included is a copy|enclosed is a copy|"
    r"reporting-mta:|received: (?:from|by)|return-path:|header and top|attachment is a copy|original-envelope)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")
_NOT_THE_VICTIM = re.compile(
    r"contact|assistance|help|postmaster|support|abuse|\bfrom\b|sent by|visit|envelope-from|http|expanded from|"
    r"addressed to '|system contact|reports? to|complain|undisclosed",
    re.IGNORECASE,
)
_VICTIM = re.compile(
    r"(?:\bto|\bfor|recipients?(?:\(s\))?|user|address(?:es)?|userid|attempts|unknown|full|generated from|rcpt to|SMTP=?)"
    r"[\s:=<\"'\[(]{1,12}\Z",
    re.IGNORECASE,
)
_ID_IN_TEXT = re.compile(
    r"^[>\s|]{0,20}Message-ID:\s{0,20}(<[^<>\s]{1,400}>)", re.IGNORECASE | re.MULTILINE
)
# Words for a cause, where no code is given (RFC 3463 3).
_CAUSES = (
    (re.compile(r"unrout?eable|host (?:unknown|not found)|unknown (?:host|domain)|no such domain|domain (?:not found|does not exist)|name service error|could not find a gateway", re.IGNORECASE), "1.2"),
    (re.compile(r"quota|mailbox (?:is )?full|full mailbox|mailfolder is full|storage|too much mail|over (?:the )?limit|exceed(?:ed|ing)? .{0,30}(?:size|space)|space not enough|casella piena|postfach .{0,20}voll", re.IGNORECASE), "2.2"),
    (re.compile(r"too many hops|looping|mail loop|hop count", re.IGNORECASE), "4.6"),
    (re.compile(r"too (?:large|big)|message size|exceeded maximum incoming", re.IGNORECASE), "3.4"),
    (re.compile(r"user unknown|unknown (?:or illegal )?user|no such (?:user|recipient|mailbox)|no mailbox here|not known|unknown recipient|does(?:n't| not) (?:exist|have an? .{0,60}account)|not listed|not recognized|account .{0,20}(?:disabled|discontinued)|invalid (?:final delivery userid|mailbox|recipient|address)|user not found|addressee unknown|no matches|not a valid user|no valid recipients|mailbox unavailable|does not like recipient|indirizzo (?:inesistente|sconosciuto)|utente sconosciuto", re.IGNORECASE), "1.1"),
    (re.compile(r"blocked|spam|virus|banned|policy|permission denied|access denied|not accepting mail|rejected", re.IGNORECASE), "7.1"),
    (re.compile(r"timed? ?out|connection (?:refused|dropped|was dropped)|did not respond|not? (?:able to )?(?:establish|connect)|unavailable or busy|smtp conversation", re.IGNORECASE), "4.1"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for a bounce, each by itself too little."""

    daemon: bool
    clerk: bool
    subject: bool
    opening: bool
    returned: bool
    coded: bool
    human_prefix: bool
    answers: bool

    @property
    def enough(self) -> bool:
        if self.daemon:
            return self.subject or self.opening
        if self.human_prefix:
            return self.subject and self.opening and not self.answers and not self.returned
        if self.clerk:
            return (self.subject and (self.opening or self.returned or self.coded)) or (
                self.opening and (self.returned or self.coded)
            )
        return self.subject and self.opening and (self.returned or self.coded or not self.answers)


def read(headers: Headers, parsed: Parsed, mail_from: str) -> Report | None:
    """What an unstructured bounce reports, or None when the mail is none."""
    text = words_of(parsed)
    said = _said(text)
    failed = headers.first("x-failed-recipients")
    certain = failed is not None or parsed.message_class.upper().endswith(".NDR")
    if not certain and not _evidence(headers, parsed, mail_from, text, said).enough:
        return None
    delayed = bool(_DELAY.search(parsed.subject) or _DELAY.search(said[:2000]))
    return Report(
        kind="unstructured",
        final_recipient=_failed_recipient(failed) or _victim(said, headers, parsed),
        action="delayed" if delayed else "failed",
        status=_status(f"{said}\n{parsed.subject}", delayed),
        original_message_id=_original(text, parsed),
    )


def is_daemon(headers: Headers, mail_from: str) -> bool:
    """The mail says itself that a program sends it: null reverse-path, or a mailer daemon's own name."""
    local, name = _author(headers)
    null = not mail_from or (headers.first("return-path") or b"").strip() == b"<>"
    sender = mail_from.rpartition("@")[0] or mail_from
    return bool(null or _DAEMON.match(local) or _DAEMON.match(sender) or _daemon_name(name, local))


def written_by_hand(subject: str) -> bool:
    """A prefix that mail programs put before a subject when a person answers or forwards."""
    return bool(_HUMAN_PREFIX.match(subject))


def _daemon_name(name: str, local: str) -> bool:
    """A daemon's name over an address that could be a person's says nothing; over a clerk's it does."""
    return bool(_DAEMON_NAME.search(name)) and bool(not local or _CLERK.match(local))


def _author(headers: Headers) -> tuple[str, str]:
    value = headers.first("from") or b""
    found = addresses.mailboxes(value)
    if found:
        return found[0].local, addresses.display_name(value)
    bare = re.search(rb"<?([A-Za-z0-9._+=-]{1,64})@", value)
    return (bare.group(1).decode("ascii") if bare else ""), addresses.display_name(value)


def _evidence(headers: Headers, parsed: Parsed, mail_from: str, text: str, said: str) -> _Evidence:
    local, name = _author(headers)
    head = said[:1500]
    return _Evidence(
        daemon=is_daemon(headers, mail_from),
        clerk=bool(_CLERK.match(local) or _DAEMON_NAME.search(name)),
        subject=bool(_SUBJECT.search(parsed.subject)),
        opening=bool(_OPENING.search(_first_words(head) if not _CLERK.match(local) else head)),
        returned=len(said) < len(text) or any(p.type != "message/partial" for p in parsed.reports),
        coded=stated_status(head) is not None,
        human_prefix=written_by_hand(parsed.subject),
        answers=bool(parsed.in_reply_to or parsed.references),
    )


def _first_words(said: str) -> str:
    """The first lines that say anything: a person has his own words there."""
    lines = [line.strip() for line in said.splitlines()]
    spoken = [line for line in lines if sum(map(str.isalpha, line)) > 3]
    return " ".join(spoken[:4])[:600]


def words_of(parsed: Parsed) -> str:
    """The start of the mail's words, taken roughly from the page where there is no text."""
    if parsed.body_text and parsed.body_text.strip():
        return parsed.body_text[:_LOOKED_AT]
    page = (parsed.body_html or "")[: 4 * _LOOKED_AT]
    return _TAGS.sub(" ", page).replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">")[:_LOOKED_AT]


def _said(text: str) -> str:
    """The daemon's own words: up to the mail that it returns."""
    copy = _COPY.search(text)
    return text[: copy.start()] if copy else text


def _status(said: str, delayed: bool) -> str:
    """RFC 3463: the code that is given, else the class that the words imply."""
    stated = stated_status(said)
    if stated and not stated.endswith(".0.0"):
        return stated
    family = stated[0] if stated else ("4" if delayed else "5")
    cause = next((detail for pattern, detail in _CAUSES if pattern.search(said)), "0.0")
    return f"{family}.{cause}"


def _failed_recipient(value: bytes | None) -> str | None:
    found = _ADDRESS.search((value or b"").decode("utf-8", "replace"))
    return found.group() if found else None


def _victim(said: str, headers: Headers, parsed: Parsed) -> str | None:
    """The address that is most plainly the one that failed, first of equals."""
    own = {str(address).lower() for address in (*parsed.to, *parsed.cc)}
    own |= {str(a).lower() for a in addresses.mailboxes(headers.first("from") or b"")}
    best: tuple[int, str] | None = None
    for line in said[:8000].splitlines():
        for found in _ADDRESS.finditer(line[:1000]):
            address = found.group().lstrip("'=")
            points = _points(line, found, address.lower() in own)
            if best is None or points > best[0]:
                best = (points, address)
    return best[1] if best and best[0] >= 0 else None


def _points(line: str, found: re.Match[str], own: bool) -> int:
    before, after = line[: found.start()], line[found.end() :]
    points = -6 if own else 0
    if _NOT_THE_VICTIM.search(before) or _NOT_THE_VICTIM.search(after[:40]):
        points -= 5
    if not before.strip(" \t<>*\"'-:[("):
        points += 4 if not after.strip(" \t<>*\"'-:])") else 3
    elif _VICTIM.search(before):
        points += 3
    return points


def _original(text: str, parsed: Parsed) -> str | None:
    found = original_message_id(parsed)
    if found:
        return found
    line = _ID_IN_TEXT.search(text)
    stated = identifiers.message_id(line.group(1).encode("utf-8", "replace")) if line else None
    answered = parsed.in_reply_to or parsed.references
    return stated or (answered[-1] if answered else None)
