"""How far two trainers are apart, over their seeds and the queries: a bootstrap that draws both anew.

Reads a record of `secondpass eval` in whose table each model of either side is a system, names with a seed at
their end (`ranknet-1`, `theirs-1`).

    compare.py reports/finetune/trecqa ranknet theirs --measure AP --measure RR
"""

import argparse
import json
import pathlib

import numpy
import polars

DRAWS = 20_000


def values(table, side, measure):
    """`[seeds, queries]`"""
    names = sorted(name for name in table["system"].unique() if name.rpartition("-")[0] == side)
    if not names:
        raise SystemExit(f"no system is named {side}-SEED")
    rows = [table.filter(polars.col("system") == name).sort("query") for name in names]
    queries = [row["query"].to_list() for row in rows]
    if any(other != queries[0] for other in queries):
        raise SystemExit(f"{side}: not the same queries for every seed")
    return numpy.stack([row[measure].to_numpy() for row in rows])


def compare(a, b, draw):
    """The difference of means with its 95% interval."""
    differences = numpy.empty(DRAWS)
    for number in range(DRAWS):
        queries = draw.integers(a.shape[1], size=a.shape[1])
        sides = [side[draw.integers(len(side), size=len(side))][:, queries].mean() for side in (a, b)]
        differences[number] = sides[0] - sides[1]
    low, high = numpy.quantile(differences, [0.025, 0.975])
    return {"difference": a.mean() - b.mean(), "low": low, "high": high}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--measure", action="append", required=True)
    options = parser.parse_args()
    table = polars.read_parquet(options.record / "queries.parquet")
    told = []
    for measure in options.measure:
        a, b = (values(table, side, measure) for side in (options.first, options.second))
        row = {"first": options.first, "second": options.second, "measure": measure, "queries": a.shape[1],
               "first_by_seed": a.mean(axis=1).tolist(), "second_by_seed": b.mean(axis=1).tolist(),
               **compare(a, b, numpy.random.default_rng(1))}
        row["shown"] = not row["low"] <= 0 <= row["high"]
        told.append({key: float(value) if isinstance(value, numpy.floating) else value for key, value in row.items()})
    for row in told:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
