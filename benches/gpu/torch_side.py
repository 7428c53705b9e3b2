"""PyTorch's side: the same model through transformers, and its best settings."""

import torch
import transformers

SHAPES = {
    # name: width, layers, heads, intermediate, vocabulary, positions
    "v2-m3": (1024, 24, 16, 4096, 250002, 8194),
    "small": (128, 2, 4, 256, 250002, 8194),
}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def make(shape, folder):
    """Random weights of the true shape, larger than a fresh model's, so that logits differ."""
    width, layers, heads, intermediate, vocabulary, positions = SHAPES[shape]
    config = transformers.XLMRobertaConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=intermediate, vocab_size=vocabulary, max_position_embeddings=positions,
        type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2,
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


def load(folder, device, dtype):
    model = transformers.XLMRobertaForSequenceClassification.from_pretrained(
        folder, dtype=DTYPES[dtype], attn_implementation="sdpa"
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


class Padded:
    """Scaled dot product attention over batches padded to their longest."""

    def __init__(self, model, device, budget, compiled=False):
        self.model, self.device, self.budget = model, device, budget
        if compiled:
            for layer in model.roberta.encoder.layer:
                layer.compile(dynamic=True)

    @torch.inference_mode()
    def score(self, sequences):
        logits = torch.empty(len(sequences))
        for part in batches(sequences, self.budget):
            longest = len(sequences[part[0]])
            ids = torch.ones(len(part), longest, dtype=torch.long)
            for row, place in enumerate(part):
                ids[row, : len(sequences[place])] = torch.tensor(sequences[place])
            mask = (ids != 1).long()
            mask = None if bool(mask.all()) else mask.to(self.device)
            out = self.model(input_ids=ids.to(self.device), attention_mask=mask).logits
            logits[part] = out[:, 0].float().cpu()
        return logits


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

    def plain_layer(self, layer, x, ends, longest):
        inner = layer.attention.self
        heads = (x.shape[0], inner.num_attention_heads, inner.attention_head_size)
        query, key, value = (f(x).view(heads) for f in (inner.query, inner.key, inner.value))
        seen = self.attend(query, key, value, ends, ends, longest, longest)
        x = layer.attention.output(seen.reshape(x.shape), x)
        return layer.output(layer.intermediate(x), x)

    @torch.inference_mode()
    def score(self, sequences):
        body = self.model.roberta
        lengths = [len(sequence) for sequence in sequences]
        ids = torch.tensor([i for sequence in sequences for i in sequence]).to(self.device)
        places = torch.tensor([2 + i for n in lengths for i in range(n)]).to(self.device)
        ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32).to(self.device)
        table = body.embeddings
        x = table.word_embeddings(ids) + table.position_embeddings(places)
        x = table.LayerNorm(x + table.token_type_embeddings.weight[0])
        for layer in body.encoder.layer:
            x = self.layer(layer, x, ends, max(lengths))
        return self.model.classifier(x[ends[:-1].long()][:, None])[:, 0].float().cpu()


def attend_one_by_one(query, key, value, ends, *_):
    """What varlen_attn computes, for a machine without its kernels."""
    seen = torch.empty_like(query)
    for start, end in zip(ends.tolist(), ends.tolist()[1:]):
        # [tokens, heads, head size] -> [heads, tokens, head size]
        parts = (x[start:end].transpose(0, 1) for x in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(*parts)
        seen[start:end] = attended.transpose(0, 1)
    return seen


def training_step(model, optimizer, sequences, device):
    """One group of equal lengths, its first sequence the positive, under bf16 autocast."""
    ids = torch.tensor(sequences).to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = model(input_ids=ids).logits[:, 0].float()
    loss = torch.nn.functional.cross_entropy(logits[None], torch.zeros(1, dtype=torch.long, device=device))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()
