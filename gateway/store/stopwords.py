"""Words that say nothing about the subject of a question, by language, folded to ASCII."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: dict[str, frozenset[str]] = {
    "it": _words("""
        a ad al alla alle allo ai agli anche ancora avere aver avete abbiamo ho hai ha hanno avevo
        aveva buongiorno buonasera salve ciao che chi ci cio come con cosa cortesemente cui da dal
        dalla dalle dallo dai dagli del della delle dello dei degli di dopo dove due e ed era erano
        essere fa fare faccio fatto gia gli grazie ha i il in io la le lei li lo loro lui ma mai me
        mi mia mie miei mio molto ne nei nel nella nelle nello noi non nostra nostro o ogni oppure
        ora per perche piu poi posso potete possibile potrei potreste pero prego pure puo quale
        quali quando quanto quella quelle quelli quello questa queste questi questo qui quindi se
        sei sempre senza si sia siamo siete solo sono sopra sotto sta stata stato stati su sua sue
        sugli sui sul sulla sulle suo suoi tra tre tu tua tuo tutti tutto un una uno va vi voi
        vorrei vostra vostro deve devo dobbiamo bisogna serve saluti cordiali gentile gentili
        qualche qualcosa sapere dire dirmi trovo trova trovare trovato cerco cerca cercare cercando
        chiede chiedo chiedere chiedono chiesto vedo vede vedere visto metto mette mettere messo
        riesco riesce riuscire capire capisco uso usa usare usato succede succedere oggi domani
        adesso modo caso cosi tramite invece comunque purtroppo semplicemente stesso stessa
        tempo detto avuto alcuni alcune ci ce
    """),
    "en": _words("""
        a about after all also am an and any are as at be been before being but by can cannot could
        did do does doing dont else for from get gets getting had has have having hello help her
        here hers hi him his how i if im in into is it its ive just kind know let like may me
        might more most much must my need no nor not now of off on once only or other our ours out
        over own please regards same she should so some such than thank thanks that the their them
        then there these they this those through to too under until up us very want was we were
        what when where which while who whom why will with would you your yours dear tell look
        looking find found make makes making made every everyone everything
        anyone someone something anything try trying tried use uses using used able happen happens
        happened today tomorrow currently right way best quickest easiest exactly simply really
        still yet ask asking asked see show shows put puts
    """),
    "de": _words("""
        aber alle allem allen aller alles als also am an ander andere auch auf aus bei bin bis bist
        bitte da damit dann danke das dass dein deine dem den der des dessen die dies diese dieser
        dieses doch dort du durch ein eine einem einen einer eines er es etwas euch euer fur gegen
        gibt gruss grusse guten hab habe haben hallo hat hatte hier hin hinter ich ihm ihn ihnen
        ihr ihre im in ist ja jede jeder jedes jetzt kann kein keine keinen konnen konnte konnten
        machen man manche mehr mein meine meinem meinen meiner mich mir mit mochte muss mussen nach
        nicht noch nun nur ob oder ohne sehr sein seine sich sie sind so soll sondern sonst tag
        uber um und uns unser unsere unter viel vom von vor wann war waren warum was weg weil
        welche welchen welcher wenn wer werde werden wie wieder will wir wird wo wollen wurde
        zu zum zur zwar zwischen brauche geehrte
    """),
    "fr": _words("""
        a ai alors au aucun aussi autre aux avec avoir avons avez bonjour bonsoir car ce cela ces
        cet cette chez ci comme comment cordialement dans de des depuis du donc dont elle elles en
        encore est et ete etes etre eu fait faire faut il ils j je jai la le les leur leurs lui ma
        mais me meme merci mes moi mon ne nos notre nous on ont ou par pas peut peux plus pour
        pourquoi puis puisje quand que quel quelle quelles quels quelque qui sa salut sans se ses
        si sinon son sont sous suis sur svp ta te tes toi ton tous tout toute toutes tres tu un une
        va veux voici voila vos votre voudrais vous y dois doit plait sil
    """),
    "es": _words("""
        a al algo algun alguna algunos ante antes aqui asi aun buenas buenos cada como con cual
        cuales cuando cuanto de debe debo del desde dia dias donde dos e el ella ellas ellos en
        entonces entre era eres es esa esas ese eso esos esta estaba estamos estan estar estas este
        esto estos estoy fue gracias ha haber hacer hago han hasta hay he hola la las le les lo los
        mas me mi mis mucho muy nada ni no nos nosotros nuestra nuestro o os otra otro otros para
        pero por porque puede puedo pueden que quien quiero quisiera saber saludos se sea ser si
        sido sin sobre solo son soy su sus tambien tan tanto te tener tengo ti tiene tienen toda
        todas todo todos tu tus un una unas uno unos usted ustedes va ya yo necesito favor
    """),
}
