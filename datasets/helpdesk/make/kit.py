"""What every family module and the builder share: families, the query grammar, noise, writers.

A family is a plain dict (see README.md). `family()` makes one from hand-written parts: axes whose
values carry the words users say and a sentence of facts, sentences with `[a|b]` alternatives, and asks.
Every choice hangs on a hash of the article's id, so a build never depends on the order of the modules.
"""

import hashlib
import itertools
import json
import random
import re

SLOT = re.compile(r"\{(\w+)\}")
ALTERNATIVES = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


class BadSet(Exception):
    """The set breaks one of its own rules; the message names the family, article or query."""


def slug(text):
    """`Direct debit` -> `direct-debit`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def normalised(text):
    """Lower-case letters and digits only: how two queries are compared for being the same."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def seeded(*key):
    """A generator that depends on the key alone, on every machine and Python."""
    digest = hashlib.sha256("\x1f".join(map(str, key)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def family(name, title, text, asks, cells=None, skip=(), held_out=False, **axes):
    """A family from a grid of facets.

    An axis is a block of lines `[key =] plain name / other name / other name :: sentence of facts`.
    `text` is a list of parts: a sentence, `@axis` for the fact of that axis' value, or `@cell` for the
    sentence of `cells`, a block of lines `key, key :: sentence`. `skip` names combinations left out.
    """
    parsed = {axis: _axis(name, axis, block) for axis, block in axes.items()}
    by_key = _cells(name, cells)
    articles = []
    for keys in itertools.product(*(values for values in parsed.values())):
        if keys in skip:
            continue
        facets = dict(zip(parsed, keys))
        ident = name + "-" + "-".join(keys)
        names = {axis: parsed[axis][key][0][0] for axis, key in facets.items()}
        parts = []
        for part in text:
            if part == "@cell":
                if keys not in by_key:
                    raise BadSet(f"family {name}: no cell for {', '.join(keys)}")
                part = by_key[keys]
            elif part.startswith("@"):
                part = parsed[part[1:]][facets[part[1:]]][1]
            parts.append(part)
        body = _choose(" ".join(parts), ident)
        articles.append({
            "id": ident,
            "title": _upper(_fill(_choose(title, ident), names)),
            "text": _fill(body, names),
            "facets": facets,
        })
    unused = set(by_key) - {tuple(a["facets"].values()) for a in articles}
    if unused:
        raise BadSet(f"family {name}: cells for no article: {sorted(unused)}")
    return {
        "name": name,
        "articles": articles,
        "asks": lines(asks),
        "words": {axis: {key: words for key, (words, _) in values.items()} for axis, values in parsed.items()},
        **({"held_out": True} if held_out else {}),
    }


def lines(block):
    """The non-empty lines of a block, stripped."""
    return [line.strip() for line in block.strip().splitlines() if line.strip()]


# ---- training queries -------------------------------------------------------------------------

GREETINGS = ["hi, ", "hello ", "hey ", "hi there, ", "quick question: ", "sorry, ", "question - ", "help! "]
ENDINGS = [" please", " pls", " thanks", " thx", " asap", "?", "??", " - any idea", " ty"]
# Words a hurried person leaves out. Never a negation, and never a word of a slot.
DROPPABLE = {"the", "a", "an", "my", "our", "do", "does", "i", "we", "is", "are", "can", "to", "how", "it", "there", "should"}
NEIGHBOURS = {
    "a": "s", "b": "v", "c": "x", "d": "s", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "j": "k", "k": "l",
    "l": "k", "m": "n", "n": "m", "o": "p", "p": "o", "q": "w", "r": "t", "s": "a", "t": "r", "u": "i", "v": "b",
    "w": "e", "x": "c", "y": "u", "z": "x",
}
# A typo in one of these would turn the question round.
FIXED = {"without", "cannot", "never", "except", "before", "after"}


def training_query(ask, words, facets, rng):
    """One noisy query: the ask with a user's word in each slot."""
    pieces = []
    for i, piece in enumerate(SLOT.split(ask)):
        if i % 2:
            # The plain name a little more often, as users read it on the screen.
            names = words[piece][facets[piece]]
            pieces.append((names[0] if rng.random() < 0.25 else rng.choice(names), True))
        else:
            pieces.append((piece, False))
    if rng.random() < 0.25:
        pieces = [(_drop(p, rng) if not slot else p, slot) for p, slot in pieces]
    query = re.sub(r"\s+", " ", "".join(p for p, _ in pieces)).strip()
    if rng.random() < 0.25:
        query = _typo(query, rng)
    if rng.random() < 0.12:
        query = rng.choice(GREETINGS) + query
    if rng.random() < 0.15:
        query += rng.choice(ENDINGS)
    if rng.random() < 0.6:
        query = " ".join(w if _is_code(w) else w.lower() for w in query.split())
    elif rng.random() < 0.5:
        query = _upper(query)
    return query


def _drop(piece, rng):
    tokens = re.split(r"(\s+)", piece)
    return "".join(t for t in tokens if not (t.lower() in DROPPABLE and rng.random() < 0.7))


def _typo(query, rng):
    tokens = query.split(" ")
    can = [i for i, t in enumerate(tokens) if len(t) >= 5 and t.isalpha() and t.lower() not in FIXED]
    if not can:
        return query
    i = rng.choice(can)
    w = tokens[i]
    at = rng.randrange(1, len(w) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        w = w[:at] + w[at + 1] + w[at] + w[at + 2:]
    elif kind == 1:
        w = w[:at] + w[at + 1:]
    elif kind == 2:
        w = w[:at] + w[at] + w[at:]
    else:
        w = w[:at] + NEIGHBOURS.get(w[at].lower(), "e") + w[at + 1:]
    tokens[i] = w
    return " ".join(tokens)


def _is_code(word):
    return bool(re.search(r"[0-9_]", word))


# ---- writers ----------------------------------------------------------------------------------


def write_jsonl(path, rows):
    """One JSON object a line, keys in the order given, `\n` on every system."""
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_tsv(path, header, rows):
    """A header and tab-separated rows."""
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(header) + "\n")
        for row in rows:
            out.write("\t".join(map(str, row)) + "\n")


# ---- the parts of `family` --------------------------------------------------------------------


def _axis(name, axis, block):
    values = {}
    for line in lines(block):
        head, sep, fact = line.partition("::")
        key, eq, names = head.partition(" = ")
        names = [n.strip() for n in (names if eq else head).split(" / ")]
        if not sep or len(names) < 3:
            raise BadSet(f"family {name}, axis {axis}: want `name / name / name :: fact`, got `{line}`")
        key = key.strip() if eq else slug(names[0])
        if key in values:
            raise BadSet(f"family {name}, axis {axis}: `{key}` twice")
        values[key] = (names, fact.strip())
    return values


def _cells(name, block):
    cells = {}
    for line in lines(block or ""):
        keys, sep, sentence = line.partition("::")
        if not sep:
            raise BadSet(f"family {name}: a cell without `::`: `{line}`")
        cells[tuple(k.strip() for k in keys.split(","))] = sentence.strip()
    return cells


def _choose(text, ident):
    count = itertools.count()
    return ALTERNATIVES.sub(lambda m: seeded(ident, next(count)).choice(m.group(1).split("|")), text)


def _fill(text, names):
    def value(match):
        slot = match.group(1)
        return _upper(names[slot[0].lower() + slot[1:]]) if slot[0].isupper() else names[slot]

    return SLOT.sub(value, text)


def _upper(text):
    return text[:1].upper() + text[1:]
