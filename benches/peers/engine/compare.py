"""Times one encoder stack beside PyTorch's: same weights, same batch, same threads, A B A B.

Prints, for each shape and batch, the median seconds of both sides, the median of the rounds' ratios
with a bootstrap interval, and the largest difference between first tokens' hidden states.

    python compare.py path/to/engine [--rounds 15] [--threads 2] [--shapes minilm,base,v2-m3]

`engine` is the program of that name in the benches' workspace, built in release.
"""

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
import transformers

SHAPES = {
    # name: hidden, heads, intermediate, layers run (not all of a model's: enough to be steady)
    "minilm": (384, 12, 1536, 6),
    "base": (768, 12, 3072, 4),
    "v2-m3": (1024, 16, 4096, 3),
}
# Token counts of help-desk and SciFact pairs are between these; the mix is drawn once, by seed.
MIX = [min(512, max(24, int(random.Random(i).lognormvariate(5.2, 0.55)))) for i in range(24)]
BATCHES = {"4 x 512": [512] * 4, "mix": MIX, "one pair": [128]}


def model_of(shape):
    hidden, heads, intermediate, layers = shape
    torch.manual_seed(1)
    config = transformers.BertConfig(
        hidden_size=hidden, num_attention_heads=heads, intermediate_size=intermediate,
        num_hidden_layers=layers, vocab_size=64, max_position_embeddings=512,
        attn_implementation="sdpa",
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() == 2 and ("query" in name or "key" in name):
                value.mul_(4.0)  # so that attention is not nearly uniform
    return model


def write_weights(model, path):
    with open(path, "wb") as file:
        def linear(module):
            file.write(module.weight.detach().T.contiguous().numpy().tobytes())
            file.write(module.bias.detach().numpy().tobytes())

        def norm(module):
            file.write(module.weight.detach().numpy().tobytes())
            file.write(module.bias.detach().numpy().tobytes())

        for layer in model.encoder.layer:
            for module in (layer.attention.self.query, layer.attention.self.key,
                           layer.attention.self.value, layer.attention.output.dense):
                linear(module)
            norm(layer.attention.output.LayerNorm)
            linear(layer.intermediate.dense)
            linear(layer.output.dense)
            norm(layer.output.LayerNorm)


def peer_batches(lengths, size):
    """As sentence-transformers does: longest first, `size` to a batch, padded to the longest."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[i : i + size] for i in range(0, len(order), size)]


def run_peer(model, rows, lengths, size):
    first = [None] * len(rows)
    for batch in peer_batches(lengths, size):
        longest = max(lengths[i] for i in batch)
        x = torch.zeros(len(batch), longest, rows[0].shape[1])
        mask = torch.zeros(len(batch), longest)
        for j, i in enumerate(batch):
            x[j, : lengths[i]] = rows[i]
            mask[j, : lengths[i]] = 1
        full = None
        if bool((mask == 0).any()):
            full = (1.0 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
            full = full.expand(-1, 1, longest, -1)
        output = model.encoder(x, attention_mask=full).last_hidden_state
        for j, i in enumerate(batch):
            first[i] = output[j, 0]
    return torch.stack(first)


def interval(ratios):
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[50], medians[1949]


def flops(shape, lengths):
    hidden, _, intermediate, layers = shape
    linear = 2 * sum(lengths) * hidden * (4 * hidden + 2 * intermediate)
    attention = sum(4 * length * length * hidden for length in lengths)
    return layers * (linear + attention)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--batches", default=",".join(BATCHES))
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: time on a processor, for a busy machine; with one thread only")
    options = parser.parse_args()
    if options.clock == "cpu" and options.threads != 1:
        parser.error("--clock cpu counts one thread")
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, "
          f"{torch.backends.cpu.get_cpu_capability()}, {options.threads} threads")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for name in options.shapes.split(","):
            shape = SHAPES[name]
            model = model_of(shape)
            weights = os.path.join(folder, "weights")
            write_weights(model, weights)
            engine = subprocess.Popen(
                [options.engine, weights, *map(str, shape), str(options.threads)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            instructions = engine.stdout.readline().strip()
            for batch in options.batches.split(","):
                lengths = BATCHES[batch]
                rows = [torch.randn(length, shape[0]) for length in lengths]
                source, result = os.path.join(folder, "in"), os.path.join(folder, "out")
                torch.cat(rows).numpy().tofile(source)
                ours, theirs = [], []
                for round_ in range(options.rounds + 2):
                    start, before = time.perf_counter(), time.process_time()
                    expected = run_peer(model, rows, lengths, options.batch_size)
                    seconds = time.perf_counter() - start
                    if options.clock == "cpu":
                        seconds = time.process_time() - before
                    engine.stdin.write(f"{source} {result} {' '.join(map(str, lengths))}\n")
                    engine.stdin.flush()
                    answer = [float(word) for word in engine.stdout.readline().split()]
                    if round_ >= 2:
                        theirs.append(seconds)
                        ours.append(answer[options.clock == "cpu"])
                found = numpy.fromfile(result, dtype=numpy.float32).reshape(expected.shape)
                difference = float(numpy.abs(found - expected.numpy()).max())
                ratios = [a / b for a, b in zip(theirs, ours)]
                low, high = interval(ratios)
                a, b = statistics.median(theirs), statistics.median(ours)
                work = flops(shape, lengths) / 1e9
                print(f"{name:7} {batch:8} torch {a * 1e3:8.1f} ms {work / a:6.1f} | "
                      f"ours ({instructions}) {b * 1e3:8.1f} ms {work / b:6.1f} GFLOP/s | "
                      f"ratio {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}] | "
                      f"difference {difference:.1e} | load {os.getloadavg()[0]:.1f}", flush=True)
            engine.stdin.close()
            engine.wait()


if __name__ == "__main__":
    main()
