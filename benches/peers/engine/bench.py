"""Compares cross-encoders on a CPU: ours, sentence-transformers (PyTorch), ONNX Runtime, candle.

The same weights, pairs, order and processors for all; A B A B, one peer at work at a time. Every ratio is of
two times from the same round, its interval a bootstrap over rounds. Writes a JSON record, which `report.py`
renders. Started by run.sh, which prepares what it needs.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import statistics
import sys
import tempfile
import time

import extras
import models
import pairs
import report
from peers import PEERS, Failed, Peer

# Model: pairs of the mix, pairs of all-512, pairs of the mix with --quick, pairs on which batches are tried.
COUNTS = {"minilm": (160, 8, 40, 32), "base": (48, 4, 12, 16), "v2-m3": (16, 4, 4, 8)}
BATCHES = [8, 4, 32, 1]
# A peer that takes so many times ours is timed in the first rounds only.
SLOW = 3
SLOW_ROUNDS = 3


def interval(values, level=0.95, draws=4000):
    """A percentile bootstrap of the median."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(draws))
    outside = (1 - level) / 2
    return [medians[int(outside * draws)], medians[int((1 - outside) * draws) - 1]]


def save(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def best_batch(peer, ours, load, count, options, scratch):
    """The batch size with which a peer scores some of a workload fastest; 8 where it is far from us anyway."""
    some = load[:: max(1, len(load) // count)]
    source = save(scratch / "some.json", some)
    sizes = [size for size in (BATCHES[:2] if options.quick else BATCHES) if size <= len(some)] or [len(some)]
    if len(sizes) == 1:
        return sizes[0]
    peer.score(save(scratch / "few.json", some[:1]), 1)
    times = []
    for size in sizes:
        times.append((peer.score(source, size)[0], size))
        if ours and times[0][0] > SLOW * ours.score(source, 0)[0]:
            break
    return min(times)[1]


def compare(model, folder, options, scratch):
    """One model's workloads under every peer."""
    count, full, quick, tried = COUNTS[model]
    mixed, names = pairs.mix(quick if options.quick else count)
    workloads = {"mix": mixed, "all-512": pairs.long(2 if options.quick else full)}
    sources = {name: save(scratch / f"{model}-{name}.json", load) for name, load in workloads.items()}
    running, missing = {}, {}
    for name in options.peers:
        try:
            running[name] = Peer(name, options.programs, folder, 512, options.cores, scratch)
            print(f"{model}: {running[name].version}", flush=True)
        except Failed as error:
            missing[name] = str(error)
            print(f"{model}: {error}", flush=True)
    results = {}
    for workload, source in sources.items():
        seconds = {name: [] for name in running}
        ours, load = running.get("ours"), workloads[workload]
        batches = {name: 0 if peer is ours else best_batch(peer, ours, load, tried, options, scratch)
                   for name, peer in running.items()}
        scores, warm, slow = {}, {}, set()
        for round_ in range(options.rounds + 1):
            for name in list(running):
                if round_ > SLOW_ROUNDS and name in slow:
                    continue
                before = running[name].processor()
                taken, scores[name] = running[name].score(source, batches[name])
                if options.clock == "processor":
                    taken = running[name].processor() - before
                if round_ > 0:  # the first warms up
                    seconds[name].append(taken)
                else:
                    warm[name] = taken
                    if taken > SLOW * warm.get("ours", taken):
                        slow.add(name)
                time.sleep(options.pause)  # threads that spin after their work have stopped by then
        results[workload] = summary(seconds, scores)
        results[workload]["pairs"] = len(workloads[workload])
        results[workload]["batches"] = batches
        results[workload]["load"] = os.getloadavg()[0]
        say(model, workload, results[workload])
    memory = {name: peer.memory() for name, peer in running.items()}
    for peer in running.values():
        peer.stop()
    return {"sets": names, "workloads": results, "missing": missing,
            "versions": {name: peer.version for name, peer in running.items()}, "peak_mib": memory,
            "tokens": tokens(folder, workloads)}


def tokens(folder, workloads):
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    lengths = {name: sorted(len(e) for e in tokenizer.encode_batch([tuple(pair) for pair in load]))
               for name, load in workloads.items()}
    return {name: {"least": own[0], "median": statistics.median(own), "most": own[-1], "sum": sum(own)}
            for name, own in lengths.items()}


def summary(seconds, scores):
    reference = scores.get("torch f32")
    rows = {}
    for name, own in seconds.items():
        row = {"seconds": own, "median": statistics.median(own)}
        if name != "ours" and "ours" in seconds:
            ratios = [theirs / ours for theirs, ours in zip(own, seconds["ours"])]
            row["ratio"], row["interval"] = statistics.median(ratios), interval(ratios)
        if reference:
            differences = [abs(a - b) for a, b in zip(scores[name], reference)]
            row["difference"] = {"largest": max(differences), "mean": statistics.fmean(differences)}
            row["spread"] = statistics.pstdev(scores[name])
        rows[name] = row
    return {"peers": rows}


def say(model, workload, result):
    for name, row in result["peers"].items():
        ratio = "" if "ratio" not in row else (
            f"  {row['ratio']:.2f} [{row['interval'][0]:.2f}, {row['interval'][1]:.2f}] times ours")
        difference = f"  differs {row['difference']['largest']:.1e}" if "difference" in row else ""
        print(f"{model:7} {workload:8} {name:17} {row['median']:8.3f} s{ratio}{difference}"
              f"  (load {result['load']:.1f})", flush=True)


def machine(cores):
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    sets = [name for name in ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if name in flags]
    return {"processor": model, "cores": len(cores), "memory_gib": round(memory, 1), "instructions": sets}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds and pairs: a look, not a report")
    parser.add_argument("--rounds", type=int, help="timed rounds [default: 11, quick 3]")
    parser.add_argument("--models", default=",".join(models.NAMES))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--parts", default="compare,first,length,one,scaling",
                        help="what to measure, of compare, first, length, one and scaling")
    parser.add_argument("--add", action="store_true", help="keep what the record there has of other models and parts")
    parser.add_argument("--cores", type=int, help="processors to use [default: all this process may use]")
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall",
                        help="processor: time on processors, for a busy machine; with --cores 1")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between turns")
    parser.add_argument("--ours", type=pathlib.Path, required=True)
    parser.add_argument("--candle", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, help="XLM-R's tokenizer.json")
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 11)
    options.cores = sorted(os.sched_getaffinity(0))[: options.cores]
    options.programs = {"ours": options.ours.resolve()}
    if options.candle:
        options.programs["candle"] = options.candle.resolve()
    if options.clock == "processor" and len(options.cores) > 1:
        parser.error("--clock processor counts waiting threads, too: add --cores 1")
    options.parts = options.parts.split(",")
    options.peers = [name for name in options.peers.split(",") if PEERS[name][1] != "candle" or options.candle]
    return options


def main():
    options = parse()
    began = os.getloadavg()[0]
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "record.json"
    record = {"made": datetime.date.today().isoformat(), "quick": options.quick, "rounds": options.rounds,
              "clock": options.clock, "machine": machine(options.cores), "models": {}}
    if options.add:
        before = json.loads(path.read_text(encoding="utf-8"))
        if any(before[key] != record[key] for key in ("quick", "rounds", "clock", "machine")):
            sys.exit(f"{path} is of another machine, clock, or number of rounds: --add has nothing to add to")
        record = {**before, "made": record["made"]}
        began = max(began, before.get("load", {}).get("before", 0.0))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folders = {}
        for model in options.models.split(","):
            folders[model] = models.folder_of(model, options.cache, options.tokenizer)
        folders = {model: folder for model, folder in folders.items() if folder}
        for model, folder in folders.items():
            if "compare" in options.parts:
                record["models"][model] = compare(model, folder, options, scratch)
                save(path, record)  # what is done stays where the rest is not waited for
        for part in options.parts:
            if part in extras.PARTS:
                record[part] = extras.PARTS[part](folders, options, scratch)
    record["load"] = {"before": began, "after": os.getloadavg()[0]}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
    report.write(record, options.out)
    print(f"wrote {options.out}/README.md", file=sys.stderr)


if __name__ == "__main__":
    main()
