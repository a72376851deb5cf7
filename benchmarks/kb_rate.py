"""How fast the knowledge base is built and asked. Prints figures; run it by hand.

python benchmarks/kb_rate.py
"""

import json
from pathlib import Path
from time import perf_counter

from gateway.core.know.knowledge import judge
from gateway.load.texts import load_knowledge
from gateway.store.articles import ArticleIndex

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 10


def main() -> None:
    """The shipped articles, our own questions, and two hostile ones."""
    articles = load_knowledge(ROOT / "knowledge")
    begun = perf_counter()
    index = ArticleIndex(articles)
    print(f"built from {len(articles)} articles in {1000 * (perf_counter() - begun):.0f} ms")
    lines = (ROOT / "tests" / "knowledge" / "questions.jsonl").read_text().splitlines()
    asked = [(row["text"], row["lang"]) for row in map(json.loads, lines)]
    _rate("short questions", index, asked)
    whole = " ".join(text for text, _ in asked)[:2_000]
    _rate("2,000 characters of words", index, [(whole, "it")] * 20)
    _rate("2,000 characters, no language", index, [(whole, None)] * 20)
    _rate("one word of 2,000 letters", index, [("x" * 2_000, "it")] * 20)


def _rate(name: str, index: ArticleIndex, asked: list[tuple[str, str | None]]) -> None:
    begun = perf_counter()
    for _ in range(ROUNDS):
        for text, language in asked:
            judge(index.search(text, language))
    seconds = (perf_counter() - begun) / (ROUNDS * len(asked))
    print(f"{name}: {1000 * seconds:.2f} ms each, {1 / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
