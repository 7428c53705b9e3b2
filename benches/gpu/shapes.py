"""Shapes of models, apart from PyTorch's side, so that whoever drives both needs no PyTorch."""

SHAPES = {
    # name: width, layers, heads, intermediate, vocabulary, positions
    "v2-m3": (1024, 24, 16, 4096, 250002, 8194),
    # For rehearsals.
    "tiny": (64, 2, 2, 128, 1000, 8194),
}
