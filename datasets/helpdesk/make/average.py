#!/usr/bin/env python3
"""The mean of models of one shape, weight by weight: `python3 make/average.py TO FROM...`.

Of a model and what it became after another round, the mean is often better than both: each was left where its last
steps happened to put it. Everything else is copied from the last one. The weights are written as 16-bit floats.
"""

import pathlib
import shutil
import sys

sys.dont_write_bytecode = True

from lengthen import FILES, read, write  # noqa: E402


def main():
    target, *sources = map(pathlib.Path, sys.argv[1:])
    target.mkdir(parents=True)
    for name in (*FILES, "config.json"):
        if (sources[-1] / name).exists():
            shutil.copy(sources[-1] / name, target)
    models = [read(source / "model.safetensors") for source in sources]
    mean = {}
    for name, (shape, _) in models[-1].items():
        columns = zip(*(model[name][1] for model in models), strict=True)
        mean[name] = (shape, [sum(values) / len(models) for values in columns])
    write(target / "model.safetensors", mean, "F16")


if __name__ == "__main__":
    main()
