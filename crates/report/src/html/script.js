(() => {
  "use strict";
  const units = { ms: 1e-3, s: 1, k: 1e3, M: 1e6, G: 1e9, "%": 1e-2 };

  // A cell's own text, without what qualifies it.
  const text = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".detail, ol").forEach((part) => part.remove());
    return copy.textContent.trim();
  };

  // The figure that a cell begins with, in its base unit; NaN where it has none.
  const figure = (cell) => {
    const plain = text(cell).replace(/[,$+<]/g, "").replace(/\u2212/g, "-");
    const found = /^(-?\d*\.?\d+(?:e-?\d+)?)\s*(ms|s|k|M|G|%)?(?!\w)/.exec(plain);
    return found ? Number(found[1]) * (units[found[2]] ?? 1) : NaN;
  };

  const compare = (column, figures, down) => (a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    const turn = down ? -1 : 1;
    if (!figures) return turn * text(x).localeCompare(text(y), "en", { numeric: true });
    const [left, right] = [figure(x), figure(y)];
    // What has no figure stays below, whichever way the others go.
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right);
    return turn * (left - right);
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 2) return;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const figures = head.classList.contains("figure");
        body.append(...[...body.rows].sort(compare(column, figures, down)));
      });
    });
  };

  const toggles = (chart) => {
    const series = new Map();
    for (const part of chart.querySelectorAll("g[data-series]")) {
      const name = part.dataset.series;
      series.set(name, [...(series.get(name) ?? []), part]);
    }
    if (series.size < 2) return;
    const legend = document.createElement("div");
    legend.className = "legend";
    legend.setAttribute("role", "group");
    legend.setAttribute("aria-label", "Show and hide");
    for (const [name, parts] of series) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        parts.forEach((part) => part.classList.toggle("off", !shown));
      });
      legend.append(button);
    }
    chart.append(legend);
  };

  document.querySelectorAll("table").forEach(sortable);
  document.querySelectorAll("figure").forEach(toggles);
  // Paper unfolds nothing: what is folded away is printed too.
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((folded) => {
      folded.open = true;
      folded.dataset.folded = "";
    });
  });
  addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-folded]").forEach((folded) => {
      folded.open = false;
      delete folded.dataset.folded;
    });
  });
})();
