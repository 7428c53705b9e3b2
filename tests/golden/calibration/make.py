"""Makes scored pairs of several shapes, and keeps the maps, losses and errors that scikit-learn and NumPy give.

    python tests/golden/calibration/make.py

Needs numpy and scikit-learn 1.3 or later. The isotonic map is IsotonicRegression, Platt scaling the two parameters
inside CalibratedClassifierCV(method="sigmoid"); both at points on, between and beyond the scores.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from sklearn import metrics
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

OUT = Path(__file__).resolve().parent / "cases.json"
SEED = 20261124
BINS = 15


def main():
    rng = np.random.default_rng(SEED)
    cases = [case(name, *drawn) for name, drawn in worlds(rng)]
    versions = {n: importlib.metadata.version(n) for n in ("numpy", "scikit-learn")}
    body = ",\n".join(json.dumps(c, allow_nan=False) for c in cases)
    OUT.write_text(f'{{\n"versions": {json.dumps(versions)},\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    size = OUT.stat().st_size
    assert size < 100_000, size
    print(f"{len(cases)} cases, {size:,} bytes")


def worlds(rng):
    """Scores and labels."""
    logits = rng.normal(-2, 2.5, 300).round(4)
    yield "logits", (logits, rng.random(300) < 1 / (1 + np.exp(-logits)))
    rounded = rng.normal(0, 2, 120).round(0)
    yield "tied", (rounded, rng.random(120) < 1 / (1 + np.exp(-0.5 * rounded)))
    shares = rng.random(200).round(5)
    yield "between 0 and 1", (shares, rng.random(200) < shares**4)
    yield "parted", (np.array([-3.0, -1.0, 0.5, 0.75, 2.0]), np.array([False, False, False, True, True]))
    yield "few relevant", (spread := (1000 + 50 * rng.normal(0, 1, 150)).round(2), spread > np.sort(spread)[-6])


def case(name, scores, labels):
    labels = np.asarray(labels, dtype=int)
    inside = np.quantile(scores, np.linspace(0, 1, 9))
    at = np.concatenate([inside, scores[:8], [scores.min() - 1.5, scores.max() + 1.5]])
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels)
    # Standardised, so that the optimizer inside gets close to the optimum.
    middle, spread = scores.mean(), scores.std()
    platt = _SigmoidCalibration().fit((scores - middle) / spread, labels)
    p = isotonic.predict(scores)
    smooth = platt.predict((scores - middle) / spread)
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "at": at.tolist(),
        "isotonic": isotonic.predict(at).tolist(),
        "platt": platt.predict((at - middle) / spread).tolist(),
        "isotonic_brier": metrics.brier_score_loss(labels, p),
        "platt_probabilities": smooth.tolist(),
        "platt_brier": metrics.brier_score_loss(labels, smooth),
        "platt_log_loss": metrics.log_loss(labels, smooth),
        "platt_ece_equal_width": equal_width(smooth, labels),
    }


def equal_width(p, labels):
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [abs(labels[place == b].sum() - p[place == b].sum()) for b in range(BINS)]
    return sum(gaps) / len(p)


if __name__ == "__main__":
    main()
