#!/usr/bin/env python3
"""Training groups of the embedded model's last rounds: `python3 make/groups.py FILE COUNT ROUND` writes JSONL, other
groups in each round.

The templates ask short questions in words that training has seen. What users type is longer, worded otherwise and
full of words that nobody has seen yet. So each group is made from an article, or from a training query and its
article, and then

- worded otherwise: a query's words give way to others of the same meaning (`wording.py`), lose or win an ending,
  are left out or mistyped;
- drawn out: several pieces of the article in one query, with what people say around a question;
- **renamed**: words, numbers and codes of the query and of all documents of the group are exchanged for others, the
  same for the same everywhere, and some documents lose sentences or win other articles'. What counts then is that a
  word is in both, and no longer which word it is in which article; so it holds for articles that no query was about.

A query's negatives are articles of its family and articles of others that are about the like. The held-out family
is asked for by none and is nobody's negative. Same files, byte for byte, on every run.
"""

import collections
import itertools
import json
import math
import pathlib
import re
import sys

sys.dont_write_bytecode = True

import wording  # noqa: E402
from cloze import SENTENCE, WORD, read, rows, typo, words, words_key  # noqa: E402
from kit import seeded  # noqa: E402

SIBLINGS, OTHERS = 3, 2
# Articles of other families that are about the like, out of which OTHERS are drawn.
NEIGHBOURS = 30
# Words in no more articles than this are renamed, drawn for each group: names and details alone, or what families
# are about, too. The last one leaves little but the commonest words.
RENAMED = [40, 40, 150, 500]
CODE = re.compile(r"[A-Z]{2,3}-\d{3,4}|[A-Z]+(?:_[A-Z]+)+")


def main():
    out, count, number = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    made = Groups(read("corpus.jsonl"), read("queries.jsonl"), positives(), f"ledgerly-groups-{number}")
    kinds = collections.Counter()
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for group, kind in itertools.islice(made.all(), count):
            kinds[kind] += 1
            file.write(json.dumps(group, ensure_ascii=False) + "\n")
    print(", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))


def positives():
    """Each training query's article."""
    return {query: article for query, article, _ in rows("qrels/train.tsv")}


class Groups:
    def __init__(self, articles, queries, positives, seed):
        self.seed = seed
        held_out = {query["metadata"]["family"] for query in queries if query["metadata"]["held_out"] == "yes"}
        self.articles = [article for article in articles if article["metadata"]["family"] not in held_out]
        self.families = collections.defaultdict(list)
        for article in self.articles:
            article["passage"] = article["title"] + " " + article["text"]
            article["words"] = set(words(article["passage"]))
            self.families[article["metadata"]["family"]].append(article)
        appears = collections.Counter(word for article in self.articles for word in article["words"])
        self.rarity = {word: math.log(len(self.articles) / number) for word, number in appears.items()}
        self.appears = appears
        rare = (word for word, number in appears.items() if number <= RENAMED[0])
        self.names = sorted(word for word in rare if word.isascii() and word.isalpha() and len(word) > 2)
        self.neighbours = {article["_id"]: self.about_the_like(article) for article in self.articles}
        self.asked = collections.defaultdict(list)
        for query in queries:
            if query["metadata"]["split"] == "train":
                self.asked[positives[query["_id"]]].append(query["text"])
        self.evaluated = {words_key(query["text"]) for query in queries if query["metadata"]["split"] != "train"}
        self.same = wording.same()
        self.longest = max(len(words.split()) for words in self.same)

    def all(self):
        """Groups without end, and what each is."""
        for turn in itertools.count():
            order = list(self.articles)
            seeded(self.seed, turn).shuffle(order)
            for article in order:
                draw = seeded(self.seed, turn, article["_id"])
                made = self.group(article, draw)
                if made:
                    yield made

    def group(self, article, draw):
        family = self.families[article["metadata"]["family"]]
        siblings = [other for other in family if other is not article]
        negatives = draw.sample(siblings, SIBLINGS) + draw.sample(self.neighbours[article["_id"]], OTHERS)
        lot = draw.random()
        # Of the queries that are pieces, three in five.
        renamed = lot > 0.67
        if renamed and draw.random() < 0.6:
            article, *negatives = [self.altered(document, draw) for document in [article, *negatives]]
            siblings = negatives
        passages = [article["passage"], *(negative["passage"] for negative in negatives)]
        if lot < 0.3:
            kind, query = "template", draw.choice(self.asked[article["_id"]])
            renamed = draw.random() < 0.3
            if renamed:
                # Only what query and documents share: what a query says in other words must go on meaning the same.
                shared = set(words(query)) & set().union(*(words(passage) for passage in passages))
                query, *passages = self.renamed([query, *passages], shared, draw)
            query = self.around(query, draw, 0.35)
        else:
            pieces = self.pieces(article, siblings, draw, 0 if lot < 0.45 else draw.choice([1, 1, 2, 2, 3]))
            if pieces is None:
                return None
            kind = "pieces"
            if lot < 0.45:
                kind = "template and piece"
                pieces = [draw.choice(self.asked[article["_id"]]), *pieces]
                draw.shuffle(pieces)
            if renamed:
                renamed_words = {word for text in [*pieces, *passages] for word in words(text)}
                number = len(pieces)
                texts = self.renamed([*pieces, *passages], renamed_words, draw)
                pieces, passages = texts[:number], texts[number:]
            pieces = [self.reworded(piece, draw, 0.1 if renamed else 0.4) for piece in pieces]
            query = " ".join(self.joined(pieces, draw))
            if len(words(query)) < 3:
                return None
            query = self.around(query, draw, 0.5)
        if words_key(query) in self.evaluated:
            return None
        if draw.random() < 0.6:
            query = query.lower()
        group = {"query": query, "pos": passages[:1], "neg": passages[1:]}
        return group, kind + (", renamed" if renamed else "")

    def altered(self, article, draw):
        """An article that there is not: without some of its sentences, with one or two of others'."""
        sentences = SENTENCE.split(article["text"])
        kept = [sentence for sentence in sentences if draw.random() < 0.75] or sentences
        for _ in range(draw.choice([0, 1, 1, 2])):
            other = draw.choice(self.articles)["text"]
            kept.insert(draw.randrange(len(kept) + 1), draw.choice(SENTENCE.split(other)))
        text = " ".join(kept)
        passage = article["title"] + " " + text
        return {**article, "text": text, "passage": passage, "words": set(words(passage))}

    def pieces(self, article, siblings, draw, number):
        """Texts of the article which, together, no sibling has; one piece where `number` is 0."""
        for _ in range(6):
            ways = [self.piece, self.piece, self.title, self.telling]
            found = [draw.choice(ways)(article, draw) for _ in range(number or 1)]
            together = {word for text in found for word in words(text)}
            if number == 0 or not any(together <= other["words"] for other in siblings):
                return found
        return None

    def piece(self, article, draw):
        sentence = WORD.findall(draw.choice(SENTENCE.split(article["text"])))
        length = draw.randint(3, 8)
        start = draw.randrange(max(1, len(sentence) - length + 1))
        return " ".join(sentence[start : start + length])

    def title(self, article, draw):
        return " ".join(word for word in WORD.findall(article["title"]) if draw.random() < 0.8)

    def telling(self, article, draw):
        pool = sorted(article["words"])
        weights = [self.rarity[word] ** 2 for word in pool]
        return " ".join(dict.fromkeys(draw.choices(pool, weights, k=draw.randint(2, 5))))

    def joined(self, pieces, draw):
        for index, piece in enumerate(pieces):
            if index:
                yield draw.choice(wording.BETWEEN)
            yield piece

    def around(self, query, draw, share):
        """The question with what people say before and after it."""
        if draw.random() < share:
            query = draw.choice(wording.lines(wording.BEFORE)) + " " + query
        if draw.random() < share * 0.7:
            query = query + " " + draw.choice(wording.lines(wording.AFTER))
        return query

    def reworded(self, text, draw, share):
        """Other words of the same meaning, endings, gaps and typos."""
        left, said = text.split(), []
        while left:
            for length in range(min(self.longest, len(left)), 0, -1):
                others = self.same.get(" ".join(left[:length]).lower())
                if others:
                    break
            if others and draw.random() < share:
                said.append(draw.choice(others))
                left = left[length:]
                continue
            word = left.pop(0)
            if draw.random() < 0.08:
                continue
            if word.isalpha() and len(word) > 4:
                lot = draw.random()
                if lot < 0.06:
                    word = ending(word, draw)
                elif lot < 0.12:
                    word = typo(word, draw)
            said.append(word)
        return " ".join(said)

    def renamed(self, texts, which, draw):
        """Words, codes and numbers of `which` under other names, the same in all texts."""
        share, most = draw.choice([0.5, 0.8, 1.0]), draw.choice(RENAMED)
        names = {}

        def name(word):
            if word not in names:
                names[word] = self.another(word, most, draw) if word in which and draw.random() < share else word
            return names[word]

        def exchanged(match):
            word = match.group()
            other = name(word.lower())
            if CODE.fullmatch(word):
                return other.upper()
            return other[:1].upper() + other[1:] if word[:1].isupper() else other

        return [WORD.sub(exchanged, text) for text in texts]

    def another(self, word, most, draw):
        if CODE.fullmatch(word.upper()):
            return self.coined(word, lambda part: draw.choice(self.names)[: max(2, len(part))], draw)
        if word.isdigit():
            return self.coined(word, None, draw)
        if len(word) < 3 or not 0 < self.appears[word] <= most:
            return word
        return self.coined(word, lambda _: draw.choice(self.names) if draw.random() < 0.6 else self.unheard(draw), draw)

    def coined(self, word, letters, draw):
        """The same signs between other letters and digits: `order.created` becomes `column.tenth`."""
        parts = re.findall(r"[^\W\d_]+|\d+|[\W_]+", word)
        made = [digits(part, draw) if part.isdigit() else letters(part) if part.isalpha() else part for part in parts]
        return "".join(made)

    def unheard(self, draw):
        """A word that there is not, of the beginning of one and the end of another."""
        first, last = draw.choice(self.names), draw.choice(self.names)
        return first[: draw.randint(2, 4)] + last[-draw.randint(2, 4) :]

    def about_the_like(self, article):
        """The articles of other families that share most with its title and text, rare words rather."""
        wanted = {word: self.rarity[word] * (3 if word in words(article["title"]) else 1) for word in article["words"]}
        scores = []
        for other in self.articles:
            if other["metadata"]["family"] != article["metadata"]["family"]:
                shared = article["words"] & other["words"]
                scores.append((-sum(wanted[word] for word in sorted(shared)), other["_id"], other))
        return [other for _, _, other in sorted(scores, key=lambda row: row[:2])[:NEIGHBOURS]]


def ending(word, draw):
    for suffix in ("ing", "ed", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) > 3:
            return word[: -len(suffix)]
    return word + draw.choice(["s", "s", "ing", "ed"])


def digits(number, draw):
    """Another number of as many digits."""
    length = len(number)
    return str(draw.randrange(10 ** (length - 1), 10**length))


if __name__ == "__main__":
    main()
