"""Makes ONNX files of two small rerankers of `models`, and a few graphs of some lines that must be refused or read.

    python tests/golden/onnx/make.py

Needs torch 2.15, transformers 5.23, onnx 1.23, onnxscript 0.7 and onnxruntime 1.32. Configs and tokenizers stay in
`models`; what the f32 and f16 files must score is in the `golden.json` there. The quantized file has its own.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
sys.dont_write_bytecode = True
LIMIT = 330_000
TOLERANCE = 2e-5


def main():
    torch.set_num_threads(1)
    bert = export("bert", ("input_ids", "attention_mask", "token_type_ids"))
    write(bert, "bert.onnx")
    check("bert", "bert.onnx")

    xlm = export("xlm-roberta-f16", ("input_ids", "attention_mask"))
    write(halved(xlm), "xlm-roberta-f16.onnx")
    check("xlm-roberta-f16", "xlm-roberta-f16.onnx")

    with tempfile.TemporaryDirectory() as folder:
        plain, quantized = Path(folder) / "plain.onnx", Path(folder) / "quantized.onnx"
        onnx.save(bert, plain)
        # 7 bits: products of 8 bits overflow where a machine has no VNNI, and the logits would differ
        quantize_dynamic(plain, quantized, weight_type=QuantType.QInt8, reduce_range=True)
        write(shortened(onnx.load(quantized)), "bert-int8.onnx")
    golden_of_quantized()

    write(answering([0.5, 0.25]), "two-classes.onnx")
    write(answering([float("nan")]), "nan.onnx")
    write(answering([0.5], flat=True), "flat.onnx")
    write(answering([0.5], more="position_ids"), "unknown-input.onnx")
    write(external(), "external.onnx")

    size = sum(f.stat().st_size for f in HERE.iterdir() if f.is_file())
    print(f"{size:,} bytes in all")
    assert size < LIMIT, size


def export(name, inputs):
    """A model of `models` as transformers loads it, in f32, with batch and length free."""
    model = AutoModelForSequenceClassification.from_pretrained(
        MODELS / name, dtype=torch.float32, attn_implementation="eager"
    ).eval()

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *tensors):
            return self.model(**dict(zip(inputs, tensors))).logits

    example = tuple(torch.ones(2, 7, dtype=torch.int64) for _ in inputs)
    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(
            Logits(), example, file.name, dynamo=False, opset_version=17, input_names=list(inputs),
            output_names=["logits"], dynamic_axes={**axes, "logits": {0: "batch"}},
        )
        exported = onnx.load(file.name)
    return shortened(exported)


def shortened(model):
    """The same without what only people read: the exporter's long names are a third of so small a file."""
    kept = {value.name for value in [*model.graph.input, *model.graph.output]}
    names = {}
    short = lambda name: name if not name or name in kept else names.setdefault(name, f"v{len(names)}")
    for tensor in model.graph.initializer:
        tensor.name = short(tensor.name)
    for node in model.graph.node:
        node.name = node.doc_string = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def halved(model):
    """The same with its weights kept in 16 bits and widened when they are used: for weights that were 16 bits before."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2:
            values = numpy_helper.to_array(tensor)
            half = values.astype(np.float16)
            assert np.array_equal(half.astype(np.float32), values), tensor.name
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, name + ".half"))
            casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def answering(values, flat=False, more=None):
    """A graph that gives each sequence the same logits, whatever it is."""
    inputs = ["input_ids", "attention_mask"] + ([more] if more else [])
    infos = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs]
    logits = numpy_helper.from_array(np.array([values], dtype=np.float32), "values")
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["ids"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "mean"], ["zero"]),
        helper.make_node("Add", ["zero", "values"], ["both"]),
    ]
    shape = ["batch"] if flat else ["batch", len(values)]
    initializers = [logits]
    if flat:
        initializers.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"))
        nodes.append(helper.make_node("Squeeze", ["both", "axis"], ["logits"]))
    else:
        nodes.append(helper.make_node("Identity", ["both"], ["logits"]))
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "answering", infos, [output], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def external():
    """A graph whose one tensor lies in another file, which is not there."""
    model = answering([0.5])
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location="external.onnx_data")
    tensor.ClearField("raw_data")
    return model


def write(model, name):
    (HERE / name).write_bytes(model.SerializeToString(deterministic=True))
    print(f"{name}: {(HERE / name).stat().st_size:,} bytes")


def scores(file, cases):
    session = onnxruntime.InferenceSession(HERE / file, providers=["CPUExecutionProvider"])
    wanted = {entry.name for entry in session.get_inputs()}
    logits = []
    for case in cases:
        ids = np.array([case["ids"]], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        feed["token_type_ids"] = np.array([case["type_ids"]], dtype=np.int64)
        (out,) = session.run(None, {key: value for key, value in feed.items() if key in wanted})
        assert out.shape == (1, 1), out.shape
        logits.append(float(out[0, 0]))
    return logits


def check(name, file):
    """The file scores what transformers scored."""
    cases = json.loads((MODELS / name / "golden.json").read_text())["cases"]
    worst = max(abs(a - case["logit"]) for a, case in zip(scores(file, cases), cases))
    assert worst < TOLERANCE, (file, worst)
    print(f"{file}: {len(cases)} cases, at most {worst:.1e} from transformers")


def golden_of_quantized():
    cases = json.loads((MODELS / "bert" / "golden.json").read_text())["cases"]
    logits = scores("bert-int8.onnx", cases)
    golden = {
        "made_with": {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__, "torch": torch.__version__},
        "model": "bert-int8.onnx",
        "cases": "those of models/bert/golden.json, each alone",
        "logits": [float(f"{logit:.7g}") for logit in logits],
    }
    (HERE / "bert-int8.json").write_text(json.dumps(golden, indent=1) + "\n")
    moved = max(abs(a - case["logit"]) for a, case in zip(logits, cases))
    print(f"bert-int8.onnx: at most {moved:.2f} from f32")


if __name__ == "__main__":
    main()
