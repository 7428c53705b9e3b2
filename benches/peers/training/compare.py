"""Times a training step beside PyTorch's: same weights, same batches, same threads, A B A B.

A step is forward, backward and AdamW over all parameters, dropout 0.1, in f32. Prints, for each shape and batch, the
median seconds of both sides, tokens a second, the median of the rounds' ratios with a bootstrap interval, and how far
the losses of a first step without dropout are apart.

    python compare.py path/to/training [--rounds 9] [--threads 2] [--shapes me5-6,minilm]

`training` is the program of that name in the benches' workspace, built in release.
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
    # name: hidden, heads, intermediate, layers, vocabulary
    "me5-6": (384, 12, 1536, 6, 47284),
    "minilm": (384, 12, 1536, 6, 30522),
    "base-3": (768, 12, 3072, 3, 30522),
}
MIX = [min(128, max(16, int(random.Random(i).lognormvariate(4.2, 0.5)))) for i in range(32)]
BATCHES = {"32 x 80": [80] * 32, "mix of 32": MIX}
POSITIONS = 514


def model_of(shape):
    hidden, heads, intermediate, layers, vocabulary = shape
    torch.manual_seed(1)
    config = transformers.XLMRobertaConfig(
        hidden_size=hidden, num_attention_heads=heads, intermediate_size=intermediate, num_hidden_layers=layers,
        vocab_size=vocabulary, max_position_embeddings=POSITIONS, type_vocab_size=1, num_labels=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5, attn_implementation="sdpa",
    )
    return transformers.XLMRobertaForSequenceClassification(config)


def write_weights(model, path):
    with open(path, "wb") as file:
        def write(value, turned=False):
            value = value.detach().T if turned else value.detach()
            file.write(value.contiguous().numpy().astype("<f4").tobytes())

        def linear(module):
            write(module.weight, turned=True)
            write(module.bias)

        def norm(module):
            write(module.weight)
            write(module.bias)

        embeddings = model.roberta.embeddings
        for table in (embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings):
            write(table.weight)
        norm(embeddings.LayerNorm)
        for layer in model.roberta.encoder.layer:
            attention = layer.attention
            for module in (attention.self.query, attention.self.key, attention.self.value, attention.output.dense):
                linear(module)
            norm(attention.output.LayerNorm)
            linear(layer.intermediate.dense)
            linear(layer.output.dense)
            norm(layer.output.LayerNorm)
        linear(model.classifier.dense)
        linear(model.classifier.out_proj)


class Peer:
    def __init__(self, model, fused):
        self.model = model.train()
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=fused)

    def step(self, rows):
        longest = max(len(row) for row in rows)
        ids = torch.ones(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.from_numpy(row.astype("int64"))
        padded = any(len(row) < longest for row in rows)
        logits = self.model(ids, attention_mask=(ids != 1).long() if padded else None).logits[:, 0]
        labels = torch.tensor([1.0 if i % 4 == 0 else 0.0 for i in range(len(rows))])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item()


class Ours:
    def __init__(self, program, weights, shape, dropout, threads):
        arguments = [program, weights, *map(str, shape), str(POSITIONS), str(dropout), str(threads)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.instructions = self.process.stdout.readline().strip()

    def step(self, rows, path):
        numpy.concatenate(rows).astype("<u4").tofile(path)
        self.process.stdin.write(f"{path} {' '.join(str(len(row)) for row in rows)}\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def interval(ratios):
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[50], medians[1949]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shapes", default="me5-6")
    parser.add_argument("--batches", default=",".join(BATCHES))
    parser.add_argument("--fused", action="store_true", help="PyTorch's fused AdamW instead of its default")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: time on a processor, for a busy machine; with one thread only")
    options = parser.parse_args()
    if options.clock == "cpu" and options.threads != 1:
        parser.error("--clock cpu counts one thread")
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, "
          f"{torch.backends.cpu.get_cpu_capability()}, {options.threads} threads, {options.clock} clock")
    draw = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.shapes.split(","):
            shape = SHAPES[name]
            model = model_of(shape)
            weights, batch_file = os.path.join(folder, "weights"), os.path.join(folder, "batch")
            write_weights(model, weights)
            rows_of = lambda lengths: [draw.integers(3, shape[4], length) for length in lengths]
            exact = Ours(options.program, weights, shape, 0.0, options.threads)
            rows = rows_of(MIX)
            found = exact.step(rows, batch_file)[0]
            exact.close()
            peer = Peer(model, options.fused)
            peer.model.eval()
            apart = abs(found - peer.step(rows))
            peer.model.train()
            ours = Ours(options.program, weights, shape, 0.1, options.threads)
            for batch in options.batches.split(","):
                lengths = BATCHES[batch]
                theirs, mine = [], []
                for round_ in range(options.rounds + 2):
                    rows = rows_of(lengths)
                    start, before = time.perf_counter(), time.process_time()
                    peer.step(rows)
                    seconds = time.perf_counter() - start
                    if options.clock == "cpu":
                        seconds = time.process_time() - before
                    answer = ours.step(rows, batch_file)
                    if round_ >= 2:
                        theirs.append(seconds)
                        mine.append(answer[2 if options.clock == "cpu" else 1])
                ratios = [a / b for a, b in zip(theirs, mine)]
                low, high = interval(ratios)
                a, b = statistics.median(theirs), statistics.median(mine)
                print(f"{name:7} {batch:10} torch {a * 1e3:8.1f} ms {sum(lengths) / a:7.0f} tokens/s | "
                      f"ours ({ours.instructions}) {b * 1e3:8.1f} ms {sum(lengths) / b:7.0f} tokens/s | "
                      f"ratio {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}] | "
                      f"losses apart {apart:.1e} | load {os.getloadavg()[0]:.1f}", flush=True)
            ours.close()


if __name__ == "__main__":
    main()
