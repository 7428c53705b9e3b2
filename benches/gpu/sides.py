"""Programs that answer one line of JSON with one line of JSON, each with its deadline.

Ours and PyTorch's speak the same way, so that a hang, a crash or a poisoned card costs one phase and
not the rest.
"""

import collections
import json
import math
import os
import queue
import signal
import subprocess
import threading
import time


MOST_FAILED_STARTS = 4


class Failed(RuntimeError):
    """A side answered with an error, ended, or did not answer in time."""


class NotAvailable(RuntimeError):
    """What was asked for is not in this build: no failure, and no figure."""


class Clock:
    """Seconds until the report has to be there."""

    def __init__(self, seconds):
        self.started = time.monotonic()
        self.end = self.started + seconds

    def passed(self):
        return time.monotonic() - self.started

    def left(self):
        return self.end - time.monotonic()

    def share(self, seconds):
        """A clock that ends after so many seconds, or with this one."""
        part = Clock(seconds)
        part.end = min(part.end, self.end)
        return part


def number(value):
    """JSON has no NaN and no infinities; both sides send them as texts."""
    return float(value) if isinstance(value, str) else value


class Side:
    """A program, started at its first command and again at the first one after it ended; `opening` is
    told to each new one. A start has its own time, taken from `whole`: it is not the fault of who asks
    next. Starts that fail get less and less of it, and after some no more are tried."""

    def __init__(self, command, log, whole, start_seconds, environment=None, folder=None, opening=()):
        self.command, self.log, self.whole, self.folder = command, log, whole, folder
        self.start_seconds = start_seconds
        self.environment = {**os.environ, **(environment or {})}
        self.opening, self.process = list(opening), None
        self.failed_starts = 0
        # Whether it ever answered.
        self.answered = False
        self.errors = collections.deque(maxlen=40)

    def start(self):
        if self.failed_starts >= MOST_FAILED_STARTS:
            raise Failed(f"{self.failed_starts} starts failed")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            bufsize=1, env=self.environment, cwd=self.folder, start_new_session=True,
        )
        self.answers = queue.Queue()
        self.readers = [
            threading.Thread(target=self.read, args=(self.process.stdout, self.answers.put), daemon=True),
            threading.Thread(target=self.read, args=(self.process.stderr, self.note), daemon=True),
        ]
        for reader in self.readers:
            reader.start()
        clock = self.whole.share(self.start_seconds / 2**self.failed_starts)
        self.failed_starts += 1
        for command in self.opening:
            self.exchange(command, clock)
        self.failed_starts -= 1

    @staticmethod
    def read(stream, put):
        for line in stream:
            put(line)
        put(None)

    def note(self, line):
        if line is not None:
            self.errors.append(line.rstrip())
            self.log.write(f"{self.command[0].rpartition('/')[2]}: {line}")
            self.log.flush()

    def ask(self, clock, **command):
        """Raises `Failed`, after which the next command meets a new process: nobody knows what state an
        error leaves a card's memory and streams in."""
        try:
            if self.process is None:
                self.start()
            return self.exchange(command, clock)
        except Failed:
            self.end(at_once=True)
            raise

    def exchange(self, command, clock):
        name = command["do"]
        if clock.left() <= 0:
            raise Failed(f"no time left for '{name}'")
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.answers.get(timeout=max(0.0, clock.left()))
        except queue.Empty:
            raise Failed(f"'{name}' did not answer in time, and the process was ended") from None
        except OSError:
            line = None
        if line is None:
            code = self.process.wait()
            self.readers[1].join(timeout=5)
            last = next((line for line in reversed(self.errors) if line.strip()), "and said nothing")
            raise Failed(f"the process ended with {code} at '{name}': {last}")
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            raise Failed(f"'{name}' was answered with {line[:80]!r}") from None
        self.answered = True
        if "error" in answer:
            raise Failed(answer["error"])
        if "not_available" in answer:
            raise NotAvailable(answer["not_available"])
        if "logits" in answer:
            answer["logits"] = [number(value) for value in answer["logits"]]
        return answer

    def end(self, at_once=False):
        """Ends it and waits until it is gone, since only then its memory on the card is free."""
        process, self.process = self.process, None
        if process is None:
            return
        if not at_once:
            try:
                process.stdin.close()
                process.wait(timeout=20)
            except (OSError, subprocess.TimeoutExpired):
                pass
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass  # stuck in the driver; the card stays in use, and the next phase will tell


def finite(values):
    return all(math.isfinite(value) for value in values)
