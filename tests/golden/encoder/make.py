"""Scores pairs with a real XLM-RoBERTa encoder under a head of known random values, and keeps the results.

    python tests/golden/encoder/make.py

Needs torch 2.15, transformers 5.23, tokenizers 0.23 and safetensors 0.8, and the encoder in
../shared/models/me5-small-enpt beside the repository. Neither its weights nor its tokenizer are kept here.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))

from pairs import Pairs, batch, hidden, singles, tokenize, versions, write_golden  # noqa: E402

ENCODER = HERE.parents[2].parent / "shared" / "models" / "me5-small-enpt"
HIDDEN_CASES = (0, 5, 9, 12, 17, 24)

SEED = 20261122
TENSOR_STRIDE = 1_000_003
# in the order of their tensor numbers: name and scale
HEAD = [
    ("classifier.dense.weight", 0.2),
    ("classifier.dense.bias", 0.2),
    ("classifier.out_proj.weight", 2.0),
    ("classifier.out_proj.bias", 0.2),
]
NOTE = (
    "Element i (row-major, [out, in]) of tensor number t is u * scale, computed in f64 and rounded to f32, with "
    "u = (x >> 40) / 2^24 - 0.5 and x = splitmix64(seed + t * tensor_stride + i). splitmix64(s), all in wrapping "
    "64-bit arithmetic: z = s + 0x9E3779B97F4A7C15; z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9; "
    "z = (z ^ (z >> 27)) * 0x94D049BB133111EB; the result is z ^ (z >> 31)."
)

_EN = (
    "The lighthouse on the northern cape was built of granite blocks that came by sea. Its keepers wrote down the "
    "wind, the visibility and the name of every ship that passed, three times a day, for more than eighty years. "
)
_PT = (
    "O farol do cabo norte foi construído com blocos de granito trazidos por mar. Os faroleiros anotavam o vento, a "
    "visibilidade e o nome de cada navio que passava, três vezes por dia, durante mais de oitenta anos. "
)
LONGEST, DOCUMENT = "longest-first", "document-only"
PAIRS = [
    ("what was the lighthouse built of?", _EN.strip(), 512, LONGEST),
    ("de que foi construído o farol?", _PT.strip(), 512, LONGEST),
    ("de que foi construído o farol?", _EN.strip(), 512, LONGEST),
    ("what was the lighthouse built of?", _PT.strip(), 512, DOCUMENT),
    ("how do I cancel my subscription", "Go to Billing, choose your plan and press Cancel plan.", 512, LONGEST),
    ("how do I cancel my subscription", "Bake the bread for forty minutes at 220 degrees.", 512, LONGEST),
    ("como cancelo a assinatura", "Abra a página de faturação, escolha o plano e toque em Cancelar.", 512, LONGEST),
    ("como cancelo a assinatura", "Asse o pão durante quarenta minutos a 220 graus.", 512, LONGEST),
    ("exporting invoices to CSV", "Reports can be exported to PDF from the Reports page.", 512, LONGEST),
    ("exporting invoices to CSV", "Open Invoices, select the rows and choose Export, then CSV.", 512, LONGEST),
    ("ERR-4012", "Error ERR-4012 means that the certificate has expired.", 512, DOCUMENT),
    ("capital of Portugal", "Lisbon lies where the Tagus meets the Atlantic and has been the capital since 1255.", 512, LONGEST),
    # over 512 tokens: the document, the query, both
    ("who passed the cape?", _EN * 14, 512, LONGEST),
    ("quem passava pelo cabo?", _PT * 14, 512, LONGEST),
    ("who passed the cape?", _EN * 14, 512, DOCUMENT),
    (_EN * 13, "Ships passed three times a day.", 512, LONGEST),
    (_EN * 13, _PT * 13, 512, LONGEST),
    (_EN * 13, _PT * 13, 512, DOCUMENT),
    ("wind and visibility", _EN * 3, 64, LONGEST),
    (_PT, _EN, 48, DOCUMENT),
    # other scripts, most of whose pieces this vocabulary no longer has
    ("灯塔是用什么建造的？", "北角的灯塔是用花岗岩建造的。", 512, LONGEST),
    ("من أين جاء الجرانيت؟", "جاء الجرانيت عن طريق البحر.", 512, LONGEST),
    ("प्रकाशस्तंभ कहाँ है?", "The lighthouse stands on the northern cape.", 512, LONGEST),
    ("Где стоит маяк?", "Маяк стоит на северном мысе.", 512, LONGEST),
    # emoji, one token, nothing
    ("party 🎉🎉", "🥳 👩‍💻 congratulations 🎂", 512, LONGEST),
    ("a", "a", 512, LONGEST),
    ("a", _PT.strip(), 512, DOCUMENT),
    ("what was the lighthouse built of?", "", 512, LONGEST),
    ("", "O farol do cabo norte foi construído com blocos de granito.", 512, LONGEST),
    ("", "", 512, LONGEST),
]


def main():
    torch.set_num_threads(2)
    config = XLMRobertaConfig.from_pretrained(ENCODER, num_labels=1)
    config._attn_implementation = "eager"
    model = XLMRobertaForSequenceClassification(config).float().eval()
    weights = {k: v.float() for k, v in load_file(ENCODER / "model.safetensors").items()}
    own = model.state_dict()
    for number, (name, scale) in enumerate(HEAD):
        weights[name] = head_tensor(number, scale, own[name].shape)
    model.load_state_dict(weights)  # strict: neither a missing nor an unused key

    pairs = Pairs(ENCODER / "tokenizer.json", config.pad_token_id, has_types=False)
    cases = tokenize(pairs, PAIRS)
    logits = singles(model, cases)
    padded = batch(model, pairs, cases)
    assert (logits - padded).abs().max() < 1e-5, (logits - padded).abs().max()
    span = (logits.max() - logits.min()).item()
    assert span >= 2, span

    for case, logit in zip(cases, logits.tolist()):
        case["logit"] = logit
    head = {
        "seed": SEED,
        "tensor_stride": TENSOR_STRIDE,
        "tensors": [{"name": name, "shape": list(own[name].shape), "scale": scale} for name, scale in HEAD],
        "first": [weights[name].flatten()[:1].item() for name, _ in HEAD],
        "note": NOTE,
    }
    top = {"model_type": config.model_type, "versions": versions(), "head": head}
    out = HERE / "me5-small-enpt.json"
    write_golden(out, top, cases, hidden(model, cases, HIDDEN_CASES))
    print(f"{len(cases)} cases, logits span {span:.2f}, {out.stat().st_size:,} bytes")


def head_tensor(number, scale, shape):
    """One tensor of the head, by the formula in NOTE."""
    start = SEED + number * TENSOR_STRIDE
    values = [((splitmix64(start + i) >> 40) / 2**24 - 0.5) * scale for i in range(shape.numel())]
    return torch.tensor(values, dtype=torch.float64).float().reshape(shape)


def splitmix64(state):
    """The output of the SplitMix64 generator for one state (Steele, Lea and Flood, 2014)."""
    wrap = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & wrap
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & wrap
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & wrap
    return z ^ (z >> 31)


main()
