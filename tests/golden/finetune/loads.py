"""Loads a trained model as its users do, and prints how it scores pairs.

    python tests/golden/finetune/loads.py FOLDER PAIRS.json

Needs torch, transformers and sentence-transformers 5 or later. PAIRS.json is a list of [query, document]; what is printed
is {"transformers": [...], "sentence_transformers": [...], "max_length": n}: the logits as AutoModelForSequenceClassification
and CrossEncoder.predict give them, in f32 on the CPU.
"""

import json
import sys

import torch
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main(folder, pairs):
    pairs = json.load(open(pairs, encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert model.dtype == torch.float32, model.dtype
    assert model.config.num_labels == 1, model.config
    batch = tokenizer(
        [q for q, _ in pairs], [d for _, d in pairs], padding=True, truncation="longest_first", return_tensors="pt"
    )
    with torch.no_grad():
        logits = model(**batch).logits[:, 0].tolist()
    encoder = CrossEncoder(folder, device="cpu")
    predicted = encoder.predict([tuple(pair) for pair in pairs]).tolist()
    print(json.dumps({"transformers": logits, "sentence_transformers": predicted, "max_length": tokenizer.model_max_length}))


if __name__ == "__main__":
    main(*sys.argv[1:])
