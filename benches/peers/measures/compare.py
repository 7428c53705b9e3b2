"""Times secondpass and another tool on the same files in turns, and holds their values against each other.

    python compare.py FOLDER ROUNDS SCRIPT -- SECONDPASS COMMAND...

FOLDER holds run.trec and qrels.txt, SCRIPT is one of the with_*.py beside this file. What secondpass takes is the wall
clock of its whole process; what the other tool takes is what it says itself, without its start.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

MEASURES = ["nDCG@10", "RR", "R@5", "R@10", "R@50", "AP"]
TOLERANCE = 1e-6


def main(folder, rounds, script, secondpass):
    files = [str(Path(folder) / "qrels.txt"), str(Path(folder) / "run.trec")]
    ours = [*secondpass, "measure", *files, "--json"]
    ours += [part for measure in MEASURES for part in ("-m", measure)]
    theirs = [sys.executable, str(Path(__file__).parent / script), *files]
    measure(ours)
    times = {"secondpass": [], script: []}
    for _ in range(int(rounds)):
        seconds, ours_said = measure(ours)
        times["secondpass"].append(seconds)
        _, theirs_said = measure(theirs)
        times[script].append(theirs_said.pop("seconds"))
        check(ours_said, theirs_said)
    for name, seconds in times.items():
        print(f"{name}: median {statistics.median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})")
    ratios = [b / a for a, b in zip(times["secondpass"], times[script])]
    print(f"ratio: median {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) over {rounds} rounds")
    print(f"values agree within {TOLERANCE}")


def measure(command):
    """The wall clock of a command, and its figures: ours as JSON, the others' at the ends of lines."""
    start = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = time.perf_counter() - start
    if said.startswith("["):
        return seconds, json.loads(said)[0]["measures"]
    numbers = {}
    for words in map(str.split, said.splitlines()):
        if len(words) > 1 and words[0] in [*MEASURES, "seconds"]:
            numbers[words[0]] = float(words[-1])
    return seconds, numbers


def check(ours, theirs):
    for name in MEASURES:
        if name not in ours:
            sys.exit(f"secondpass printed no value of {name}; it should print a line '{name} VALUE'")
        if abs(ours[name] - theirs[name]) > TOLERANCE:
            sys.exit(f"{name} is {ours[name]} with secondpass, {theirs[name]} with the other")


if __name__ == "__main__":
    split = sys.argv.index("--")
    main(*sys.argv[1:split], sys.argv[split + 1 :])
