"""Trains a cross-encoder with sentence-transformers' trainer by one of our recipes.

The same encoder, data, law of drawing groups, loss, batch, rates, schedule and length; the checkpoint is the one
that is best on dev, evaluated at the same steps. What is drawn is drawn by other random numbers.
Only RankNet, which is the same in both.
"""

import argparse
import collections
import json
import pathlib
import random
import time
import tomllib

import datasets
import torch
import transformers
from sentence_transformers.cross_encoder import (
    CrossEncoder,
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
)
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from sentence_transformers.cross_encoder.losses import RankNetLoss


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def text_of(document):
    return " ".join(part for part in (document.get("title"), document["text"]) if part)


def judged(folder, split):
    """Each query's text with its relevant and its other judged documents; all documents."""
    queries = {query["_id"]: query["text"] for query in lines(folder / "queries.jsonl")}
    corpus = {document["_id"]: text_of(document) for document in lines(folder / "corpus.jsonl")}
    found = collections.defaultdict(lambda: ([], []))
    for line in (folder / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        found[query][int(grade) <= 0].append(corpus[document])
    return [(queries[query], *both) for query, both in found.items()], list(corpus.values())


def groups_of(sets, corpus, negatives, epochs, draw):
    """An epoch: each positive once, with so many of its query's negatives, others where they are too few."""
    drawn = []
    for _ in range(epochs):
        groups = [(query, positive, relevant, others) for query, relevant, others in sets for positive in relevant]
        draw.shuffle(groups)
        for query, positive, relevant, others in groups:
            chosen = draw.sample(others, min(negatives, len(others)))
            while len(chosen) < negatives:
                other = draw.choice(corpus)
                if other not in chosen and other not in relevant:
                    chosen.append(other)
            drawn.append((query, [positive, *chosen], [1.0] + [0.0] * len(chosen)))
    return drawn


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--untrained", action="store_true", help="write the model with its random head as it is")
    options = parser.parse_args()
    recipe = tomllib.loads(options.recipe.read_text(encoding="utf-8"))
    if recipe["loss"]["kind"] != "ranknet":
        parser.error("the recipe's loss is not ranknet")
    data, training, sampling = recipe["data"], recipe["training"], recipe["sampling"]
    at = options.recipe.parent
    train, corpus = judged(at / data["path"], data["split"])
    dev, _ = judged(at / data["dev_path"], data["dev_split"])
    drawn = groups_of(train, corpus, sampling["negatives"], training["epochs"], random.Random(options.seed))
    columns = dict(zip(("query", "documents", "labels"), (list(column) for column in zip(*drawn))))
    # transformers keeps a file's f16 unless told.
    transformers.set_seed(options.seed)  # before the head is drawn
    model = CrossEncoder(
        str(at / recipe["model"]["path"]),
        num_labels=1,
        max_length=training["max_length"],
        device="cpu",
        model_kwargs={"dtype": torch.float32},
    )
    if options.untrained:
        model.save_pretrained(str(options.out))
        return
    # A single document has no order, and no relevant one no figure: neither tells checkpoints apart.
    asked = [one for one in dev if one[1] and len(one[1]) + len(one[2]) > 1]
    samples = [{"query": query, "positive": good, "documents": good + bad} for query, good, bad in asked]
    depth = recipe["dev"]["depth"]
    evaluator = CrossEncoderRerankingEvaluator(samples, at_k=depth, name="dev", show_progress_bar=False)
    every = recipe["dev"]["every"]
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(options.out / "checkpoints"),
        num_train_epochs=1,  # the groups of all epochs stand one after the other
        per_device_train_batch_size=training["groups_per_step"],
        learning_rate=training["learning_rate"],
        warmup_steps=training["warmup"],
        lr_scheduler_type=training["decay"],
        weight_decay=training["weight_decay"],
        max_grad_norm=training["clip_norm"],
        seed=options.seed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_dev_map",
        greater_is_better=True,
        use_cpu=True,
        report_to="none",
        logging_steps=every,
    )
    trainer = CrossEncoderTrainer(
        model=model,
        args=arguments,
        train_dataset=datasets.Dataset.from_dict(columns),
        # Natural logarithms, as ours; a step's pairs all at once, which is fastest.
        loss=RankNetLoss(model, reduction_log="natural", mini_batch_size=0),
        evaluator=evaluator,
    )
    before = evaluator(model)["dev_map"]
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    model.save_pretrained(str(options.out))
    told = [row for row in trainer.state.log_history if "eval_dev_map" in row]
    curve = [{"step": row["step"], "value": row["eval_dev_map"]} for row in told]
    record = {
        "seed": options.seed,
        "groups": len(drawn),
        "steps": trainer.state.global_step,
        "seconds": seconds,
        "evaluations": [{"step": 0, "value": before}, *curve],
        "best": max(curve, key=lambda row: row["value"]),
    }
    (options.out / "training.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(json.dumps(record["best"]), f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
