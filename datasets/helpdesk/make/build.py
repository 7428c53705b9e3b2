#!/usr/bin/env python3
"""Builds the help-desk set: `python3 make/build.py`. Same files, byte for byte, on every run.

Writes corpus.jsonl, queries.jsonl, qrels/{train,dev,test}.tsv and triples.tsv beside this folder, and
stops with a message at the first broken rule.
"""

import collections
import importlib
import json
import pathlib
import re
import statistics
import sys

MAKE = pathlib.Path(__file__).resolve().parent
ROOT = MAKE.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(MAKE), str(MAKE / "families")]

from kit import SLOT, BadSet, normalised, seeded, training_query, write_jsonl, write_tsv  # noqa: E402

# An error code of a title, such as LG-5202 or E_CONFLICT. One code belongs to one family.
CODE = re.compile(r"\b(?:[A-Z]{2,3}-\d{3,4}|[A-Z]+(?:_[A-Z]+)+)\b")
SEED = "ledgerly-1"
PER_ARTICLE = 10
NEAR, FAR = 5, 1
# A training query's zeros are its family's other articles: easily derived, and 180,000 lines long.
TRAIN_ZEROS = False
# Two queries of different splits that share this much of their words (Jaccard) are worth a look.
NEAR_DUPLICATE = 0.85
KINDS = {"paraphrase", "typo", "negation", "no-overlap", "error-code", "plain"}


def main():
    families = load_families()
    articles = check_corpus(families)
    (ROOT / "qrels").mkdir(exist_ok=True)
    train, triples = make_training(families)
    evaluation = {split: read_queries(split, families, articles) for split in ("dev", "test")}
    check_queries(train, evaluation)
    warn_near_duplicates({"train": train, **evaluation})
    check_held_out(families, articles, train, triples)

    write_jsonl(ROOT / "corpus.jsonl", (
        {"_id": a["id"], "title": a["title"], "text": a["text"], "metadata": {"family": f["name"]}}
        for f in families for a in f["articles"]
    ))
    held_out = {f["name"] for f in families if f.get("held_out")}
    splits = {"train": train, **evaluation}
    write_jsonl(ROOT / "queries.jsonl", (
        {"_id": q["id"], "text": q["text"], "metadata": {
            "split": split, "kind": q["kind"], "family": q["family"],
            "held_out": "yes" if q["family"] in held_out else "no"}}
        for split, queries in splits.items() for q in queries
    ))
    for split, queries in splits.items():
        write_tsv(ROOT / "qrels" / f"{split}.tsv", ("query-id", "corpus-id", "score"), (
            (q["id"], doc, grade) for q in queries for doc, grade in q["grades"].items()
            if grade or split != "train" or TRAIN_ZEROS
        ))
    write_tsv(ROOT / "triples.tsv", ("query-id", "positive-id", "negative-id"), triples)
    summary(families, articles, splits, triples)


def load_families():
    """All modules of make/families, in the order of their names."""
    families = []
    for path in sorted((MAKE / "families").glob("*.py")):
        if path.stem.startswith("_"):
            continue
        module = importlib.import_module(path.stem)
        if not hasattr(module, "FAMILIES"):
            # Shared by family modules, and none itself.
            continue
        families += module.FAMILIES
    names = collections.Counter(f["name"] for f in families)
    twice = [n for n, k in names.items() if k > 1]
    if twice:
        raise BadSet(f"family names used twice: {twice}")
    return families


def check_corpus(families):
    """The rules of the corpus; gives every article by its id."""
    articles, texts, codes, wrong = {}, {}, {}, []
    for f in families:
        name = f["name"]
        if not 10 <= len(f["articles"]) <= 16:
            wrong.append(f"family {name}: {len(f['articles'])} articles, want 10 to 16")
        if len(set(f["asks"])) < 12:
            wrong.append(f"family {name}: {len(set(f['asks']))} different asks, want at least 12")
        facets_seen = {}
        for a in f["articles"]:
            ident = a["id"]
            if ident in articles:
                wrong.append(f"article {ident}: id used twice")
            if not re.fullmatch(r"[a-z0-9-]+", ident) or not ident.startswith(name):
                wrong.append(f"article {ident}: want an id of a-z, 0-9 and -, starting with {name}")
            key = tuple(sorted(a["facets"].items()))
            if not key or not all(v for _, v in key):
                wrong.append(f"article {ident}: a facet is empty")
            if key in facets_seen:
                wrong.append(f"article {ident}: same facets as {facets_seen[key]}")
            facets_seen[key] = ident
            for facet, value in a["facets"].items():
                if len(f["words"].get(facet, {}).get(value, [])) < 3:
                    wrong.append(f"family {name}: fewer than 3 words for {facet} = {value}")
            n = len(a["text"].split())
            if not 45 <= n <= 110:
                wrong.append(f"article {ident}: {n} words, want 45 to 110")
            if re.search(r"[{}|]|  ", a["title"] + a["text"]):
                wrong.append(f"article {ident}: an unfilled slot or alternative: {a['title']} / {a['text']}")
            if a["text"] in texts:
                wrong.append(f"article {ident}: same text as {texts[a['text']]}")
            texts[a["text"]] = ident
            for code in CODE.findall(a["title"]):
                if codes.setdefault(code, name) != name:
                    wrong.append(f"article {ident}: the code {code} belongs to family {codes[code]}")
            articles[ident] = {**a, "family": name}
        for facet, values in f["words"].items():
            said = collections.Counter(normalised(w) for ws in values.values() for w in set(ws))
            for word in (w for w, k in said.items() if k > 1):
                wrong.append(f"family {name}: the word `{word}` stands for two values of {facet}")
        for ask in f["asks"]:
            for slot in SLOT.findall(ask):
                if slot not in f["words"]:
                    wrong.append(f"family {name}: ask `{ask}`: no facet {slot}")
    for f in families:
        for a in f["articles"]:
            for other in a.get("also", {}):
                if other not in articles:
                    wrong.append(f"article {a['id']}: also names an unknown article {other}")
    mean = statistics.mean(len(a["text"].split()) for a in articles.values())
    if len(articles) < 1200:
        wrong.append(f"{len(articles)} articles, want at least 1200")
    if not 60 <= mean <= 90:
        wrong.append(f"mean text length {mean:.1f} words, want 60 to 90")
    if wrong:
        raise BadSet("\n".join(wrong))
    return articles


def make_training(families):
    """Training queries with their triples; the held-out family is in neither."""
    usable = [f for f in families if not f.get("held_out")]
    vocabulary = {f["name"]: _vocabulary(f) for f in usable}
    near_families = {
        f["name"]: sorted(
            (g["name"] for g in usable if g is not f),
            key=lambda g: (-_overlap(vocabulary[f["name"]], vocabulary[g]), g),
        )[:6]
        for f in usable
    }
    by_family = {f["name"]: f["articles"] for f in usable}
    drafts = []
    for f in usable:
        for a in f["articles"]:
            rng = seeded(SEED, a["id"])
            asks = [ask for ask in f["asks"] if _decides(ask, a, f)]
            if len(asks) < 6:
                raise BadSet(f"article {a['id']}: only {len(asks)} asks tell it from its siblings, want at least 6")
            order = rng.sample(asks, len(asks))
            seen = set()
            for k in range(PER_ARTICLE * 2):
                if len(seen) == PER_ARTICLE:
                    break
                text = training_query(order[k % len(order)], f["words"], a["facets"], rng)
                if normalised(text) not in seen:
                    seen.add(normalised(text))
                    drafts.append((f, a, text))
    # The same words for two articles: neither can be the answer.
    targets = collections.defaultdict(set)
    for _, a, text in drafts:
        targets[normalised(text)].add(a["id"])
    queries, triples = [], []
    for f, a, text in drafts:
        if len(targets[normalised(text)]) > 1:
            continue
        ident = f"train-{len(queries) + 1:05}"
        grades = {a["id"]: 3, **a.get("also", {})}
        for sibling in f["articles"]:
            grades.setdefault(sibling["id"], 0)
        queries.append({"id": ident, "text": text, "kind": "template", "family": f["name"], "grades": grades})
        rng = seeded(SEED, "triples", ident)
        siblings = [s for s in f["articles"] if grades[s["id"]] == 0]
        siblings.sort(key=lambda s: (-_shared(a, s), rng.random()))
        for s in siblings[:NEAR]:
            triples.append((ident, a["id"], s["id"]))
        for _ in range(FAR):
            g = rng.choice(near_families[f["name"]])
            strangers = [s for s in by_family[g] if s["id"] not in grades]
            triples.append((ident, a["id"], rng.choice(strangers)["id"]))
    return queries, triples


def read_queries(split, families, articles):
    """The handwritten queries of a split, with the family's other articles judged 0."""
    path = MAKE / "queries" / f"{split}.json"
    if not path.exists():
        return []
    by_name = {f["name"]: f for f in families}
    queries, wrong = [], []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        ident = entry.get("id", "?")
        where = f"{path.name}, {ident}"
        missing = {"id", "text", "kind", "family", "grades"} - set(entry)
        if missing:
            wrong.append(f"{where}: no {', '.join(sorted(missing))}")
            continue
        if not re.fullmatch(split + r"-\d{3,}", ident):
            wrong.append(f"{where}: want an id such as {split}-001")
        if entry["kind"] not in KINDS:
            wrong.append(f"{where}: kind `{entry['kind']}`, want one of {', '.join(sorted(KINDS))}")
        if entry["family"] not in by_name:
            wrong.append(f"{where}: unknown family `{entry['family']}`")
            continue
        grades = {}
        for doc, grade in entry["grades"].items():
            if doc not in articles:
                wrong.append(f"{where}: unknown article `{doc}`")
                continue
            if grade not in (0, 1, 2, 3):
                wrong.append(f"{where}: grade {grade!r} for {doc}, want 0 to 3")
            if grade == 3 and articles[doc]["family"] != entry["family"]:
                wrong.append(f"{where}: {doc} has grade 3 but is of family {articles[doc]['family']}, not {entry['family']}")
            grades[doc] = grade
        if 3 not in grades.values():
            wrong.append(f"{where}: no article has grade 3")
        for doc in entry.get("extra_zero", []):
            if doc not in articles:
                wrong.append(f"{where}: unknown article `{doc}` in extra_zero")
            elif grades.setdefault(doc, 0) != 0:
                wrong.append(f"{where}: {doc} is graded {grades[doc]} and in extra_zero")
        for a in by_name[entry["family"]]["articles"]:
            grades.setdefault(a["id"], 0)
        queries.append({**entry, "grades": grades})
    if wrong:
        raise BadSet("\n".join(wrong))
    return queries


def check_queries(train, evaluation):
    """No evaluation query twice or equal to a training query."""
    wrong, seen, ids = [], {normalised(q["text"]): q["id"] for q in train}, set()
    for queries in evaluation.values():
        for q in queries:
            if q["id"] in ids:
                wrong.append(f"{q['id']}: id used twice")
            ids.add(q["id"])
            key = normalised(q["text"])
            if key in seen:
                wrong.append(f"{q['id']}: `{q['text']}` is the same query as {seen[key]}; reword it")
            seen[key] = q["id"]
    if wrong:
        raise BadSet("\n".join(wrong))


def check_held_out(families, articles, train, triples):
    """No training query and no triple touches a held-out family."""
    held_out = {f["name"] for f in families if f.get("held_out")}
    seen = {q["family"] for q in train} | {articles[d]["family"] for t in triples for d in t[1:]}
    if not held_out:
        raise BadSet("no family is held out of training; mark one with held_out=True")
    if held_out & seen:
        raise BadSet(f"training touches the held-out family {', '.join(sorted(held_out & seen))}")


def warn_near_duplicates(splits):
    """Prints evaluation queries that say nearly the same as a query of another split."""
    seen, posting = [], collections.defaultdict(set)
    for split, queries in splits.items():
        fresh = []
        for q in queries:
            words = set(normalised(q["text"]).split())
            shared = collections.Counter(i for w in words for i in posting[w])
            for i, n in shared.items() if split != "train" else ():
                if n / len(words | seen[i][1]) >= NEAR_DUPLICATE:
                    print(f"warning: {q['id']} `{q['text']}` is close to {seen[i][0]}", file=sys.stderr)
            fresh.append((q["id"], words))
        for ident, words in fresh:
            for w in words:
                posting[w].add(len(seen))
            seen.append((ident, words))


def summary(families, articles, splits, triples):
    """What was built, for the reader of the terminal."""
    lengths = [len(a["text"].split()) for a in articles.values()]
    print(f"{len(families)} families, {len(articles)} articles, {statistics.mean(lengths):.1f} words "
          f"({min(lengths)} to {max(lengths)})")
    for split, queries in splits.items():
        print(f"{split}: {len(queries)} queries, {sum(len(q['grades']) for q in queries)} judgements")
    print(f"{len(triples)} triples")


def _decides(ask, article, family):
    """Whether the slots of this ask tell the article from every sibling."""
    slots = SLOT.findall(ask)
    if any(s not in article["facets"] for s in slots):
        return False
    same = [a for a in family["articles"] if all(a["facets"].get(s) == article["facets"][s] for s in slots)]
    return len(same) == 1


def _shared(a, b):
    return sum(b["facets"].get(k) == v for k, v in a["facets"].items())


def _vocabulary(family):
    counts = collections.Counter()
    for a in family["articles"]:
        counts.update(set(normalised(a["title"]).split()))
    return {w for w, k in counts.items() if len(w) > 3}


def _overlap(a, b):
    return len(a & b) / (len(a | b) or 1)


if __name__ == "__main__":
    try:
        main()
    except BadSet as broken:
        sys.exit(f"the help-desk set was not built:\n{broken}")
