#!/usr/bin/env python3
"""Gives a small model more positions: `python3 make/lengthen.py FROM TO POSITIONS` copies a model's folder.

The new positions are sinusoids at the root mean square of the old ones, as `initialization = "mimetic"` draws them:
near and far are told apart before anything was learnt about them. Float32, as training starts from it.
"""

import json
import math
import pathlib
import shutil
import struct
import sys

TABLE = "roberta.embeddings.position_embeddings.weight"
# A model's files beside its weights and its config.json.
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
# Formats of numbers, as `struct` knows them, and their bytes.
FORMATS = {"F16": ("e", 2), "F32": ("f", 4)}


def main():
    source, target, positions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    target.mkdir(parents=True)
    for name in FILES:
        if (source / name).exists():
            shutil.copy(source / name, target)
    config = json.loads((source / "config.json").read_text())
    # fairseq counts from behind the padding token's id.
    rows = positions + config["pad_token_id"] + 1
    config["max_position_embeddings"] = rows
    (target / "config.json").write_text(json.dumps(config, indent=2))
    tensors = read(source / "model.safetensors")
    shape, old = tensors[TABLE]
    width = shape[1]
    deviation = math.sqrt(sum(value * value for value in old) / len(old))
    new = [wave(index // width, index % width, width) * deviation for index in range(len(old), rows * width)]
    tensors[TABLE] = ([rows, width], old + new)
    write(target / "model.safetensors", tensors)


def wave(position, dimension, width):
    angle = position * 1e4 ** (-(dimension // 2 * 2) / width)
    return math.sqrt(2) * (math.cos(angle) if dimension % 2 else math.sin(angle))


def read(path):
    """Names, shapes and numbers of a safetensors file in f16 or f32."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, data = json.loads(data[8 : 8 + length]), data[8 + length :]
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__":
            continue
        start, end = info["data_offsets"]
        letter, size = FORMATS[info["dtype"]]
        tensors[name] = (info["shape"], list(struct.unpack(f"<{(end - start) // size}{letter}", data[start:end])))
    return tensors


def write(path, tensors, dtype="F32"):
    header, chunks, place = {"__metadata__": {"format": "pt"}}, [], 0
    for name, (shape, values) in tensors.items():
        chunk = struct.pack(f"<{len(values)}{FORMATS[dtype][0]}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + len(chunk)]}
        chunks.append(chunk)
        place += len(chunk)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


if __name__ == "__main__":
    main()
