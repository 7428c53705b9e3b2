"""Writes what PyTorch makes of 50 training steps of the small models in ../models, dropout off.

    python tests/golden/training/make.py

Needs torch 2.15, transformers 5.23 and safetensors 0.8. Gradients of the first step are computed in f64 from the f32
weights, so that the golden file holds no rounding of its own; `f32_off` says how far PyTorch's own f32 gradients are
from them. Losses and final weights come from f32 training with torch.optim.AdamW and clip_grad_norm_. `nothing` names the
tensors whose gradient is zero but for rounding, of which AdamW makes steps: they are not compared.

A tensor is stored as its norm and as inner products with PROBES vectors of signs: the root mean square of the
differences of these products estimates the norm of the difference of two tensors.
"""

import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.utils.parametrize
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
STEPS = 50
PROBES = 8
GROUP = 4
A_STEP = 8
LORA = {"targets": ["query", "value"], "rank": 4, "alpha": 8.0}
RUNS = [
    {"name": "f32", "model": "xlm-roberta", "micro": 8, "rate": 1e-3, "decay": 0.01, "clip": 1.0},
    {"name": "bert", "model": "bert", "micro": 8, "rate": 1e-3, "decay": 0.01, "clip": None},
    {"name": "accumulation", "model": "xlm-roberta", "micro": 4, "rate": 1e-3, "decay": 0.1, "clip": None},
    {"name": "lora", "model": "xlm-roberta", "micro": 8, "rate": 2e-3, "decay": 0.01, "clip": 1.0, "lora": LORA},
]


def main():
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False
    runs = [run(settings) for settings in RUNS]
    golden = {
        "versions": {"torch": torch.__version__},
        "group": GROUP,
        "a_step": A_STEP,
        "runs": runs,
    }
    text = json.dumps(golden, separators=(",", ":"))
    # a line for each tensor keeps differences readable
    text = text.replace('{"name":', '\n{"name":')
    (HERE / "steps.json").write_text(text + "\n")
    print(f"{len(text):,} bytes")


def run(settings):
    cases = json.loads((MODELS / settings["model"] / "golden.json").read_text())["cases"]
    network, trained = build(settings, torch.float64)
    accumulate(network, cases, 0, settings)
    gradients = {name: tensor.grad.clone() for name, tensor in trained}

    # Biases that shift all scores of a softmax alike have a gradient of rounding only.
    whole = math.sqrt(sum(gradient.norm().item() ** 2 for gradient in gradients.values()))
    nothing = [name for name, gradient in gradients.items() if 0 < gradient.norm().item() < 1e-9 * whole]

    network, trained = build(settings, torch.float32)
    norms = ("LayerNorm", "bias")
    groups = [
        {"params": [t for n, t in trained if not any(word in n for word in norms)], "weight_decay": settings["decay"]},
        {"params": [t for n, t in trained if any(word in n for word in norms)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["rate"])
    losses, off = [], 0.0
    for step in range(STEPS):
        optimizer.zero_grad()
        losses.append(accumulate(network, cases, step, settings))
        if step == 0:
            for name, tensor in trained:
                size = gradients[name].norm().item()
                # an adapter's `down` has no gradient at first
                if size > 0 and name not in nothing:
                    off = max(off, (tensor.grad.double() - gradients[name]).norm().item() / size)
        if settings["clip"] is not None:
            torch.nn.utils.clip_grad_norm_([t for _, t in trained], settings["clip"])
        optimizer.step()
    print(settings["name"], "losses", losses[0], losses[-1], "f32 off", off)
    return {
        **settings,
        "f32_off": off,
        "nothing": nothing,
        "losses": [round(loss, 7) for loss in losses],
        "gradients": [probe(name, gradients[name]) for name, _ in trained],
        "weights": [probe(name, tensor.detach().double()) for name, tensor in trained],
    }


def build(settings, dtype):
    folder = MODELS / settings["model"]
    config = AutoConfig.from_pretrained(folder)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config.classifier_dropout = 0.0
    config._attn_implementation = "eager"
    network = AutoModelForSequenceClassification.from_config(config).to(dtype)
    missing, unexpected = network.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not unexpected and all("position_ids" in name or "token_type_ids" in name for name in missing), missing
    network.to(dtype).train()
    lora = settings.get("lora")
    if not lora:
        return network, list(network.named_parameters())
    trained = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith("classifier")
        if parameter.requires_grad:
            trained.append((name, parameter))
    count = 0
    for name, module in list(network.named_modules()):
        if name.split(".")[-1] in lora["targets"] and isinstance(module, torch.nn.Linear):
            rank, inputs = lora["rank"], module.in_features
            # [inputs, rank] row by row, then turned: the same formula stands in the test
            values = [0.2 * math.sin(0.37 * (k + 1) + count) for k in range(inputs * rank)]
            down = torch.tensor(values, dtype=torch.float64).to(torch.float32).view(inputs, rank)
            adapter = Adapter(down.t().contiguous().to(dtype), module.out_features, lora["alpha"] / rank)
            torch.nn.utils.parametrize.register_parametrization(module, "weight", adapter)
            trained.append((f"{name}.weight.down", adapter.down))
            trained.append((f"{name}.weight.up", adapter.up))
            count += 1
    return network, trained


class Adapter(torch.nn.Module):
    """weight + scale * up @ down, as PEFT's LoRA without dropout."""

    def __init__(self, down, outputs, scale):
        super().__init__()
        self.down = torch.nn.Parameter(down)
        self.up = torch.nn.Parameter(torch.zeros(outputs, down.shape[0], dtype=down.dtype))
        self.scale = scale

    def forward(self, weight):
        return weight + self.scale * (self.up @ self.down)


def accumulate(network, cases, step, settings):
    """Adds the gradients of one step; gives its loss, the mean over its groups."""
    total = 0.0
    for start in range(0, A_STEP, settings["micro"]):
        chosen = [cases[(step * A_STEP + start + i) % len(cases)] for i in range(settings["micro"])]
        logits = network(**pad(chosen, network.config.pad_token_id)).logits[:, 0]
        groups = logits.view(-1, GROUP)
        loss = -torch.log_softmax(groups, 1)[:, 0].sum() / (A_STEP // GROUP)
        loss.backward()
        total += loss.item()
    return total


def pad(cases, padding):
    longest = max(len(case["ids"]) for case in cases)
    fill = lambda values, value: [v + [value] * (longest - len(v)) for v in values]
    ids = [case["ids"] for case in cases]
    return {
        "input_ids": torch.tensor(fill(ids, padding)),
        "attention_mask": torch.tensor(fill([[1] * len(i) for i in ids], 0)),
        "token_type_ids": torch.tensor(fill([case["type_ids"] for case in cases], 0)),
    }


def probe(name, tensor):
    # projections are stored as the engine lays them out, [inputs, outputs]
    turned = tensor.t() if tensor.dim() == 2 and "embeddings" not in name else tensor
    values = turned.contiguous().flatten().tolist()
    products = [0.0] * PROBES
    state = 1
    for value in values:
        state = (state * 1664525 + 1013904223) % 2**32
        for i in range(PROBES):
            products[i] += value if state >> (31 - i) & 1 else -value
    return {"name": name, "norm": significant(tensor.norm().item()), "products": [significant(p) for p in products]}


def significant(value):
    return float(f"{value:.9g}")


if __name__ == "__main__":
    sys.exit(main())
