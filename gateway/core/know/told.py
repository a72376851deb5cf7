"""Whether a question tells of what went wrong, which a person answers and no article alone.

Somebody who has done what an article says, or whose thing has been stuck for weeks, is told
nothing by it. Nothing rests on this but that an answer is withheld.
"""

import re

from gateway.core.know.phrases import folded

ANALYSED = 4_000  # characters

# Held against folded words; nothing here runs over more than two of them.
_HOW = re.compile(
    r" (?:come|dove|quale|quali|quanto|quanti|how|where|which|what|wie|wo|welche|comment|combien|"
    r"como|donde|cual|posso|possiamo|can i|can we|si puo|is it possible) "
)
_DONE = re.compile(
    r" (?:ho|abbiamo|avevo|avevamo) (?:gia )?(?!dimenticato |bisogno |letto |visto )"
    r"[a-z]{2,20}(?:ato|uto|ito|sto|tto|rso|so|to) "
    r"| (?:i|we|i ve|we ve|i have|we have) (?:already )?(?!need |forgot |read )"
    r"(?:[a-z]{2,20}ed|paid|bought|sent|did|set|put) "
    r"| non (?:funziona|funzionano|si rinnova|si attiva) | not working "
    r"| (?:ancora|but|yet|still) "
    r"| ma (?:e|non|il|la|lo|i|gli|le|l|mi|ci|dice|adesso|ora|continua) "
)
_MISHAP = re.compile(
    r" (?:per (?:sbaglio|errore)|by (?:mistake|accident)|accidentally"
    r"|ho perso tutt[oi]|abbiamo perso tutt[oi]|lost (?:all|every)[a-z]*"
    r"|(?:hanno|ha|stato|stata) (?:rubat|sottratt)[aoie]|(?:stolen|stole) [a-z]{1,20}"
    r"|(?:ferm|bloccat|sospes)[oaie] da|(?:stuck|pending|waiting|suspended) (?:for|since)"
    r"|(?:is|are|was|were) (?:not|never) (?:accepted|issued|sent|delivered|credited)"
    r"|(?:non|mai) (?:e|sono|viene|vengono) (?:mai |piu )?(?:arrivat|accettat|accreditat)[aoie]"
    r"|(?:mai|never) (?:arrivat[aoie]|arrived|received)"
    r"|(?:filter|filtro)(?: antispam)? (?:deleted|ha cancellato|ha eliminato)|need it back"
    r"|was never [a-z]{2,20}) "
)


def tells(text: str) -> bool:
    """It says that something was done or went wrong, and is no question how it is done."""
    words = folded(text[:ANALYSED])
    if _MISHAP.search(words):
        return True
    return _DONE.search(words) is not None and _HOW.search(words) is None
