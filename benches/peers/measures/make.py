"""Makes a run of 10,000 queries x 100 documents and graded judgements for it.

    python make.py FOLDER

Writes FOLDER/run.trec (one million lines) and FOLDER/qrels.txt. Seeded: the same files every time.
"""

import random
import sys
from pathlib import Path

SEED = 20261123
QUERIES = 10_000
DEPTH = 100
CORPUS = 200_000
FOUND = 4
NOT_FOUND = 4
NOT_RELEVANT = 14


def main(folder):
    rng = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "run.trec", "w") as run, open(folder / "qrels.txt", "w") as qrels:
        for q in range(1, QUERIES + 1):
            ids = rng.sample(range(CORPUS), DEPTH + NOT_FOUND)
            found, elsewhere = ids[:DEPTH], ids[DEPTH:]
            score = rng.uniform(12, 30)
            for rank, d in enumerate(found, 1):
                run.write(f"q{q} Q0 d{d} {rank} {score:.4f} bm25\n")
                # one step in eight is a tie
                score -= rng.choice((0, 1, 1, 2, 3, 5, 8, 13)) * 0.01
            # relevant documents stand nearer the top; some were not found
            relevant = [found[int(DEPTH * rng.random() ** 3)] for _ in range(FOUND)] + elsewhere
            others = rng.sample([d for d in found if d not in relevant], NOT_RELEVANT)
            judged = {d: rng.choice((1, 1, 2, 3)) for d in relevant} | {d: 0 for d in others}
            for d in sorted(judged):
                qrels.write(f"q{q} 0 d{d} {judged[d]}\n")
    for name in ("run.trec", "qrels.txt"):
        print(f"{folder / name}: {(folder / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
