"""Holds our engine against PyTorch on one card: parity, then times in turns, then training.

    python compare.py --kit ./kit --cases cases.json --sets sets.json --out report

Writes `gpu.json` and `gpu.md` into the folder `report`, after each phase anew, and there is a report
whatever happens: each phase has a limit of its own, each request a deadline, and all of it ends within
`--minutes`. What did not fit is named. A phase that fails is told and the next one goes on, with a new
process where the old one hung, crashed or met an error.
"""

import argparse
import datetime
import json
import pathlib
import signal
import tempfile
import traceback

from phases import SETTINGS, Bench
from report import markdown, write
from shapes import SHAPES
from sides import Clock, Failed, NotAvailable

FILES = ("kit", "cases", "sets", "out", "cache")


def flags():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kit", required=True)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--sets", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--device", default="cuda", help="PyTorch's")
    parser.add_argument("--ours", default="cuda", help="our program's: cuda, or flex for a rehearsal")
    parser.add_argument("--ours-dtype", help="what ours computes in, whatever is asked: f32 in a rehearsal")
    parser.add_argument("--shape", default="v2-m3", choices=SHAPES)
    parser.add_argument("--dtypes", default="bf16,f16,f32", help="the first is measured most closely")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=8, help="training steps")
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--budget", type=int, default=32768, help="tokens a batch, padding counted")
    parser.add_argument("--reference-seconds", type=float, default=30.0, help="for f32 on the CPU")
    parser.add_argument("--start-seconds", type=float, default=90.0, help="for PyTorch to be imported")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    parser.add_argument("--cache", help="cache.tar.xz of an earlier run on such a card")
    parser.add_argument("--largest-file", type=float, default=16.0, help="MiB that a file of the report may have")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--revision", default="unknown", help="git's, of what was built")
    parser.add_argument("--skip", default="", help="words, with commas: phases whose names hold one are left out")
    options = parser.parse_args()
    for dtype in options.dtypes.split(","):
        if dtype not in SETTINGS:
            parser.error(f"unknown format '{dtype}'; there are {', '.join(SETTINGS)}")
    for name in FILES:
        # Both sides run in folders of their own.
        if path := getattr(options, name):
            setattr(options, name, str(pathlib.Path(path).resolve()))
    return options


class Phases:
    """Runs what it is given, each part within its limit, and keeps the report."""

    def __init__(self, options, clock, report, out):
        self.clock, self.report, self.out = clock, report, out
        # The limits are meant for eight minutes; with less the last phases are those that go without.
        self.scale = max(1.0, options.minutes / 8)
        self.skipped = [word for word in options.skip.split(",") if word]

    def __call__(self, name, limit, work):
        for word in self.skipped:
            if word in name:
                self.report["failed"][name] = f"left out by --skip {word}"
                return False
        if self.clock.left() <= 0:
            self.report["failed"][name] = "no time left"
            return False
        begun, how = self.clock.passed(), "stopped"
        try:
            work(self.clock.share(limit * self.scale))
            how = "done"
            return True
        except (Failed, NotAvailable) as why:
            how = self.report["failed"][name] = str(why)
        except Exception as error:  # noqa: BLE001: one phase may fail, the others count
            traceback.print_exc()
            how = self.report["failed"][name] = f"{type(error).__name__}: {error}"[:300]
        finally:
            self.report["phases"][name] = self.clock.passed() - begun
            self.save()
            print(f"{self.clock.passed():6.1f} s  {name}: {how}", flush=True)
        return False

    def save(self):
        self.report["seconds"] = self.clock.passed()
        write(self.report, self.out)


def number_format(phase, bench, dtype, is_first, rounds):
    """Everything in one format. Of the first one a process with an empty kernel cache and one with a
    filled one are held against each other."""
    entry = {"dtype": dtype, "cold": {}}
    bench.report["formats"].append(entry)
    kit = bench.kit()
    phase(f"{dtype}: first scores", 130 if is_first else 70,
          lambda clock: bench.first_scores(clock, kit, dtype, entry["cold"]))
    if is_first and entry["cold"].get("kernel_cache") == "empty" and bench.is_kept():
        kit.end()
        kit, entry["cached"] = bench.kit(), {}
        if phase(f"{dtype}: first scores with a filled kernel cache", 60,
                 lambda clock: bench.first_scores(clock, kit, dtype, entry["cached"])):
            before, after = entry["cold"]["first_seconds"], entry["cached"]["first_seconds"]
            entry["tuning_seconds"] = sum(before[case] - after[case] for case in before if case in after)
    logits = entry["cold"].pop("logits", None)
    logits = entry.get("cached", {}).pop("logits", logits)
    phase(f"{dtype}: parity", 30, lambda clock: bench.parity(clock, dtype, entry, logits))
    phase(f"{dtype}: PyTorch's settings", 100 if is_first else 20, lambda clock: bench.settings(clock, dtype, entry))
    phase(f"{dtype}: times", 60 if is_first else 40, lambda clock: bench.times(clock, kit, entry, rounds))
    phase(f"{dtype}: edge cases", 25, lambda clock: bench.edges(clock, kit, entry))
    phase(f"{dtype}: SciFact", 20, lambda clock: bench.real_set(clock, kit, entry))
    kit.end()


def main():
    options = flags()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    # A little is kept back for what comes after the last phase.
    clock = Clock(60 * options.minutes * 0.97)
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "shape": options.shape, "minutes": options.minutes, "seconds": 0.0,
        "options": {key: value for key, value in vars(options).items() if key not in FILES},
        "machine": {}, "formats": [], "phases": {}, "failed": {},
    }
    phase = Phases(options, clock, report, out)

    def stop(number, _):
        raise SystemExit(f"stopped by signal {number}")

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    cases, sets = (json.loads(pathlib.Path(file).read_text()) for file in (options.cases, options.sets))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(options, clock, report, phase.save, cases, sets, out, pathlib.Path(folder))
        try:
            phase("machine", options.start_seconds + 10, bench.machine)
            if phase("weights", 60, bench.weights):
                phase("references", 90, bench.references)
                phase("ceilings", 20, bench.ceilings)
                first, *others = options.dtypes.split(",")
                number_format(phase, bench, first, True, options.rounds)
                phase("training", 80, bench.training)
                for dtype in others:
                    if dtype == "f32":
                        phase("help-desk", 30, bench.trained_model)
                    number_format(phase, bench, dtype, False, min(5, options.rounds) if dtype == "f32" else options.rounds)
                if "f32" not in others:
                    phase("help-desk", 30, bench.trained_model)
        except SystemExit as why:
            report["failed"]["the rest"] = str(why)
        finally:
            bench.end()
            try:
                bench.keep_cache()
            except OSError as error:
                report["cache"] = f"could not be kept: {error}"
            phase.save()
    print(markdown(report))
    if "the rest" in report["failed"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
