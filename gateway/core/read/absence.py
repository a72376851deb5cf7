"""Words by which automatic replies name themselves in their subject, in the languages of common mail programs.

The second signal, after the headers, and only as a prefix: `Re: out of office` and a question about automatic
replies are a person's. They withhold a reply; they never drop anything.
"""

import re

# What Exchange, Google, Notes, vacation programs and webmail put before the subject that they answer.
_CERTAIN = re.compile(
    r"\s*(?:\[?auto(?:matic|mated)?[ -]?(?:reply|response|answer|replied)\]?|autoreply|auto[ -]?responder|"
    r"out of office auto[ -]?reply|automatic(?:ally generated)? (?:reply|response)|"
    r"risposta automatica|risposta automatica di assenza|messaggio automatico|notifica automatica di assenza|"
    r"automatische (?:antwort|abwesenheitsnotiz)|autom\. antwort|abwesenheits(?:notiz|mitteilung|nachricht|assistent|info)\w*|"
    r"r[ée]ponse automatique|message automatique d'absence|avis d'absence|"
    r"respuesta autom[áa]tica|contestaci[óo]n autom[áa]tica|"
    r"resposta autom[áa]tica|mensagem autom[áa]tica|"
    r"automatisch antwoord|automatische beantwoording|afwezigheids?(?:bericht|melding)|"
    r"auto(?:matiskt?)?[ -]?svar|automatisk (?:besvarelse|respons)|frånvaromeddelande|fraværs?(?:melding|besked)|"
    r"automaattinen vastaus|poissaoloviesti|automatyczna odpowied[źz]|odpowied[źz] automatyczna|"
    r"automatick[áa] odpov[ěe][ďd]|automatikus v[áa]lasz|r[ăa]spuns automat|automatski odgovor|samodejni odgovor|"
    r"avtomatski odgovor|automatinis atsakymas|autom[āa]tisk[āa]? atbilde|automaatvastus|otomatik (?:yan[ıi]t|cevap)|"
    r"αυτόματη απάντηση|автоматичн[аи]\s?й? відповідь|автоматическ(?:ий|ое) (?:ответ|уведомление)|автоответ(?:чик)?|"
    r"автоматичен отговор|аутоматски одговор|"
    r"自動(?:返信|応答|回覆|回复)|自动(?:回复|答复|回覆)|자동 ?(?:회신|응답|답장)|"
    r"מענה אוטומטי|תשובה אוטומטית|תגובה אוטומטית|رد تلقائي|الرد التلقائي|پاسخ خودکار|"
    r"trả lời tự động|ตอบกลับอัตโนมัติ|การตอบกลับอัตโนมัติ|balasan otomatis|स्वचालित (?:उत्तर|जवाब)|"
    r".{0,40}\bautom[āa]tisk[āa] atbilde)"
    r"\s*(?:[:：\-–—(\[]|re:|\Z)",
    re.IGNORECASE,
)
# Phrases that people use in subjects too: they need a body that says the same.
_POSSIBLE = re.compile(
    r"\s*(?:out[ -]of[ -](?:the[ -])?office|ooo|away from (?:the |my )?(?:office|mail)|on (?:vacation|leave|holiday)|vacation|"
    r"fuori (?:sede|ufficio)|assen(?:te|za)(?: (?:dall'ufficio|per ferie))?|in ferie|"
    r"abwesend|abwesenheit|nicht im (?:büro|hause)|außer haus|im urlaub|"
    r"absen(?:t|ce)(?: du bureau)?|en cong[ée]s|fuera de (?:la )?oficina|ausente|de vacaciones|"
    r"ausência(?: temporária)?|fora do escritório|niet aanwezig|afwezig|frånvarande|fraværende|"
    r"poissa|nieobecno[śs][ćc]|poza biurem|mimo kancel[áa][řr]|atvalinājums|atvaļinājums|отпуск|вне офиса|отсутств\w+|"
    r"不在(?:通知)?|外出|부재중)\s*(?:[:：\-–—]|re:|\Z)",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:\bi am|i'm|i will be|i'll be|currently|is) (?:currently )?(?:out of|away|on (?:vacation|leave|holiday)|not in)|"
    r"out of (?:the )?office|limited access to (?:e-?mail|my)|(?:i will|i'll) (?:be back|return|reply)|"
    r"thank you for (?:your|contacting)|"
    r"(?:sono|sarò) (?:attualmente )?(?:fuori|assente|in ferie)|rientr(?:o|erò)|in mia assenza|"
    r"(?:bin|werde) .{0,40}(?:nicht im|abwesend|außer haus|urlaub)|"
    r"(?:je suis|je serai) .{0,30}(?:absent|cong)|(?:estoy|estaré|me encuentro) .{0,30}(?:fuera|ausente|vacaciones)|"
    r"(?:estou|estarei) .{0,30}(?:ausente|fora|férias)|(?:ben ik|ik ben) .{0,30}(?:afwezig|niet)|"
    r"esmu .{0,40}(?:atvaļinājum|prom)|(?:нахожусь|буду) .{0,30}(?:отпуск|отсутств)|不在|外出|부재",
    re.IGNORECASE,
)
_READ = re.compile(
    r"\s*(?:read(?: receipt)?|not read|letto|non letto|conferma di lettura|ricevuta di ritorno|gelesen|ungelesen|"
    r"lu|non lu|leído|no leído|lida|gelezen|läst|læst|lest|luettu|przeczytane|přečteno|прочтено|прочитано|"
    r"return receipt|ricevuta di lettura|lesebestätigung|accusé de lecture|confirmación de lectura)\s*(?:\([^)]{0,40}\))?\s*[:：]",
    re.IGNORECASE,
)
_WAS_READ = re.compile(
    r"was (?:read|displayed|opened|deleted)|has been (?:read|displayed|opened)|this is a (?:return|read) receipt|"
    r"è stat[oa] (?:lett|visualizzat|apert|eliminat)|questa è una ricevuta|wurde .{0,60}(?:gelesen|gelöscht|angezeigt)|a été (?:lu|affich|supprim|ouvert)|"
    r"(?:fue|ha sido|se) (?:leíd|mostrad|leyó|eliminad)|foi (?:lid|exibid)|прочитано|отображено|"
    r"no guarantee that .{0,60}read|non garantisce",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?？؟](?=[\s\"')>]|\Z)")


def certain(subject: str) -> bool:
    """The subject begins with a program's own name for an automatic reply."""
    return bool(_CERTAIN.match(subject))


def names_itself(subject: str, text: str, answers: bool) -> str | None:
    """Why a subject makes the mail an automatic reply, or None.

    `text` is the start of the body; `answers` says that the mail refers to another one, as such replies do.
    """
    asks = bool(_QUESTION.search(text[:2000]))
    if _CERTAIN.match(subject) and (answers or not asks):
        return "the subject says that it is an automatic reply"
    if _POSSIBLE.match(subject) and not asks and _SAID.search(text[:4000]):
        return "subject and text say that the writer is away"
    if _READ.match(subject) and (_WAS_READ.search(text[:2000]) or not text.strip()):
        return "subject and text are those of a reading receipt"
    return None
