"""The peers as programs that run side by side.

Each is told on its standard input, a line a request, a file of pairs (a JSON array of [query, document]), a
file for the scores and the pairs of a batch, and answers with the seconds it took from texts to scores. Its
first line says what it is. Only one works at a time; the others wait for a line.
"""

import contextlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# Kind of number, and how the program is started.
PEERS = {
    "ours": ("f32", "ours"),
    "torch f32": ("f32", "peer_torch.py"),
    "onnxruntime f32": ("f32", "peer_onnx.py"),
    "candle f32": ("f32", "candle"),
    "torch bf16": ("bf16", "peer_torch.py"),
    "onnxruntime int8": ("int8", "peer_onnx.py"),
}


class Failed(Exception):
    """A peer stopped; the message holds the end of what it said."""


class Peer:
    def __init__(self, name, programs, folder, length, cores, scratch, memory=None):
        """`programs`: paths of `ours` and `candle`; `cores`: the processors it may run on; `memory`: bytes
        beyond which its allocations fail."""
        kind, program = PEERS[name]
        threads = str(len(cores))
        if program in programs:
            command = [str(programs[program]), str(folder), str(length)]
        else:
            command = [sys.executable, str(HERE / program), str(folder), str(length), threads, kind]
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads,
                       "MKL_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        self.name = name
        self.errors = open(scratch / f"{name.replace(' ', '-')}.log", "w+", encoding="utf-8")
        self.result = scratch / f"{name.replace(' ', '-')}.scores"
        self.started = time.perf_counter()

        def confine():
            os.sched_setaffinity(0, cores)
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=environment, preexec_fn=confine)
        self.version = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise Failed(f"{self.name} stopped: {self.errors.read()[-600:].strip()}")
        return line.strip()

    def score(self, pairs_file, batch):
        """Seconds from texts to scores, and the scores."""
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self.process.stdin.write(f"{pairs_file} {self.result} {batch}\n")
            self.process.stdin.flush()
        seconds = float(self._answer())
        with open(self.result, encoding="utf-8") as file:
            return seconds, json.load(file)

    def processor(self):
        """Seconds that its threads have been on processors, where Linux tells it."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """The most resident memory so far, in MiB, where Linux tells it."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return None

    def stop(self):
        with contextlib.suppress(BrokenPipeError):  # it stopped by itself
            self.process.stdin.close()
        self.process.wait()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
