"""Days, moments and fixed labels in the languages of replies, so that no locale is ever asked."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.core.model.routing import Department

LANGUAGES = ("it", "en", "de", "fr", "es")

_DAYS = {
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
_MONTHS = {
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
}
_MOMENT = {
    "it": "{day} {d} {month} {y} alle {time}",
    "en": "{day} {d} {month} {y} at {time}",
    "de": "{day}, {d}. {month} {y} um {time} Uhr",
    "fr": "{day} {d} {month} {y} à {time}",
    "es": "{day} {d} de {month} de {y} a las {time}",
}
_DAY_NAMES = {language: names.split() for language, names in _DAYS.items()}
_MONTH_NAMES = {language: names.split() for language, names in _MONTHS.items()}

MISSING: dict[str, dict[str, str]] = {
    "identifier": {
        "it": "l'indirizzo IP del server o il numero d'ordine (per esempio #123456)",
        "en": "the IP address of the server, or the order number (such as #123456)",
        "de": "die IP-Adresse des Servers oder die Bestellnummer (etwa #123456)",
        "fr": "l'adresse IP du serveur ou le numéro de commande (par exemple #123456)",
        "es": "la dirección IP del servidor o el número de pedido (por ejemplo #123456)",
    },
    "service": {
        "it": "il nome del servizio, come compare nel pannello di controllo",
        "en": "the name of the service, as the control panel shows it",
        "de": "den Namen des Dienstes, wie er im Kundenbereich steht",
        "fr": "le nom du service, tel qu'il figure dans l'espace client",
        "es": "el nombre del servicio, tal como aparece en el panel de control",
    },
    "started": {
        "it": "data e ora di inizio del problema, con il fuso orario (CET o CEST)",
        "en": "when the problem began: date and time, with the time zone (CET or CEST)",
        "de": "seit wann das Problem besteht: Datum und Uhrzeit mit Zeitzone (MEZ oder MESZ)",
        "fr": "le début du problème : date et heure, avec le fuseau horaire (CET ou CEST)",
        "es": "cuándo empezó el problema: fecha y hora, con la zona horaria (CET o CEST)",
    },
    "zone": {
        "it": "il fuso orario dell'ora di inizio che ci ha indicato (CET o CEST)",
        "en": "the time zone of the start time that you gave us (CET or CEST)",
        "de": "die Zeitzone der angegebenen Uhrzeit (MEZ oder MESZ)",
        "fr": "le fuseau horaire de l'heure indiquée (CET ou CEST)",
        "es": "la zona horaria de la hora indicada (CET o CEST)",
    },
    "diagnostics": {
        "it": "qualche dato utile alla diagnosi: messaggi di errore, ping o traceroute, log",
        "en": "something to diagnose it by: error messages, ping or traceroute output, logs",
        "de": "Angaben zur Diagnose: Fehlermeldungen, Ping oder Traceroute, Protokolle",
        "fr": "des éléments de diagnostic : messages d'erreur, ping ou traceroute, journaux",
        "es": "datos para el diagnóstico: mensajes de error, ping o traceroute, registros",
    },
}


def moment(at: datetime, language: str, timezone: str) -> str:
    """`lunedì 23 novembre 2026 alle 9:30`, in the office's own time."""
    chosen = language if language in _MOMENT else "en"
    local = at.astimezone(ZoneInfo(timezone))
    return _MOMENT[chosen].format(
        day=_DAY_NAMES[chosen][local.weekday()],
        d=local.day,
        month=_MONTH_NAMES[chosen][local.month - 1],
        y=local.year,
        time=f"{local.hour}:{local.minute:02}",
    )


def _label(labels: dict[str, str], language: str) -> str:
    return labels.get(language) or labels["en"]


_LABELS: dict[str, dict[str, str]] = {
    "normal": {"it": "normale", "en": "normal"},
    "high": {"it": "alta", "en": "high"},
    "new": {"it": "nuovo", "en": "new"},
    "waiting for staff": {"it": "in attesa dell'assistenza", "en": "waiting for staff"},
    "waiting for customer": {"it": "in attesa del cliente", "en": "waiting for customer"},
    "closed": {"it": "chiuso", "en": "closed"},
}


@dataclass(frozen=True, slots=True)
class At:
    """A moment, said in the office's own time."""

    at: datetime
    timezone: str

    def said(self, language: str) -> str:
        """In words."""
        return moment(self.at, language, self.timezone)


@dataclass(frozen=True, slots=True)
class Missing:
    """What a report lacks."""

    names: tuple[str, ...]

    def said(self, language: str) -> list[str]:
        """A line each."""
        return [_label(MISSING[name], language) for name in self.names if name in MISSING]


@dataclass(frozen=True, slots=True)
class Named:
    """A department, by the names that ops gave it."""

    department: Department

    def said(self, language: str) -> str:
        """Its name for customers."""
        return self.department.name(language)


@dataclass(frozen=True, slots=True)
class Marked:
    """Markdown of ours: said in a form of its own in text and in HTML."""

    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A fixed word of ours, such as a priority or a state."""

    word: str

    def said(self, language: str) -> str:
        """The word itself where it has no translation."""
        return _label(_LABELS.get(self.word, {"en": self.word}), language)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not done, for staff; the terminal says it in English."""

    en: str
    it: str

    def __str__(self) -> str:
        return self.en

    def said(self, language: str) -> str:
        """In the house's language, where it is one of these."""
        return self.it if language == "it" else self.en


Spoken = At | Missing | Named | Label | Reason
