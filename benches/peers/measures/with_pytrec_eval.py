"""Reads a run and judgements and measures them with pytrec_eval, as its users do.

    python with_pytrec_eval.py QRELS RUN

Prints a measure and its mean a line, then the seconds that reading and measuring took; starting Python and importing
are left out.
"""

import sys
import time

import pytrec_eval

MEASURES = {
    "nDCG@10": "ndcg_cut_10",
    "RR": "recip_rank",
    "R@5": "recall_5",
    "R@10": "recall_10",
    "R@50": "recall_50",
    "AP": "map",
}


def main(qrels_path, run_path):
    start = time.perf_counter()
    qrels, run = {}, {}
    with open(qrels_path) as lines:
        for line in lines:
            query, _, document, grade = line.split()
            qrels.setdefault(query, {})[document] = int(grade)
    with open(run_path) as lines:
        for line in lines:
            query, _, document, _, score, _ = line.split()
            run.setdefault(query, {})[document] = float(score)
    found = pytrec_eval.RelevanceEvaluator(qrels, set(MEASURES.values())).evaluate(run)
    means = {m: sum(values[key] for values in found.values()) / len(qrels) for m, key in MEASURES.items()}
    seconds = time.perf_counter() - start
    for measure, mean in means.items():
        print(measure, repr(mean))
    print("seconds", seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
