"""The words of bounces in many languages: subjects, openings, delays, causes, and where the
returned mail begins.

Data for bounce.py alone. Each line is one alternative of a pattern that is searched without regard
to case.
"""

from gateway.core.read.wordlist import any_of

# What bounces are called.
SUBJECT = any_of(r"""
    undeliver(?:ed|able|y)
    \bnon-?deliver
    not (?:be )?delivered\b
    could not be delivered
    delivery (?:status|failure|failed|error|problem|report|notification|warning|has failed)
    delivery (?:incomplete|delayed|attempt|unsuccessful)
    returned (?:mail|to sender|message)
    return(?:ing|ed)? (?:message )?to sender
    failure (?:notice|delivery)
    mail (?:failure|failed|error|system error|delivery|not delivered)
    failed (?:mail|delivery|message)
    message (?:delayed|not delivered|delivery|status - undeliverable|blocked)
    warning: (?:message|could not send)
    (?:automatically )?rejected (?:mail|message|by)
    permanent delivery
    processing error
    delayed mail
    user unknown
    unknown user
    message you sent (?:blocked|was)
    bounced? (?:mail|message)\b
    nondeliverable
    \[bounce\]
    \bndn\b
    error sending (?:your )?mail
    delivery problems
    failure report
    mail status
    mancat[oa] (?:recapito|consegna)
    non recapitabil[ei]
    impossibile (?:recapitare|consegnare)
    recapito (?:non riuscito|fallito|ritardato)
    messaggio non (?:recapitato|consegnato)
    notifica(?:zione)? (?:di|sullo) (?:mancato|stato)
    stato del recapito
    posta non recapitata
    errore di consegna
    (?:nicht zustellbar|unzustellbar|nicht zugestellt)
    zustellung(?:sfehler| fehlgeschlagen|sstatus)
    zustellstatus
    zur(?:ü|ue)ckgewiesen
    non remis
    non d[ée]livr
    [ée]chec (?:de (?:la )?(?:remise|distribution|livraison)|d'envoi)
    notification d'[ée]tat de
    impossible (?:de remettre|à remettre)
    courrier non
    no se (?:puede|pudo|ha podido) entregar
    no entregad
    error (?:de|en la) entrega
    correo devuelto
    notificaci[óo]n (?:de estado|sobre el estado)
    mensaje (?:devuelto|no entregado)
    n[ãa]o (?:[ée] poss[íi]vel entregar|entregue|foi poss[íi]vel)
    falha na entrega
    mensagem devolvida
    onbestelbaar
    niet (?:bezorgd|afgeleverd)
    olevererbar
    kan (?:inte|ikke) lever
    ikke lever
    ej levererat
    ei voi(?:da|tu)? toimittaa
    toimitus ep[äa]onnistui
    niedostarcz
    nie mo[żz]na dostarczy
    zwrot (?:wiadomo|poczty)
    nedoru[čc]iteln
    nelze doru[čc]it
    k[ée]zbes[íi]thetetlen
    nelivrat
    (?:teslim edilemedi|iletilemedi)
    не (?:удается |удалось |может быть )?доставлен
    не уда(?:ется|лось) доставить
    недоставлен
    配信不能|配信できません|配送失敗|配信失敗|送信できません
    無法(?:傳遞|送達|投遞)|无法(?:送达|投递|发送|传递)|未(?:送达|传递)|退信|传输失败|投递失败
    배달(?:되지| 실패)|전송 실패|반송
    αδύνατη η παράδοση
    לא ניתן למסור
    تعذر (?:التسليم|تسليم)
""")

# How such a mail begins, in its own words.
OPENING = any_of(r"""
    could(?:n't| not) be delivered
    cannot be delivered
    (?:was not|wasn't) delivered
    has not (?:yet )?been delivered
    not yet been delivered
    (?:has )?been delayed
    (?:wasn't|was not|were not|not|un)\s*able to deliver
    (?:did|has) not reach (?:the following|some or all)
    permanent(?:ly)? (?:fatal )?(?:error|failed|delivery)
    delivery (?:to the following|has failed|failed|failure|status notification|attempts will)
    has failed due to
    del[ei]very (?:of|to) (?:email to )?(?:this|the following)
    address(?:\(es\)|es)? (?:failed|had permanent)
    undeliver(?:ed|able)
    invalid final delivery
    unknown user:
    recipient (?:address )?(?:rejected|unknown)
    mailbox is full
    failed (?:recipient|addresses)
    has been returned because
    was automatically rejected
    (?:following|these) (?:recipient|address)(?:\(?e?s\)?)? (?:could|cannot|can't|failed)
    (?:following|these) (?:recipient|address)(?:\(?e?s\)?)? (?:was|were|did)
    returned (?:below|mail)
    encountered (?:delivery problems|an error)
    message was rejected
    not delivered to the following
    no such user here
    error was detected while processing
    this is a permanent error
    message that you sent (?:could not|was (?:not|rejected)|has not)
    your (?:mail|message) (?:was not|did not|has not|has encountered|couldn't|cannot)
    your message has been (?:blocked|rejected)
    mail delivery failed
    did not exactly match
    problem with the e-mail address
    check your send e-mail address
    transcript of session
    non-delivery report
    non (?:è stato possibile|ha potuto|può essere|è stato) (?:recapit|consegn|inoltr)
    (?:non recapitabile|impossibile (?:recapitare|consegnare))
    (?:mancat[oa] (?:recapito|consegna)|recapito non riuscito)
    konnte(?:n)? (?:leider )?nicht (?:\w+ )?(?:zugestellt|ausgeliefert)
    nicht zugestellt werden
    unzustellbar
    n'a (?:pas )?pu (?:être|etre) (?:remis|d[ée]livr|distribu)
    (?:[ée]chec de la remise|non remis)
    no (?:se )?(?:pudo|ha podido|puede) (?:ser )?entreg
    n[ãa]o (?:p[ôo]de|foi) (?:ser )?entreg
    kon niet worden (?:bezorgd|afgeleverd)
    kunde inte levereras
    kunne ikke leveres
    nie mo[żz]e zosta[ćc] dostarczon
    (?:невозможно доставить|не может быть доставлено|не было доставлено|не удалось доставить)
    无法(?:发送|送达|投递)|投递失败|配信できません|配信不能|お届けできません|배달하지 못
""")

# Still being tried: no failure yet.
DELAY = any_of(r"""
    \(delay(?:ed)?\)
    (?:been|is|was|message|delivery|mail|notification|report) delayed
    delayed (?:mail|message|delivery|\d)
    still being retried
    not yet been delivered
    warning message only
    will be retried
    will continue to (?:try|attempt|be made)
    attempts will continue
    has been postponed
    delivery warning
    ritardat|in ritardo
    verz(?:ö|oe)gert
    retard[ée]
    aplazad
    задерж
    warning: (?:message|could not send)
""")

# The returned mail begins: what stands after it was not said by the daemon.
COPY = any_of(
    r"""
    original message\b
    message headers? follow
    (?:this|here) is a copy of
    below (?:this|the next) line is a copy
    .{0,40}\bcopy of (?:the|your)(?: original)? message
    start of returned message
    returned (?:mail|message)
    message (?:text|body) follows?
    unsent message
    the headers? of the original
    header of the source
    header and top
    forwarded message
    mensaje original
    messaggio originale
    ursprüngliche nachricht
    message d'origine
    the first \d+ lines
    your message reads
    (?:included|enclosed|attachment) is a copy
    reporting-mta:
    received: (?:from|by)
    return-path:
""",
    r"^[ \t>*|=_-]{0,80}{}",
)

# Words for a cause, where no code is given (RFC 3463 3).
CAUSES = (
    (any_of(r"""
        unrout?eable
        host (?:unknown|not found)
        unknown (?:host|domain)
        no such domain
        domain (?:not found|does not exist)
        name service error
        could not find a gateway
     """), "1.2"),
    (any_of(r"""
        quota
        mailbox (?:is )?full
        full mailbox
        mailfolder is full
        storage
        too much mail
        over (?:the )?limit
        space not enough
        casella (?:di posta )?piena
        postfach .{0,20}voll
     """), "2.2"),
    (any_of(r"""
        too many hops
        looping
        mail loop
        hop count
     """), "4.6"),
    (any_of(r"""
        too (?:large|big)
        message size
        exceeded maximum incoming
     """), "3.4"),
    (any_of(r"""
        user unknown
        unknown (?:or illegal )?user
        no such (?:user|recipient|mailbox)
        no mailbox here
        not known
        unknown recipient
        does(?:n't| not) (?:exist|have an? .{0,60}account)
        not (?:listed|recognized)
        account .{0,20}(?:disabled|discontinued)
        invalid (?:final delivery userid|mailbox|recipient|address)
        user not found
        addressee unknown
        no matches
        not a valid user
        no valid recipients
        mailbox unavailable
        does not like recipient
        indirizzo (?:inesistente|sconosciuto)
        utente sconosciuto
     """), "1.1"),
    (any_of(r"""
        blocked
        spam
        virus
        banned
        policy
        permission denied
        access denied
        not accepting mail
        rejected
     """), "7.1"),
    (any_of(r"""
        timed? ?out
        connection (?:refused|dropped|was dropped)
        did not respond
        not? (?:able to )?(?:establish|connect)
        unavailable or busy
        smtp conversation
        not (?:responding|reachable)
     """), "4.1"),
)  # fmt: skip

# What a mail program puts before the subject when a person forwards, or answers.
FORWARDED = any_of(
    "fwd?|i|inoltro|tr|wg|rv|enc|doorst|vb|vl|pd|转发",
    r"\A\s*{}\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]",
)
ANSWERED = any_of(
    """
    re|r|rif|ris|aw|antw|antwort|sv|vs|ref|rép|odp|res
    回复|答复
    """,
    r"\A\s*{}\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]",
)
