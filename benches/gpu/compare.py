"""Holds our engine against PyTorch on one card: parity, then times, A B A B.

    python compare.py --kit ./kit --cases cases.json --out report [--device cuda] [--ours cuda]

Writes `gpu.json` and `gpu.md` into the folder `report`. Every phase has a share of `--minutes`; what
did not fit is named, not left out silently. A phase that fails is told and the next one goes on.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import threading
import time
import traceback

import torch

import torch_side

TIMED = ["50 x 512", "mix", "1 x 512", "200 x 128"]


class Kit:
    """Our program, spoken to in lines of JSON."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"our program ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


class Memory:
    """The most memory that a process held on the card, in MiB, sampled while it computes."""

    def __init__(self, pid):
        self.pid, self.most, self.over = str(pid), 0, False
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over:
            try:
                lines = subprocess.run(
                    ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"],
                    capture_output=True, text=True, timeout=10,
                ).stdout.splitlines()
            except (OSError, subprocess.TimeoutExpired):
                return
            used = [int(row.split(",")[1]) for row in lines if row.split(",")[0].strip() == self.pid]
            self.most = max([self.most, *used])
            time.sleep(0.2)

    def end(self):
        self.over = True
        self.thread.join()
        return self.most or None


def synchronise(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(device, work):
    synchronise(device)
    started = time.perf_counter()
    result = work()
    synchronise(device)
    return time.perf_counter() - started, result


def interval(ratios):
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return [medians[50], medians[1949]]


def p95(values):
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def work(shape, sequences):
    """Floating point operations of a forward pass without padding, all layers whole."""
    width, layers, _, intermediate, *_ = torch_side.SHAPES[shape]
    tokens = sum(map(len, sequences))
    linear = 2 * tokens * width * (4 * width + 2 * intermediate)
    attention = sum(4 * len(sequence) ** 2 * width for sequence in sequences)
    return layers * (linear + attention)


def ceilings(device):
    """What the card itself can do: a large product in bf16 and a large copy."""
    size, words = (8192, 1 << 30) if device == "cuda" else (512, 1 << 24)
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    source = torch.randn(words // 4, device=device)
    target = torch.empty_like(source)
    product = [timed(device, lambda: a @ b)[0] for _ in range(13)][3:]
    copy = [timed(device, lambda: target.copy_(source))[0] for _ in range(13)][3:]
    return {
        "bf16_tflops": 2 * size**3 / statistics.median(product) / 1e12,
        "copy_gb_per_second": 2 * 4 * source.numel() / statistics.median(copy) / 1e9,
    }


def parity(kit, folder, cases, options, dtype, reference):
    """Largest error of both sides against PyTorch's f32 on the CPU, on the same pairs."""
    kit.ask(do="load", folder=str(folder), device=options.ours, dtype=dtype)
    ours = kit.ask(do="score", case="mix", budget=options.budget, runs=1)["logits"]
    model = torch_side.load(folder, options.device, dtype)
    theirs = torch_side.Padded(model, options.device, options.budget).score(cases["mix"]).tolist()
    del model
    count = len(reference)
    error = lambda side: max(abs(a - b) for a, b in zip(side[:count], reference))  # noqa: E731
    return {
        "dtype": dtype,
        "pairs": count,
        "spread_of_logits": max(reference) - min(reference),
        "our_error": error(ours),
        "torch_error": error(theirs),
    }


def settings(model, options, sequences):
    """PyTorch's settings to hold ourselves against; those that this version lacks, or that compute
    something else than its plain one, are told."""
    made, missing, plain = {}, {}, None
    for name, build in {
        "sdpa": lambda: torch_side.Padded(model, options.device, options.budget),
        "unpadded": lambda: torch_side.Unpadded(model, options.device),
        "unpadded, compiled": lambda: torch_side.Unpadded(model, options.device, compiled=True),
    }.items():
        try:
            side = build()
            logits = side.score(sequences)
            plain = logits if plain is None else plain
            apart = (logits - plain).abs().max() / (plain.max() - plain.min())
            if not apart < 0.1:
                raise RuntimeError(f"its logits are {apart:.2f} of their spread away")
            made[name] = side
        except Exception as error:  # noqa: BLE001: whatever it is, the others go on
            missing[name] = str(error).splitlines()[0][:200] if str(error) else repr(error)[:200]
    return made, missing


def times(kit, folder, cases, options, dtype):
    """Ours and each setting of PyTorch's in turn, after a warm-up of each that is told apart."""
    memory = Memory(kit.process.pid)
    loaded = kit.ask(do="load", folder=str(folder), device=options.ours, dtype=dtype)["seconds"]
    started = time.perf_counter()
    model = torch_side.load(folder, options.device, dtype)
    torch_loaded = time.perf_counter() - started
    made, missing = settings(model, options, cases["mix"])
    rows = []
    for case in TIMED:
        sequences = cases[case]
        first = kit.ask(do="score", case=case, budget=options.budget, runs=1)["seconds"][0]
        kit.ask(do="score", case=case, budget=options.budget, runs=2)
        for side in made.values():
            for _ in range(3):
                side.score(sequences)
        ours, theirs = [], {name: [] for name in made}
        for _ in range(options.rounds):
            ours += kit.ask(do="score", case=case, budget=options.budget, runs=1)["seconds"]
            for name, side in made.items():
                theirs[name].append(timed(options.device, lambda: side.score(sequences))[0])
        best = min(theirs, key=lambda name: statistics.median(theirs[name]))
        median = statistics.median(ours)
        ratios = [b / a for a, b in zip(ours, theirs[best])]
        rows.append({
            "dtype": dtype, "case": case, "first_seconds": first,
            "median_seconds": median, "p95_seconds": p95(ours),
            "tflops": work(options.shape, sequences) / median / 1e12,
            "torch": {name: statistics.median(values) for name, values in theirs.items()},
            "best_torch": best, "ratio": statistics.median(ratios), "ratio_interval": interval(ratios),
            "samples": {"ours": ours, **theirs},
        })
    peak = torch.cuda.max_memory_allocated() / 2**20 if options.device == "cuda" else None
    del made, model
    return {
        "dtype": dtype, "load_seconds": loaded, "torch_load_seconds": torch_loaded,
        "missing_settings": missing, "our_peak_mib": memory.end(), "torch_peak_mib": peak, "rows": rows,
    }


def training(kit, folder, cases, options):
    """A step on one group; ours in f32, PyTorch's with f32 weights under bf16 autocast."""
    group, case = options.group, "train 8 x 512"
    kit.ask(do="load", folder=str(folder), device=options.ours, dtype="f32")
    ours = kit.ask(do="train", case=case, group=group, steps=options.steps, learning_rate=1e-5)
    kit.ask(do="forget")
    model = torch_side.load(folder, options.device, "f32").train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    step = lambda: torch_side.training_step(model, optimizer, cases[case][:group], options.device)  # noqa: E731
    theirs = [timed(options.device, step) for _ in range(options.steps)]
    settled = lambda values: statistics.median(values[len(values) // 2 :])  # noqa: E731
    seconds = [seconds for seconds, _ in theirs]
    return {
        "ours_dtype": "f32", "torch_dtype": "bf16 autocast", "group": group,
        "our_seconds": settled(ours["seconds"]), "torch_seconds": settled(seconds),
        "ratio": settled(seconds) / settled(ours["seconds"]),
        "our_losses": ours["loss"], "torch_losses": [loss for _, loss in theirs],
    }


def table(report):
    lines = ["# One card", "", f"{report['device']}, PyTorch {report['torch']}, {report['shape']}", ""]
    if ceiling := report.get("ceilings"):
        lines += [f"Ceilings: bf16 product {ceiling['bf16_tflops']:.0f} TFLOP/s, "
                  f"copy {ceiling['copy_gb_per_second']:.0f} GB/s", ""]
    lines += ["| dtype | largest error, ours | PyTorch's |", "|---|---|---|"]
    lines += [f"| {p['dtype']} | {p['our_error']:.2e} | {p['torch_error']:.2e} |" for p in report["parity"]]
    lines += ["", "| dtype | case | ours, median | p95 | TFLOP/s | of the ceiling | best PyTorch | its median | ratio |",
              "|---|---|---|---|---|---|---|---|---|"]
    for part in report["times"]:
        for row in part["rows"]:
            share = ""
            if ceiling and row["dtype"] != "f32":
                share = f"{100 * row['tflops'] / ceiling['bf16_tflops']:.0f}%"
            low, high = row["ratio_interval"]
            lines.append(
                f"| {row['dtype']} | {row['case']} | {1e3 * row['median_seconds']:.1f} ms "
                f"| {1e3 * row['p95_seconds']:.1f} ms | {row['tflops']:.1f} | {share} | {row['best_torch']} "
                f"| {1e3 * row['torch'][row['best_torch']]:.1f} ms | {row['ratio']:.2f} [{low:.2f}, {high:.2f}] |"
            )
    for part in report["times"]:
        lines += ["", f"{part['dtype']}: loaded in {part['load_seconds']:.1f} s (PyTorch {part['torch_load_seconds']:.1f}), "
                  f"peak {part['our_peak_mib']} MiB (PyTorch {part['torch_peak_mib']}), first scores of each case after "
                  + ", ".join(f"{row['first_seconds']:.2f}" for row in part["rows"]) + " s"]
        lines += [f"- PyTorch's {name} is missing: {why}" for name, why in part["missing_settings"].items()]
    if step := report.get("training"):
        lines += ["", f"Training step of {step['group']} sequences: ours {step['our_seconds']:.3f} s ({step['ours_dtype']}), "
                  f"PyTorch {step['torch_seconds']:.3f} s ({step['torch_dtype']}), ratio {step['ratio']:.2f}"]
    lines += [""] + [f"**Not measured:** {name}: {why}" for name, why in report["failed"].items()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kit", required=True)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--device", default="cuda", help="PyTorch's")
    parser.add_argument("--ours", default="cuda", help="our program's")
    parser.add_argument("--shape", default="v2-m3", choices=torch_side.SHAPES)
    parser.add_argument("--dtypes", default="bf16,f16,f32")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=8, help="training steps")
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--budget", type=int, default=32768, help="tokens a batch, padding counted")
    parser.add_argument("--reference", type=int, default=8, help="pairs scored in f32 on the CPU")
    parser.add_argument("--minutes", type=float, default=8.0)
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = False
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("PyTorch sees no CUDA device; for a rehearsal: --device cpu --ours flex --shape small")

    started = time.monotonic()
    report = {
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "the CPU (a rehearsal)",
        "torch": torch.__version__, "shape": options.shape, "parity": [], "times": [], "failed": {},
    }

    def phase(name, keep, work):
        if time.monotonic() - started > 60 * options.minutes * 0.9:
            report["failed"][name] = "no time left"
            return
        try:
            keep(work())
        except Exception as error:  # noqa: BLE001: one phase may fail, the others count
            traceback.print_exc()
            report["failed"][name] = str(error)[:300]
        # What is there is written after each phase: a run that is cut short keeps it.
        (out / "gpu.json").write_text(json.dumps(report, indent=1))
        (out / "gpu.md").write_text(table(report))
        print(f"{time.monotonic() - started:6.1f} s  {name}", flush=True)

    cases = json.loads(pathlib.Path(options.cases).read_text())
    with tempfile.TemporaryDirectory() as folder:
        phase("ceilings", lambda r: report.update(ceilings=r), lambda: ceilings(options.device))
        torch_side.make(options.shape, folder)
        model = torch_side.load(folder, "cpu", "f32")
        reference = torch_side.Padded(model, "cpu", 4096).score(cases["mix"][: options.reference]).tolist()
        del model
        kit = Kit(options.kit)
        kit.ask(do="cases", file=options.cases)
        dtypes = options.dtypes.split(",")
        for dtype in dtypes:
            phase(f"parity {dtype}", report["parity"].append,
                  lambda: parity(kit, folder, cases, options, dtype, reference))
        for dtype in dtypes:
            phase(f"times {dtype}", report["times"].append,
                  lambda: times(kit, folder, cases, options, dtype))
        phase("training", lambda r: report.update(training=r), lambda: training(kit, folder, cases, options))
    print(table(report))


if __name__ == "__main__":
    main()
