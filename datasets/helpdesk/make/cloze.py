#!/usr/bin/env python3
"""Training data of the embedded model: `python3 make/cloze.py FOLDER` writes a BEIR folder.

To the set's own training queries come queries taken out of the articles themselves: a piece of a sentence, a part
of the title, a few telling words, roughened like the templates. They teach what templates cannot: that a rare word
in common counts, whichever word it is. Only what tells an article from all its siblings becomes its query, and the
held-out family is asked for by none. Same files, byte for byte, on every run.
"""

import collections
import json
import math
import pathlib
import re
import sys

sys.dont_write_bytecode = True

from kit import seeded, write_jsonl, write_tsv  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
PER_ARTICLE = 10
# Siblings that a query's judgements name as 0; training draws its hard negatives from them.
SIBLINGS = 12
SEED = "ledgerly-cloze-1"
WORD = re.compile(r"[\w][\w.@-]*[\w]|\w")
# Between two sentences, or parts of one.
SENTENCE = re.compile(r"(?<=[.;:]) ")


def main():
    folder = pathlib.Path(sys.argv[1])
    articles, queries = read("corpus.jsonl"), read("queries.jsonl")
    held_out = {query["metadata"]["family"] for query in queries if query["metadata"]["held_out"] == "yes"}
    evaluated = {words_key(query["text"]) for query in queries if query["metadata"]["split"] != "train"}
    families = collections.defaultdict(list)
    for article in articles:
        article["words"] = set(words(article["title"] + " " + article["text"]))
        families[article["metadata"]["family"]].append(article)
    appears = collections.Counter(word for article in articles for word in article["words"])
    rarity = {word: math.log(len(articles) / count) for word, count in appears.items()}

    train = [query for query in queries if query["metadata"]["split"] == "train"]
    made, grades = [], []
    for family, members in families.items():
        if family in held_out:
            continue
        for article in members:
            siblings = [other for other in members if other is not article]
            for number, text in enumerate(asked(article, siblings, rarity)):
                if words_key(text) in evaluated:
                    continue
                query = f"cloze-{article['_id']}-{number}"
                made.append({"_id": query, "text": text, "metadata": {"kind": "cloze", "family": family}})
                grades.append((query, article["_id"], 1))
                draw = seeded(SEED, query, "siblings")
                near = draw.sample(siblings, min(SIBLINGS, len(siblings)))
                grades.extend((query, other["_id"], 0) for other in near)
    relevant = list(rows("qrels/train.tsv"))
    rows_of_triples = collections.defaultdict(dict)
    for query, _, negative in rows("triples.tsv"):
        rows_of_triples[query][negative] = 0
    for query, article, grade in relevant:
        grades.append((query, article, grade))
    for query, negatives in rows_of_triples.items():
        grades.extend((query, negative, grade) for negative, grade in negatives.items())

    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_bytes((ROOT / "corpus.jsonl").read_bytes())
    kept = {query["_id"] for query in queries}
    assert not kept & {query["_id"] for query in made}
    write_jsonl(folder / "queries.jsonl", [*train, *(q for q in queries if q["metadata"]["split"] == "dev"), *made])
    write_tsv(folder / "qrels" / "train.tsv", ("query-id", "corpus-id", "score"), grades)
    (folder / "qrels" / "dev.tsv").write_bytes((ROOT / "qrels" / "dev.tsv").read_bytes())
    print(f"{len(train)} queries of templates, {len(made)} of articles")


def asked(article, siblings, rarity):
    """Queries taken out of an article, none of which a sibling answers as well, word by word."""
    found, seen = [], set()
    for attempt in range(8 * PER_ARTICLE):
        if len(found) == PER_ARTICLE:
            return
        draw = seeded(SEED, article["_id"], attempt)
        taken = [piece, title, telling][attempt % 3](article, rarity, draw)
        key = tuple(word.lower() for word in taken)
        if len(taken) < 2 or key in seen or any(set(key) <= other["words"] for other in siblings):
            continue
        seen.add(key)
        found.append(key)
        yield roughened(taken, draw)


def piece(article, _, draw):
    """4 to 9 words in a row of one sentence."""
    sentence = WORD.findall(draw.choice(SENTENCE.split(article["text"])))
    length = draw.randint(4, 9)
    start = draw.randrange(max(1, len(sentence) - length + 1))
    return sentence[start:start + length]


def title(article, rarity, draw):
    """The title with some of its words gone, and a telling word of the text."""
    kept = [word for word in WORD.findall(article["title"]) if draw.random() < 0.75]
    pool = words(article["text"])
    return kept + draw.choices(pool, [rarity[word] for word in pool])


def telling(article, rarity, draw):
    """3 to 6 words, rare ones rather."""
    pool = sorted(article["words"])
    weights = [rarity[word] ** 2 for word in pool]
    taken = dict.fromkeys(draw.choices(pool, weights, k=draw.randint(3, 6)))
    return list(taken)


def roughened(taken, draw):
    """As somebody types in a hurry."""
    typed = [typo(word, draw) if len(word) > 4 and draw.random() < 0.06 else word for word in taken]
    text = " ".join(typed)
    if draw.random() < 0.15:
        text = draw.choice(["how to", "where is", "cannot", "help with", "question about", "what about"]) + " " + text
    return text if draw.random() < 0.3 else text.lower()


def typo(word, draw):
    at = draw.randrange(1, len(word) - 1)
    return draw.choice([
        word[:at] + word[at + 1:],
        word[:at] + word[at + 1] + word[at] + word[at + 2:],
        word[:at] + word[at] + word[at:],
    ])


def words(text):
    return [word.lower() for word in WORD.findall(text)]


def words_key(text):
    return " ".join(words(text))


def read(name):
    return [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]


def rows(name):
    return (line.split("\t") for line in (ROOT / name).read_text(encoding="utf-8").splitlines()[1:])


if __name__ == "__main__":
    main()
