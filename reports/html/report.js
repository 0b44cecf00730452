/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting, filtering, details of a cell and the colour scheme. Without it the page is a plain table with links. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (name, attributes = {}, text = "") => {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    if (text) e.textContent = text;
    return e;
  };
  const table = $("table"), body = table.tBodies[0], count = $("count");
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];

  /* Cells that span rows become one in each row, so that rows can move. */
  const unspan = () => {
    const open = [];
    for (const row of [...body.rows]) {
      const own = [...row.cells];
      const all = [];
      for (let c = 0; c < heads.length; c++) {
        if (open[c] && open[c].left > 0) {
          const copy = open[c].cell.cloneNode(true);
          open[c].left--;
          all.push(copy);
          continue;
        }
        const cell = own.shift();
        if (!cell) continue;
        if (cell.rowSpan > 1) {
          open[c] = { cell, left: cell.rowSpan - 1 };
          cell.removeAttribute("rowspan");
        }
        all.push(cell);
      }
      row.replaceChildren(...all);
    }
  };
  unspan();

  const rows = [...body.rows].map((element, place) => ({
    element, place, cells: [...element.cells],
    search: element.textContent.toLowerCase(),
  }));
  const isNumeric = heads.map((head) => head.classList.contains("q"));
  const name = (c) => (heads[c].dataset.name || heads[c].textContent).trim();
  const text = (row, c) => row.cells[c].textContent.trim();
  const value = (row, c) => row.cells[c].dataset.v === undefined ? NaN : Number(row.cells[c].dataset.v);
  const outcome = (row, c) => row.cells[c].dataset.o || "";

  /* What cannot be compared comes last, whichever way the rest is sorted. */
  const compare = (c, sign) => (x, y) => {
    if (isNumeric[c]) {
      const a = value(x, c), b = value(y, c);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b) || x.place - y.place;
      return sign * (a - b) || x.place - y.place;
    }
    const a = text(x, c), b = text(y, c);
    const noA = a === "" || outcome(x, c) !== "", noB = b === "" || outcome(y, c) !== "";
    if (noA || noB) return noA - noB || x.place - y.place;
    return sign * a.localeCompare(b, "en", { numeric: true }) || x.place - y.place;
  };

  /* Texts that the row above says already are written softly, while rows stand in their order. */
  const soften = (sorted) => {
    let above = null;
    for (const row of rows) {
      let same = above !== null && !sorted;
      for (let c = 0; c < row.cells.length; c++) {
        same = same && !isNumeric[c] && text(row, c) === text(above, c);
        row.cells[c].classList.toggle("again", same);
      }
      if (!row.element.hidden) above = row;
    }
  };

  let sorted = { column: -1, sign: 1 };
  const say = () => {
    const shown = rows.filter((row) => !row.element.hidden).length;
    let line = `${shown} of ${rows.length} rows shown`;
    if (sorted.column >= 0) {
      line += `, sorted by ${name(sorted.column)}, ${sorted.sign > 0 ? "ascending" : "descending"}`;
    }
    count.textContent = line;
  };
  const sort = (c) => {
    const next = sorted.column !== c ? { column: c, sign: 1 }
      : sorted.sign > 0 ? { column: c, sign: -1 } : { column: -1, sign: 1 };
    sorted = next;
    rows.sort(next.column < 0 ? (x, y) => x.place - y.place : compare(next.column, next.sign));
    body.replaceChildren(...rows.map((row) => row.element));
    heads.forEach((head, i) => head.setAttribute("aria-sort",
      i !== next.column ? "none" : next.sign > 0 ? "ascending" : "descending"));
    table.classList.toggle("sorted", next.column >= 0);
    soften(next.column >= 0);
    say();
  };
  heads.forEach((head, c) => {
    const button = make("button", { type: "button" });
    const inside = [...head.childNodes].filter((node) => node.nodeName !== "SUP");
    head.dataset.name = inside.map((node) => node.textContent).join("");
    button.append(...inside);
    head.prepend(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(c));
  });

  /* Filters: a search, a choice for each column of texts, how the work ended, and a range of one column. */
  const form = $("filters"), choices = [];
  const add = (label, control) => {
    const line = make("label", {}, label);
    line.append(control);
    form.append(line);
    return control;
  };
  const choose = (label, words) => {
    const select = make("select");
    for (const [key, word] of words) select.append(make("option", { value: key }, word));
    return add(label, select);
  };
  const search = add("Search", make("input", { type: "search", id: "search" }));
  heads.forEach((head, c) => {
    const values = isNumeric[c] ? [] : [...new Set(rows.map((row) => text(row, c)))];
    if (values.length < 2 || values.length > 60) return;
    values.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    choices.push({ c, select: choose(name(c), [["*", "all"], ...values.map((v) => ["=" + v, v || "(empty)"])]) });
  });
  const ends = [...new Set([...body.querySelectorAll("[data-o]")].map((e) => e.dataset.o))].sort();
  const end = ends.length === 0 ? null
    : choose("Outcome in any cell", [["*", "all"], [".", "all values there"], ...ends.map((o) => [o, o])]);
  const numeric = heads.map((head, c) => c).filter((c) => isNumeric[c]);
  const range = numeric.length === 0 ? null : {
    column: choose("Range of", [["", "no column"], ...numeric.map((c) => [String(c), name(c)])]),
    least: add("from", make("input", { type: "number", step: "any" })),
    most: add("to", make("input", { type: "number", step: "any" })),
  };
  const inRange = (row) => {
    if (!range || range.column.value === "") return true;
    const c = Number(range.column.value), scale = Number(heads[c].dataset.s || 1), v = value(row, c) * scale;
    const least = range.least.value === "" ? -Infinity : Number(range.least.value);
    const most = range.most.value === "" ? Infinity : Number(range.most.value);
    return v >= least && v <= most;
  };
  const ended = (row) => {
    if (!end || end.value === "*") return true;
    const found = [...row.element.querySelectorAll("[data-o]")].map((e) => e.dataset.o);
    return end.value === "." ? found.length === 0 : found.includes(end.value);
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      row.element.hidden = !(words.every((word) => row.search.includes(word)) &&
        choices.every(({ c, select }) => select.value === "*" || select.value === "=" + text(row, c)) &&
        ended(row) && inRange(row));
    }
    soften(sorted.column >= 0);
    say();
  };
  const reset = make("button", { type: "reset" }, "Clear filters");
  form.append(reset);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.hidden = false;

  /* All that is known of a cell. */
  const dialog = $("details"), list = dialog.querySelector("dl");
  const tell = (term, what) => {
    if (!what) return;
    list.append(make("dt", {}, term), make("dd", {}, what));
  };
  const explain = (cell) => {
    const row = cell.parentNode, c = [...row.cells].indexOf(cell), data = cell.dataset;
    const link = cell.querySelector("a[href^='#o']"), origin = $(link.hash.slice(1));
    const keys = [...row.cells].filter((other, i) => !isNumeric[i] && i < c).map((other) => other.textContent.trim());
    $("details-title").textContent = [...keys.filter(Boolean), name(c)].join(" \u00b7 ");
    list.replaceChildren();
    tell("Shown", link.textContent);
    tell("Value", `${data.v} ${origin.dataset.u === "1" ? "" : origin.dataset.u}`.trim());
    tell("Interval", data.l === undefined ? "not known" : `${data.l} to ${data.h}`);
    tell("Ratio to the baseline", data.r);
    tell("Rank", cell.querySelector(".k") ? cell.querySelector(".k").textContent : "");
    tell("Verdict", data.w || "VALID");
    for (const item of origin.querySelectorAll("[data-k]")) tell(item.dataset.k, item.textContent);
    for (const note of cell.querySelectorAll("sup a")) tell(`Note ${note.textContent}`, $(note.hash.slice(1)).textContent);
    dialog.showModal();
  };
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#o']");
    if (!link) return;
    event.preventDefault();
    explain(link.closest("td, th"));
  });

  /* Light, dark, or as the system has it until somebody asks. */
  const theme = $("theme"), prefers = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (prefers.matches ? "dark" : "light")) === "dark";
  const show = () => theme.setAttribute("aria-pressed", String(isDark()));
  const keep = (word) => { try { localStorage.setItem("tare-theme", word); } catch (error) { /* not allowed here */ } };
  try {
    const kept = localStorage.getItem("tare-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch (error) { /* not allowed here */ }
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    keep(document.documentElement.dataset.theme);
    show();
  });
  prefers.addEventListener("change", show);
  theme.hidden = false;
  show();
  soften(false);
  say();
})();
