"""Builds a family from a grid of facet values.

Each family still brings its own hand-written sentences: a facet value carries the words users call it
by and named parts (sentences, menu names, numbers); the body strings the parts together. A body item
that is a list holds variants, of which every article takes one, chosen from its id, so that siblings
share most of their vocabulary without being copies but for one word.
"""

import itertools
import re
import zlib

class V:
    """One facet value: the words users name it by (split on "|", plain name first) and its text parts."""

    def __init__(self, words, **parts):
        self.words = [word.strip() for word in words.split("|")]
        self.__dict__.update(parts)

    def __str__(self):
        return self.words[0]

    def __format__(self, _spec):
        return self.words[0]


def grid(name, facets, title, body, asks, cells=None):
    """The family with one article for every combination of the facets' values.

    `facets` maps a facet to {value: V}; `title` and `body` are format strings over facets
    ("{role.label}"), parts may refer to other facets in turn; `cells` maps "value/value" to text that
    only this combination has, reached as {cell}. With `cells`, only the combinations it lists exist.
    """
    names = list(facets)
    articles = []
    for values in itertools.product(*(facets[facet] for facet in names)):
        key = "/".join(values)
        if cells is not None and key not in cells:
            continue
        slots = {facet: facets[facet][value] for facet, value in zip(names, values)}
        slots["cell"] = (cells or {}).get(key, "")
        ident = "-".join((name, *values))
        parts = [_pick(item, f"{ident}:{at}") for at, item in enumerate(body)]
        articles.append(
            {
                "id": ident,
                "title": _sentences(_fill(title, slots)),
                "text": _sentences(_fill(" ".join(parts), slots)),
                "facets": dict(zip(names, values)),
            }
        )
    return {
        "name": name,
        "articles": articles,
        "asks": list(asks),
        "words": {facet: {value: v.words for value, v in facets[facet].items()} for facet in names},
    }


def _pick(item, key):
    if isinstance(item, str):
        return item
    return item[zlib.crc32(key.encode()) % len(item)]


def _fill(text, slots):
    while "{" in text:
        text = text.format(**slots)
    return re.sub(r"\s+", " ", text).strip()


def _sentences(text):
    return re.sub(r"(^|[.!?] )([a-z])", lambda found: found[1] + found[2].upper(), text)
