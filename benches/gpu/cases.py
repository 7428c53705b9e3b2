"""Makes what both sides score, as token ids: `cases.json`, a list of sequences for each case, and
`sets.json`, queries and documents with judgements.

    python cases.py XLM_R_TOKENIZER_FOLDER SCIFACT_FOLDER HELPDESK_TOKENIZER_FOLDER HELPDESK_FOLDER OUT

50 x 512, 1 x 512 and 200 x 128 are cut from real abstracts, joined where one is too short; the mix is
50 SciFact pairs as they are, up to 512 tokens. The edge cases are no text at all, one token, nearly
nothing, a long sequence among tiny ones, and 8,192 tokens. Order and choice are fixed.

Token ids are the texts. They are made to be carried and measured with, not to be committed: SciFact's
claims are CC BY 4.0, its abstracts ODC-By 1.0; the help-desk set is this repository's own.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer

BEGIN, END = 0, 2


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def text(document):
    return f"{document['title']} {document['text']}".strip()


class Ids:
    """A tokenizer without special tokens, whose pairs are put together as XLM-RoBERTa's are."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def __call__(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def check(self, query, document):
        """Tokenizers that join pairs in another way do not belong here."""
        whole = self.tokenizer.encode(query, document).ids
        if whole != pair(self(query), self(document), len(whole)):
            raise SystemExit("this tokenizer does not join pairs as XLM-RoBERTa's does")


def pair(query, document, length):
    document = document[: length - len(query) - 4]
    return [BEGIN, *query, END, END, *document, END]


def judgements(path):
    """Grades by query and document, from BEIR's table with its header."""
    grades = {}
    for line in path.read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        grades.setdefault(query, {})[document] = int(grade)
    return grades


def ranking_set(ids, queries, corpus, candidates, grades, length):
    """`candidates` are a query's documents, by id; only what they name is kept."""
    asked = sorted(candidates)
    documents = sorted({document for query in asked for document in candidates[query]})
    place = {document: index for index, document in enumerate(documents)}
    ids.check(queries[asked[0]], corpus[documents[0]])
    return {
        "length": length,
        "queries": [ids(queries[query])[: length // 2] for query in asked],
        "documents": [ids(corpus[document])[:length] for document in documents],
        "pairs": [[i, place[d]] for i, query in enumerate(asked) for d in candidates[query]],
        # For nDCG: how ties are broken, and what a query's judged documents are worth.
        "document_ids": documents,
        "grades": [{d: grade for d, grade in grades[query].items() if grade > 0} for query in asked],
    }


def scifact_set(ids, folder, queries, corpus):
    """The first 50 judged test queries with BM25's first 20 each."""
    grades = judgements(folder / "qrels/test.tsv")
    ranked = {}
    for line in (folder / "bm25.test.trec").read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        ranked.setdefault(query, []).append((int(rank), document))
    asked = sorted(set(ranked) & set(grades))[:50]
    candidates = {query: [document for _, document in sorted(ranked[query])[:20]] for query in asked}
    return ranking_set(ids, queries, corpus, candidates, grades, 512)


def helpdesk_set(tokenizer, folder):
    """All queries of the dev split, each with its judged documents."""
    ids = Ids(tokenizer)
    grades = judgements(folder / "qrels/dev.tsv")
    queries = {row["_id"]: row["text"] for row in rows(folder / "queries.jsonl") if row["_id"] in grades}
    corpus = {row["_id"]: text(row) for row in rows(folder / "corpus.jsonl")}
    candidates = {query: sorted(documents) for query, documents in grades.items()}
    config = json.loads((pathlib.Path(tokenizer) / "config.json").read_text())
    return ranking_set(ids, queries, corpus, candidates, grades, config["max_position_embeddings"] - 2)


def main():
    xlm_r, scifact, mini, helpdesk, out = map(pathlib.Path, sys.argv[1:])
    ids = Ids(xlm_r)
    corpus = {row["_id"]: text(row) for row in rows(scifact / "corpus.jsonl")}
    queries = {row["_id"]: row["text"] for row in rows(scifact / "queries.jsonl")}
    documents = [ids(corpus[key]) for key in sorted(corpus)[:400]]
    asked = [ids(queries[key]) for key in sorted(queries)[:50]]
    joined = [token for document in documents for token in document]

    def full(count, length):
        sequences = []
        for place in range(count):
            start = place * 97 % (len(joined) - length)
            sequences.append(pair(asked[place % 50], joined[start : start + length], length))
        return sequences

    tiny = [[], [BEGIN], [BEGIN, END], pair([], [], 4), pair(asked[0][:1], [], 5), pair([], asked[0][:1], 5)]
    cases = {
        "50 x 512": full(50, 512),
        "mix": [pair(query, documents[3 * place], 512) for place, query in enumerate(asked)],
        "1 x 512": full(1, 512),
        "200 x 128": full(200, 128),
        "train 8 x 512": full(8, 512),
        "edge: tiny": tiny,
        # Lengths this far apart make masks that hide nearly all.
        "edge: long masks": [*full(1, 512), *tiny * 4, *full(2, 384), [BEGIN]],
        "edge: 8,192 tokens": [*full(1, 8192), [BEGIN, END], *full(1, 8191), *full(1, 4097)],
    }
    sets = {"scifact": scifact_set(ids, scifact, queries, corpus), "helpdesk": helpdesk_set(mini, helpdesk)}
    out.mkdir(parents=True, exist_ok=True)
    for name, content in {"cases.json": cases, "sets.json": sets}.items():
        (out / name).write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    main()
