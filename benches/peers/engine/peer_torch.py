"""sentence-transformers' CrossEncoder (PyTorch) as a peer: see `peers.py` for what it is told and answers.

    peer_torch.py MODEL LENGTH THREADS f32|bf16

`predict` sorts by length, longest first, and pads each batch to its longest.
"""

import sys

import torch

import talk


def main():
    folder, length, threads, dtype = sys.argv[1:]
    torch.set_num_threads(int(threads))
    import sentence_transformers

    kinds = {"f32": torch.float32, "bf16": torch.bfloat16}
    model = sentence_transformers.CrossEncoder(
        folder, device="cpu", max_length=int(length), num_labels=1, activation_fn=torch.nn.Identity(),
        model_kwargs={"dtype": kinds[dtype]}, local_files_only=True)
    attention = model.model.config._attn_implementation

    def score(pairs, batch):
        with torch.inference_mode():
            return model.predict(pairs, batch_size=batch, show_progress_bar=False).tolist()

    talk.serve(f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}, "
               f"{dtype}, {attention}, {torch.backends.cpu.get_cpu_capability()}", score)


if __name__ == "__main__":
    main()
