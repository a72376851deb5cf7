"""Words by which automatic replies name themselves in their subject, in many languages.

The second signal, after the headers, and only as a prefix: `Re: out of office` and a question
about automatic replies are a person's. They withhold a reply; they never drop anything.
"""

import re

from gateway.core.read.wordlist import any_of

_AFTER = r"\A\s*(?:\[{}\]|{}\s*(?:[:：\-–—(\[]|re:|\Z))"

# What Exchange, Google, Notes, vacation programs and webmail put before the subject they answer.
_CERTAIN = any_of(
    r"""
    auto(?:matic|mated)?[ -]?(?:reply|response|answer|replied)
    auto[ -]?responder
    out of office auto[ -]?reply
    automatic(?:ally generated)? (?:reply|response)
    risposta automatica(?: di assenza)?
    messaggio automatico
    notifica automatica di assenza
    message recall (?:failure|success|report)
    automatische (?:antwort|abwesenheitsnotiz)
    autom\. antwort
    abwesenheits(?:notiz|mitteilung|nachricht|assistent|info)\w*
    r[ée]ponse automatique
    message automatique d'absence
    avis d'absence
    (?:respuesta|contestaci[óo]n) autom[áa]tica
    (?:resposta|mensagem) autom[áa]tica
    automatisch antwoord
    automatische beantwoording
    afwezigheids?(?:bericht|melding)
    auto(?:matiskt?)?[ -]?svar
    automatisk (?:besvarelse|respons)
    frånvaromeddelande
    fraværs?(?:melding|besked)
    automaattinen vastaus
    poissaoloviesti
    automatyczna odpowied[źz]
    odpowied[źz] automatyczna
    automatick[áa] odpov[ěe][ďd]
    automatikus v[áa]lasz
    r[ăa]spuns automat
    (?:automatski|avtomatski|samodejni) odgovor
    automatinis atsakymas
    (?:.{0,40}\b)?autom[āa]tisk[āa] atbilde
    automaatvastus
    otomatik (?:yan[ıi]t|cevap)
    αυτόματη απάντηση
    автоматична відповідь
    автоматическ(?:ий|ое) (?:ответ|уведомление)
    автоответ(?:чик)?
    автоматичен отговор
    аутоматски одговор
    自動(?:返信|応答|回覆|回复)
    自动(?:回复|答复|回覆)
    자동 ?(?:회신|응답|답장)
    (?:מענה|תשובה|תגובה) אוטומטית?
    رد تلقائي|الرد التلقائي|پاسخ خودکار
    trả lời tự động
    (?:การ)?ตอบกลับอัตโนมัติ
    balasan otomatis
    स्वचालित (?:उत्तर|जवाब)
    """,
    _AFTER,
)

# Those in languages of which we know what people say who write about automatic replies; in the
# others the name alone has to do.
_UNDERSTOOD = any_of(
    r"""
    auto(?:matic|mated)?[ -]?(?:reply|response|answer|replied|responder)
    out of office|automatically|message recall
    risposta automatica|messaggio automatico|notifica automatica
    automatische (?:antwort|abwesenheitsnotiz)|autom\. antwort|abwesenheits
    r[ée]ponse automatique|message automatique|avis d'absence
    (?:respuesta|contestaci[óo]n|resposta|mensagem) autom[áa]tica
    """,
    r"\A\s*\[?{}",
)

# Phrases that people use in subjects too: they need a body that says the same.
_POSSIBLE = any_of(
    r"""
    out[ -]of[ -](?:the[ -])?office|ooo
    away from (?:the |my )?(?:office|mail)
    on (?:vacation|leave|holiday)|vacation
    fuori (?:sede|ufficio)
    assen(?:te|za)(?: (?:dall'ufficio|per ferie))?
    in ferie
    abwesend|abwesenheit|nicht im (?:büro|hause)|außer haus|im urlaub
    absen(?:t|ce)(?: du bureau)?|en cong[ée]s
    fuera de (?:la )?oficina|ausente|de vacaciones
    ausência(?: temporária)?|fora do escritório
    niet aanwezig|afwezig
    frånvarande|fraværende|poissa
    nieobecno[śs][ćc]|poza biurem|mimo kancel[áa][řr]
    atvaļinājums|atvalinājums
    отпуск|вне офиса|отсутств\w+
    不在(?:通知)?|外出|부재중
    """,
    r"\A\s*{}\s*(?:[:：\-–—]|re:|\Z)",
)
_AWAY = any_of(r"""
    (?:\bi am|i'm|i will be|i'll be|currently|is) (?:currently )?(?:out of|away|not in)
    (?:\bi am|i'm|i will be|i'll be|currently|is) (?:currently )?on (?:vacation|leave|holiday)
    out of (?:the )?office
    limited access to (?:e-?mail|my)
    (?:i will|i'll) (?:be back|return|reply|respond|answer|get back)
    (?:sono|sarò) (?:attualmente )?(?:fuori|assente|in ferie)
    rientr(?:o|erò)|in mia assenza
    (?:bin|werde) .{0,40}(?:nicht im|abwesend|außer haus|urlaub)
    (?:je suis|je serai) .{0,30}(?:absent|cong)
    (?:estoy|estaré|me encuentro) .{0,30}(?:fuera|ausente|vacaciones)
    (?:estou|estarei) .{0,30}(?:ausente|fora|férias)
    (?:ben ik|ik ben) .{0,30}(?:afwezig|niet)
    esmu .{0,40}(?:atvaļinājum|prom)
    (?:нахожусь|буду) .{0,30}(?:отпуск|отсутств)
    (?:не в офисе|нет на месте|в отпуске|отсутствую|у відпустці|відсутн)
    (?:jestem|będę|przebywam) .{0,30}(?:urlop|nieobecn|poza)
    (?:jsem|budu|som|budem) .{0,30}(?:dovolen|mimo|nepřítom)
    (?:jag|jeg) (?:är|er) .{0,30}(?:semester|ferie|bortrest|frånvar|fravær|tilbage|tillbaka)
    (?:olen|palaan) .{0,30}(?:lomalla|poissa|toimisto)
    (?:izindeyim|ofis dışında|tatildeyim|απουσιάζω|εκτός γραφείου|σε άδεια)
    (?:szabadság|nem vagyok az irod|în concediu|odsutan|na odmoru)
    (?:na godišnjem|odsoten|atostog|puhkus)
    不在|外出|부재|休假|出差|休暇|휴가|출장
    בחופש|בחופשה|לא במשרד|خارج المكتب|في إجازة|مرخصی|nghỉ phép|ลาพักร้อน|sedang cuti|छुट्टी
""")

# What somebody says who has something done or wants to know, and no vacation program.
_WANTS = any_of(r"""
    \b(?:vorrei|vorremmo|voglio|vogliamo|desidero|gradirei|mi serve|ci serve)\b
    \b(?:ho|abbiamo) (?:bisogno|un problema|impostato|attivato)\b
    \bcome (?:si|posso|possiamo|faccio|facciamo|la|lo|impost|attiv|disattiv|togli|configur)
    \bnon (?:funziona|funzionano|parte|partono|va|riesco|riusciamo|risponde|arriva|viene|si)\b
    \b(?:impost|attiv|disattiv|configur|modific|cambi)ar(?:e|la|lo|li|le)\b
    \b(?:i|we)(?: only| just)? (?:want|need|cannot|can't|tried|have set)\b
    \b(?:i|we) (?:would|should) like\b|\b(?:i|we)'d like\b
    \bhow (?:to|do|does|can|could|should|is|are)\b
    \bplease (?:tell|set|switch|enable|disable|activate|deactivate|turn|help|check|explain|fix)
    \b(?:can|could|would|will) you\b
    \b(?:does not|doesn't|do not|don't|is not|isn't|not|stopped) (?:work|start|being sent)
    \b(?:set(?:ting)? up|switch(?:ing)? (?:it )?o(?:n|ff)|turn(?:ing)? (?:it )?o(?:n|ff))\b
    \b(?:ich|wir) (?:möchte|will\b|wollen|brauche|bräuchte|würde gern|habe ein problem)
    \bwie (?:kann|können|stell|richt|aktivier|schalt|geht|funktionier)
    \bfunktioniert (?:\w+ ){0,3}nicht|\bgeht (?:\w+ ){0,3}nicht
    \b(?:einrichten|einstellen|aktivieren|deaktivieren|einschalten|ausschalten)\b
    \bje (?:voudrais|veux|souhaite|n'arrive|cherche)|\bj'aimerais|\bnous (?:voudrions|souhait)
    \bcomment (?:faire|puis|activer|configurer|mettre|on|je|désactiver)
    \b(?:ne|n') ?(?:fonctionne|marche|part|s'envoie)\w* (?:pas|plus)
    \b(?:activer|désactiver|configurer|paramétrer)\b
    \b(?:quiero|queremos|quisiera|necesito|necesitamos|me gustaría|no consigo|no puedo)\b
    \bc[óo]mo (?:puedo|podemos|se|hago|activ|configur|desactiv)
    \bno (?:funciona|se env[íi]a|va|sale)\b|\b(?:activar|desactivar|configurar|poner)\b
    \b(?:quero|queria|gostaria|preciso)\b|\b(?:ik wil|ik zou graag|hoe kan ik)\b
""")
# Words of one who speaks of himself; a receipt has none.
_I = re.compile(
    r"(?<![^\W\d_])(?:i|my|me|our|we|mi[ao]?|miei|mie|nostr[aoei]|qualcun\w*|someone|somebody|"
    r"ich|mein\w*|unser\w*|jemand|je|mon|ma|mes|notre|quelqu'un|mis|nuestr[ao]s?|alguien)(?![^\W\d_])",
    re.IGNORECASE,
)
_LONGEST_RECEIPT = 1_500

# Whole sentences that vacation programs put into the subject, and what they put behind it.
_SENTENCE = any_of(
    r"""
    (?:i am|i'm|i will be) (?:currently )?(?:out of (?:the )?office|away)
    (?:i am|i'm|i will be) (?:currently )?on (?:vacation|leave|holiday)
    (?:sono|sarò) (?:attualmente )?(?:fuori (?:ufficio|sede)|in ferie|assente)
    ich bin .{0,20}(?:im urlaub|nicht im (?:büro|hause)|abwesend)
    je suis .{0,20}(?:absent|en congé)
    estoy .{0,20}(?:fuera de|de vacaciones|ausente)
    .{0,200}\((?:out of (?:the )?office|fuori ufficio|in ferie)[^)]{0,40}\)\s*\Z
    .{0,200}\((?:abwesend|absent|ausente)[^)]{0,40}\)\s*\Z
    """,
    r"\A\s*(?:re:\s*)?{}",
)

# What an automatic message of a desk or a mailbox begins with, as a title.
_TITLED = any_of(
    r"""
    (?:messaggio|risponditore|avviso) automatico|risposta automatica
    (?:automatic|automated|auto)[ -]?(?:reply|response|message|notice)
    automatische (?:antwort|nachricht|mitteilung)|abwesenheitsnotiz
    (?:réponse|message) automatique
    (?:respuesta autom[áa]tica|mensaje autom[áa]tico)
    (?:resposta|mensagem) autom[áa]tica
    automatisch (?:antwoord|bericht)
    """,
    r"\A[\W_]{0,10}{}[\W_]{0,5}(?:[:：.\-–—\n*]|\Z)",
)
# A text that says of itself that no person wrote it, and what such a text says besides.
_DECLARED = any_of(r"""
    this is an? auto(?:mat(?:ic|ed))?[ -](?:reply|response|message|e-?mail|notification)
    this is an? auto(?:mat(?:ic|ed))?[ -](?:confirmation|acknowledge?ment)
    this is an auto(?:matically)?[ -]generated \w+
    this (?:message|e-?mail|reply|notification) (?:was|is|has been) (?:\w+ )?auto(?:matically|-)
    this (?:message|e-?mail|reply|notification) (?:was|has been) \w+ automatically
    quest[ao] è un[ao']?\s?(?:risposta|messaggio|mail|e-?mail|notifica)(?: \w+)? automatic[ao]
    quest[ao] (?:messaggio|mail|e-?mail|risposta) (?:è|viene)(?: stat[ao])? \w+ automatic
    quest[ao] (?:messaggio|mail|e-?mail|risposta) (?:è|viene)(?: stat[ao])? \w+ in modo automatic
    (?:messaggio|risposta|e-?mail) (?:generat[ao]|inviat[ao]) automaticamente
    dies ist eine automatisch\w*(?: \w+)? (?:nachricht|antwort|e-?mail|bestätigung|mitteilung)
    diese (?:nachricht|e-?mail|mail) (?:wurde|ist|wird) automatisch
    ceci est une? (?:message|réponse|courriel|e-?mail)(?: \w+)? automatique
    (?:ce|cet) (?:message|courriel|e-?mail) (?:a été|est) \w+ automatiquement
    este es un (?:mensaje|correo)(?: \w+)? autom[áa]tic
    este (?:mensaje|correo|e-?mail) (?:ha sido|fue|es|se ha) \w+ (?:de forma )?autom[áa]tic
""")
_RECEIVED = any_of(r"""
    has been (?:received|created|opened|logged|assigned)
    (?:we have|we've) received|thank you for (?:contacting|your)
    (?:abbiamo|è stat[ao]) (?:ricevut|apert|creat|registrat|pres[ao] in carico)
    (?:ist|sind) (?:bei uns )?eingegangen
    haben .{0,30}erhalten|wurde .{0,30}(?:eröffnet|erstellt)
    (?:a bien été|avons bien) (?:reçu|enregistré|créé)
    hemos recibido|ha sido (?:recibid|cread|registrad)
    do not (?:reply|respond)|non rispond|antworten sie .{0,10}nicht
    ne pas répondre|no (?:responda|conteste)
""")

_READ = any_of(
    r"""
    read(?: receipt)?|not read|return receipt
    letto|non letto|conferma di lettura|ricevuta di (?:ritorno|lettura)
    gelesen|ungelesen|lesebestätigung
    lu|non lu|accusé de lecture
    leído|no leído|confirmación de lectura
    lida|gelezen|läst|læst|lest|luettu
    przeczytane|přečteno|прочтено|прочитано
    """,
    r"\A\s*{}\s*(?:\([^)]{0,40}\))?\s*[:：]",
)
# A receipt says when it was, and then nothing; or it says what it is.
_WAS_READ = any_of(
    r"""
    (?:was|has been) (?:read|displayed|opened|deleted(?: without being read)?)
    è stat[oa] (?:lett[oa]|visualizzat[oa]|apert[oa]|eliminat[oa](?: senza essere lett[oa])?)
    wurde .{0,60}(?:gelesen|gelöscht|angezeigt)
    a été (?:lue?|affichée?|supprimée?|ouverte?)
    (?:fue|ha sido|se) (?:leíd[oa]|mostrad[oa]|leyó|eliminad[oa])
    foi (?:lid[oa]|exibid[oa])
    прочитано|отображено
    """,
    r"{}\s*(?:[.,]?\s*\Z|[.:]?\s*\n|[,:]?\s*(?:(?:on|at|il|in data|alle|am|um|le|el|em|à)\s|\d|"
    r"(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:lune|marte|mercole|giove|vener)d[ìi]|"
    r"sabato|domenica|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche))",
)
_IS_RECEIPT = any_of(r"""
    this is a (?:return|read) receipt
    no guarantee that .{0,60}read
    displayed on the recipient
    questa è una ricevuta|non garantisce
    (?:dies|das) ist eine (?:lese|empfangs)bestätigung
    ceci est un accusé
""")
_QUESTION = re.compile(r"[?？؟](?=[\s\"')>]|\Z)")


def certain(subject: str) -> bool:
    """The subject begins with a program's own name for an automatic reply."""
    return bool(_CERTAIN.match(subject))


def declares(text: str) -> bool:
    """A text says somewhere of itself that a program wrote it."""
    return bool(_DECLARED.search(text) or _TITLED.match(text))


def declares_itself(words: str, answers: bool) -> str | None:
    """Why the words that were written now make the mail automatic, or None.

    They say it within their first lines, ask nothing, and either answer a mail or speak as desks
    do that acknowledge one.
    """
    head = words[:800]
    if _QUESTION.search(head):
        return None
    if _TITLED.match(head) and _excuses(head) and not _WANTS.search(head):
        return "the text is titled as an automatic message"
    if not _DECLARED.search(head) or (not answers and not _RECEIVED.search(head)):
        return None
    return "the text says that it is an automatic message"


def names_itself(subject: str, text: str, answers: bool) -> str | None:
    """Why a subject makes the mail an automatic reply, or None.

    `text` is the start of the body; `answers` says that the mail refers to another one, as such
    replies do. Where it refers to none, the text must say the same and want nothing: people
    write about automatic replies under that very subject.
    """
    asks = bool(_QUESTION.search(text[:2000]))
    wants = not answers and (asks or bool(_WANTS.search(f"{subject[:200]}\n{text[:2000]}")))
    said = answers or (not wants and (_excuses(text) or not _UNDERSTOOD.match(subject)))
    if _CERTAIN.match(subject) and said:
        return "the subject says that it is an automatic reply"
    if asks or wants:
        return None
    if _POSSIBLE.match(subject) and _AWAY.search(text[:4000]):
        return "subject and text say that the writer is away"
    if answers and _SENTENCE.match(subject) and _AWAY.search(text[:4000]):
        return "the subject says that the writer is away"
    if _READ.match(subject) and _receipt(text):
        return "subject and text are those of a reading receipt"
    return None


def _excuses(text: str) -> bool:
    """The text says what automatic replies say: somebody is away, or something was received."""
    head = text[:4000]
    return not head.strip() or any(
        pattern.search(head) for pattern in (_AWAY, _RECEIVED, _DECLARED)
    )


def _receipt(text: str) -> bool:
    """Nothing at all, what a receipt says of itself, or that and when a mail was read; and
    nobody who speaks of himself.
    """
    words = text.strip()
    if not words or _IS_RECEIPT.search(words[:2000]):
        return True
    return (
        len(words) <= _LONGEST_RECEIPT and bool(_WAS_READ.search(words)) and not _I.search(words)
    )
