"""As with_pytrec_eval.py, with ranx; it compiles its measures at the first use, which counts.

    python with_ranx.py QRELS RUN
"""

import sys
import time

import ranx

MEASURES = {
    "nDCG@10": "ndcg@10",
    "RR": "mrr",
    "R@5": "recall@5",
    "R@10": "recall@10",
    "R@50": "recall@50",
    "AP": "map",
}


def main(qrels_path, run_path):
    start = time.perf_counter()
    qrels = ranx.Qrels.from_file(qrels_path, kind="trec")
    run = ranx.Run.from_file(run_path, kind="trec")
    means = ranx.evaluate(qrels, run, list(MEASURES.values()))
    seconds = time.perf_counter() - start
    for measure, key in MEASURES.items():
        print(measure, repr(float(means[key])))
    print("seconds", seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
