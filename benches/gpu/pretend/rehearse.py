"""Drives our program through `--device cuda` without a card: a pretended driver (driver.c) takes its kernels and runs
none.

    cargo build --release --example kit --features cuda
    python benches/gpu/pretend/rehearse.py --kit target/release/examples/kit --cuda CUDA [--model FOLDER] [--out FOLDER]

CUDA is a toolkit's root, with nvvm/libdevice and, to have the kernels assembled, bin/ptxas; NVIDIA's packages
nvidia-cuda-nvcc and nvidia-nvvm unpacked hold both. FOLDER is a model's; without one the embedded model is taken, and
nothing is trained. A C compiler is needed.

It stops at a panic, at an error, at a kernel that ptxas refuses, and where an error should come and does not. It tells
what no card is needed for: how many kernels a batch launches once all is tuned, how many are compiled, what memory
the pools take. Logits and times mean nothing.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
# The last of them is counted; those before it tune and compile.
RUNS = 4


class Kit:
    """Our program under the pretended driver, its kernels and launches in `out`."""

    def __init__(self, options, driver, out, cache=None, **pretended):
        out.mkdir(parents=True)
        self.out, self.log = out, out / "log.txt"
        # cubecl reads this from the folder that it runs in. What one run tunes is not another's, unless it is given.
        (out / "cubecl.toml").write_text(
            f'[compilation]\ncache = true\n\n[environment]\npath = {{ directory = "{cache or out / "cache"}" }}\n')
        environment = {
            **os.environ, **pretended, "LD_LIBRARY_PATH": str(driver), "CUDA_PATH": options.cuda,
            "PRETEND_OUT": str(out),
        }
        self.process = subprocess.Popen(
            [str(pathlib.Path(options.kit).resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log.open("w"), text=True, bufsize=1, cwd=out, env=environment)

    def ask(self, **command):
        answer = self.answer_to(command)
        if "error" in answer:
            raise SystemExit(f"FAILED at {command}: {answer['error']}; see {self.log}")
        return answer

    def refused(self, part, **command):
        """What must be an error that says so."""
        answer = self.answer_to(command)
        if part not in answer.get("error", ""):
            raise SystemExit(f"FAILED at {command}: {answer} has nothing of '{part}'")

    def answer_to(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        line = self.process.stdout.readline()
        # Tuning passes over a way that panics: nobody else would tell.
        if "panicked" in (log := self.log.read_text()):
            raise SystemExit(f"FAILED at {command}: {log[-2000:]}")
        return json.loads(line) if line else {"error": "it ended"}

    def launches(self, ask):
        """The kernels of what `ask` makes it do, by name."""
        file = self.out / "launches.tsv"
        begin = file.stat().st_size if file.exists() else 0
        ask()
        lines = file.read_text()[begin:].splitlines()
        names = (line.split("\t")[1] for line in lines if line != "sync")
        return collections.Counter(re.sub(r"_[0-9a-f]{8}$", "", name) for name in names)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", required=True)
    parser.add_argument("--cuda", required=True)
    parser.add_argument("--model")
    parser.add_argument("--cases", help="cases.json of a packed kit; needs --model, whose vocabulary it is in")
    parser.add_argument("--out")
    parser.add_argument("--dtypes", default="bf16,f16,f32")
    options = parser.parse_args()
    options.cuda = str(pathlib.Path(options.cuda).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(options.out or scratch).resolve()
        driver = pathlib.Path(scratch) / "driver"
        driver.mkdir()
        flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run(["cc", *flags, "-o", driver / "libcuda.so", HERE / "driver.c"], check=True)
        cases = pathlib.Path(scratch) / "cases.json"
        cases.write_text(pathlib.Path(options.cases).read_text() if options.cases else json.dumps(made_up()))
        for dtype in options.dtypes.split(","):
            score(options, driver, out / dtype, cases, dtype)
        if options.model:
            for dtype in sorted({"bf16", "f32"} & set(options.dtypes.split(","))):
                train(options, driver, out / f"train-{dtype}", cases, dtype)
        limits(options, driver, out)


def made_up():
    """Sequences that any model takes."""
    def of(*lengths):
        return [[0, *(10 + place % 900 for place in range(length - 2)), 2] for length in lengths]

    return {
        "alike": of(*[64] * 20), "mix": of(*range(20, 60)), "one": of(60), "edge: tiny": [[], [0], [0, 2], *of(3, 60)],
        "train 8 x 512": of(*[64] * 8),
    }


def score(options, driver, out, cases, dtype):
    counts = {}
    kit = opened(options, driver, out, None, dtype)
    for case in kit.ask(do="cases", file=str(cases))["cases"]:
        if case.startswith("train"):
            continue
        for _ in range(RUNS):
            counts[case] = kit.launches(lambda: kit.ask(do="score", case=case, budget=32768, runs=1))
        print(f"{dtype}, {case}: {sum(counts[case].values())} launches")
        for name, number in counts[case].most_common():
            print(f"    {number:4} {name}")
    print(f"{dtype}: {took(kit.ask(do='memory'))}")
    kit.end()
    assemble(options, out)

    # A new process with that cache neither tunes nor compiles. What has ways of equal speed may choose another.
    kit = opened(options, driver, out.with_name(f"{dtype}-again"), out / "cache", dtype)
    kit.ask(do="cases", file=str(cases))
    for case, count in counts.items():
        again = kit.launches(lambda: kit.ask(do="score", case=case, budget=32768, runs=1))
        if abs(sum(again.values()) - sum(count.values())) > 0.2 * sum(count.values()):
            sys.exit(f"FAILED: {dtype}, {case}: {sum(again.values())} launches with a filled cache: it was tuned again")
    kit.end()
    print(f"{dtype}: with a filled cache nothing is tuned")


def opened(options, driver, out, cache, dtype):
    kit = Kit(options, driver, out, cache)
    if options.model:
        kit.ask(do="load", folder=str(pathlib.Path(options.model).resolve()), device="cuda", dtype=dtype)
    else:
        kit.ask(do="load-embedded", device="cuda", dtype=dtype)
    return kit


def train(options, driver, out, cases, dtype):
    kit = Kit(options, driver, out)
    kit.ask(do="cases", file=str(cases))
    folder = str(pathlib.Path(options.model).resolve())
    command = {"do": "train", "folder": folder, "device": "cuda", "compute": dtype, "case": "train 8 x 512"}
    answer = kit.answer_to({**command, "group": 8, "steps": 3})
    # What kernels that did not run leave behind may be anything, and then the step is refused; launched they were.
    if "not finite" not in answer.get("error", "") and len(answer.get("seconds", [])) != 3:
        sys.exit(f"FAILED: training in {dtype}: {answer}")
    print(f"training in {dtype}: {took(kit.ask(do='memory'))}")
    kit.end()
    assemble(options, out)


def limits(options, driver, out):
    """Machines on which it cannot work."""
    embedded = {"do": "load-embedded", "device": "cuda", "dtype": "f32"}
    for name, value, part in [
        ("PRETEND_CARDS", "0", "no card was found"), ("PRETEND_VERSION", "12040", "a driver for CUDA 12.4"),
        ("PRETEND_MEMORY", "1000000000", "1.0 GB free of 1.0 GB"),
    ]:
        kit = Kit(options, driver, out / name.lower(), **{name: value})
        kit.refused(part, **embedded)
        kit.end()
    print("no card, an old driver and too little memory are told")


def took(memory):
    return f"the pools took {memory['pools_peak'] / 1e9:.2f} GB of the pretended card"


def assemble(options, out):
    """What the compiler wrote, for the architecture that the driver pretends."""
    ptxas = pathlib.Path(options.cuda) / "bin/ptxas"
    modules = sorted(out.glob("*.ptx"))
    if not ptxas.exists():
        print(f"{out.name}: {len(modules)} kernels compiled, not assembled: no {ptxas}")
        return

    def refused(module):
        done = subprocess.run([ptxas, "-arch=sm_90a", "-o", "/dev/null", module], capture_output=True, text=True)
        return done.returncode and f"{module}: {done.stderr}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [text for text in pool.map(refused, modules) if text]
    print(f"{out.name}: {len(modules)} kernels compiled, {len(modules) - len(wrong)} assembled")
    if wrong:
        sys.exit("FAILED: ptxas refuses\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
