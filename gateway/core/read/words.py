"""Frequent words and letters of five languages, as data: function words, then those of support
mail.
"""

_WORDS = {
    "it": """
    il lo gli le la un uno una di del della dello dei degli delle dal dalla dai nel nella nei
    nelle sul sulla sui al allo alla ai agli alle che chi cui non è sono ho hai ha abbiamo
    avete hanno era erano essere stato stata fare fatto può posso possiamo potete potrei
    vorrei vorremmo voglio devo deve dobbiamo come dove quando quanto quanta quale quali
    perché perchè se ma anche ancora già più meno molto tutto tutti tutte questo questa questi
    queste quello quella mi ti ci vi si ne io lei noi voi loro mio mia miei vostro vostra
    vostri vostre nostro nostra suo sua con per tra fra da in su senza dopo prima buongiorno
    buonasera salve ciao gentile gentili grazie mille prego saluti cordiali ok va bene
    procedete oggi ieri domani stamattina mattina sera giorno giorni ora ore settimana mese
    sito casella posta pannello dominio domini fattura pagamento bonifico rinnovo scaduto
    scade scadenza disdetta assistenza aiuto problema errore funziona funzionano risolto
    richiesta attendo attesa riscontro allego allegato allegata risposta nessuna nessuno
    novità confermo conferma serve cambio cambiare cliente invio inviare ricevo ricevere
    impossibile lentissimo lento giù bloccato irraggiungibile gennaio febbraio marzo aprile
    maggio giugno luglio agosto settembre ottobre novembre dicembre fuori sede fino urgente
    cancellazione dati personali sensi intestatario trasferimento verso altro spazio disco
    esaurito piena attivo attiva attivare potreste sapete dite date mando mandate scrivete
    installare configuro trovo parte dà eseguito contabile server riferimento ordine scorso
    adesso poi quindi invece però nessun alcun ogni altra altri propagati indirizzo compreso
    """,
    "en": """
    the an of and to is are was were be been not do does did have has had i you he she we they
    it my your our their his her its this that these those with for from at by about into than
    then there here what when where which who why how can could would should will please
    thanks thank hello hi dear regards yes no go ahead still again now today yesterday
    tomorrow morning since until after before site website down up work works working issue
    error problem help need want get send sent receive receiving mailbox full invoice payment
    paid order password change cancel account expired expire expires hosting domain transfer
    renewal quote any some all more much many very slow urgent solved confirmed attached log
    waiting reply answer cannot can't don't doesn't i'm unreachable broken hacked access
    ticket news mail bank receipt done office out me us them just only also because but if or
    so as on in days day hours hour week month longer customer upgrade exceeded failed failure
    forgot reset delete deleted data personal under high goes fine support enable propagated
    two
    """,
    "de": """
    der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine
    ist sind war waren sein haben habe hat hatte werden wird wurde kann können könnte möchte
    muss müssen soll ich du er sie wir ihr mein meine meinen meiner unser unsere ihre ihren
    mich mir uns euch was wann wo wer wie warum welche mit für von vom zu zum zur bei beim
    nach aus auf an am im über unter seit bis um ohne danke vielen dank hallo guten tag morgen
    bitte ja nein noch schon jetzt heute gestern seite webseite erreichbar passwort vergessen
    rechnung fehlt fehler erledigt senden kündigung monatsende zertifikat abgelaufen kostet
    postfach voll bekomme abwesend rückruf inklusive gibt es neuigkeiten finde zugangsdaten
    löschung daten leider funktioniert geht immer wieder uhr konto zahlung überwiesen grüße
    freundlichen ändere ändern wenn dass weil auch nur mehr sehr alle alles diese dieser
    dieses hier dort dringend hilfe
    """,
    "fr": """
    le les un une des du de et ou mais ne pas plus est sont était être avoir ai as avons avez
    ont je tu il elle nous vous ils elles mon ma mes notre nos votre vos leur leurs son sa ses
    ce cet cette ces que qui quoi quand où comment pourquoi combien quel quelle avec pour par
    dans sur sous sans depuis jusqu chez merci bonjour bonsoir salut cordialement oui non
    encore déjà maintenant aujourd hui hier demain panne mot passe oublié changer serveurs
    serveur facture manquante injoignable envoyer code autorisation résiliation certificat
    expiré coûte domaine boîte pleine reçois mails courriel absent août rappeler sauvegarde
    incluse erreur nouvelles allez trouver identifiants suppression données c'est bon problème
    toujours pareil réglé aidez pouvez pourriez voudrais souhaite peux marche fonctionne
    compte paiement s'il plaît aussi très bien tout tous toute fait faire suis site aux au en
    """,
    "es": """
    el los las un una unos unas del al y o pero no es son era ser estar está están estoy he
    has ha hemos han tengo tiene tienen yo tú usted nosotros ustedes mi mis tu su sus nuestro
    nuestra este esta estos estas ese esa que quien qué cuándo cómo dónde cuánto cuál por para
    con sin desde hasta sobre entre en de se me te le les lo gracias hola buenos días buenas
    tardes noches saludos sí ya ahora hoy ayer mañana web página funciona olvidado contraseña
    cambio cambiar servidores servidor falta factura caído enviadme código autorización baja
    servicio certificado caducado cuesta dominio buzón lleno recibo correos correo fuera
    oficina agosto llámenme favor incluye copia seguridad hay novedades adelante datos acceso
    borrado resuelto problema ayuda necesito quiero quisiera puede pueden podría cuenta pago
    sigue sigo urgente muy también más todo todos
    """,
}


def _owners() -> dict[str, tuple[str, ...]]:
    owners: dict[str, tuple[str, ...]] = {}
    for language, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            owners[word] = (*owners.get(word, ()), language)
    return owners


# word -> the languages that have it
COMMON = _owners()

# Letters that one of the five languages alone has.
_LETTERS = {"de": "ßäö", "es": "ñíóú¿¡", "fr": "êçîôûëœ", "it": "ìò"}
LETTERS = {letter: language for language, letters in _LETTERS.items() for letter in letters}
