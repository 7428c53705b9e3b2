"""Makes the ranks of order-statistic bounds and the percentiles of simple queues.

    python tests/golden/bench/make.py

Needs numpy and scipy 1.13 or later. A bound's rank is found by going through all ranks with scipy.stats.binom; the
waiting time of M/D/1 is Crommelin's sum in 60 digits (its terms alternate), held against a random walk; M/M/1 and M/M/c
are closed.
"""

import decimal
import importlib.metadata
import json
import math
import random
from decimal import Decimal
from pathlib import Path

import numpy as np
from scipy.stats import binom

OUT = Path(__file__).resolve().parent / "expected.json"
SHARES = [0.5, 0.9, 0.95, 0.99]
CONFIDENCES = [0.9, 0.95, 0.975, 0.99]
COUNTS = [1, 2, 4, 5, 8, 20, 28, 29, 58, 59, 100, 298, 299, 300, 367, 368, 500, 1000, 2500, 10_000]
ROUNDING = 1e-12
LOADS = [0.3, 0.5, 0.7, 0.8, 0.9]


def main():
    decimal.getcontext().prec = 60
    ranks = [
        [n, share, confidence, *bounds(n, share, confidence)]
        for n in COUNTS for share in SHARES for confidence in CONFIDENCES
    ]
    needed = [[share, confidence, fewest(share, confidence)] for share in SHARES for confidence in CONFIDENCES]
    md1 = [[load, [md1_quantile(load, share) for share in SHARES]] for load in LOADS]
    check_md1(md1)
    mm1 = [[load, [-math.log(1 - share) / (1 - load) for share in SHARES]] for load in LOADS]
    mmc = [[workers, load, erlang_c(workers, load), [mmc_wait(workers, load, share) for share in SHARES]]
           for workers in (2, 4) for load in (0.5, 0.8)]
    body = {
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "scipy")},
        "shares": SHARES, "ranks": ranks, "needed": needed, "md1": md1, "mm1": mm1, "mmc": mmc,
    }
    lines = []
    for key, value in body.items():
        if isinstance(value, list) and isinstance(value[0], list):
            rows = ",\n".join(json.dumps(row) for row in value)
            lines.append(f'{json.dumps(key)}: [\n{rows}\n]')
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(ranks)} ranks, {OUT.stat().st_size:,} bytes")


def bounds(n, share, confidence):
    """Ranks (from 1) of the order statistics that bound the quantile from below and from above, each by itself with at
    least this confidence. The number of samples at or below the quantile is binomial; the k-th smallest is above it
    when fewer than k are. Chances that differ by rounding alone are equal."""
    chances = binom.cdf(np.arange(n), n, share)
    below = np.flatnonzero(chances <= 1 - confidence + ROUNDING) + 1
    above = np.flatnonzero(chances >= confidence - ROUNDING) + 1
    return (int(below[-1]) if len(below) else None, int(above[0]) if len(above) else None)


def fewest(share, confidence):
    """The fewest samples whose largest bounds the quantile from above."""
    n = 1
    while 1 - share**n < confidence - ROUNDING:
        n += 1
    return n


def md1_within(load, t):
    """The chance to wait at most t (in service times) in M/D/1 (Crommelin 1932)."""
    load, t = Decimal(load), Decimal(t)
    total = Decimal(0)
    for k in range(int(t) + 1):
        x = load * (k - t)
        power = Decimal(1) if k == 0 else x**k
        total += power / math.factorial(k) * (-x).exp()
    return (1 - load) * total


def md1_quantile(load, share):
    """The time from arrival to answer that this share of M/D/1's customers stays below, in service times."""
    if md1_within(load, 0) >= Decimal(share):
        return 1.0
    low, high = Decimal(0), Decimal(60)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if md1_within(load, middle) < Decimal(share) else (low, middle)
    return float(high) + 1.0


def check_md1(table):
    """Lindley's recursion, to catch a slip in the formula."""
    chance = random.Random(20261123)
    for load, quantiles in table[:4]:
        wait, stays = 0.0, []
        for _ in range(400_000):
            stays.append(wait + 1.0)
            wait = max(0.0, wait + 1.0 - chance.expovariate(load))
        stays.sort()
        for share, expected in zip(SHARES, quantiles):
            found = stays[int(share * len(stays))]
            assert abs(found - expected) < 0.04 * expected, (load, share, found, expected)


def erlang_c(workers, load):
    """The chance that a customer of M/M/c waits."""
    offered = workers * load
    last = offered**workers / math.factorial(workers) / (1 - load)
    return last / (sum(offered**k / math.factorial(k) for k in range(workers)) + last)


def mmc_wait(workers, load, share):
    """The wait for a worker that this share of M/M/c's customers stays below, in mean service times."""
    waits = erlang_c(workers, load)
    return max(0.0, math.log(waits / (1 - share)) / (workers * (1 - load)))


if __name__ == "__main__":
    main()
