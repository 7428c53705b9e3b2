"""ONNX Runtime as a peer: see `peers.py` for what it is told and answers.

    peer_onnx.py MODEL LENGTH THREADS f32|int8

Pairs are tokenized by the tokenizers library, sorted by length, longest first, and each batch is padded to
its longest, as sentence-transformers does. The graph is fused by onnxruntime.transformers' optimizer.
"""

import os
import sys

import numpy
import onnxruntime
import tokenizers

import talk


def main():
    folder, length, threads, kind = sys.argv[1:]
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    file = {"f32": "model.onnx", "int8": "model.int8.onnx"}[kind]
    session = onnxruntime.InferenceSession(f"{folder}/{file}", options, providers=["CPUExecutionProvider"])
    wanted = {put.name for put in session.get_inputs()}
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(int(length))

    def score(pairs, batch):
        encodings = tokenizer.encode_batch([tuple(pair) for pair in pairs])
        order = sorted(range(len(pairs)), key=lambda i: -len(encodings[i]))
        scores = [0.0] * len(pairs)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            longest = len(encodings[chosen[0]])
            ids = numpy.zeros((len(chosen), longest), numpy.int64)
            mask, types = numpy.zeros_like(ids), numpy.zeros_like(ids)
            for row, i in enumerate(chosen):
                count = len(encodings[i])
                ids[row, :count] = encodings[i].ids
                types[row, :count] = encodings[i].type_ids
                mask[row, :count] = 1
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            logits = session.run(None, {k: v for k, v in inputs.items() if k in wanted})[0]
            for row, i in enumerate(chosen):
                scores[i] = float(logits[row, 0])
        return scores

    talk.serve(f"onnxruntime {onnxruntime.__version__}, {kind}", score)


if __name__ == "__main__":
    main()
