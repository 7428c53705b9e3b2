"""PyTorch's side: the same model through transformers, and its best settings. Speaks as our program
does (crates/model/examples/kit.rs): one JSON command a line, one JSON line back.

    python torch_side.py DEVICE BUDGET
"""

import gc
import importlib.metadata
import importlib.util
import json
import math
import os
import pathlib
import statistics
import sys
import time
import traceback

import torch
import transformers

from shapes import SHAPES

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
PAD = 1


def make(shape, folder):
    """Random weights of the true shape, larger than a fresh model's, so that logits differ; and a
    tokenizer that nobody uses, without which sentence-transformers does not open the folder."""
    width, layers, heads, intermediate, vocabulary, positions = SHAPES[shape]
    config = transformers.XLMRobertaConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=intermediate, vocab_size=vocabulary, max_position_embeddings=positions,
        type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=PAD, bos_token_id=0, eos_token_id=2,
        # Signals keep their strength from layer to layer as they do at v2-m3's width.
        initializer_range=0.02 * math.sqrt(1024 / width),
        num_labels=1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(1)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = transformers.XLMRobertaForSequenceClassification(config)
        with torch.no_grad():
            for name, value in model.named_parameters():
                if value.dim() == 2 and ("query" in name or "key" in name):
                    value.mul_(3.0)
            model.classifier.out_proj.weight.normal_(0.0, 0.2)
    model.cpu().save_pretrained(folder)
    try:
        import tokenizers

        words = {"<s>": 0, "<pad>": PAD, "</s>": 2, "<unk>": 3}
        plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=plain, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
        ).save_pretrained(folder)
    except Exception:  # noqa: BLE001: one setting will be missing
        traceback.print_exc()


def open_model(folder, device, dtype, attention="sdpa"):
    model = transformers.XLMRobertaForSequenceClassification.from_pretrained(
        folder, dtype=DTYPES[dtype], attn_implementation=attention
    )
    return model.to(device).eval()


def batches(sequences, budget):
    """Longest first, each batch at most `budget` tokens with its padding."""
    order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))
    parts = []
    for place in order:
        longest = len(sequences[parts[-1][0]]) if parts else 0
        if parts and (len(parts[-1]) + 1) * longest <= budget:
            parts[-1].append(place)
        else:
            parts.append([place])
    return parts


def padded(sequences, part):
    """Token ids and mask of a batch, on the host; no mask where nothing is padded."""
    longest = max(1, len(sequences[part[0]]))
    ids = torch.full((len(part), longest), PAD)
    mask = torch.zeros(len(part), longest, dtype=torch.long)
    for row, place in enumerate(part):
        # No text at all is one visible padding token, as on our side.
        sequence = sequences[place] or [PAD]
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return ids, None if bool(mask.all()) else mask


class Padded:
    """Scaled dot product attention over batches padded to their longest."""

    def __init__(self, model, device, budget, compiled=False, tf32=False):
        self.model, self.device, self.budget, self.tf32 = model, device, budget, tf32
        # Beside the plain layers and not in their place: other settings share this model.
        self.plain = self.layers = model.roberta.encoder.layer
        if compiled:
            self.layers = torch.nn.ModuleList(torch.compile(layer, dynamic=True) for layer in self.plain)

    def prepare(self, sequences):
        """What a tokenizer hands over; its time is not the model's."""
        parts = batches(sequences, self.budget)
        return [(part, *(self.pinned(t) for t in padded(sequences, part))) for part in parts], len(sequences)

    def pinned(self, tensor):
        return tensor if tensor is None or self.device == "cpu" else tensor.pin_memory()

    def sent(self, tensor):
        return None if tensor is None else tensor.to(self.device, non_blocking=True)

    def forward(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask).logits

    @torch.inference_mode()
    def score(self, prepared):
        parts, count = prepared
        logits = torch.empty(count)
        encoder = self.model.roberta.encoder
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        encoder._modules["layer"] = self.layers
        try:
            # All batches are on their way before the first is waited for.
            out = [self.forward(self.sent(ids), self.sent(mask)) for _, ids, mask in parts]
            for (part, _, _), scores in zip(parts, out):
                logits[part] = scores[:, 0].float().cpu()
        finally:
            encoder._modules["layer"] = self.plain
            torch.backends.cuda.matmul.allow_tf32 = False
        return logits


class Graphs(Padded):
    """Compiled layers whose launches are recorded once for each shape and replayed; only where nothing
    is padded, since a mask is looked at by the host."""

    def __init__(self, model, device, budget):
        super().__init__(model, device, budget, compiled=True)
        self.recorded = {}

    def forward(self, ids, mask):
        if mask is not None:
            return super().forward(ids, mask)
        shape = tuple(ids.shape)
        if shape not in self.recorded:
            self.recorded[shape] = self.record(ids.clone())
        graph, place, out = self.recorded[shape]
        place.copy_(ids)
        graph.replay()
        # A copy, since the next replay of this shape overwrites it.
        return out.clone()

    def record(self, place):
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(3):
                super().forward(place, None)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            out = super().forward(place, None)
        return graph, place, out


class Unpadded:
    """The same weights without padding: linear layers over all tokens, attention by sequence."""

    def __init__(self, model, device, compiled=False):
        self.model, self.device = model, device
        if device == "cpu":  # a rehearsal
            self.attend = attend_one_by_one
        else:
            from torch.nn.attention.varlen import varlen_attn

            self.attend = varlen_attn
        self.layer = torch.compile(self.plain_layer, dynamic=True) if compiled else self.plain_layer

    def prepare(self, sequences):
        sequences = [sequence or [PAD] for sequence in sequences]
        lengths = [len(sequence) for sequence in sequences]
        ids = torch.tensor([i for sequence in sequences for i in sequence])
        # The padding token of an empty text stands at the padding position, as in transformers.
        places = torch.tensor([PAD if s == [PAD] else 2 + i for s in sequences for i in range(len(s))])
        ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
        return ids, places, ends, max(lengths)

    def plain_layer(self, layer, x, ends, longest):
        inner = layer.attention.self
        heads = (x.shape[0], inner.num_attention_heads, inner.attention_head_size)
        query, key, value = (f(x).view(heads) for f in (inner.query, inner.key, inner.value))
        seen = self.attend(query, key, value, ends, ends, longest, longest)
        x = layer.attention.output(seen.reshape(x.shape), x)
        return layer.output(layer.intermediate(x), x)

    @torch.inference_mode()
    def score(self, prepared):
        ids, places, ends = (part.to(self.device) for part in prepared[:3])
        body = self.model.roberta
        table = body.embeddings
        x = table.word_embeddings(ids) + table.position_embeddings(places)
        x = table.LayerNorm(x + table.token_type_embeddings.weight[0])
        for layer in body.encoder.layer:
            x = self.layer(layer, x, ends, prepared[3])
        return self.model.classifier(x[ends[:-1].long()][:, None])[:, 0].float().cpu()


@torch.compiler.disable
def attend_one_by_one(query, key, value, ends, *_):
    """What varlen_attn computes, for a machine without its kernels."""
    seen = torch.empty_like(query)
    for start, end in zip(ends.tolist(), ends.tolist()[1:]):
        # [tokens, heads, head size] -> [heads, tokens, head size]
        parts = (x[start:end].transpose(0, 1) for x in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(*parts)
        seen[start:end] = attended.transpose(0, 1)
    return seen


class SentenceTransformers:
    """`CrossEncoder.predict` with its own sorting, batches and post-processing; tokens are looked up
    instead of made, so that what is timed is what the others do."""

    def __init__(self, folder, device, dtype, budget, attention="sdpa"):
        import sentence_transformers

        self.encoder = sentence_transformers.CrossEncoder(
            str(folder), device=device, local_files_only=True,
            model_kwargs={"dtype": DTYPES[dtype], "attn_implementation": attention},
        )
        self.budget = budget
        self.encoder.preprocess = self.look_up

    def look_up(self, pairs, **_):
        sequences = [self.sequences[int(key)] for key, _ in pairs]
        ids = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=PAD)
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        return {"input_ids": ids, "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long()}

    def prepare(self, sequences):
        sequences = [torch.tensor(sequence or [PAD]) for sequence in sequences]
        # Its sorting goes by the length of texts: a letter a token.
        return sequences, [[str(i), "x" * len(sequence)] for i, sequence in enumerate(sequences)]

    def score(self, prepared):
        self.sequences, pairs = prepared
        longest = max(map(len, self.sequences))
        scores = self.encoder.predict(
            pairs, batch_size=max(1, self.budget // longest), activation_fn=torch.nn.Identity(),
            convert_to_tensor=True, show_progress_bar=False,
        )
        return scores.float().cpu()


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


class Worker:
    """What is kept between commands."""

    def __init__(self, device, budget):
        self.device, self.budget = device, budget
        self.model = self.folder = self.dtype = None
        self.cases, self.sets, self.made, self.prepared = {}, {}, {}, {}

    def synchronise(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def is_sound(self):
        """Whether the card still answers, after something failed."""
        try:
            self.clean()
            self.synchronise()
            return self.device == "cpu" or torch.cuda.is_available()
        except Exception:  # noqa: BLE001
            return False

    def timed(self, work):
        self.synchronise()
        started = time.perf_counter()
        result = work()
        self.synchronise()
        return time.perf_counter() - started, result

    def hello(self):
        if self.device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no CUDA device; for a rehearsal: --device cpu")
        name = torch.cuda.get_device_name() if self.device == "cuda" else "the CPU (a rehearsal)"
        packages = ["torch", "transformers", "sentence-transformers", "triton", "flash-attn"]
        return {
            "device": name, "cuda": torch.version.cuda, "packages": {p: version(p) for p in packages},
            "memory": torch.cuda.mem_get_info()[1] if self.device == "cuda" else None,
            "threads": torch.get_num_threads(),
        }

    def make(self, shape, folder):
        return {"seconds": self.timed(lambda: make(shape, folder))[0]}

    def read_cases(self, file):
        self.cases = json.loads(pathlib.Path(file).read_text())
        return {}

    def read_sets(self, file):
        self.sets = json.loads(pathlib.Path(file).read_text())
        for name, ranking in self.sets.items():
            self.cases[f"set: {name}"] = [
                [0, *(query := ranking["queries"][q]), 2, 2,
                 *ranking["documents"][d][: ranking["length"] - len(query) - 4], 2]
                for q, d in ranking["pairs"]
            ]
        return {}

    def ceilings(self):
        """What the card itself can do: large products and a large copy, ten launches a sample."""
        size, words, launches = (8192, 1 << 28, 10) if self.device == "cuda" else (256, 1 << 20, 2)

        def sample(work):
            def several():
                for _ in range(launches):
                    work()

            return statistics.median([self.timed(several)[0] for _ in range(8)][3:]) / launches

        found = {}
        kinds = {"bf16": (torch.bfloat16, False), "f16": (torch.float16, False), "tf32": (torch.float32, True)}
        for name, (dtype, tf32) in kinds.items():
            a, b = (torch.randn(size, size, device=self.device).to(dtype) for _ in range(2))
            torch.backends.cuda.matmul.allow_tf32 = tf32
            found[f"{name}_tflops"] = 2 * size**3 / sample(lambda: a @ b) / 1e12
            torch.backends.cuda.matmul.allow_tf32 = False
            del a, b
        source = torch.randn(words, device=self.device)
        target = torch.empty_like(source)
        # Read once and written once.
        found["copy_gb_per_second"] = 2 * 4 * words / sample(lambda: target.copy_(source)) / 1e9
        del source, target
        self.clean()
        return found

    def clean(self):
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def forget(self):
        self.model, self.made, self.prepared = None, {}, {}
        self.clean()
        return {}

    def reference(self, folder, case, within):
        """Logits in f32 on the CPU, pair by pair as far as the time goes."""
        begun = time.monotonic()
        side = Padded(open_model(folder, "cpu", "f32"), "cpu", self.budget)
        logits, sequences = [], self.cases[case]
        while len(logits) < len(sequences) and time.monotonic() - begun < within:
            part = sequences[len(logits) : len(logits) + 5]
            logits += side.score(side.prepare(part)).tolist()
        return {"logits": logits}

    def load(self, folder, dtype):
        self.forget()
        self.folder, self.dtype = folder, dtype
        seconds, self.model = self.timed(lambda: open_model(folder, self.device, dtype))
        return {"seconds": seconds}

    def setting(self, name):
        """Settings are made when they are first asked for."""
        if name not in self.made:
            self.made[name] = {
                "sdpa": lambda: Padded(self.model, self.device, self.budget),
                "sdpa, TF32": lambda: Padded(self.model, self.device, self.budget, tf32=True),
                "sdpa, compiled": lambda: Padded(self.model, self.device, self.budget, compiled=True),
                "sdpa, compiled, graphs": lambda: Graphs(self.model, self.device, self.budget),
                "unpadded": lambda: Unpadded(self.model, self.device),
                "unpadded, compiled": lambda: Unpadded(self.model, self.device, compiled=True),
                "sentence-transformers": self.sentence_transformers,
                "FlashAttention-2": self.flash_attention,
                "sentence-transformers, FlashAttention-2": lambda: self.sentence_transformers("flash_attention_2"),
            }[name]()
        return self.made[name]

    def flash_attention(self):
        if importlib.util.find_spec("flash_attn") is None:
            raise RuntimeError("flash_attn is not installed")
        model = open_model(self.folder, self.device, self.dtype, "flash_attention_2")
        return Padded(model, self.device, self.budget)

    def sentence_transformers(self, attention="sdpa"):
        if attention != "sdpa" and importlib.util.find_spec("flash_attn") is None:
            raise RuntimeError("flash_attn is not installed")
        return SentenceTransformers(self.folder, self.device, self.dtype, self.budget, attention)

    def score(self, setting, case, runs, within=None):
        """The last run's logits, each run's seconds, and the most memory that it took."""
        try:
            return self.score_with(self.setting(setting), setting, case, runs, within)
        except Exception:
            # Whatever it is, this one is not to be trusted any more.
            self.made.pop(setting, None)
            raise

    def score_with(self, side, setting, case, runs, within):
        if (setting, case) not in self.prepared:
            self.prepared[setting, case] = side.prepare(self.cases[case])
        prepared = self.prepared[setting, case]
        before = 0
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        begun, seconds = time.monotonic(), []
        for _ in range(runs):
            if seconds and within is not None and time.monotonic() - begun > within:
                break
            spent, logits = self.timed(lambda: side.score(prepared))
            seconds.append(spent)
        peak = None
        if self.device == "cuda":
            # The weights and what scoring takes beside them; other settings' copies do not count.
            weights = sum(p.numel() * p.element_size() for p in self.model.parameters())
            peak = torch.cuda.max_memory_allocated() - before + weights
        return {"seconds": seconds, "logits": logits.tolist(), "peak": peak}

    def memory(self):
        if self.device != "cuda":
            return {"peak": None, "reserved": None}
        return {"peak": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}

    def train(self, folder, case, group, steps, compute, within):
        """Steps on one group of equal lengths, its first sequence the positive: f32 weights and AdamW's
        moments, computed in f32 with TF32 products, or under bf16 autocast."""
        self.forget()
        begun = time.monotonic()
        model = open_model(folder, self.device, "f32").train()
        fused = {"fused": True} if self.device == "cuda" else {}
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, **fused)
        ids = torch.tensor(self.cases[case][:group]).to(self.device)
        first = torch.zeros(1, dtype=torch.long, device=self.device)
        torch.backends.cuda.matmul.allow_tf32 = compute == "f32"
        prepared = time.monotonic() - begun

        def step():
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=compute == "bf16"):
                logits = model(input_ids=ids).logits[:, 0].float()
            loss = torch.nn.functional.cross_entropy(logits[None], first)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            return loss.item()

        done = []
        while len(done) < steps and time.monotonic() - begun <= within:
            done.append(self.timed(step))
        torch.backends.cuda.matmul.allow_tf32 = False
        memory = self.memory()
        del model, optimizer
        self.clean()
        return {
            "seconds": [seconds for seconds, _ in done], "loss": [loss for _, loss in done],
            "prepared": prepared, "memory": memory,
        }

    def obey(self, command):
        name = command.pop("do")
        return {
            "hello": self.hello, "make": self.make, "cases": self.read_cases, "sets": self.read_sets,
            "ceilings": self.ceilings, "reference": self.reference, "load": self.load, "score": self.score,
            "train": self.train, "forget": self.forget,
        }[name](**command)


def sayable(value):
    """JSON has no NaN and no infinities."""
    if isinstance(value, dict):
        return {key: sayable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [sayable(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "NaN")
    return value


def main():
    # What libraries print goes to standard error, not between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    # Collected between commands that ask for it, not in the middle of what is timed.
    gc.disable()
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    torch.backends.cuda.matmul.allow_tf32 = False
    for line in sys.stdin:
        try:
            answer = worker.obey(json.loads(line))
        except Exception as error:  # noqa: BLE001: whatever it is, it is the answer
            traceback.print_exc()
            text = (str(error).strip() or repr(error)).splitlines()[0][:300]
            answer = {"not_available" if worker.is_sound() else "error": text}
        print(json.dumps(sayable(answer), allow_nan=False), file=answers)


if __name__ == "__main__":
    main()
