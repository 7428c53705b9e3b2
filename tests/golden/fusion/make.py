"""Makes small runs of every awkward kind, and keeps what ranx makes of two or three of them.

    python tests/golden/fusion/make.py

Needs ranx 0.3. The documents of a run stand in the order of its ranking: scores descending, equal ones by document id
descending, which is what ranx takes over, as its sort is stable.
"""

import importlib.metadata
import json
import random
from pathlib import Path

from ranx import Run
from ranx.fusion import rrf, wsum
from ranx.normalization import max_norm, min_max_norm, sum_norm, zmuv_norm

OUT = Path(__file__).resolve().parent / "cases.json"
SEED = 20261123
NORMS = {"min-max": min_max_norm, "max": max_norm, "sum": sum_norm, "zmuv": zmuv_norm}


def main():
    rng = random.Random(SEED)
    runs = {
        "overlapping": [scored(rng, 12, 20, 0, 30), scored(rng, 15, 20, -1, 1)],
        "three": [scored(rng, 8, 12, 0, 30), scored(rng, 9, 12, 0, 1), scored(rng, 3, 12, 5, 6)],
        "disjoint": [{"a": 3.0, "b": 1.0}, {"c": 0.5, "d": 0.25}],
        "one document each": [{"a": 7.5}, {"b": 0.1}],
        "the same single document": [{"a": 7.5}, {"a": 0.1}],
        "equal scores": [{"c": 2.0, "b": 2.0, "a": 2.0}, {"a": 1.0, "d": 0.5, "b": 0.5}],
        "all equal": [{"b": 1.0, "a": 1.0}, {"d": 4.0, "c": 4.0}],
        "negative": [{"a": -1.0, "b": -2.0, "c": -5.5}, {"c": -0.1, "a": -0.2}],
        "zeros": [{"b": 0.0, "a": 0.0}, {"a": 1e-12, "b": 0.0}],
        "large against small": [{"a": 1e9, "b": 1.0}, {"b": 1e-3, "c": 5e-4}],
    }
    cases = [case(name, ordered(lists)) for name, lists in runs.items()]
    body = ",\n".join(json.dumps(c, allow_nan=False) for c in cases)
    version = importlib.metadata.version("ranx")
    OUT.write_text(f'{{\n"ranx": "{version}",\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    size = OUT.stat().st_size
    assert size < 60_000, size
    print(f"{len(cases)} cases, {size:,} bytes")


def scored(rng, count, of, low, high):
    return {f"d{i}": rng.uniform(low, high) for i in rng.sample(range(of), count)}


def ordered(lists):
    return [dict(sorted(scores.items(), key=lambda s: (s[1], s[0]), reverse=True)) for scores in lists]


def case(name, lists):
    def runs():
        made = [Run({"q": dict(scores)}) for scores in lists]
        for run, scores in zip(made, lists):
            assert list(run.run["q"]) == list(scores), "ranx has another order"
        return made

    weights = [1.0, 0.25, 3.0][: len(lists)]
    expected = {"rrf k=60": fused(rrf(runs())), "rrf k=1": fused(rrf(runs(), k=1))}
    for norm, apply in NORMS.items():
        expected[f"wsum {norm}"] = fused(wsum([apply(run) for run in runs()], weights))
    return {"name": name, "runs": [list(scores.items()) for scores in lists], "weights": weights, "expected": expected}


def fused(run):
    return dict(run.run["q"])


if __name__ == "__main__":
    main()
