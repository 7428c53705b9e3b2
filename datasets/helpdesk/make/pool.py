#!/usr/bin/env python3
"""Shows what is still to judge: `python3 make/pool.py [dev|test] [query-id ...]`.

For each evaluation query it prints BM25's top 10 articles that carry no judgement, and the share of the
top 10 that does (Judged@10). For dev alone it adds a rough nDCG@10: the test split is sealed, so no measure
of quality is computed on it here. Run it after build.py, whose files it reads. The BM25 here (k1 0.9, b 0.4,
a light suffix strip) only serves the pooling; figures come from the program.
"""

import collections
import json
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
K1, B, DEPTH = 0.9, 0.4, 10
SEALED = {"test"}
STOP = set("a an and are as at be but by for if in into is it no not of on or such that the their then there these "
           "they this to was will with".split())


def main(arguments):
    splits = [a for a in arguments if a in ("dev", "test")] or ["dev", "test"]
    chosen = {a for a in arguments if a not in ("dev", "test")}
    corpus = list(read_jsonl("corpus.jsonl"))
    titles = {d["_id"]: d["title"] for d in corpus}
    rank = index(corpus)
    queries = list(read_jsonl("queries.jsonl"))
    for split in splits:
        grades = read_qrels(split)
        judged = total = count = 0
        gains = []
        for q in queries:
            if q["metadata"]["split"] != split or (chosen and q["_id"] not in chosen):
                continue
            top = rank(q["text"])
            known = grades[q["_id"]]
            judged += sum(d in known for d in top)
            total += len(top)
            count += 1
            if split not in SEALED:
                gains.append(ndcg([known.get(d, 0) for d in top], known.values()))
            left = [d for d in top if d not in known]
            if left:
                print(f"{q['_id']}  {q['text']}  (answer: {', '.join(d for d, g in known.items() if g == 3)})")
                for d in left:
                    print(f"    {d}  |  {titles[d]}")
        if total:
            quality = f", about nDCG@10 {sum(gains) / len(gains):.3f}" if gains else ""
            print(f"{split}: {count} queries, Judged@10 {judged / total:.3f}{quality}")


def tokens(text):
    return [strip(t) for t in re.findall(r"[a-z0-9]+", text.lower()) if t not in STOP]


def strip(token):
    for suffix in ("ing", "ies", "ed", "es", "s"):
        if token.endswith(suffix) and len(token) - len(suffix) >= 3:
            return token[: -len(suffix)]
    return token


def index(corpus):
    postings, lengths = collections.defaultdict(dict), {}
    for d in corpus:
        words = tokens(d["title"] + " " + d["text"])
        lengths[d["_id"]] = len(words)
        for w, n in collections.Counter(words).items():
            postings[w][d["_id"]] = n
    mean = sum(lengths.values()) / len(lengths)

    def rank(query):
        scores = collections.Counter()
        for w, repeats in collections.Counter(tokens(query)).items():
            found = postings.get(w, {})
            idf = math.log(1 + (len(corpus) - len(found) + 0.5) / (len(found) + 0.5))
            for d, n in found.items():
                scores[d] += repeats * idf * n / (n + K1 * (1 - B + B * lengths[d] / mean))
        return sorted(scores, key=lambda d: (scores[d], d), reverse=True)[:DEPTH]

    return rank


def ndcg(gains, ideal):
    def dcg(values):
        return sum(g / math.log2(i + 2) for i, g in enumerate(values))

    return dcg(gains) / (dcg(sorted(ideal, reverse=True)[:DEPTH]) or 1)


def read_jsonl(name):
    with open(ROOT / name, encoding="utf-8") as rows:
        yield from map(json.loads, rows)


def read_qrels(split):
    grades = collections.defaultdict(dict)
    with open(ROOT / "qrels" / f"{split}.tsv", encoding="utf-8") as rows:
        next(rows)
        for row in rows:
            query, doc, grade = row.rstrip("\n").split("\t")
            grades[query][doc] = int(grade)
    return grades


if __name__ == "__main__":
    main(sys.argv[1:])
