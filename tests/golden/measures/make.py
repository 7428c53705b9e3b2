"""Makes small runs and judgements of every awkward kind, and keeps what trec_eval says of them.

    python tests/golden/measures/make.py

Needs pytrec_eval-terrier 0.5, ir_measures 0.4, ranx 0.3 and perl. Names are ir_measures'; values come from
pytrec_eval through it, but for those of OTHERS.
"""

import importlib.metadata
import json
import math
import random
import struct
from pathlib import Path

import ir_measures
import pytrec_eval
import ranx

OUT = Path(__file__).resolve().parent / "cases.json"
SEED = 20261122
NAMES = """
nDCG nDCG@5 nDCG@10 nDCG(judged_only=True)@10
RR RR(rel=2) RR(judged_only=True)
R@1 R@5 R@10 R@50 R(judged_only=True)@5
AP AP@10 AP(rel=2) AP(rel=2,judged_only=True)@10
P@5 P@7 P@10 P@1000 P(rel=2)@5 P(rel=3)@10 P(judged_only=True)@5
Success@1 Success@5 Success(rel=2)@3
Rprec Rprec(rel=2) Bpref Bpref(rel=2)
IPrec@0.0 IPrec@0.1 IPrec@0.25 IPrec@0.7 IPrec@1.0 IPrec(judged_only=True)@0.5
SetP SetP(rel=2) SetP(relative=True) SetR SetR(rel=2) SetF SetF(beta=2.0) SetF(rel=2,beta=0.5) SetAP
NumQ NumRet NumRet(rel=1) NumRet(rel=2) NumRel
""".split()
# what pytrec_eval has no name for: see `others`
OTHERS = ["RR@10", "R(rel=2)@5", "Judged", "Judged@10", "nDCG(dcg='exp-log2')", "nDCG(dcg='exp-log2')@10"]
COUNTS = ("NumQ", "NumRet", "NumRel")


def main():
    for name in NAMES + OTHERS:
        assert str(ir_measures.parse_measure(name)) == name, name
    rng = random.Random(SEED)
    cases = []
    for name, make in CASES.items():
        qrels, run = make(rng)
        cases.append(case(name, qrels, run))
    versions = {n: importlib.metadata.version(n) for n in ("pytrec_eval-terrier", "ir_measures", "ranx")}
    body = ",\n".join(json.dumps(c, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for c in cases)
    OUT.write_text(f'{{\n"versions": {json.dumps(versions)},\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    size = OUT.stat().st_size
    assert size < 200_000, size
    print(f"{len(cases)} cases, {size:,} bytes")


def case(name, qrels, run):
    """One case: its input, each judged query's values (in the order of `measures`), and both summaries."""
    names = NAMES + OTHERS
    found = evaluate(qrels, run)
    both = sorted(found)
    assert set(both) == set(qrels) & set(run)
    values = {q: [found[q][m] if q in found else unanswered(m, qrels[q]) for m in names] for q in sorted(qrels)}
    for q, row in values.items():
        row[names.index("Bpref")] = applicable(row[names.index("Bpref")], qrels[q], 1)
        row[names.index("Bpref(rel=2)")] = applicable(row[names.index("Bpref(rel=2)")], qrels[q], 2)
    return {
        "name": name,
        "qrels": qrels,
        "run": run,
        "measures": names,
        "expected": {q: [short(v) for v in row] for q, row in values.items()},
        "over_judged": [summary(m, [row[i] for row in values.values()]) for i, m in enumerate(names)],
        "over_answered": [summary(m, [values[q][i] for q in both]) for i, m in enumerate(names)],
    }


def unanswered(measure, judged):
    """What an empty ranking scores; trec_eval -c adds such queries as zeros, and counts their relevant documents."""
    if measure == "NumQ":
        return 1
    return sum(grade > 0 for grade in judged.values()) if measure == "NumRel" else 0


def applicable(value, judged, rel):
    """Binary preference has none to count without documents judged not relevant; trec_eval gives a value all the same."""
    return value if any(0 <= grade < rel for grade in judged.values()) else None


def summary(measure, values):
    """The mean over the queries that have a value, the sum of counts."""
    values = [v for v in values if v is not None]
    if measure.split("(")[0] in COUNTS:
        return sum(values)
    return short(sum(values) / len(values)) if values else None


def short(value):
    """Nine digits are a thousand times the tolerance."""
    return value if value is None else float(f"{value:.9g}")


def evaluate(qrels, run):
    """The measures of each query in both."""
    measures = [ir_measures.parse_measure(name) for name in NAMES]
    found = by_query(ir_measures.pytrec_eval.iter_calc(measures, qrels, run))
    # written out as distinct scores, trec_eval's order must change nothing; `others` rests on that
    ranked = {q: by_rank(docs) for q, docs in run.items()}
    assert by_query(ir_measures.pytrec_eval.iter_calc(measures, qrels, ranked)) == found
    more = others(qrels, ranked)
    # ir_measures adds the judged queries that the run does not answer
    return {q: found[q] | more[q] for q in more}


def others(qrels, ranked):
    """What pytrec_eval has no name for, from what it has."""
    cut = {q: dict(list(docs.items())[:10]) for q, docs in ranked.items()}
    first = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    second = pytrec_eval.RelevanceEvaluator(qrels, {"recall_5"}, relevance_level=2).evaluate(ranked)
    # exponential gain is linear gain over judgements of 2^grade - 1
    gains = {q: {d: 2**g - 1 if g > 0 else g for d, g in docs.items()} for q, docs in qrels.items()}
    exponential = pytrec_eval.RelevanceEvaluator(gains, {"ndcg", "ndcg_cut_10"}).evaluate(ranked)
    judged = [ir_measures.Judged, ir_measures.Judged @ 10]
    judged = by_query(ir_measures.iter_calc(judged, qrels, {q: docs for q, docs in ranked.items() if docs}))
    check_exponential(qrels, ranked, {q: values["ndcg_cut_10"] for q, values in exponential.items()})
    return {
        q: {
            "RR@10": first[q]["recip_rank"],
            "R(rel=2)@5": second[q]["recall_5"],
            "nDCG(dcg='exp-log2')": exponential[q]["ndcg"],
            "nDCG(dcg='exp-log2')@10": exponential[q]["ndcg_cut_10"],
        }
        | judged[q]
        for q in first
    }


def check_exponential(qrels, ranked, values):
    """gdeval.pl, which ir_measures asks (five digits), and ranx say the same of the exponential gain."""
    # gdeval.pl takes the digits of a query's name for its number
    numbers = {q: str(i) for i, q in enumerate(values)}
    numbered = [{numbers[q]: of_queries[q] for q in values} for of_queries in (qrels, ranked)]
    gdeval = by_query(ir_measures.gdeval.iter_calc([ir_measures.nDCG(dcg="exp-log2") @ 10], *numbered))
    for q, value in values.items():
        (theirs,) = gdeval[numbers[q]].values()
        assert abs(theirs - value) < 2e-5, (q, theirs, value)
    for q, value in values.items():
        known = {d: g for d, g in qrels[q].items() if g > 0}
        if known:
            theirs = ranx.evaluate(ranx.Qrels({q: known}), ranx.Run({q: ranked[q]}), "ndcg_burges@10")
            assert abs(theirs - value) < 1e-6, (q, theirs, value)


def by_query(metrics):
    found = {}
    for m in metrics:
        # where judged_only leaves no document at all, trec_eval's IPrec divides 0 by 0
        found.setdefault(m.query_id, {})[str(m.measure)] = 0.0 if math.isnan(m.value) else m.value
    return found


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
    """Grades below 0, as some collections mark spam: no gain, a judgement to Judged@10, none to Bpref."""
    return plain(rng, grades=(-2, -1, 0, 1, 2), judged=0.8)


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
