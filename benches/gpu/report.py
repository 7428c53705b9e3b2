"""What was measured, as JSON and as Markdown."""

import json
import math
import os


def sayable(value):
    """JSON has no NaN and no infinities: they are told as texts."""
    if isinstance(value, dict):
        return {str(key): sayable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [sayable(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def write(report, out):
    for name, text in {
        "gpu.json": json.dumps(sayable(report), indent=1, allow_nan=False) + "\n", "gpu.md": markdown(report),
    }.items():
        # Whole or not at all: whoever is stopped while writing leaves what stood there.
        (out / f"{name}.new").write_text(text, encoding="utf-8")
        os.replace(out / f"{name}.new", out / name)


def say(value, form="{:.3g}", scale=1.0):
    """A number as it stands in a table; what is not there is a dash, what is not finite says so."""
    if value is None:
        return "–"
    return form.format(value * scale) if math.isfinite(value) else "**NaN**"


def milliseconds(value):
    return say(value, "{:.1f} ms", 1e3)


def seconds(value):
    return say(value, "{:.2f} s")


def gigabytes(value):
    return say(value, "{:.2f} GB", 1e-9)


def markdown(report):
    return "\n".join([
        *heading(report), *headline(report), *parity(report), *times(report), *starts(report), *rankings(report),
        *edges(report), *training(report), *failures(report),
    ]) + "\n"


def table(head, rows):
    return ["", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def heading(report):
    machine = report["machine"]
    theirs, ours, card = (machine.get(part) or {} for part in ("torch", "ours", "card"))
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in theirs.get("packages", {}).items())
    lines = [
        "# One card", "",
        f"{theirs.get('device', 'unknown')}, driver {card.get('driver_version', 'unknown')}, "
        f"CUDA {theirs.get('cuda')}; {packages}", "",
        f"secondpass {ours.get('version')} at {machine.get('revision')}, {'with' if ours.get('cuda') else 'without'} "
        f"CUDA; {report['shape']}'s shape, {report['date']}; {report['seconds']:.0f} of {60 * report['minutes']:.0f} s",
    ]
    if (asked := report["options"]["ours"]) != "cuda":
        lines += ["", f"**A rehearsal, whose figures mean nothing:** ours computes on {asked}, in "
                  f"{report['options']['ours_dtype'] or 'the format that is asked for'}."]
    if machine.get("libdevice", "") is None:
        lines += ["", "**libdevice.10.bc is nowhere: kernels that call exp, erf or tanh will not compile.**"]
    if ceiling := report.get("ceilings"):
        lines += ["", "Ceilings: products of " + ", ".join(
            f"{say(ceiling[f'{name}_tflops'], '{:.0f}')} TFLOP/s in {name}" for name in ("bf16", "f16", "tf32")
        ) + f"; a copy of {say(ceiling['copy_gb_per_second'], '{:.0f}')} GB/s, bytes read and written."]
    return lines


def halves(report):
    return [part for part in report["formats"] if part["dtype"] in ("bf16", "f16") and part.get("rows")]


def headline(report):
    """The goal's two figures: ours and PyTorch's best, over both half-precision formats."""
    lines = []
    for case in ("50 x 512", "mix"):
        rows = [(part["dtype"], row) for part in halves(report) for row in part["rows"] if row["case"] == case]
        theirs = [
            (values["median_seconds"], f"{name}, {dtype}") for dtype, row in rows for name, values in row["torch"].items()
        ]
        if rows and theirs:
            dtype, mine = min(rows, key=lambda pair: pair[1]["median_seconds"])
            median, name = min(theirs)
            lines.append(
                f"{case}: ours {milliseconds(mine['median_seconds'])} ({dtype}), PyTorch's best {milliseconds(median)} "
                f"({name}), {median / mine['median_seconds']:.2f} x."
            )
    return ["", *lines] if lines else []


def parity(report):
    rows = []
    for part in report["formats"]:
        for side, found in part.get("parity", {}).items():
            if isinstance(found, dict):
                rows.append([part["dtype"], side, say(found["largest"], "{:.2e}"), say(found["mean"], "{:.2e}"),
                             str(found["not_finite"]), say(part["parity"]["spread_of_logits"]),
                             str(part["parity"]["pairs"])])
    head = ["format", "side", "largest error", "mean", "not finite", "spread of logits", "pairs"]
    return ["", "## Errors against f32 on the CPU", *table(head, rows)] if rows else []


def times(report):
    ceilings = report.get("ceilings", {})
    rows, others = [], []
    for part in report["formats"]:
        dtype = part["dtype"]
        # Products of f32 tensors run in TF32 on our side.
        ceiling = ceilings.get({"f32": "tf32_tflops"}.get(dtype, f"{dtype}_tflops"))
        for row in part.get("rows", []):
            best = row["torch"].get(row.get("best_torch"), {})
            share = 100 * row["tflops"] / ceiling if ceiling else None
            low, high = row.get("ratio_interval", [math.nan] * 2)
            rows.append([
                dtype, row["case"], milliseconds(row["median_seconds"]), milliseconds(row["p95_seconds"]),
                say(row["tflops"], "{:.1f}"), say(share, "{:.0f}%"), row.get("best_torch", "–"),
                milliseconds(best.get("median_seconds")), milliseconds(best.get("p95_seconds")),
                f"{row['ratio']:.2f} [{low:.2f}, {high:.2f}]" if "ratio" in row else "–", str(row["rounds"]),
            ])
            others.append([
                dtype, row["case"], "yes" if row["finite"] else "**no**", say(row["distance_from_torch"], "{:.1e}"),
                "; ".join(f"{name} {milliseconds(values['median_seconds'])}" for name, values in row["torch"].items()),
            ])
    if not rows:
        return []
    head = ["format", "case", "ours, median", "p95", "TFLOP/s", "of the ceiling", "best PyTorch", "its median", "p95",
            "ratio", "rounds"]
    more = ["format", "case", "ours all finite", "largest distance from PyTorch's", "PyTorch's settings"]
    return [
        "", "## Times, in turns", "",
        "TFLOP/s count all layers whole, though the last one computes little but first tokens.",
        *table(head, rows), *table(more, others),
    ]


def starts(report):
    rows, lines = [], []
    for part in report["formats"]:
        for name in ("cold", "cached"):
            if start := part.get(name):
                rows.append([
                    part["dtype"], start["kernel_cache"], seconds(start.get("load_seconds")),
                    gigabytes(start.get("host_peak")),
                    "; ".join(f"{case} {seconds(value)}" for case, value in start.get("first_seconds", {}).items()),
                    "; ".join(f"{case}: {why}" for case, why in start.get("failed", {}).items()) or "–",
                ])
        if "tuning_seconds" in part:
            lines.append(f"- {part['dtype']}: tuning and compiling took {seconds(part['tuning_seconds'])} of the first "
                         "scores: first scores with an empty kernel cache less those with a filled one.")
        if memory := part.get("our_memory"):
            lines.append(
                f"- {part['dtype']}: our pools hold {gigabytes(memory['reserved'])} (at most {gigabytes(memory['pools_peak'])}), "
                f"the process {gigabytes(memory['process'])}; PyTorch loaded in {seconds(part.get('torch_load_seconds'))}, "
                "its peaks are " + (", ".join(
                    f"{row['case']} {gigabytes(row['torch'][row['best_torch']]['peak'])}"
                    for row in part.get("rows", []) if "best_torch" in row) or "unknown") + ".")
        if firsts := part.get("torch_first_seconds"):
            lines.append(f"- {part['dtype']}: PyTorch's first scores, compiling included: "
                         + ", ".join(f"{name} {seconds(value)}" for name, value in firsts.items()) + ".")
        lines += [f"- {part['dtype']}: PyTorch's {name} is missing: {why}"
                  for name, why in part.get("missing_settings", {}).items()]
    head = ["format", "kernel cache", "loaded in", "host's peak", "first score of each case", "failed"]
    lines = [*table(head, rows), "", *lines] if rows else lines
    if cache := report.get("cache"):
        lines.append(f"- Kernel cache: {cache}")
    return ["", "## Loading, first scores, memory", *lines] if lines else []


def rankings(report):
    rows = []
    for part in report["formats"]:
        for name, found in part.get("scifact", {}).items():
            if isinstance(found, dict):
                rows.append(["SciFact, random weights", f"{part['dtype']}: {name}", say(found["ndcg"], "{:.4f}"),
                             str(found["ties"]), say(found["error"], "{:.1e}")])
    for name, found in report.get("helpdesk", {}).get("formats", {}).items():
        rows.append(["help-desk, trained model", name, say(found.get("ndcg"), "{:.4f}"), str(found.get("ties", "–")),
                     found.get("failed") or say(found.get("error", 0.0), "{:.1e}")])
    head = ["set", "format and side", "nDCG@10", "tied neighbours", "largest error"]
    return ["", "## Real sets", *table(head, rows)] if rows else []


def edges(report):
    rows = [
        [part["dtype"], name, str(found["sequences"]), str(found.get("not_finite", "–")),
         say(found.get("error"), "{:.1e}"), say(found.get("torch_error"), "{:.1e}"), found.get("failed", "–")]
        for part in report["formats"] for name, found in part.get("edges", {}).items()
    ]
    head = ["format", "case", "sequences", "ours not finite", "largest error against f32", "PyTorch's", "failed"]
    return ["", "## Edge cases", *table(head, rows)] if rows else []


def training(report):
    found = report.get("training")
    if not found:
        return []
    limit, rows = found["limit_bytes"], []
    for name, side in found["sides"].items():
        if why := side.get("not_available") or side.get("failed"):
            rows.append([name, "not available" if "not_available" in side else "failed", "–", "–", "–", why])
            continue
        memory = side["memory"]
        most = max((value for value in (memory.get("pools_peak"), memory.get("reserved")) if value), default=None)
        within = "–" if most is None else "yes" if most <= limit else "**no**"
        losses = ", ".join(str(loss) if isinstance(loss, str) else say(loss, "{:.4f}") for loss in side["loss"])
        rows.append([name, seconds(side["step_seconds"]), seconds(side["seconds"][0]), gigabytes(most), within, losses])
    head = ["side, computed in", "a step", "the first", "most memory held", f"within {limit / 1e9:.0f} GB", "losses"]
    lines = ["", f"## A training step of {found['group']} x 512, f32 weights", *table(head, rows), ""]
    for compute in ("bf16", "f32"):
        ours, theirs = (found["sides"].get(f"{side}, {compute}", {}) for side in ("ours", "PyTorch"))
        if "step_seconds" in ours and "step_seconds" in theirs:
            lines.append(f"{compute}: ratio {theirs['step_seconds'] / ours['step_seconds']:.2f}.")
    return lines


def failures(report):
    rows = [(f"{part['dtype']}, {name}", why) for part in report["formats"] for name, why in part.get("untimed", {}).items()]
    rows += [
        (f"{part['dtype']}, {row['case']}, PyTorch's {name}", why)
        for part in report["formats"] for row in part.get("rows", []) for name, why in row["failed"].items()
    ]
    rows += report["failed"].items()
    return ["", "## Not measured", "", *(f"- **{name}**: {why}" for name, why in rows)] if rows else []
