"""What is measured, phase by phase. Each writes into the report as it goes, so that a phase that is cut
short keeps what it had."""

import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tarfile

import locate
from shapes import SHAPES
from sides import Failed, NotAvailable, Side, finite

TIMED = ["50 x 512", "mix", "1 x 512", "200 x 128"]
EDGES = ["edge: tiny", "edge: long masks", "edge: 8,192 tokens"]
PLAIN = "sdpa"
SETTINGS = {
    "bf16": [
        PLAIN, "unpadded", "sentence-transformers", "FlashAttention-2",
        "sentence-transformers, FlashAttention-2",
        # Compiling costs time and is done for one number format only; graphs come last, since a
        # recording that fails may leave its process unsound.
        "unpadded, compiled", "sdpa, compiled", "sdpa, compiled, graphs",
    ],
    "f16": [PLAIN, "unpadded", "sentence-transformers"],
    "f32": [PLAIN, "sdpa, TF32"],
}
MEMORY_TO_TRAIN_IN = 70e9


def interval(ratios):
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return [medians[50], medians[1949]]


def p95(values):
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def work(shape, sequences):
    """Floating point operations of a forward pass without padding, all layers whole."""
    width, layers, _, intermediate, *_ = SHAPES[shape]
    tokens = sum(map(len, sequences))
    linear = 2 * tokens * width * (4 * width + 2 * intermediate)
    attention = sum(4 * len(sequence) ** 2 * width for sequence in sequences)
    return layers * (linear + attention)


def error(side, reference):
    """Largest and mean distance; NaN where a logit is none, never left out."""
    apart = [abs(a - b) for a, b in zip(side, reference)]
    if not finite(apart):
        return {"largest": math.nan, "mean": math.nan, "not_finite": sum(not finite([a]) for a in apart)}
    return {"largest": max(apart), "mean": statistics.fmean(apart), "not_finite": 0}


def spread(logits):
    return max(logits) - min(logits) if logits and finite(logits) else math.nan


def ndcg_at_10(ranking, scores):
    """The mean over queries, gains linear, ties broken by document id descending as everywhere here; and
    how many neighbours in a ranking are tied."""
    if not finite(scores):
        return math.nan, 0
    total, ties = 0.0, 0
    for query, grades in enumerate(ranking["grades"]):
        mine = [
            (score, ranking["document_ids"][document])
            for (asked, document), score in zip(ranking["pairs"], scores) if asked == query
        ]
        mine.sort(reverse=True)
        ties += sum(a[0] == b[0] for a, b in zip(mine, mine[1:]))
        gain = lambda values: sum(v / math.log2(rank + 2) for rank, v in enumerate(values[:10]))  # noqa: E731
        ideal = gain(sorted(grades.values(), reverse=True))
        total += gain([grades.get(document, 0) for _, document in mine]) / ideal if ideal else 0.0
    return total / len(ranking["grades"]), ties


def median_after_first(values):
    """Steps settle after the first few."""
    return statistics.median(values[len(values) // 2 :])


class Bench:
    """Both sides, what they score, and the report."""

    def __init__(self, options, clock, report, save, cases, sets, out, folder):
        self.options, self.clock, self.report, self.save = options, clock, report, save
        self.cases, self.sets, self.out = cases, sets, out
        self.model = str(folder / "model")
        self.cache = folder / "cache"
        self.log = open(out / "log.txt", "w", encoding="utf-8")
        self.kits = []
        here = pathlib.Path(__file__).parent
        opening = [{"do": "cases", "file": options.cases}, {"do": "sets", "file": options.sets}]
        self.torch = Side(
            [sys.executable, str(here / "torch_side.py"), options.device, str(options.budget)], self.log, clock, options.start_seconds,
            {"TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}, opening=opening,
        )
        self.opening = opening
        self.reference, self.sets_reference, self.edges_reference = [], {}, {}
        self.variables, self.libdevice = locate.lay_out(os.environ, folder / "laid", here / "lib")
        (folder / "work").mkdir()
        self.work = folder / "work"
        if options.cache:
            with tarfile.open(options.cache) as archive:
                archive.extractall(self.cache, filter="data")
        self.cache.mkdir(exist_ok=True)
        # cubecl reads this from the folder that it runs in; a program that keeps a cache of its own finds
        # its folder by the variables.
        (self.work / "cubecl.toml").write_text(
            f'[compilation]\ncache = true\n\n[environment]\npath = {{ directory = "{self.cache}/cubecl" }}\n'
        )

    def kit(self):
        """A new process of ours."""
        variables = {
            **self.variables, "XDG_CACHE_HOME": str(self.cache), "SECONDPASS_CACHE": str(self.cache / "secondpass"),
        }
        kit = Side([self.options.kit], self.log, self.clock, 30.0, variables, self.work, self.opening)
        # A program that never says a word is not waited for in each phase anew.
        if self.kits and not self.kits[-1].answered:
            kit.failed_starts = self.kits[-1].failed_starts
        self.kits.append(kit)
        return kit

    def load(self, kit, clock, dtype):
        command = {
            "do": "load", "folder": self.model, "device": self.options.ours,
            "dtype": self.options.ours_dtype or dtype,
        }
        return self.open_with(kit, clock, command)

    def load_torch(self, clock, dtype):
        return self.open_with(self.torch, clock, {"do": "load", "folder": self.model, "dtype": dtype})

    def open_with(self, side, clock, command):
        """Whoever starts anew loads it again, also after a load that failed."""
        side.opening = list(self.opening)
        try:
            return side.ask(clock, **command)
        finally:
            side.opening.append(command)

    def is_kept(self):
        """Whether compiled kernels outlive their process."""
        return any(path.is_file() for path in self.cache.rglob("*"))

    def end(self):
        for side in [self.torch, *self.kits]:
            side.end(at_once=True)
        self.log.close()

    # What both sides are, and what the card can do.

    def machine(self, clock):
        machine = self.report["machine"]
        machine["revision"] = self.options.revision
        machine["libdevice"] = self.libdevice
        fields = ["name", "driver_version", "memory.total", "clocks.max.sm", "power.limit"]
        try:
            lines = subprocess.run(
                ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"],
                capture_output=True, text=True, timeout=20, check=True,
            ).stdout.splitlines()
            machine["card"] = dict(zip(fields, lines[0].split(", ")))
        except (OSError, subprocess.SubprocessError, IndexError) as trouble:
            machine["card"] = {"driver_version": f"unknown: {trouble}"[:200]}
        machine["torch"] = self.torch.ask(clock, do="hello")
        kit = self.kit()
        machine["ours"] = kit.ask(clock, do="hello")
        kit.end()

    def weights(self, clock):
        self.report["weights_seconds"] = self.torch.ask(
            clock, do="make", shape=self.options.shape, folder=self.model)["seconds"]

    def references(self, clock):
        """f32 on the CPU for parity; f32 on the card, without TF32, for what would take too long there."""
        part = clock.share(self.options.reference_seconds)
        self.reference = self.torch.ask(
            clock, do="reference", folder=self.model, case="mix", within=max(1.0, part.left()))["logits"]
        self.load_torch(clock, "f32")
        for name in EDGES:
            self.edges_reference[name] = self.plain(clock, name)["logits"]
        self.sets_reference["scifact"] = self.plain(clock, "set: scifact")["logits"]

    def plain(self, clock, case):
        return self.torch.ask(clock, do="score", setting=PLAIN, case=case, runs=1)

    def ceilings(self, clock):
        self.report["ceilings"] = self.torch.ask(clock, do="ceilings")

    # A number format.

    def first_scores(self, clock, kit, dtype, entry):
        """Loading, then each case for the first time in this process."""
        entry["kernel_cache"] = "as far as earlier runs filled it" if self.is_kept() else "empty"
        loaded = self.load(kit, clock, dtype)
        entry.update(load_seconds=loaded["seconds"], host_peak=loaded["host_peak"], first_seconds={}, failed={})
        for case in TIMED:
            try:
                answer = self.ours(clock, kit, case)
            except Failed as why:
                entry["failed"][case] = str(why)
                continue
            entry["first_seconds"][case] = answer["seconds"][0]
            if case == "mix":
                entry["logits"] = answer["logits"]
            self.save()
        if not entry["first_seconds"]:
            raise Failed("; ".join(sorted(set(entry["failed"].values()))))

    def ours(self, clock, kit, case, runs=1):
        return kit.ask(
            clock, do="score", case=case, budget=self.options.budget, runs=runs, within=max(0.0, clock.left() / 2))

    def parity(self, clock, dtype, entry, ours):
        """Both sides' errors against f32 on the CPU, on the same pairs."""
        entry["torch_load_seconds"] = self.load_torch(clock, dtype)["seconds"]
        if not self.reference:
            raise Failed("there is no reference on the CPU")
        found = {"pairs": len(self.reference), "spread_of_logits": spread(self.reference)}
        entry["parity"] = found
        if ours is not None:
            found["ours"] = error(ours, self.reference)
        for setting in [PLAIN, "sdpa, TF32"][: 2 if dtype == "f32" else 1]:
            answer = self.torch.ask(clock, do="score", setting=setting, case="mix", runs=1)
            found[f"PyTorch, {setting}"] = error(answer["logits"], self.reference)

    def settings(self, clock, dtype, entry):
        """PyTorch's settings to hold ourselves against; those that are missing, too slow to make, or
        compute something else than the plain one, are told."""
        names = [name for name in SETTINGS[dtype] if self.options.compile or "compiled" not in name]
        entry.update(missing_settings={}, torch_first_seconds={})
        plain = None
        for name in names:
            # Compiling takes its time, but not that of all others.
            share = clock.share(max(clock.left() / 2, min(45.0 * self.options.minutes / 8, clock.left() - 10)))
            try:
                answer = self.torch.ask(share, do="score", setting=name, case="mix", runs=1)
                plain = plain or answer["logits"]
                distance = error(answer["logits"], plain)["largest"]
                # What rounding alone does to the plain one is no other computation.
                if not distance < max(0.1 * spread(plain), 3 * self.rounding(plain)):
                    raise NotAvailable(f"its logits are {distance:.2g} away, {distance / spread(plain):.2f} of their spread")
                entry["torch_first_seconds"][name] = answer["seconds"][0]
            except (Failed, NotAvailable) as why:
                entry["missing_settings"][name] = str(why)
            self.save()

    def rounding(self, logits):
        """How far logits are from f32's, where that is known."""
        return error(logits, self.reference)["largest"] if self.reference else 0.0

    def times(self, clock, kit, entry, rounds):
        """Ours and each setting of PyTorch's in turn, after warm-ups that are told apart."""
        entry.update(rows=[], untimed={})
        made = list(entry.get("torch_first_seconds", {}))
        for place, case in enumerate(TIMED):
            share = clock.share(clock.left() / (len(TIMED) - place))
            try:
                entry["rows"].append(self.row(share, kit, case, made, rounds))
            except Failed as why:
                entry["untimed"][case] = str(why)
            self.save()
        # Once, and when nothing is timed.
        entry["our_memory"] = {**kit.ask(clock, do="memory"), "process": self.process_memory(kit)}
        if not entry["rows"]:
            raise Failed("no case was timed: " + "; ".join(sorted(set(entry["untimed"].values()))))

    def row(self, clock, kit, case, made, rounds):
        sequences = self.cases[case]
        row = {"case": case, "failed": {}}
        mine = self.ours(clock.share(clock.left() / 2), kit, case, runs=3)
        theirs, plain, peaks, longest = {}, None, {}, max(mine["seconds"])
        for name in made:
            try:
                answer = self.torch.ask(
                    clock.share(clock.left() / 2), do="score", setting=name, case=case, runs=3, within=clock.left() / 4)
            except (Failed, NotAvailable) as why:
                row["failed"][name] = str(why)
                continue
            theirs[name], peaks[name] = [], answer["peak"]
            longest += min(answer["seconds"])
            if name == PLAIN:
                plain = answer["logits"]
        ours = []
        for _ in range(rounds):
            # The last round has to end in time, too.
            if clock.left() < 2 * longest + 0.5:
                break
            ours += self.ours(clock, kit, case)["seconds"]
            for name, seconds in theirs.items():
                seconds += self.torch.ask(clock, do="score", setting=name, case=case, runs=1)["seconds"]
        if not ours:
            raise Failed("no time left for a round")
        median = statistics.median(ours)
        row.update(
            rounds=len(ours), median_seconds=median, p95_seconds=p95(ours),
            finite=finite(mine["logits"]), tflops=work(self.options.shape, sequences) / median / 1e12,
            distance_from_torch=error(mine["logits"], plain)["largest"] if plain else None,
            torch={
                name: {"median_seconds": statistics.median(values), "p95_seconds": p95(values), "peak": peaks[name]}
                for name, values in theirs.items()
            },
            samples={"ours": ours, **theirs},
        )
        if theirs:
            best = min(theirs, key=lambda name: statistics.median(theirs[name]))
            ratios = [b / a for a, b in zip(ours, theirs[best])]
            row.update(best_torch=best, ratio=statistics.median(ratios), ratio_interval=interval(ratios))
        return row

    def process_memory(self, kit):
        """What the driver says that our process holds, in bytes."""
        if kit.process is None:
            return None
        try:
            lines = subprocess.run(
                ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"],
                capture_output=True, text=True, timeout=20,
            ).stdout.splitlines()
            rows = [line.split(",") for line in lines]
            return next((int(row[1]) * 2**20 for row in rows if int(row[0]) == kit.process.pid), None)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError):
            return None

    def edges(self, clock, kit, entry):
        """Nothing may be NaN, whatever comes."""
        entry["edges"] = {}
        for name in EDGES:
            found = entry["edges"].setdefault(name, {"sequences": len(self.cases[name])})
            try:
                logits = self.ours(clock.share(clock.left() / 2), kit, name)["logits"]
                found["not_finite"] = sum(not finite([logit]) for logit in logits)
                if name in self.edges_reference:
                    found["error"] = error(logits, self.edges_reference[name])["largest"]
                    theirs = self.plain(clock.share(clock.left() / 2), name)["logits"]
                    found["torch_error"] = error(theirs, self.edges_reference[name])["largest"]
            except (Failed, NotAvailable) as why:
                found["failed"] = str(why)
            self.save()

    def real_set(self, clock, kit, entry):
        """nDCG@10 over SciFact. The weights are random: only the differences mean something."""
        if "scifact" not in self.sets_reference:
            raise Failed("there is no reference for the set")
        ranking, reference = self.sets["scifact"], self.sets_reference["scifact"]
        mine = kit.ask(clock, do="rank", set="scifact", budget=self.options.budget)["logits"]
        theirs = self.plain(clock, "set: scifact")["logits"]
        entry["scifact"] = {
            "pairs": len(reference),
            **{
                name: dict(zip(["ndcg", "ties"], ndcg_at_10(ranking, logits)), error=error(logits, reference)["largest"])
                for name, logits in {"f32": reference, "ours": mine, "PyTorch": theirs}.items()
            },
        }

    def trained_model(self, clock):
        """The model that is compiled in, on its own set: a real ranking in every format."""
        kit, ranking = self.kit(), self.sets["helpdesk"]
        found = self.report["helpdesk"] = {"pairs": len(ranking["pairs"]), "formats": {}}

        def rank(device, dtype):
            kit.ask(clock, do="load-embedded", device=device, dtype=dtype)
            return kit.ask(clock, do="rank", set="helpdesk", budget=self.options.budget)["logits"]

        reference = rank("cpu", "f32")
        found["formats"]["f32 on the CPU"] = dict(zip(["ndcg", "ties"], ndcg_at_10(ranking, reference)))
        for dtype in self.options.dtypes.split(","):
            try:
                logits = rank(self.options.ours, self.options.ours_dtype or dtype)
                ndcg, ties = ndcg_at_10(ranking, logits)
                found["formats"][dtype] = {"ndcg": ndcg, "ties": ties, "error": error(logits, reference)["largest"]}
            except Failed as why:
                found["formats"][dtype] = {"failed": str(why)}
            self.save()
        kit.end()

    def training(self, clock):
        """A step on one group, each side alone on the card."""
        found = self.report["training"] = {
            "group": self.options.group, "limit_bytes": MEMORY_TO_TRAIN_IN, "sides": {},
        }
        common = {
            "do": "train", "folder": self.model, "case": "train 8 x 512", "group": self.options.group,
            "steps": self.options.steps,
        }
        self.torch.opening = list(self.opening)
        parts = [("PyTorch", "bf16"), ("ours", "bf16"), ("ours", "f32"), ("PyTorch", "f32")]
        for place, (side, compute) in enumerate(parts):
            share = clock.share(clock.left() / (len(parts) - place))
            name = f"{side}, {compute}"
            try:
                if side == "ours":
                    # Pools that a process has filled stay filled: theirs must not stand beside ours.
                    self.torch.ask(share, do="forget")
                    kit = self.kit()
                    answer = kit.ask(
                        share, **common, device=self.options.ours, compute=compute, within=share.left() * 0.7)
                    kit.end()
                else:
                    answer = self.torch.ask(share, **common, compute=compute, within=share.left() * 0.7)
                if not answer["seconds"]:
                    raise Failed("no time left for a step")
                answer["step_seconds"] = median_after_first(answer["seconds"])
                found["sides"][name] = answer
            except NotAvailable as why:
                found["sides"][name] = {"not_available": str(why)}
            except Failed as why:
                found["sides"][name] = {"failed": str(why)}
            finally:
                if side == "ours":
                    for kit in self.kits:
                        kit.end(at_once=True)
            self.save()

    def keep_cache(self):
        """Tuned and compiled kernels, to be carried to the next run."""
        if not self.is_kept():
            self.report["cache"] = "nothing was kept: this build compiles and tunes anew in each process"
            return
        path = self.out / "cache.tar.xz"
        with tarfile.open(path, "w:xz", preset=1) as archive:
            for part in sorted(self.cache.iterdir()):
                archive.add(part, part.name)
        size = path.stat().st_size
        self.report["cache"] = f"{path.name}, {size / 1e6:.1f} MB"
        if size > self.options.largest_file * 2**20:
            path.unlink()
            self.report["cache"] += f": left out, larger than {self.options.largest_file} MiB"

