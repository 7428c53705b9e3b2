"""Makes small runs and judgements of every awkward kind, and keeps what trec_eval says of them.

    python tests/golden/measures/make.py

Needs pytrec_eval-terrier 0.5 and ir_measures 0.4. Everything but Judged@10 and the cut RR is pytrec_eval's; Judged@10
is ir_measures'.
"""

import importlib.metadata
import json
import random
import struct
from pathlib import Path

import ir_measures
import pytrec_eval

OUT = Path(__file__).resolve().parent / "cases.json"
SEED = 20261122
MEASURES = {
    "nDCG@5": "ndcg_cut_5",
    "nDCG@10": "ndcg_cut_10",
    "nDCG": "ndcg",
    "RR": "recip_rank",
    "R@1": "recall_1",
    "R@5": "recall_5",
    "R@10": "recall_10",
    "R@50": "recall_50",
    "AP": "map",
    "Success@1": "success_1",
    "Success@5": "success_5",
    "P@5": "P_5",
    "P@10": "P_10",
}


def main():
    rng = random.Random(SEED)
    cases = []
    for name, make in CASES.items():
        qrels, run = make(rng)
        cases.append(case(name, qrels, run))
    versions = {n: importlib.metadata.version(n) for n in ("pytrec_eval-terrier", "ir_measures")}
    body = ",\n".join(json.dumps(c, ensure_ascii=False, allow_nan=False) for c in cases)
    OUT.write_text(f'{{\n"versions": {json.dumps(versions)},\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    size = OUT.stat().st_size
    assert size < 400_000, size
    print(f"{len(cases)} cases, {size:,} bytes")


def case(name, qrels, run):
    """One case: its input, the measures of each query that is judged and has results, and both means."""
    expected = evaluate(qrels, run)
    both = sorted(expected)
    assert set(both) == set(qrels) & set(run)
    names = [*MEASURES, "RR@10", "Judged@10"]
    total = {m: sum(expected[q][m] for q in both) for m in names}
    return {
        "name": name,
        "qrels": qrels,
        "run": run,
        "expected": {q: {m: expected[q][m] for m in names} for q in both},
        "mean_over_judged": {m: total[m] / len(qrels) for m in names},
        "mean_over_both": {m: total[m] / len(both) for m in names} if both else None,
    }


def evaluate(qrels, run):
    """The measures of each query in both."""
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, set(MEASURES.values()))
    found = evaluator.evaluate(run)
    # written out as distinct scores, trec_eval's order must change nothing; the cuts below rest on that
    ranked = {q: by_rank(docs) for q, docs in run.items()}
    assert evaluator.evaluate(ranked) == found
    cut = {q: dict(list(docs.items())[:10]) for q, docs in ranked.items()}
    first = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    judged = {
        m.query_id: m.value
        for m in ir_measures.iter_calc(
            [ir_measures.Judged @ 10],
            qrels,
            {q: docs for q, docs in ranked.items() if docs},
        )
    }
    return {
        q: {m: values[key] for m, key in MEASURES.items()}
        | {"RR@10": first[q]["recip_rank"], "Judged@10": judged[q]}
        for q, values in found.items()
    }


def by_rank(docs):
    """The documents in trec_eval's order (score as f32, then id, both descending), scored by falling whole numbers."""
    order = sorted(docs, key=lambda d: (as_f32(docs[d]), d), reverse=True)
    return {d: float(len(order) - i) for i, d in enumerate(order)}


def as_f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def plain(rng, queries=5, docs=30, grades=(0, 1), judged=0.5, scores=None):
    """Queries with random judgements and scores; `scores` draws one score."""
    draw = scores or (lambda: rng.uniform(-5, 15))
    qrels, run = {}, {}
    for q in range(1, queries + 1):
        ids = [f"d{n}" for n in rng.sample(range(1, 200), docs)]
        run[f"q{q}"] = {d: draw() for d in ids}
        known = [d for d in ids if rng.random() < judged] or ids[:1]
        qrels[f"q{q}"] = {d: rng.choice(grades) for d in known}
        # a relevant document that was not retrieved
        if rng.random() < 0.6:
            qrels[f"q{q}"][f"x{q}"] = max(grades)
    return qrels, run


def binary(rng):
    return plain(rng)


def graded(rng):
    return plain(rng, grades=(0, 1, 2, 3), judged=0.7)


def ties(rng):
    return plain(rng, grades=(0, 1, 2), scores=lambda: float(rng.randint(0, 3)))


def all_tied(rng):
    return plain(rng, queries=3, docs=25, grades=(0, 0, 1, 3), scores=lambda: 0.0)


def ties_only_as_f32(rng):
    """Scores that differ in f64 and are equal in f32, the larger given to the smaller ids."""
    qrels, run = plain(rng, grades=(0, 1, 3))
    for docs in run.values():
        ids = sorted(docs)
        for i, d in enumerate(ids):
            docs[d] = 7.123456789 + (i // 6) * 0.5 - (i % 6) * 1e-9
    return qrels, run


def negative_judgements(rng):
    """Grade -1, as some collections mark spam; for trec_eval the same as 0, and for Judged@10 a judgement."""
    return plain(rng, grades=(-1, 0, 1, 2), judged=0.8)


def sparse(rng):
    """Few documents judged, most of a ranking unjudged."""
    return plain(rng, docs=60, grades=(1,), judged=0.05)


def deep(rng):
    """Rankings longer than every cutoff, with relevant documents beyond 50."""
    return plain(rng, queries=3, docs=80, grades=(0, 0, 0, 1, 2), judged=0.9)


def missing_queries(rng):
    """Judged queries without results, and queries with results that nobody judged."""
    qrels, run = plain(rng, queries=6, grades=(0, 1, 2))
    del run["q2"], run["q5"], qrels["q6"]
    return qrels, run


def nothing_relevant(rng):
    """Queries all of whose judgements are 0, one of them with no retrieved document judged."""
    qrels, run = plain(rng, queries=4, grades=(0, 1))
    qrels["q1"] = dict.fromkeys(qrels["q1"], 0)
    qrels["q3"] = {"never-retrieved": 0}
    return qrels, run


def short_rankings(rng):
    """Fewer documents than any cutoff."""
    qrels, run = plain(rng, queries=4, docs=3, grades=(0, 1, 3), judged=0.9)
    run["q1"] = dict(list(run["q1"].items())[:1])
    qrels["q2"] = {d: 1 for d in run["q2"]} | {f"y{i}": 2 for i in range(12)}
    return qrels, run


def awkward_ids(rng):
    """Ties between ids whose order as numbers, by letter case or by language differs from that of their bytes."""
    ids = ["9", "10", "100", "D1", "d1", "d10", "d9", "é", "z", "Ω", "文", "🎉", "a-b", "a_b", "a.b", "0x"]
    run = {f"q{q}": {d: float(rng.randint(0, 1)) for d in rng.sample(ids, len(ids))} for q in range(1, 5)}
    qrels = {q: {d: rng.choice((0, 1, 2)) for d in rng.sample(ids, 8)} for q in run}
    return qrels, run


def extreme_scores(rng):
    """Very small, very large and negative scores, and zeros of both signs."""
    choices = (0.0, -0.0, 1e-30, -1e-30, 1e30, -1e30, 3.0, -3.0, 1e-50, 16777216.0, 16777217.0)
    return plain(rng, queries=4, docs=25, grades=(0, 1, 2), scores=lambda: rng.choice(choices))


CASES = {
    f.__name__.replace("_", "-"): f
    for f in (
        binary,
        graded,
        ties,
        all_tied,
        ties_only_as_f32,
        negative_judgements,
        sparse,
        deep,
        missing_queries,
        nothing_relevant,
        short_rankings,
        awkward_ids,
        extreme_scores,
    )
}

main()
