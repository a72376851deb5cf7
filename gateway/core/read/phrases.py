"""Words of mail clients in many languages, as data: the second signal after a body's structure.

Entries stand between semicolons, in lower case. Nothing here decides alone.
"""

FROM, SENT, TO, CC, SUBJECT, OTHER = "from", "date", "to", "cc", "subject", "other"


def _entries(text: str) -> tuple[str, ...]:
    return tuple(" ".join(entry.split()) for entry in text.split(";"))


_LABELS = {
    FROM: """
    from; da; de; von; van; fra; från; lähettäjä; od; nadawca; feladó; от; від; кого; из;
    remetente; mittente; absender; expéditeur; remitente; afzender; avsender; avsändare;
    kimden; gönderen; αποστολέας; από; pengirim; dari; 差出人; 送信者; 发件人; 寄件者;
    寄件人; 보낸사람; מאת; من;
    šalje; pošiljatelj; saatja; no; siuntėjas; nuo; expedient; message; du; message de; envoyé
    par; sent by; inviato da; gesendet von; de la; từ; người gửi; จาก; 보낸 사람
    """,
    SENT: """
    date; data; datum; sent; inviato; gesendet; verzonden; envoyé; fecha; enviado; sendt;
    skickat; lähetetty; wysłano; dato; отправлено; дата; надіслано; odesláno; odoslané;
    elküldve; dátum; trimis; στάλθηκε; envoye; odeslano; izpratne;
    изпратено; ημερομηνία; tarih; gönderildi; gönderilme;
    terkirim; dikirim; tanggal; 日付; 日時; 送信日時; 发送时间; 发送日期; 寄件日期; 日期;
    날짜; 보낸날짜; נשלח; תאריך;
    التاريخ; poslano; päivämäärä; kuupäev; saadetud; datums; nosūtīts; išsiųsta; ngày; gửi;
    vào lúc; envoyé le; enviado el; enviado em; date d'envoi; date de réception; sent at; data
    e ora; sent on; data de envio; data invio; 보낸 날짜; sent date; date sent; วันที่
    """,
    TO: """
    to; a; à; an; aan; til; till; vastaanottaja; do; komu; címzett; către; para; pour; кому;
    до; к; kime; alıcı; προς; kepada; untuk; 宛先; 收件人; 받는사람; אל; إلى; za; prima;
    saaja; kam;
    gavėjas; per; für; destinatario; destinataire; empfänger; destinatário; naar; mottaker;
    đến; tới; người nhận; 받는 사람; ถึง
    """,
    CC: """
    cc; c.c.; ccn; bcc; kopie; copia; kopio; kopi; copie; cópia; копия; копія; dw; kópia;
    másolat; bilgi; κοιν.; tembusan; 抄送; 副本; 참조; עותק; نسخة; copie à; con copia; in copia;
    kopia till; kopie an; conhecimento; copia para; per conoscenza; cc à
    """,
    SUBJECT: """
    subject; oggetto; ogg; betreff; betr.; onderwerp; asunto; assunto; objet; emne; ämne;
    aihe; temat; předmět; predmet; tárgy; subiect; тема; относно; θέμα; konu; perihal; subjek;
    件名; 主题; 主旨; 제목; נושא; الموضوع; naslov; teema; temats; tema; sujet; assumpte;
    chủ; đề; tiêu
    đề; เรื่อง
    """,
    OTHER: """
    reply-to; importance; importanza; wichtigkeit; priority; priorità; attachments; allegati;
    anlagen; organization; sender; résent; resent-from; répondre à; reply to; rispondi a;
    antwort an; antworten an; responder a; svara till; svar til; odpowiedz do; antwoord aan;
    on behalf of; per conto di
    """,
}
ROLES = {
    label.casefold(): role for role, text in reversed(_LABELS.items()) for label in _entries(text)
}


# Labels of forms that customers fill in: a block with one is nobody's quoted header.
FORM_LABELS = frozenset(
    _entries(
        """
    address; adresse; azienda; cell; cellulare; cliente; code; codice; cognome; company;
    customer; ditta; domain; domaine; dominio; e-mail; email; error; errore; fax; host;
    hostname; id; indirizzo; inizio; ip; kunde; mail; mobile; name; nome; nota; note; ora;
    orario; order; ordine; p.iva; password; phone; piva; port; porta; priorità; problem;
    problema; server; service; servizio; site; sito; start; stato; status; tel; telefono;
    ticket; time; url; user; username; utente; version; versione
    """
    )
)

# Fields of a raw header, which customers paste when they ask about a delivery.
TRANSPORT_LABELS = frozenset(
    _entries(
        """
    return-path; received; message-id; mime-version; content-type; content-transfer-encoding;
    dkim-signature; authentication-results; arc-seal; arc-message-signature;
    arc-authentication-results; received-spf; delivered-to; list-unsubscribe; user-agent;
    envelope-to; references; in-reply-to; diagnostic-code; final-recipient; action;
    remote-mta; reporting-mta; arrival-date; original-recipient
    """
    )
)

# What an attribution says that somebody did, at or near its end.
VERBS = _entries(
    """
    ha scritto; ha inviato; scrive; scritto da; wrote; writes; sent; said; schrieb; schreibt;
    geschrieben; a écrit; a ecrit; écrit; escribió; escribio; escreveu; ha escrit; va
    escriure; geschreven; schreef; skrev; napsal; napsala; napísal; napisał; napisał(a);
    pisze; napisao; napisala; kirjoitti; kirjutas; írta; a scris; написал; написала;
    написал(а); пишет; написав; написа; пише; έγραψε; yazdı; menulis; đã viết; rašė; rakstīja;
    je napisal; のメール; 写道; 寫道; さんは書きました; 작성; כתב; כתב/ה; كتب
    """
)

# How Horde and others begin an attribution without a date.
QUOTING = ("quoting ", "citando ", "zitat von ", "citation de ", "citát ", "citaat van ")

# Lower-case words between the parts of an attribution; more than a few others are prose.
GLUE = frozenset(
    _entries(
        """
    a; a.m.; abril; ago; agosto; alle; am; and; août; apr; aprile; at; avr.; avril; az;
    behalf; by; cest; cet; da; dal; dalle; das; data; date; de; del; den; der; dezembro; dia;
    dic; dicembre; diciembre; did; die; dim; dimanche; dnia; dniu; dom; domenica; déc.;
    décembre; e; edt; el; em; enero; est; et; feb; febbraio; febrero; fevereiro; for; fre;
    from; févr.; février; gen; gennaio; gio; giorno; gioved; giovedì; giu; giugno; gmt; godz.;
    h; ha; has; have; heeft; het; i; időpontban; il; in; janeiro; janv.; janvier; jeu; jeudi;
    juil.; juillet; juin; julho; julio; junho; junio; ke; kello; keltezéssel; kl; kl.; klo;
    la; le; lo; lug; luglio; lun; lundi; lunedì; lör; lør; lúc; ma; mag; maggio; mai; mailto;
    maio; man; mar; mardi; mars; martedì; marzo; março; mayo; mer; mercoledì; mercredi; mié;
    mån; nov; nov.; novembre; novembro; noviembre; následující; năm; o; oct.; octobre;
    octubre; om; on; ons; op; ora; ore; ott; ottobre; outubro; p.m.; pdt; pe; per; pm; pst;
    på; sab; sabato; sam; samedi; schrieb; scritto; sept.; septembre; septiembre; set;
    setembro; settembre; su; sön; søn; the; tháng; ti; tir; tis; to; tor; uhr; um; und; utc;
    uur; użytkownik; van; ven; vendredi; venerdì; via; volgende; von; vào; w; wrote; y; à; às;
    écrit; в; г.; от; пользователь
    """
    )
)

# The nouns in the middle of `-----Original Message-----`, and what is said of them.
MESSAGE_NOUNS = frozenset(
    _entries(
        """
    bericht; besked; correo; e-mail; email; ileti; laiškas; mail; meddelande; meddelelse;
    melding; mensagem; mensaje; mesaj; mesajul; message; messaggio; missatge; nachricht;
    pesan; poruka; sporočilo; správa; sõnum; tin; viesti; wiadomość; zpráva; üzenet; žinutė;
    μήνυμα; письмо; повідомлення; сообщение; съобщение; メッセージ; 邮件; 郵件
    """
    )
)

FORWARD_WORDS = _entries(
    """
    forwarded; forward; inoltrat; inoltro; transféré; transfere; réexpédié; retransmis;
    weitergeleitet; reenviad; encaminhad; doorgestuurd; vidarebefordra; videresend; välitetty;
    przekazan; přeposlan; preposlan; továbbított; redirecționat; пересланное; пересылаемое;
    переслане; препратено; iletilen; 転送; 转发; 轉寄; proslijeđen; posredovano
    """
)

ORIGINAL_WORDS = _entries(
    """
    original; origine; origin; ursprünglich; oprindelig; opprinnelig; alkuperäinen; oryginaln;
    původní; pôvodn; eredeti; исходное; оригинал; вихідне; oorspronkelijk; reply; antwort;
    risposta; réponse; respuesta; resposta; svar; odpowiedź; αρχικό; orijinal; 元の; 原始;
    izvorna; izvirno; embedded; urspr; précédent; precedente
    """
)

# Whole lines that open a forwarded mail (Apple Mail, Entourage), without their colon.
FORWARD_OPENINGS = frozenset(
    _entries(
        """
    anfang der weitergeleiteten e-mail; anfang der weitergeleiteten nachricht; begin
    doorgestuurd bericht; begin forwarded message; début du message réexpédié; début du
    message transféré; forwarded message; inicio del mensaje reenviado; inizio del messaggio
    inoltrato; inizio messaggio inoltrato; início da mensagem reenviada; mensaje reenviado;
    message transféré; messaggio inoltrato; początek przekazywanej wiadomości; start of
    forwarded message; start på videresendt besked; vidarebefordrat brev; videresendt melding;
    välitetty viesti alkaa; weitergeleitete nachricht; начало переадресованного сообщения;
    开始转发的邮件; 転送されたメッセージ
    """
    )
)

# How the one-line signature of a mobile client or a web mailer begins.
SENT_WITH = _entries(
    """
    sent from; sent via; sent with; sent using; sent by; get outlook for; get bluemail for;
    inviato da; inviato dal; inviata da; inviato con; inviato tramite; inviato mediante;
    inviato dall; spedito da; spedito con; scritto dal mio; scritto da; scarica outlook per;
    ottieni outlook per; ottenere outlook per; scarica outlook; scarica bluemail; messaggio
    inviato da; messaggio inviato dal; email inviata da; e-mail inviata da; mail inviata da;
    mandato da; mandato dal; envoyé de mon; envoyé depuis; envoyé à partir de; envoyé avec;
    envoyé de; envoyé via; télécharger outlook pour; obtenez outlook pour; téléchargez outlook
    pour; provenance :; gesendet von; gesendet mit; gesendet über; gesendet aus; von meinem;
    von meiner; verschickt mit; diese nachricht wurde von meinem; holen sie sich outlook für;
    outlook für; outlook per; outlook pour; outlook for; outlook para; enviado desde; enviado
    con; enviado de; enviado do; enviado a partir; enviado por; enviado via; obtener outlook
    para; obter o outlook para; descargar outlook para; verzonden vanaf; verstuurd vanaf;
    verzonden met; outlook voor; skickat från; sendt fra; lähetetty; wysłane z; wysłano z;
    odesláno z; odoslané z; отправлено с; отправлено из; отправлено через; надіслано з;
    iphone'umdan gönderildi; trimis de pe; küldve; iphoneから送信; 从我的; 发自我的; 나의
    """
)

# Names of devices, clients and systems: with one of these `Sent from …` needs no more proof.
DEVICES = _entries(
    """
    acompli; airmail; android; aol; apple; aquamail; aruba; blackberry; bluemail; canary;
    cellulare; celular; computer; correo para; courrier pour; device; dispositivo; edison;
    fairemail; for windows; für windows; galaxy; gmail; gmx; handy; honor; hotmail; htc;
    huawei; icloud; iliad; ionos; ipad; iphone; ipod; k-9; k9; libero; macbook; mail app; mail
    for; mail für; mail per; mail.ru; mailbird; mailbox; mailspring; mobile; motorola; mymail;
    móvil; newton; nokia; oneplus; oppo; orange; ordinateur; outlook; palmare; para windows;
    per windows; phone; pixel; posta per; pour windows; proton; redmi; roundcube; samsung;
    smartphone; sony; spark; sparrow; superhuman; tablet; telefonino; telefono; telekom;
    thunderbird; tim mail; tiscali; touchdown; tuta; tutanota; typeapp; téléphone; virgilio;
    vodafone; watch; web mail; web.de; webmail; wiko; windows 1; windows phone; xiaomi;
    xperia; yahoo; zimbra; zoho; яндекс; mail app; email app; lg g; macbook
    """
)

# Lines that close a letter.
CLOSINGS = frozenset(
    _entries(
        """
    a presto; all the best; atenciosamente; atentamente; att; best; best regards; beste grüße;
    bien cordialement; bien à vous; buon lavoro; buona giornata; cari saluti; cheers;
    cordialement; cordiali saluti; cordialmente; distinti saluti; freundliche grüsse;
    freundliche grüße; gracias; grazie; grazie mille; groeten; gruß; in fede; kind regards;
    liebe grüße; many thanks; med venlig hilsen; med vänlig hälsning; meilleures salutations;
    merci; met vriendelijke groet; mfg; mit freundlichen grüssen; mit freundlichen grüßen;
    obrigado; pozdrawiam; regards; saludos; saludos cordiales; salutations; saluti; sincerely;
    sincères salutations; tanti saluti; thank you; thanks; thanks & regards; thanks and
    regards; un cordial saludo; un cordiale saluto; un saludo; un saluto; viele grüße; warm
    regards; yours faithfully; yours sincerely; yours truly
    """
    )
)
