"""Embeds texts with transformers' encoders, mean and first-token pooling, and keeps the vectors.

    python tests/golden/embeddings/make.py ALL_MINILM_L6_V2_FOLDER

Needs torch, transformers and sentence-transformers (the versions used are recorded in the golden files), the
small random models of tests/golden/models, and, for the real encoders, a folder with all-MiniLM-L6-v2 and
../shared/models/me5-small-enpt beside the repository. No weights are kept here.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))

from pairs import versions  # noqa: E402

MODELS = HERE.parent / "models"
ME5 = HERE.parents[2].parent / "shared" / "models" / "me5-small-enpt"
KEPT = 12  # numbers kept of each real vector
LONG = "The keepers wrote down the wind, the visibility and the name of every ship that passed. " * 30
TEXTS = [
    "what was the lighthouse built of?",
    "The lighthouse on the northern cape was built of granite blocks that came by sea.",
    "de que foi construído o farol?",
    "a",
    "",
    LONG,
]


def main():
    torch.set_num_threads(2)
    for name in ("xlm-roberta", "bert"):
        small(name)
    real("all-MiniLM-L6-v2", Path(sys.argv[1]), max_length=256, prefix="")
    real("me5-small-enpt", ME5, max_length=512, prefix="passage: ")


def small(name):
    """Ids of the model's own golden cases through its encoder."""
    folder = MODELS / name
    config = AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    model = encoder(config, folder)
    cases = json.loads((folder / "golden.json").read_text())["cases"][:8]
    sequences = [(case["ids"], case["type_ids"]) for case in cases]
    out = {"versions": versions(), "sequences": []}
    for (ids, types), mean, first in zip(sequences, *pooled(model, config, sequences)):
        out["sequences"].append({"ids": ids, "type_ids": types, "mean": mean, "cls": first})
    write(name, out)


def real(name, folder, max_length, prefix):
    """Texts through the real encoder, checked against sentence-transformers where it knows the model."""
    config = AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    model = encoder(config, folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    encoded = [tokenizer(prefix + text, truncation=True, max_length=max_length)["input_ids"] for text in TEXTS]
    sequences = [(ids, [0] * len(ids)) for ids in encoded]
    means, firsts = pooled(model, config, sequences)
    if (folder / "modules.json").exists():
        theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=False)
        ours = torch.nn.functional.normalize(torch.tensor(means))
        theirs = torch.nn.functional.normalize(torch.tensor(theirs))
        assert (ours - theirs).abs().max() < 1e-5, (ours - theirs).abs().max()
    out = {"versions": versions(), "prefix": prefix, "max_length": max_length, "sequences": []}
    for text, (ids, types), mean, first in zip(TEXTS, sequences, means, firsts):
        out["sequences"].append(
            {"text": text, "ids": ids, "type_ids": types, "mean": mean[:KEPT], "cls": first[:KEPT]}
        )
    write(name, out)


def encoder(config, folder):
    model = AutoModel.from_config(config).float().eval()
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= {name: tensor.float() for name, tensor in load_file(file).items() if tensor.is_floating_point()}
    prefix = "bert." if config.model_type == "bert" else "roberta."
    weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert all(name.startswith("pooler.") or name.endswith("_ids") for name in missing), missing
    return model


def pooled(model, config, sequences):
    """Mean and first-token vectors, one sequence at a time and checked against one padded batch."""
    alone = [states(model, config, [sequence])[0] for sequence in sequences]
    together = states(model, config, sequences)
    means, firsts = [], []
    for (ids, _), a, b in zip(sequences, alone, together):
        length = max(len(ids), 1)
        assert (a[:length].mean(0) - b[:length].mean(0)).abs().max() < 1e-5
        means.append(a[:length].mean(0).tolist())
        firsts.append(a[0].tolist())
    return means, firsts


@torch.no_grad()
def states(model, config, sequences):
    longest = max(max(len(ids) for ids, _ in sequences), 1)
    pad = config.pad_token_id
    ids = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in sequences])
    mask = torch.tensor([[1] * max(len(ids), 1) + [0] * (longest - max(len(ids), 1)) for ids, _ in sequences])
    inputs = {"input_ids": ids, "attention_mask": mask}
    if config.model_type == "bert":
        inputs["token_type_ids"] = torch.tensor([types + [0] * (longest - len(types)) for _, types in sequences])
    return list(model(**inputs).last_hidden_state)


def write(name, golden):
    rounded = json.dumps(golden, default=float)
    path = HERE / f"{name}.json"
    path.write_text(rounded + "\n")
    print(path.name, f"{path.stat().st_size:,} bytes")


main()
