"""What is measured besides throughput, by the same peers in the same folder of scratch files.

- first: process start to first score, a new process each time, in turn;
- length: seconds and resident memory against a pair's length, 128 to 8192 tokens (v2-m3's shape has the
  positions; only its first layers are run, see `shallow`);
- one: one query with one document at a time, after each other;
- scaling: the mix on one processor and on two.
"""

import json
import os
import shutil
import statistics
import time

import pairs
from peers import Failed, Peer

LENGTHS = [128, 256, 512, 1024, 2048, 4096, 8192]
EXACT = ["ours", "torch f32", "onnxruntime f32", "candle f32"]


def save(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def chosen(options, names=EXACT):
    return [name for name in options.peers if name in names]


def first(folders, options, scratch):
    """Seconds from process start to the first pair's score, and the most memory by then. Files are in the page cache."""
    source = save(scratch / "first.json", pairs.mix(2)[0][:1])
    result = {}
    for model, folder in folders.items():
        times = {name: {"seconds": [], "mib": []} for name in chosen(options)}
        for round_ in range(2 if options.quick else 6):
            for name in list(times):
                try:
                    with Peer(name, options.programs, folder, 512, options.cores, scratch) as peer:
                        peer.score(source, 1)
                        if round_ > 0:
                            times[name]["seconds"].append(time.perf_counter() - peer.started)
                            times[name]["mib"].append(peer.memory())
                except Failed as error:
                    print(f"first score: {error}", flush=True)
                    del times[name]
        result[model] = times
        told = ", ".join(f"{name} {statistics.median(own['seconds']):.2f} s" for name, own in times.items())
        print(f"{model}: first score after {told}", flush=True)
    return result


def one(folders, options, scratch):
    """Milliseconds of single pairs of the mix, each peer's one by one."""
    mixed = pairs.mix(24)[0][: 6 if options.quick else 24]
    result = {}
    for model, folder in folders.items():
        times = {}
        running = {}
        for name in chosen(options):
            try:
                running[name] = Peer(name, options.programs, folder, 512, options.cores, scratch)
            except Failed as error:
                print(f"one at a time: {error}", flush=True)
        for round_ in range(2 if options.quick else 5):
            for i, pair in enumerate(mixed):
                source = save(scratch / "one.json", [pair])
                for name, peer in running.items():
                    taken = peer.score(source, 1)[0] * 1e3
                    if round_ > 0:
                        times.setdefault(name, {}).setdefault(i, []).append(taken)
                    time.sleep(options.pause)  # or the next one's milliseconds go to threads that still spin
        for peer in running.values():
            peer.stop()
        # Each pair's median over rounds; then quantiles over pairs.
        result[model] = {}
        for name, own in times.items():
            medians = sorted(statistics.median(taken) for taken in own.values())
            result[model][name] = {"p50": statistics.median(medians), "p95": medians[int(0.95 * len(medians))],
                                   "pairs": len(medians)}
        told = ", ".join(f"{name} {own['p50']:.1f} ms" for name, own in result[model].items())
        print(f"{model}: one pair in {told}", flush=True)
    return result


def scaling(folders, options, scratch):
    """Seconds of the mix on one processor and on two, in turn."""
    if len(options.cores) < 2:
        print("skipped: scaling needs two processors", flush=True)
        return {}
    folder = folders.get("minilm") or next(iter(folders.values()))
    source = save(scratch / "scaling.json", pairs.mix(12 if options.quick else 80)[0])
    result = {}
    for name in chosen(options):
        try:
            running = [Peer(name, options.programs, folder, 512, options.cores[:count], scratch)
                       for count in (1, 2)]
        except Failed as error:
            print(f"scaling: {error}", flush=True)
            continue
        times = [[], []]
        for round_ in range(3 if options.quick else 8):
            for peer, own in zip(running, times):
                taken = peer.score(source, 0 if name == "ours" else 8)[0]
                if round_ > 0:
                    own.append(taken)
                time.sleep(options.pause)
        for peer in running:
            peer.stop()
        ratios = [one / two for one, two in zip(*times)]
        result[name] = {"one": times[0], "two": times[1], "ratio": statistics.median(ratios)}
        print(f"{name}: two processors are {result[name]['ratio']:.2f} times one", flush=True)
    return result


def shallow(folder, scratch, layers=2):
    """The model with its first layers only: what a pass adds per token, and not the weights, is looked at."""
    import safetensors.torch

    target = scratch / "shallow"
    if not target.exists():
        target.mkdir()
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(folder / name, target)
        config = json.loads((folder / "config.json").read_text())
        config["num_hidden_layers"] = layers
        (target / "config.json").write_text(json.dumps(config))
        tensors = safetensors.torch.load_file(folder / "model.safetensors")
        kept = {name: tensor for name, tensor in tensors.items()
                if ".layer." not in name or int(name.split(".layer.")[1].split(".")[0]) < layers}
        safetensors.torch.save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    return target


def length(folders, options, scratch):
    """Seconds and peak memory beyond the loaded model against the length of one pair."""
    if "v2-m3" not in folders:
        print("skipped: cost against length needs v2-m3's shape, which has positions for it", flush=True)
        return {}
    folder = shallow(folders["v2-m3"], scratch)
    lengths = LENGTHS[:4] if options.quick else LENGTHS
    source = save(scratch / "length.json", pairs.long(1, words=12_000))
    result = {"lengths": lengths, "layers": 2, "peers": {}}
    # What does not fit shall fail, and not bring the machine to end processes of its choice.
    memory = int(0.8 * available())
    for name in [name for name in chosen(options) if name != "onnxruntime f32"]:
        rows = []
        for tokens in lengths:
            try:
                with Peer(name, options.programs, folder, tokens, options.cores, scratch, memory) as peer:
                    before = resident(peer)
                    times = [peer.score(source, 1)[0] for _ in range(2 if options.quick or tokens > 2048 else 4)]
                    rows.append({"seconds": min(times[1:]), "mib": peer.memory() - before})
            except Failed as error:
                print(f"{tokens} tokens: {error}", flush=True)
                break  # longer ones will not fit either
        result["peers"][name] = rows
        told = ", ".join(f"{row['mib']:.0f}" for row in rows)
        print(f"{name}: MiB beyond the model at {lengths[0]} to {lengths[-1]} tokens: {told}", flush=True)
    return result


def available():
    """Bytes that programs can have without others losing theirs."""
    with open("/proc/meminfo") as file:
        line = next(line for line in file if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024


def resident(peer):
    """Resident memory in MiB; the peak is reset to it where the system allows."""
    try:
        with open(f"/proc/{peer.process.pid}/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    with open(f"/proc/{peer.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


PARTS = {"first": first, "one": one, "scaling": scaling, "length": length}
