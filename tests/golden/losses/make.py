"""Makes groups of logits, and keeps the losses and derivatives that PyTorch gives for them.

    python tests/golden/losses/make.py

Needs torch and sentence-transformers 5 or later. Groups are laid out as padded matrices with masked slots, as trainers
in PyTorch do; what is kept is ragged, without them. The
LambdaLoss and MarginMSE are those of sentence-transformers, behind a model that hands out our logits; RankNet is its
RankNetLoss, turned from logarithms to the base 2 to natural ones. The distillation is written down from FlagEmbedding's
AbsRerankerModel.forward.
"""

import importlib.metadata
import json
import math
from pathlib import Path

import torch
from sentence_transformers.cross_encoder import CrossEncoder, losses

OUT = Path(__file__).resolve().parent / "cases.json"
MASKED = -1e4


class Logits(CrossEncoder):
    """Hands out the logits of the pairs that it is asked for: a pair is (group, place)."""

    def __init__(self, groups):
        torch.nn.Module.__init__(self)
        self.groups = groups

    num_labels = 1
    device = torch.device("cpu")

    def preprocess(self, pairs, **_):
        return {"pairs": pairs}

    def forward(self, batch):
        return {"scores": torch.stack([self.groups[g][p] for g, p in batch["pairs"]])}


# torch.sort breaks ties as it likes; the definition asks for a stable sort.
plain_sort = torch.Tensor.sort
torch.Tensor.sort = lambda self, *args, **kwargs: plain_sort(self, *args, **{"stable": True, **kwargs})


def padded(groups, fill):
    width = max(len(g) for g in groups)
    return torch.stack([torch.cat([g, g.new_full((width - len(g),), fill)]) for g in groups])


def group_softmax(logits, targets, teacher):
    logs = torch.log_softmax(padded(logits, MASKED), dim=-1)
    return -(padded(targets, 0.0) * logs).sum(-1).mean()


def listwise(loss, logits, targets):
    documents = [[(g, p) for p in range(len(l))] for g, l in enumerate(logits)]
    loss.model.preprocess = lambda pairs, **_: {"pairs": [document for _, document in pairs]}
    return loss([[None] * len(logits), documents], targets)


def ranknet(logits, targets, teacher):
    return listwise(losses.RankNetLoss(Logits(logits), reduction_log="natural"), logits, targets)


def lambda_loss(mu):
    def loss(logits, targets, teacher):
        scheme = losses.NDCGLoss2PPScheme(mu=mu)
        return listwise(losses.LambdaLoss(Logits(logits), weighting_scheme=scheme), logits, targets)

    return loss


def binary_cross_entropy(pos_weight):
    def loss(logits, targets, teacher):
        weight = torch.tensor(pos_weight)
        each = torch.nn.BCEWithLogitsLoss(pos_weight=weight, reduction="none")(padded(logits, MASKED), padded(targets, 0.0))
        mask = padded([torch.ones(len(g)) for g in logits], 0.0).bool()
        return each[mask].mean()

    return loss


def margin_mse(logits, targets, teacher):
    """sentence-transformers' own, group by group of one positive and its negatives, by their shares of the pairs."""
    total, pairs = torch.zeros(()), 0
    for student, labels, taught in zip(logits, targets, teacher):
        order = sorted(range(len(labels)), key=lambda i: -labels[i])
        if len(order) < 2:
            continue
        assert labels[order[0]] == 1 and all(labels[i] == 0 for i in order[1:])
        model = Logits([student])
        model.preprocess = lambda pairs, **_: {"pairs": [document for _, document in pairs]}
        columns = [[None]] + [[(0, i)] for i in order]
        found = losses.MarginMSELoss(model)(columns, taught[order].reshape(1, -1))
        total = total + found * (len(order) - 1)
        pairs += len(order) - 1
    return total / max(pairs, 1)


def distillation(weight, temperature):
    def loss(logits, targets, teacher):
        soft = torch.softmax(padded(teacher, -math.inf) / temperature, dim=-1)
        logs = torch.log_softmax(padded(logits, MASKED) / temperature, dim=-1)
        kept = (soft * logs).sum(-1).mean()
        return group_softmax(logits, targets, teacher) - weight * temperature**2 * kept

    return loss


LOSSES = [
    ("group-softmax", [], group_softmax),
    ("ranknet", [], ranknet),
    ("binary-cross-entropy", [1.0], binary_cross_entropy(1.0)),
    ("binary-cross-entropy", [3.5], binary_cross_entropy(3.5)),
    ("margin-mse", [], margin_mse),
    ("distillation", [1.0, 1.0], distillation(1.0, 1.0)),
    ("distillation", [0.3, 2.0], distillation(0.3, 2.0)),
    ("lambda", [10.0], lambda_loss(10.0)),
    ("lambda", [0.0], lambda_loss(0.0)),
]


def worlds():
    """Sizes, logits and targets: one positive a group, so that every loss takes them."""
    generator = torch.Generator().manual_seed(20261123)
    normal = lambda n: (3 * torch.randn(n, generator=generator)).round(decimals=3)
    one = lambda n, place: [float(i == place) for i in range(n)]
    yield "mixed", [normal(n) for n in (4, 2, 1, 6)], [one(4, 1), one(2, 0), one(1, 0), one(6, 5)]
    tied = [torch.tensor([0.5, 0.5, 0.5, -1.0]), torch.zeros(5), torch.tensor([-0.0, 0.0, 0.0])]
    yield "ties", tied, [one(4, 2), one(5, 3), one(3, 1)]
    yield "one element", [normal(1)], [[1.0]]
    yield "far apart", [torch.tensor([-90.0, 80.0, 0.0]), torch.tensor([60.0, -60.0])], [one(3, 0), one(2, 0)]


def graded():
    """Groups that only the losses over targets take: grades, several positives, none."""
    generator = torch.Generator().manual_seed(7)
    normal = lambda n: (2 * torch.randn(n, generator=generator)).round(decimals=3)
    yield "graded", [normal(5), normal(4), normal(3)], [[3.0, 0.0, 1.0, 1.0, 2.0], [0.0, 1.0, 1.0, 0.0], [0.0] * 3]
    yield "no pairs", [normal(3), normal(1)], [[0.0] * 3, [1.0]]


def case(name, loss, parameters, function, logits, targets):
    generator = torch.Generator().manual_seed(len(name))
    logits = [g.clone().float().requires_grad_() for g in logits]
    teacher = [(4 * torch.randn(len(g), generator=generator)).round(decimals=2) for g in logits]
    value = function(logits, [torch.tensor(t) for t in targets], teacher)
    if value.requires_grad:
        value.backward()
    derivatives = [g.grad if g.grad is not None else torch.zeros_like(g) for g in logits]
    flat = lambda groups: [v for g in groups for v in (g.tolist() if torch.is_tensor(g) else g)]
    return {
        "name": name,
        "loss": loss,
        "parameters": parameters,
        "sizes": [len(g) for g in logits],
        "logits": flat(g.detach() for g in logits),
        "targets": flat(targets),
        "teacher": flat(teacher),
        "value": value.item(),
        "derivatives": flat(derivatives),
    }


def main():
    cases = [
        case(name, loss, parameters, function, logits, targets)
        for loss, parameters, function in LOSSES
        for name, logits, targets in worlds()
    ]
    cases += [
        case(name, loss, parameters, function, logits, targets)
        for loss, parameters, function in LOSSES
        if loss in ("ranknet", "lambda")
        for name, logits, targets in graded()
    ]
    versions = {n: importlib.metadata.version(n) for n in ("torch", "sentence-transformers")}
    body = ",\n".join(json.dumps(c, allow_nan=False) for c in cases)
    OUT.write_text(f'{{\n"versions": {json.dumps(versions)},\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")
    print(f"{len(cases)} cases, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
