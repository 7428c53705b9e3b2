"""Makes paired differences of many kinds, and keeps what SciPy says of them.

    python tests/golden/statistics/make.py

Needs numpy and scipy 1.13 or later. The t test is ttest_rel, the randomization test permutation_test over all signs,
equivalence two one-sided tests by ttest_1samp, the detectable difference a root of the noncentral t's power.
"""

import importlib.metadata
import json
import math
from pathlib import Path

import numpy as np
from scipy import optimize, stats

OUT = Path(__file__).resolve().parent / "cases.json"
SEED = 20261123
MARGINS = [0.01, 0.05]
LEVELS = [(0.05, 0.8), (0.05, 0.9), (0.0125, 0.8)]


def main():
    rng = np.random.default_rng(SEED)
    cases = [case(name, *pair) for name, pair in pairs(rng)]
    versions = {n: importlib.metadata.version(n) for n in ("numpy", "scipy")}
    body = ",\n".join(json.dumps(c, allow_nan=False) for c in cases)
    OUT.write_text(f'{{\n"versions": {json.dumps(versions)},\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    size = OUT.stat().st_size
    assert size < 100_000, size
    print(f"{len(cases)} cases, {size:,} bytes")


def pairs(rng):
    """Measures of two systems, a value a query."""
    yield "two queries", (np.array([0.5, 0.25]), np.array([0.25, 0.125]))
    yield "a tie of sums", (np.array([0.1, 0.2, 0.0, 0.5]), np.array([0.0, 0.0, 0.3, 0.1]))
    for n in (3, 6, 10, 15, 19):
        yield f"normal, {n}", (rng.normal(0.55, 0.2, n).round(4), rng.normal(0.5, 0.2, n).round(4))
    for n in (8, 12, 17, 40, 90):
        yield f"nDCG of one relevant document, {n}", (gains(rng, n), gains(rng, n))
    yield "hardly any change", (rng.normal(0.5, 0.2, 30).round(4),) * 2
    yield "shown and small", (shift := rng.normal(0.5, 0.2, 200).round(4), shift + rng.normal(0.004, 0.02, 200).round(4))
    yield "far apart", (rng.normal(0.9, 0.02, 50).round(4), rng.normal(0.1, 0.02, 50).round(4))
    yield "many", (rng.normal(0.51, 0.25, 700).round(3), rng.normal(0.5, 0.25, 700).round(3))


def gains(rng, n):
    ranks = rng.geometric(0.35, n)
    return np.where(ranks > 10, 0.0, 1 / np.log2(1 + ranks)).round(6)


def case(name, ours, theirs):
    if name == "hardly any change":
        ours = ours.copy()
        ours[3] += 0.01
        ours[7] -= 0.004
    d = (ours - theirs).round(6)
    n = len(d)
    t = stats.ttest_rel(d, np.zeros(n))
    return {
        "name": name,
        "differences": d.tolist(),
        "t": t.statistic,
        "t_test": t.pvalue,
        "randomization": all_signs(d) if n < 20 else None,
        "margins": [[m, *one_sided(d, m)] for m in MARGINS],
        "detectable": [[alpha, power, detectable(d, alpha, power)] for alpha, power in LEVELS],
    }


def all_signs(d):
    def far(x, axis):
        # Sums that are equal but for rounding count as equal.
        return np.abs(np.sum(x, axis=axis)).round(9)

    found = stats.permutation_test(
        (d,), far, permutation_type="samples", n_resamples=np.inf, alternative="greater", vectorized=True, batch=4096
    )
    assert len(found.null_distribution) == 2 ** len(d)
    return found.pvalue


def one_sided(d, margin):
    """p-values of equivalence and of non-inferiority at a margin."""
    above = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(d, margin, alternative="less").pvalue
    return max(above, below), above


def detectable(d, alpha, power):
    n = len(d)
    freedom = n - 1
    critical = stats.t.isf(alpha / 2, freedom)

    def gap(shift):
        # The far tail comes out as NaN where it is too small to matter; the quadrature below checks that.
        far = np.nan_to_num(stats.nct.cdf(-critical, freedom, shift))
        return stats.nct.sf(critical, freedom, shift) + far - power

    high = 4.0
    while gap(high) < 0:
        high *= 2
    shift = optimize.brentq(gap, 1e-6, high, xtol=1e-11, rtol=1e-12)
    # The same power by quadrature, in case nct is rough at few degrees of freedom.
    u = np.linspace(0, 1 + 14 / math.sqrt(2 * freedom), 200_001)
    density = stats.chi.pdf(u * math.sqrt(freedom), freedom) * math.sqrt(freedom)
    reject = stats.norm.sf(critical * u - shift) + stats.norm.sf(critical * u + shift)
    assert abs(np.trapezoid(density * reject, u) - power) < 1e-6, (n, alpha, power)
    return shift * d.std(ddof=1) / math.sqrt(n)


if __name__ == "__main__":
    main()
