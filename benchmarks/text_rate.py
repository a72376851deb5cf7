"""How many mails a second are read for their new words: plain, HTML, and their language.

Run: `python benchmarks/text_rate.py`.
"""

import statistics
import time
from collections.abc import Callable

from gateway.core.read import html_text, language, text

QUOTE = "\n".join(
    f"> riga {n} della risposta dell'assistenza, citata dal client" for n in range(20)
)
PLAIN = (
    "Buongiorno,\nil sito continua a dare errore 500 anche dopo il riavvio.\nPotete verificare?\n"
    "\nGrazie\nMario Rossi\n\n"
    "Il giorno lun 3 mar 2025 alle ore 10:15 Desk <desk@d.example> ha scritto:\n\n"
    f"{QUOTE}\n"
)
HTML = (
    "<html><body><div>"
    + "".join(
        f"<p class=MsoNormal><span style='color:#1F497D'>riga {n}</span></p>" for n in range(60)
    )
    + "<blockquote type=cite><div>vecchio testo</div></blockquote></div></body></html>"
)


def _median_ms(work: Callable[[], object], rounds: int = 200) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _html() -> object:
    read = html_text.to_text(HTML)
    return text.spans(read.text, read.hints)


def main() -> None:
    """Print the median milliseconds of each stage."""
    language.warm()
    print(f"spans of a plain reply    {_median_ms(lambda: text.spans(PLAIN)):7.3f} ms")
    print(f"an HTML reply, whole      {_median_ms(_html):7.3f} ms")
    print(f"language by words         {_median_ms(lambda: language.guess(PLAIN)):7.3f} ms")
    print(f"language by the model     {_median_ms(lambda: language.guess('Salve')):7.3f} ms")


if __name__ == "__main__":
    main()
