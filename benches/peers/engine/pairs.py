"""The pairs that every peer scores: lists of [query, document].

- mix: real pairs, half SciFact's BM25 candidates (where ../shared/data has them), half of the embedded
  help-desk set;
- all-512: help-desk queries with documents joined until they are cut at 512 tokens.
"""

import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[3]
HELPDESK = ROOT / "datasets/helpdesk"
SCIFACT = ROOT.parent / "shared/data/scifact"


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def passage(document):
    return f"{document.get('title', '')} {document['text']}".strip()


def help_desk():
    queries = json.loads((HELPDESK / "make/queries/dev.json").read_text(encoding="utf-8"))
    return [query["text"] for query in queries], [passage(d) for d in rows(HELPDESK / "corpus.jsonl")]


def help_desk_pairs(queries, each, draw):
    asked, documents = help_desk()
    return [[query, document] for query in draw.sample(asked, queries)
            for document in draw.sample(documents, each)]


def scifact_pairs(queries, each, draw):
    """What BM25 found first, as a reranker gets it. None where the set is not there."""
    if not (SCIFACT / "bm25.test.trec").exists():
        return None
    asked = {query["_id"]: query["text"] for query in rows(SCIFACT / "queries.jsonl")}
    documents = {document["_id"]: passage(document) for document in rows(SCIFACT / "corpus.jsonl")}
    found = {}
    for line in (SCIFACT / "bm25.test.trec").read_text().splitlines():
        query, _, document, *_ = line.split()
        found.setdefault(query, []).append(document)
    return [[asked[query], documents[document]] for query in draw.sample(sorted(found), queries)
            for document in found[query][:each]]


def mix(count, each=10, seed=1):
    """About `count` pairs, `each` for a query, and the names of the sets that they are from."""
    draw = random.Random(seed)
    each = min(each, max(1, count // 2))
    queries = max(1, count // (2 * each))
    chosen = scifact_pairs(queries, each, draw)
    names = ["SciFact", "help-desk"] if chosen else ["help-desk"]
    if not chosen:
        queries *= 2
    return (chosen or []) + help_desk_pairs(queries, each, draw), names


def long(count, words=600, seed=1):
    """Pairs whose documents have at least so many words."""
    draw = random.Random(seed)
    queries, documents = help_desk()
    chosen = []
    for query in draw.choices(queries, k=count):
        text = []
        while sum(len(part.split()) for part in text) < words:
            text.append(draw.choice(documents))
        chosen.append([query, " ".join(text)])
    return chosen
