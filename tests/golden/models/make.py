"""Makes the small random rerankers of this folder and the logits that transformers gives for them.

    python tests/golden/models/make.py

Needs torch 2.15, transformers 5.23, tokenizers 0.23 and safetensors 0.8. The weights come from a fixed seed. A
tokenizer is trained only where its tokenizer.json is missing, since the trainers break ties differently in every run.

Every model is checked to notice the mistakes that an implementation of these architectures is likely to make: each
moves some logit by more than FAULT, a hundred times the tolerance of the tests.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))

from pairs import Pairs, batch, hidden, singles, tokenize, versions, write_golden  # noqa: E402
from texts import PAIRS, TRAINING  # noqa: E402

SEED = 20261122
VOCABULARY = 600
EPSILON = 2e-3
FAULT = 1e-2
HIDDEN_CASES = (0, 5, 8, 18)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    # one thread and no vector kernels of oneDNN: the goldens should not depend on the machine more than they must
    torch.backends.mkldnn.enabled = False

    xlm = make("xlm-roberta", xlm_roberta_tokenizer, config("xlm-roberta", layers=2))
    make("roberta", roberta_tokenizer, config("roberta", layers=3))
    make("bert", bert_tokenizer, config("bert", layers=2))

    for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        folder = copy_of("xlm-roberta", f"xlm-roberta-{name}")
        rounded = {k: v.to(dtype) for k, v in xlm.items()}
        save(rounded, folder / "model.safetensors")
        golden(folder, {k: v.float() for k, v in rounded.items()})

    folder = copy_of("xlm-roberta", "xlm-roberta-sharded")
    save_sharded(xlm, folder)

    folder = copy_of("xlm-roberta", "headless")
    save({k: v for k, v in xlm.items() if k.startswith("roberta.")}, folder / "model.safetensors")
    settings = json.loads((folder / "config.json").read_text())
    settings["architectures"] = ["XLMRobertaModel"]
    del settings["id2label"], settings["label2id"]
    write_json(folder / "config.json", settings)

    size = sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    assert size < 1_500_000, size
    print(f"{size:,} bytes in all")


def make(name, train, settings):
    """Writes one model folder and returns its weights."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    if not (folder / "tokenizer.json").exists():
        train().save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    settings["vocab_size"] = tokenizer.get_vocab_size()
    write_json(folder / "config.json", settings)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(folder))
    weights = {k: draw(k, v) for k, v in sorted(model.state_dict().items())}
    save(weights, folder / "model.safetensors")
    golden(folder, weights)
    return weights


def draw(key, like):
    """Random values for one tensor, scaled so that logits spread wide and no constant of the config is negligible.

    Embeddings are small, so that their variance is near epsilon. What comes before the GELU lies around -2, where its
    two forms differ most against their value, and what comes after it weighs much.
    """
    noise = torch.randn(like.shape)
    if "LayerNorm.weight" in key:
        return 1.0 + 0.3 * noise
    if key.endswith("intermediate.dense.bias"):
        return 0.3 * noise - 2.0
    if key.endswith(".bias"):
        return 0.2 * noise
    if "embeddings" in key:
        return 0.04 * noise
    fan_in = like.shape[1] ** 0.5
    if key in ("classifier.out_proj.weight", "classifier.weight"):
        return noise * 6.0 / fan_in
    if key in ("classifier.dense.weight", "bert.pooler.dense.weight"):
        return noise * 1.0 / fan_in
    if "attention" in key:
        return noise * 1.5 / fan_in
    if "intermediate" in key:
        return noise * 1.0 / fan_in
    return noise * 8.0 / fan_in  # the way out of the feed-forward block


def golden(folder, weights):
    """Scores all pairs with the folder as transformers loads it, checks what they show, writes golden.json."""
    settings = json.loads((folder / "config.json").read_text())
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    loaded = model.state_dict()
    assert loaded.keys() == weights.keys() and all(torch.equal(loaded[k], weights[k]) for k in weights)

    pairs = Pairs(folder / "tokenizer.json", settings["pad_token_id"], settings["type_vocab_size"] > 1)
    cases = tokenize(pairs, PAIRS)
    check_cases(pairs, cases)
    logits = singles(model, cases)
    padded = batch(model, pairs, cases)
    assert (logits - padded).abs().max() < 1e-5, (logits - padded).abs().max()
    # the logits are no accident of rounding: in f64 they are the same within a fifth of the tests' tolerance
    exact = singles(model.double(), cases)
    assert (logits - exact).abs().max() < 2e-5, (logits - exact).abs().max()
    model.float()
    span = (logits.max() - logits.min()).item()
    assert span >= 2, span
    shifts = check_faults(model, settings, pairs, cases, logits)
    assert (singles(model, cases) - logits).abs().max() < 1e-5, "a fault was not taken back"

    for case, logit in zip(cases, logits.tolist()):
        case["logit"] = logit
    top = {
        "model_type": settings["model_type"],
        "versions": versions(),
        "weights": "made at random by make.py, which says how",
        "fault_shifts": {name: float(f"{shift:.3g}") for name, shift in shifts.items()},
    }
    write_golden(folder / "golden.json", top, cases, hidden(model, cases, HIDDEN_CASES))
    worst = min(shifts, key=shifts.get)
    print(f"{folder.name}: {len(cases)} cases, logits span {span:.2f}, weakest fault {worst} {shifts[worst]:.3f}")


def check_cases(pairs, cases):
    """The cases show what they are for: single tokens, and limits that are reached in both modes."""
    special = pairs.raw.num_special_tokens_to_add(True)
    lengths = [len(c["ids"]) for c in cases]
    assert special in lengths and special + 2 in lengths, sorted(lengths)
    for mode in ("longest-first", "document-only"):
        full = sum(len(c["ids"]) == c["max_length"] for c in cases if c["truncation"] == mode)
        assert full >= 4, (mode, full)


def check_faults(model, settings, pairs, cases, right):
    """Makes each likely mistake, and asserts that it shows; returns the largest shift that each one causes."""
    family = "bert" if settings["model_type"] == "bert" else "roberta"
    shifts = {}

    def note(name, wrong):
        shift = (wrong - right).abs().max().item()
        assert shift > FAULT, (settings["model_type"], name, shift)
        shifts[name] = shift

    norms = [m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)]
    for eps in (1e-12, 1e-5):
        for norm in norms:
            norm.eps = eps
        note(f"epsilon {eps:g}", singles(model, cases))
    for norm in norms:
        norm.eps = settings["layer_norm_eps"]

    blocks = [layer.intermediate for layer in model.base_model.encoder.layer]
    rights = [block.intermediate_act_fn for block in blocks]
    for block in blocks:
        block.intermediate_act_fn = torch.nn.GELU(approximate="tanh")
    note("tanh GELU", singles(model, cases))
    for block, act in zip(blocks, rights):
        block.intermediate_act_fn = act

    if family == "roberta":
        first = settings["pad_token_id"] + 1
        for start in (first - 1, 0):
            where = lambda case, start=start: torch.arange(start, start + len(case["ids"]))[None]
            note(f"positions from {start}", singles(model, cases, position_ids=where))
    else:
        where = lambda case: torch.arange(1, 1 + len(case["ids"])).clamp(max=63)[None]
        note("positions from 1", singles(model, cases, position_ids=where))

    rows = model.base_model.embeddings.token_type_embeddings.weight.data
    if family == "bert":
        _, _, types = pairs.pad(cases)
        note("token types all 0", batch(model, pairs, cases, types=torch.zeros_like(types)))
        note("token types swapped", batch(model, pairs, cases, types=1 - types))
    kept = rows.clone()
    rows.zero_()
    note("no token type embedding", singles(model, cases))
    rows.copy_(kept)

    _, mask, _ = pairs.pad(cases)
    note("no attention mask", batch(model, pairs, cases, mask=torch.ones_like(mask)))

    note("head order", head_in_wrong_order(model, cases, family))
    return shifts


@torch.no_grad()
def head_in_wrong_order(model, cases, family):
    """The RoBERTa head with tanh before its dense layer; the BERT head without the pooler's tanh."""
    logits = []
    for case in cases:
        ids, types = torch.tensor([case["ids"]]), torch.tensor([case["type_ids"]])
        first = model.base_model(input_ids=ids, token_type_ids=types).last_hidden_state[:, 0]
        if family == "bert":
            logits.append(model.classifier(model.bert.pooler.dense(first)))
        else:
            logits.append(model.classifier.out_proj(model.classifier.dense(torch.tanh(first))))
    return torch.cat(logits)[:, 0]


def config(model_type, layers):
    """A config.json with values that no implementation would have as its defaults."""
    roberta = model_type != "bert"
    architecture = {"xlm-roberta": "XLMRoberta", "roberta": "Roberta", "bert": "Bert"}[model_type]
    settings = {
        "architectures": [f"{architecture}ForSequenceClassification"],
        "model_type": model_type,
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 32,
        "id2label": {"0": "LABEL_0"},
        "initializer_range": 0.02,
        "intermediate_size": 64,
        "label2id": {"LABEL_0": 0},
        "layer_norm_eps": EPSILON,
        "max_position_embeddings": 66 if roberta else 64,
        "num_attention_heads": 4,
        "num_hidden_layers": layers,
        "pad_token_id": 1 if roberta else 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": 1 if roberta else 2,
    }
    if roberta:
        settings |= {"bos_token_id": 0, "eos_token_id": 2}
    return settings


def xlm_roberta_tokenizer():
    """Unigram pieces over normalized text, as XLM-RoBERTa has them."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=specials, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    assert [tokenizer.token_to_id(t) for t in specials] == [0, 1, 2, 3, 4]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def roberta_tokenizer():
    """Byte-level pairs, as RoBERTa has them: no text is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    assert [tokenizer.token_to_id(t) for t in specials] == [0, 1, 2, 3, 4]
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def bert_tokenizer():
    """WordPieces of lower-cased text, as BERT has them, with token types 0 and 1."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    assert [tokenizer.token_to_id(t) for t in specials] == [0, 1, 2, 3, 4]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def copy_of(name, other):
    """A new folder with the config and the tokenizer of a made one."""
    folder = HERE / other
    folder.mkdir(exist_ok=True)
    for file in ("config.json", "tokenizer.json"):
        shutil.copyfile(HERE / name / file, folder / file)
    return folder


def save(weights, path):
    save_file({k: v.contiguous() for k, v in weights.items()}, path, metadata={"format": "pt"})


def save_sharded(weights, folder):
    """Two files and their index; the cut goes through the middle of the encoder."""
    keys = sorted(weights)
    cut = next(i for i, k in enumerate(keys) if "layer.1." in k)
    parts = {"model-00001-of-00002.safetensors": keys[:cut], "model-00002-of-00002.safetensors": keys[cut:]}
    for file, names in parts.items():
        save({k: weights[k] for k in names}, folder / file)
    total = sum(v.numel() * v.element_size() for v in weights.values())
    where = {k: file for file, names in parts.items() for k in names}
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


main()
