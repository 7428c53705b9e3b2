"""Makes the token ids that both sides score: `cases.json`, a list of sequences for each case.

    python cases.py XLM_R_TOKENIZER_FOLDER SCIFACT_FOLDER > cases.json

50 x 512, 1 x 512 and 200 x 128 are cut from real abstracts, joined where one is too short; the mix is
50 SciFact pairs as they are, up to 512 tokens. Order and choice are fixed.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer

BEGIN, END = 0, 2


def read(path, text):
    with open(path, encoding="utf-8") as lines:
        return {row["_id"]: text(row) for row in map(json.loads, lines)}


def main():
    tokenizer = Tokenizer.from_file(str(pathlib.Path(sys.argv[1]) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    folder = pathlib.Path(sys.argv[2])
    corpus = read(folder / "corpus.jsonl", lambda row: f"{row['title']} {row['text']}".strip())
    queries = read(folder / "queries.jsonl", lambda row: row["text"])
    ids = lambda text: tokenizer.encode(text, add_special_tokens=False).ids  # noqa: E731
    documents = [ids(corpus[key]) for key in sorted(corpus)[:400]]
    asked = [ids(queries[key]) for key in sorted(queries)[:50]]

    def pair(query, document, length):
        document = document[: length - len(query) - 4]
        return [BEGIN, *query, END, END, *document, END]

    joined = [token for document in documents for token in document]

    def full(count, length):
        sequences = []
        for place in range(count):
            start = place * 97 % (len(joined) - length)
            sequences.append(pair(asked[place % 50], joined[start : start + length], length))
        return sequences

    cases = {
        "50 x 512": full(50, 512),
        "mix": [pair(query, documents[3 * place], 512) for place, query in enumerate(asked)],
        "1 x 512": full(1, 512),
        "200 x 128": full(200, 128),
        "train 8 x 512": full(8, 512),
    }
    json.dump(cases, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
