"""The other end of `peers.py`: reads requests from standard input, answers with seconds."""

import json
import sys
import time


def serve(name, score):
    print(name, flush=True)
    for line in sys.stdin:
        source, result, batch = line.split()
        with open(source, encoding="utf-8") as file:
            pairs = json.load(file)
        start = time.perf_counter()
        scores = score(pairs, int(batch))
        seconds = time.perf_counter() - start
        with open(result, "w", encoding="utf-8") as file:
            json.dump(scores, file)
        print(seconds, flush=True)
