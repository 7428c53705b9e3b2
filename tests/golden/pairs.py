"""Pairs as the reference tokenizes and scores them; shared by the model and the encoder goldens.

Needs torch 2.15, transformers 5.23 and tokenizers 0.23 (the versions used are recorded in each golden file).
"""

import importlib.metadata
import json
import platform

import torch
from transformers import PreTrainedTokenizerFast

LONGEST_FIRST = "longest-first"
DOCUMENT_ONLY = "document-only"


class Pairs:
    """A tokenizer.json, and how a query and a document become one input."""

    def __init__(self, path, pad_id, has_types):
        self.fast = PreTrainedTokenizerFast(tokenizer_file=str(path))
        self.raw = self.fast.backend_tokenizer
        self.pad_id = pad_id
        self.has_types = has_types

    def encode(self, query, document, max_length, truncation):
        """The ids and token type ids of one pair, cut to max_length."""
        if truncation == LONGEST_FIRST:
            out = self._pair(query, document, "longest_first", max_length)
            ids, types = out["input_ids"], out["token_type_ids"]
        elif truncation == DOCUMENT_ONLY:
            ids, types = self._document_only(query, document, max_length)
        else:
            raise ValueError(truncation)
        assert len(ids) <= max_length, (len(ids), max_length)
        return ids, types if self.has_types else [0] * len(ids)

    def _document_only(self, query, document, max_length):
        """The query cut to 3/4 of the limit when it is longer, the rest of the limit left to the document."""
        self.raw.no_truncation()
        self.raw.no_padding()
        q = self.raw.encode(query, add_special_tokens=False)
        d = self.raw.encode(document, add_special_tokens=False)
        query_is_cut = len(q) > max_length * 3 // 4
        if query_is_cut:
            q.truncate(max_length * 3 // 4)
        room = max_length - len(q) - self.raw.num_special_tokens_to_add(True)
        assert room > 0, "the limit leaves no room for the document"
        document_is_cut = len(d) > room
        if document_is_cut:
            d.truncate(room)
        out = self.raw.post_process(q, d, add_special_tokens=True)
        if not query_is_cut:
            # transformers' own strategy knows no limit for the query; below the limit both must agree
            same = self._pair(query, document, "only_second", max_length)
            assert same["input_ids"] == out.ids and same["token_type_ids"] == out.type_ids
        return out.ids, out.type_ids

    def _pair(self, query, document, truncation, max_length):
        # a list of pairs, as cross-encoders are fed: given bare, an empty document would count as no document
        out = self.fast(
            [[query, document]], truncation=truncation, max_length=max_length, return_token_type_ids=True
        )
        return {name: rows[0] for name, rows in out.items()}

    def pad(self, cases):
        """One batch of all cases, padded on the right: ids, attention mask, type ids, each [cases, longest]."""
        width = max(len(case["ids"]) for case in cases)
        ids = [c["ids"] + [self.pad_id] * (width - len(c["ids"])) for c in cases]
        mask = [[1] * len(c["ids"]) + [0] * (width - len(c["ids"])) for c in cases]
        types = [c["type_ids"] + [0] * (width - len(c["type_ids"])) for c in cases]
        return torch.tensor(ids), torch.tensor(mask), torch.tensor(types)


def tokenize(pairs, texts):
    """The cases of a golden file, without their logits, from (query, document, max_length, truncation)."""
    cases = []
    for query, document, max_length, truncation in texts:
        ids, types = pairs.encode(query, document, max_length, truncation)
        cases.append(
            {
                "query": query,
                "document": document,
                "max_length": max_length,
                "truncation": truncation,
                "ids": ids,
                "type_ids": types,
            }
        )
    return cases


@torch.no_grad()
def singles(model, cases, **also):
    """The logits of the cases, each run alone and without padding."""
    return torch.stack([_one(model, case, **also) for case in cases])


@torch.no_grad()
def batch(model, pairs, cases, mask=None, types=None):
    """The logits of the cases run as one padded batch; the mask or the type ids may be replaced by a fault."""
    ids, right_mask, right_types = pairs.pad(cases)
    inputs = {
        "attention_mask": right_mask if mask is None else mask,
        "token_type_ids": right_types if types is None else types,
    }
    return model(input_ids=ids, **inputs).logits[:, 0]


@torch.no_grad()
def hidden(model, cases, numbers):
    """By case number: the last hidden state of the first token, and the mean absolute value over all tokens."""
    found = {}
    for number in numbers:
        case = cases[number]
        out = model.base_model(
            input_ids=torch.tensor([case["ids"]]), token_type_ids=torch.tensor([case["type_ids"]])
        ).last_hidden_state[0]
        found[str(number)] = {
            "first_token": [digits(x) for x in out[0].tolist()],
            "mean_abs": digits(out.abs().double().mean().item()),
        }
    return found


def digits(x):
    """x rounded to 7 significant digits, about what an f32 holds."""
    return float(f"{x:.7g}")


def versions():
    """What the reference was computed with."""
    names = ("torch", "transformers", "tokenizers", "safetensors")
    return {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in names}


def write_golden(path, top, cases, states):
    """Writes a golden file, one case and one hidden state a line so that a change can be read in a diff."""
    line = lambda value: json.dumps(value, ensure_ascii=False, allow_nan=False)
    head = ",\n".join(f"{line(k)}: {line(v)}" for k, v in top.items())
    body = ",\n".join(line(case) for case in cases)
    tail = ",\n".join(f"{line(k)}: {line(v)}" for k, v in states.items())
    path.write_text(f'{{\n{head},\n"cases": [\n{body}\n],\n"hidden": {{\n{tail}\n}}\n}}\n', encoding="utf-8")


def _one(model, case, **also):
    inputs = {name: value(case) for name, value in also.items()}
    ids, types = torch.tensor([case["ids"]]), torch.tensor([case["type_ids"]])
    return model(input_ids=ids, token_type_ids=types, **inputs).logits[0, 0]
