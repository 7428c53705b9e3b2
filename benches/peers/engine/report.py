"""Renders a record of `bench.py`: README.md and pictures beside it.

    report.py reports/engine-cpu/record.json
"""

import json
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "secondpass"  # the same picture for the same record
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt  # noqa: E402

COLORS = {"ours": "#0b6e4f", "torch f32": "#c4512d", "onnxruntime f32": "#3b6fb6", "candle f32": "#b08900",
          "torch bf16": "#e3a58f", "onnxruntime int8": "#9dbbe0"}
EXACT = ["torch f32", "onnxruntime f32", "candle f32"]


def write(record, folder):
    lines = head(record)
    for model, result in record["models"].items():
        lines += section(model, result, record)
    if record["models"]:
        picture(record, folder / "ratios.svg")
    lines += others(record, folder)
    (folder / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def head(record):
    machine, load = record["machine"], record["load"]
    lines = ["# Cross-encoders on a CPU: ours and others", ""]
    if record["quick"]:
        lines += ["**A quick look with few rounds and pairs: it decides nothing.**", ""]
    if record["clock"] == "processor":
        lines += ["**Times are times on a processor, of a machine that did other work too.**", ""]
    lines += [
        f"Made {record['made']} by `benches/peers/engine/run.sh` on {machine['cores']} processors of one "
        f"{machine['processor']} ({', '.join(machine['instructions'])}; {machine['memory_gib']} GiB); load average "
        f"{load['before']:.1f} before and {load['after']:.1f} after (our own work is up to {machine['cores']} of it).", "",
        f"Every peer scores the same pairs with the same weights on the same processors, from texts to scores, in "
        f"{record['rounds']} rounds A B A B. A ratio is a peer's time over ours in the same round: above 1 we are "
        "faster. A peer that takes more than three times ours is timed in the first three rounds only. Intervals are "
        "95% bootstraps of the median over rounds. Differences are from PyTorch's f32 scores, "
        "whose standard deviation stands below each table. What was tried in the kernels, and what holds them back: "
        "[PERFORMANCE.md](../../crates/kernels/PERFORMANCE.md).", "",
        "Padding: sentence-transformers sorts by length and pads each batch to its longest; ONNX Runtime and candle "
        "are given the same; each has the batch size, of 1, 4, 8 and 32, with which it scored some of the workload "
        "fastest (8 where it takes more than three times ours). We pad nothing.", "",
    ]
    verdicts = [verdict(model, result) for model, result in record["models"].items()]
    if any(verdicts):
        lines += ["![Times of each peer over ours](ratios.svg)", "", *filter(None, verdicts), ""]
    return lines


def verdict(model, result):
    told = []
    for workload, bar in (("mix", 1.2), ("all-512", 1.0)):
        rows = result["workloads"].get(workload, {}).get("peers", {})
        exact = [(rows[name]["ratio"], name) for name in EXACT if "ratio" in rows.get(name, {})]
        if exact:
            ratio, name = min(exact)
            low, high = rows[name]["interval"]
            holds = "holds" if low >= bar else "missed" if high < bar else "open"
            told.append(f"{workload} {ratio:.2f} [{low:.2f}, {high:.2f}] times as fast as the best f32 peer "
                        f"({name}; the bar of {bar} {holds})")
    return f"- **{model}**: {'; '.join(told)}" if told else ""


def section(model, result, record):
    lines = [f"## {model}", ""]
    for name, version in result["versions"].items():
        lines.append(f"- {name}: {version}; peak memory {result['peak_mib'][name]:.0f} MiB")
    lines += [f"- {name}: not measured ({reason})" for name, reason in result["missing"].items()]
    for workload, own in result["workloads"].items():
        counts = result["tokens"][workload]
        sets = f" of {' and '.join(result['sets'])}" if workload == "mix" else ""
        lines += ["", f"**{workload}**: {own['pairs']} pairs{sets}, {counts['least']} to {counts['most']} tokens, "
                  f"median {counts['median']:.0f}; load average {own['load']:.1f}", "",
                  "| peer | pairs a batch | median | pairs a second | ratio to ours | largest difference | mean difference |",
                  "|---|---|---|---|---|---|---|"]
        for name, row in own["peers"].items():
            ratio = "" if "ratio" not in row else \
                f"{row['ratio']:.2f} [{row['interval'][0]:.2f}, {row['interval'][1]:.2f}]"
            difference = row.get("difference", {})
            cells = [f"{difference[key]:.1e}" if difference else "" for key in ("largest", "mean")]
            lines.append(f"| {name} | {own['batches'][name] or 'its own'} | {row['median']:.3f} s | {own['pairs'] / row['median']:.1f} | {ratio} | "
                         f"{cells[0]} | {cells[1]} |")
        spread = own["peers"].get("torch f32", {}).get("spread")
        if spread is not None:
            lines += ["", f"The scores' standard deviation is {spread:.2f}."]
    return [*lines, ""]


def picture(record, path):
    panels = [(model, workload, own["peers"]) for model, result in record["models"].items()
              for workload, own in result["workloads"].items()]
    columns = 2
    figure, axes = plt.subplots((len(panels) + 1) // columns, columns, squeeze=False, sharex=True,
                                figsize=(9, 1.9 * ((len(panels) + 1) // columns)), layout="constrained")
    for axis in axes.flat[len(panels):]:
        axis.set_visible(False)
    for axis, (model, workload, rows) in zip(axes.flat, panels):
        names = [name for name in rows if "ratio" in rows[name]][::-1]
        values = [rows[name]["ratio"] for name in names]
        errors = [[max(0.0, value - rows[name]["interval"][0]) for name, value in zip(names, values)],
                  [max(0.0, rows[name]["interval"][1] - value) for name, value in zip(names, values)]]
        # Ratios: twice as fast and half as fast are as far from the line. So points, which need no zero.
        axis.set_xscale("log", base=2)
        for name, value, low, high in zip(names, values, *errors):
            axis.errorbar([value], [name], xerr=[[low], [high]], fmt="o", color=COLORS[name], capsize=3)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.grid(axis="x", lw=0.4)
        axis.margins(y=0.15)
        axis.axvline(1, color=COLORS["ours"], lw=1.5)
        axis.set_title(f"{model}, {workload}", fontsize=9, loc="left")
        axis.tick_params(labelsize=8)
    ends = [end for _, _, rows in panels for row in rows.values() for end in row.get("interval", [])]
    axes.flat[0].set_xlim(min([1, *ends]) / 1.15, max([1, *ends]) * 1.15)
    figure.supxlabel("time over ours (the line): to the right, slower than we are", fontsize=9)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def others(record, folder):
    lines = []
    if record.get("first"):
        lines += ["## Process start to first score", "", "Files in the page cache; medians of seconds, and of the most "
                  "memory by then (resident; what a program maps counts as far as it was touched).", ""]
        lines += table({model: {name: f"{statistics.median(own['seconds']):.2f} s, {memory(own['mib'])}"
                                for name, own in rows.items()} for model, rows in record["first"].items()})
    if record.get("one"):
        lines += ["## One pair at a time", "", "Milliseconds of a pair of the mix: median, and 95th percentile over pairs.", ""]
        lines += table({model: {name: f"{own['p50']:.1f}, {own['p95']:.1f}" for name, own in rows.items()}
                        for model, rows in record["one"].items()})
    if record.get("scaling"):
        lines += ["## One processor and two", "", "The mix on the first model; medians.", "",
                  "| peer | one | two | times faster |", "|---|---|---|---|"]
        lines += [f"| {name} | {statistics.median(own['one']):.2f} s | {statistics.median(own['two']):.2f} s | "
                  f"{own['ratio']:.2f} |" for name, own in record["scaling"].items()]
        lines.append("")
    if record.get("length"):
        lines += lengths(record["length"], folder)
    return lines


def memory(values):
    values = [value for value in values if value is not None]
    return f"{statistics.median(values):.0f} MiB" if values else "memory unknown"


def table(rows):
    names = list(dict.fromkeys(name for own in rows.values() for name in own))
    lines = [f"| model | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {model} | {' | '.join(own.get(name, '') for name in names)} |" for model, own in rows.items()]
    return [*lines, ""]


def lengths(record, folder):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for name, rows in record["peers"].items():
        tokens = record["lengths"][: len(rows)]
        for axis, key in zip(axes, ("seconds", "mib")):
            axis.loglog(tokens, [max(row[key], 1e-3) for row in rows], "o-", color=COLORS[name], label=name, base=2)
    for axis, title in zip(axes, ("seconds a pair", "peak MiB beyond the loaded model")):
        axis.set_title(title, fontsize=9, loc="left")
        axis.set_xlabel("tokens", fontsize=9)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.tick_params(labelsize=8)
    axes[0].legend(fontsize=8)
    figure.savefig(folder / "length.svg", metadata={"Date": None})
    plt.close(figure)
    lines = ["## Cost against length", "", f"One pair under v2-m3's first {record['layers']} layers. Memory is what a "
             "pass adds to the loaded model. ONNX Runtime is left out: its graph is the whole model's.", "", "![Seconds and memory against length](length.svg)", "",
             f"| peer | {' | '.join(map(str, record['lengths']))} |", "|---" * (len(record["lengths"]) + 1) + "|"]
    for name, rows in record["peers"].items():
        cells = [f"{row['seconds']:.2f} s, {row['mib']:.0f} MiB" for row in rows]
        lines.append(f"| {name} | {' | '.join(cells + ['failed'] * (len(record['lengths']) - len(rows)))} |")
    return [*lines, ""]


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1])
    write(json.loads(source.read_text(encoding="utf-8")), source.parent)
