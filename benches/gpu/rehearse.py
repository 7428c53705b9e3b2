"""Rehearses the kit without a card, so that no minute on one is lost to a typo: all of it, then what may
go wrong there. Ours computes on the CPU through burn (flex), a tiny model; PyTorch on the CPU, too.

    cargo build --release --example kit
    python benches/gpu/rehearse.py --kit target/release/examples/kit [--only NAME]

Needs what `build.sh` and `compare.py` need, and some minutes.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TINY = ["--device", "cpu", "--ours", "flex", "--shape", "tiny", "--rounds", "3", "--steps", "3",
        "--group", "2", "--budget", "1024", "--reference-seconds", "20", "--start-seconds", "300"]

# Logits of the tiny model lie 0.7 apart; in each format they may be so far from f32's.
ROUNDING = {"f32": 1e-4, "f16": 1e-2, "bf16": 5e-2}

# Stands before our program and lets it fail: FAULT is what happens at the ORDER-th COMMAND, counted over
# all processes; an order of 0 means each.
FAULTY = """#!{python}
import json, os, pathlib, subprocess, sys, time
fault, command, order, count = {fault!r}, {command!r}, {order!r}, pathlib.Path({count!r})
kit = subprocess.Popen([{kit!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
for line in sys.stdin:
    is_now = False
    if json.loads(line)["do"] == command:
        seen = len(count.read_text()) + 1 if count.exists() else 1
        count.write_text("x" * seen)
        is_now = order in (0, seen)
    if is_now and fault == "hang":
        time.sleep(3600)
    if is_now and fault == "keep":
        kept = pathlib.Path(os.environ["SECONDPASS_CACHE"], "kernels/environment.db")
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(os.urandom(1000))
    kit.stdin.write(line)
    if is_now and fault == "die":
        kit.kill()
        print("killed in the middle", file=sys.stderr, flush=True)
        os._exit(137)
    answer = kit.stdout.readline()
    if is_now and fault == "nan":
        answer = json.loads(answer)
        answer["logits"] = ["NaN"] * len(answer["logits"])
        answer = json.dumps(answer) + "\\n"
    if is_now and fault == "garbage":
        answer = "thread 'main' says hello\\n"
    if is_now and fault == "error":
        answer = json.dumps(dict(error="libdevice.10.bc was not found")) + "\\n"
    print(answer, end="", flush=True)
"""


# Threads that wait for each other in turns make tiny work slow.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# Answers as nvidia-smi does; every process is on this card.
NVIDIA_SMI = """#!/usr/bin/env bash
case ${1:-} in
--query-gpu*) echo "A card, 580.00.00, 81559 MiB, 1980 MHz, 700.00 W" ;;
--query-compute-apps*) for process in /proc/[0-9]*; do echo "${process#/proc/}, 4321"; done ;;
esac
"""


def check(is_so, what):
    if not is_so:
        raise SystemExit(f"FAILED: {what}")


def small(cases, sets):
    """The same kinds of cases with short sequences of a small vocabulary."""
    few = {"50 x 512": 6, "mix": 50, "1 x 512": 1, "200 x 128": 8, "train 8 x 512": 8}
    word = lambda id: id if id < 4 else 4 + id % 996  # noqa: E731

    def short(sequence):
        kept = sequence if len(sequence) <= 8 else [*sequence[: max(8, len(sequence) // 16)], 2]
        return [word(id) for id in kept]

    cases = {name: [short(s) for s in sequences[: few.get(name, 99)]] for name, sequences in cases.items()}
    scifact = sets["scifact"]
    scifact["queries"] = [[word(id) for id in query[:10]] for query in scifact["queries"]]
    scifact["documents"] = [[word(id) for id in document[:20]] for document in scifact["documents"]]
    helpdesk = sets["helpdesk"]
    helpdesk["pairs"] = [pair for pair in helpdesk["pairs"] if pair[0] < 10]
    helpdesk["grades"] = helpdesk["grades"][:10]
    return cases, sets


class Rehearsal:
    def __init__(self, kit, folder):
        self.kit, self.folder = kit, folder

    def prepare(self):
        """Packs and unpacks the archive, and makes its cases small."""
        archive = self.folder / "kit.tar.xz"
        environment = {**os.environ, "ARCHIVE": str(archive), "PYTHON": sys.executable}
        subprocess.run(["bash", HERE / "build.sh", "--kit", self.kit], check=True, env=environment)
        subprocess.run(["tar", "-C", self.folder, "-xf", archive], check=True)
        self.unpacked = self.folder / "kit"
        files = [self.unpacked / name for name in ("cases.json", "sets.json")]
        for file, content in zip(files, small(*(json.loads(file.read_text()) for file in files))):
            file.write_text(json.dumps(content))

    def read(self, out):
        """The report, which must be JSON as everyone reads it."""
        def refuse(constant):
            raise SystemExit(f"FAILED: {constant} is no JSON")

        report = json.loads((out / "gpu.json").read_text(), parse_constant=refuse)
        check((out / "gpu.md").read_text().startswith("# One card"), "there is no table")
        return report

    def run(self, name, minutes=8.0, fault=None, command="score", order=0, flags=(), stop_after=None, environment=None):
        out, begun = self.folder / f"out-{name}", time.monotonic()
        kit = self.unpacked / "kit"
        if fault:
            real, kit = kit, self.folder / f"faulty-{name}"
            kit.write_text(FAULTY.format(
                python=sys.executable, fault=fault, command=command, order=order, kit=str(real),
                count=str(self.folder / f"count-{name}")))
            kit.chmod(0o755)
        process = subprocess.Popen(
            [sys.executable, self.unpacked / "compare.py", "--kit", kit, "--cases", self.unpacked / "cases.json", "--sets",
             self.unpacked / "sets.json", "--out", out, "--minutes", str(minutes), *TINY, *flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})},
        )
        if stop_after:
            while not stop_after(out):
                check(process.poll() is None, f"{name}: it ended before it could be stopped")
                time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
        (self.folder / f"{name}.txt").write_text(printed)
        seconds = time.monotonic() - begun
        check(seconds < 60 * minutes + 10, f"{name}: it took {seconds:.0f} s of {60 * minutes:.0f}")
        return self.read(out), process.returncode

    # What is rehearsed; each returns what it saw.

    def all_of_it(self):
        """From the archive to the report, by the command that is typed on the machine with the card, from
        another folder and with a relative path."""
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "nvidia-smi").write_text(NVIDIA_SMI)
        (tools / "nvidia-smi").chmod(0o755)
        environment = {
            **os.environ, "PYTHON": sys.executable, "MINUTES": "12", "PATH": f"{tools}:{os.environ['PATH']}"}
        subprocess.run(["bash", "kit/run.sh", "out-whole", *TINY], check=True, env=environment, cwd=self.folder)
        report = self.read(self.folder / "out-whole")
        check(not report["failed"], f"phases failed: {report['failed']}")
        check(report["machine"]["card"]["driver_version"] == "580.00.00", "the driver is not told")
        check(report["formats"][0]["our_memory"]["process"] == 4321 * 2**20, "the process's memory is not told")
        check([part["dtype"] for part in report["formats"]] == ["bf16", "f16", "f32"], "formats are missing")
        for part in report["formats"]:
            check(len(part["rows"]) == 4 and not part["untimed"], f"{part['dtype']}: cases are missing")
            check(all(row["finite"] and row["rounds"] == 3 for row in part["rows"]), "rounds are missing")
            off, parity, scifact = ROUNDING[part["dtype"]], part["parity"], part["scifact"]
            check(parity["pairs"] == 50 and parity["ours"]["largest"] < off, f"parity: {parity}")
            check(off < 1e-3 or parity["ours"]["mean"] <= 1.5 * parity["PyTorch, sdpa"]["mean"], f"parity: {parity}")
            for edge in part["edges"].values():
                check(edge["not_finite"] == 0 and edge["error"] < off, f"an edge case: {edge}")
            # Of weights at random, whose scores lie close together.
            far = abs(scifact["ours"]["ndcg"] - scifact["f32"]["ndcg"])
            check(far < (1e-6 if off < 1e-3 else 0.02), f"nDCG on SciFact: {scifact}")
        missing = set(report["formats"][0]["missing_settings"])
        check(missing <= {"FlashAttention-2", "sentence-transformers, FlashAttention-2", "sdpa, compiled, graphs"},
              f"settings of PyTorch are missing: {missing}")
        ndcg = [found["ndcg"] for found in report["helpdesk"]["formats"].values()]
        check(len(ndcg) > 3 and max(ndcg) - min(ndcg) < 0.01, f"nDCG on ten help-desk queries differs: {ndcg}")
        sides = report["training"]["sides"]
        check("not_available" in sides["ours, bf16"] or sides["ours, bf16"]["step_seconds"], "bf16 training")
        ours, theirs = (sides[f"{side}, f32"]["loss"] for side in ("ours", "PyTorch"))
        check(all(abs(a - b) < 1e-3 for a, b in zip(ours, theirs)), f"losses differ: {ours}, {theirs}")
        return f"{report['seconds']:.0f} s"

    def killed(self):
        """Our program dies once, in the middle of timing."""
        report, _ = self.run("killed", fault="die", order=20, flags=["--no-compile", "--dtypes", "bf16"])
        part = report["formats"][0]
        told = json.dumps([part["untimed"], part["cold"]["failed"], report["failed"], part["edges"]])
        check("ended with 137 at 'score': killed in the middle" in told, f"the death is not told: {told}")
        check(len(part["rows"]) >= 3, "the cases after it were not timed")
        check("ours, f32" in report["training"]["sides"], "training did not go on")
        return "told, and the rest was measured"

    def hanging(self):
        """Our program never answers a score: PyTorch's side and the end come all the same."""
        report, _ = self.run(
            "hanging", minutes=4.0, fault="hang", flags=["--no-compile", "--dtypes", "bf16"])
        check("did not answer in time" in report["failed"]["bf16: first scores"], "the hang is not told")
        check(report["formats"][0]["parity"]["PyTorch, sdpa"]["largest"] >= 0, "PyTorch's parity is missing")
        return f"{report['seconds']:.0f} of 240 s"

    def mute(self):
        """Our program does not even open its files."""
        report, _ = self.run("mute", minutes=4.0, fault="hang", command="cases", flags=["--no-compile", "--dtypes", "bf16"])
        check("did not answer in time" in report["failed"]["machine"], "the hang is not told")
        check("ceilings" in report, "the ceilings are missing")
        check("PyTorch, bf16" in report["training"]["sides"], "PyTorch's training is missing")
        return f"{report['seconds']:.0f} of 240 s"

    def nan(self):
        """All logits are NaN."""
        report, _ = self.run("nan", fault="nan", flags=["--no-compile", "--dtypes", "bf16"])
        part = report["formats"][0]
        check(part["parity"]["ours"]["largest"] == "NaN" and part["parity"]["ours"]["not_finite"] == 50, "parity hides it")
        check(not any(row["finite"] for row in part["rows"]) and part["rows"], "the times hide it")
        check(all(edge["not_finite"] for edge in part["edges"].values()), "the edge cases hide it")
        check("**NaN**" in (self.folder / "out-nan/gpu.md").read_text(), "the table hides it")
        return "told everywhere"

    def garbage(self):
        """Something else than JSON, and an error, in the place of answers."""
        report, _ = self.run("garbage", fault="garbage", order=2, flags=["--no-compile", "--dtypes", "bf16"])
        check("was answered with" in json.dumps(report["formats"][0]["cold"]["failed"]), "it is not told")
        check(len(report["formats"][0]["rows"]) == 4, "it did not go on")
        report, _ = self.run("error", fault="error", flags=["--no-compile", "--dtypes", "bf16"])
        check("libdevice.10.bc was not found" in report["failed"]["bf16: first scores"], "the error is not told")
        check(report["formats"][0]["parity"]["PyTorch, sdpa"]["largest"] >= 0, "PyTorch's parity is missing")
        return "told"

    def full_clock(self):
        """There is not nearly time enough."""
        report, _ = self.run("clock", minutes=0.4)
        check("no time left" in report["failed"].values(), "what found no time is not named")
        return f"{report['seconds']:.0f} of 24 s, {len(report['failed'])} phases named"

    def stopped(self):
        """Somebody ends it, as `timeout` does."""
        def is_under_way(out):
            return (out / "gpu.json").exists() and json.loads((out / "gpu.json").read_text()).get("ceilings")

        report, code = self.run("stopped", stop_after=is_under_way, flags=["--no-compile"])
        check(code != 0 and "signal 15" in report["failed"]["the rest"], "the stop is not told")
        check("ceilings" in report, "what was measured is lost")
        return "what was measured is kept"

    def cache(self):
        """A kernel cache is filled and used; carried in and out again; one that is too large stays behind."""
        report, _ = self.run("keep", fault="keep", command="load", flags=["--no-compile", "--dtypes", "bf16"])
        part = report["formats"][0]
        check(part["cold"]["kernel_cache"] == "empty" != part["cached"]["kernel_cache"], "the cache is not used")
        check("tuning_seconds" in part and len(part["rows"]) == 4, "tuning is not told apart")
        listed = subprocess.run(["tar", "-tf", self.folder / "out-keep/cache.tar.xz"], capture_output=True, text=True)
        check("secondpass/kernels/environment.db" in listed.stdout, "what was filled is not kept")
        inside = self.folder / "cubecl"
        inside.mkdir()
        (inside / "environment.db").write_bytes(os.urandom(300_000))
        subprocess.run(["tar", "-C", self.folder, "-cJf", self.folder / "cache.tar.xz", "cubecl"], check=True)
        flags = ["--no-compile", "--dtypes", "f32", "--cache", str(self.folder / "cache.tar.xz")]
        report, _ = self.run("cache", flags=flags)
        check(report["formats"][0]["cold"]["kernel_cache"] != "empty", "what was carried in is not seen")
        check("cached" not in report["formats"][0], "a filled cache has no cold start beside it")
        listed = subprocess.run(["tar", "-tf", self.folder / "out-cache/cache.tar.xz"], capture_output=True, text=True)
        check("cubecl/environment.db" in listed.stdout, "what was kept is not there")
        report, _ = self.run("large", minutes=1.0, flags=[*flags, "--largest-file", "0.1"])
        check("left out" in report["cache"], "a file was kept that is too large")
        check(not (self.folder / "out-large/cache.tar.xz").exists(), "a file was kept that is too large")
        return report["cache"]

    def libdevice(self):
        """Found in a toolkit, found alone and laid out, found nowhere."""
        def located(**environment):
            environment = {"PATH": os.environ["PATH"], **environment}
            done = subprocess.run(
                [sys.executable, HERE / "locate.py", self.folder / "laid"], env=environment, capture_output=True, text=True,
                check=True)
            found = json.loads(done.stdout)
            return found["libdevice"], found["variables"].get("CUDA_PATH")

        toolkit = self.folder / "a toolkit"
        file = toolkit / "nvvm/libdevice/libdevice.10.bc"
        file.parent.mkdir(parents=True)
        file.touch()
        found, path = located(CUDA_PATH="/nowhere", LOCATE_ROOTS=f"/nor/here:{toolkit}", LOCATE_PACKAGES="none")
        check((found, path) == (str(file), str(toolkit)), f"a toolkit's is not found: {found}, {path}")
        found, path = located(LOCATE_ROOTS="/nowhere", LOCATE_PACKAGES="none")
        check(found is path is None, f"it is not missed: {found}, {path}")
        nowhere = {"LOCATE_ROOTS": "/nowhere", "LOCATE_PACKAGES": "none", "CUDA_PATH": "", "CUDA_HOME": ""}
        report, _ = self.run("nowhere", minutes=1.5, environment=nowhere)
        check(report["machine"]["libdevice"] is None, "the report does not tell that it is missing")
        check("libdevice.10.bc is nowhere" in (self.folder / "out-nowhere/gpu.md").read_text(), "the table does not tell it")
        found, path = located(LOCATE_ROOTS="/nowhere")
        if not found:
            return "this Python has no Triton: the rest is fine"
        check(path == str(self.folder / "laid/cuda") and pathlib.Path(path, "nvvm/libdevice/libdevice.10.bc").is_file(),
              f"a package's is not laid out: {path}")
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kit", required=True, help="our program, built")
    names = ["libdevice", "all_of_it", "killed", "hanging", "mute", "nan", "garbage", "full_clock", "stopped", "cache"]
    parser.add_argument("--only", choices=names, action="append")
    parser.add_argument("--keep", help="a folder for what the rehearsals leave")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rehearsal = Rehearsal(str(pathlib.Path(options.kit).resolve()), folder)
        rehearsal.prepare()
        for name in options.only or names:
            begun = time.monotonic()
            said = getattr(rehearsal, name)()
            print(f"{name}: {said} ({time.monotonic() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
