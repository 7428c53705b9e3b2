"""Fails when `cargo test --workspace` needs a third-party crate built otherwise than `cargo run` does.

Reads the JSON messages of `cargo test --no-run` (run after `cargo run`) and of a `cargo build` after
that. The same crate with other features is a second build of it, whether a warm cache hides that or
not; one that was compiled by the second command though the first needs it too was compiled twice.
"""

import json
import sys


def third_party(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message.get("reason") == "compiler-artifact" and "path+file" not in message["package_id"]:
                yield message


def key(message):
    target = message["target"]
    return message["package_id"], target["name"], tuple(target["kind"])


tested, run = (list(third_party(path)) for path in sys.argv[1:3])
features = {}
for message in run:
    features.setdefault(key(message), set()).add(tuple(sorted(message["features"])))
wrong = []
for message in tested:
    wanted = tuple(sorted(message["features"]))
    if key(message) in features and (wanted not in features[key(message)] or not message["fresh"]):
        wrong.append(f"{message['package_id']} with features {', '.join(wanted)}")
wrong += [f"{message['package_id']} (again by run)" for message in run if not message["fresh"]]
if wrong:
    sys.exit("compiled again by the other command:\n  " + "\n  ".join(sorted(set(wrong))))
print(f"{len(features)} third-party artifacts serve both commands; none is compiled twice")
