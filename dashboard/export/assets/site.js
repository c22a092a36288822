"use strict";
// Sorts and hides rows of tables; every number was there before. The choices stand in the address behind #.
const saved = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

function remember(key, value) {
  if (value) saved.set(key, value);
  else saved.delete(key);
  history.replaceState(null, "", saved.size ? `#${saved}` : location.pathname);
}

const CHECKS = {
  any: (values, wanted) => values.includes(wanted),
  only: (values, wanted) => values.every((value) => value === wanted),
  without: (values, wanted) => !values.includes(wanted),
};

function compare(first, second, numbers) {
  if (first === "" || second === "") return (first === "") - (second === "");
  return numbers ? Number(first) - Number(second) : first.localeCompare(second, undefined, { numeric: true });
}

function sortable(section, key) {
  const body = section.querySelector("tbody");
  const headings = [...section.querySelectorAll("thead th")];
  const sort = (column, direction) => {
    const heading = headings[column];
    const numbers = heading.dataset.kind !== "text";
    const value = (row) => row.cells[column].dataset.sort;
    const sign = direction === "descending" ? -1 : 1;
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      // Rows without a value come last, whichever way.
      return compare(a, b, numbers) * (a === "" || b === "" ? 1 : sign);
    });
    body.append(...rows);
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", direction);
  };
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const first = heading.dataset.kind === "number" ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const direction = heading.getAttribute("aria-sort") === first ? second : first;
      sort(column, direction);
      remember(`${key}.sort`, `${column} ${direction}`);
    });
  });
  const [column, direction] = (saved.get(`${key}.sort`) || "").split(" ");
  if (headings[column] && ["ascending", "descending"].includes(direction)) sort(Number(column), direction);
}

function filterable(section, key) {
  const form = section.querySelector("form");
  if (!form) return;
  const rows = [...section.querySelectorAll("tbody tr")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const count = form.querySelector("output");
  const passes = (row, field) => {
    if (!field.value) return true;
    if (field.type === "search") return field.value.toLowerCase().split(/\s+/).every((word) => texts.get(row).includes(word));
    return CHECKS[field.dataset.how](row.getAttribute(`data-${field.name}`).split("\n"), field.value);
  };
  const fields = [...form.querySelectorAll("input, select")];
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fields.every((field) => passes(row, field));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} rows`;
  };
  fields.forEach((field) => {
    field.value = saved.get(`${key}.${field.name}`) || "";
    if (field.selectedIndex === -1) field.value = "";
    field.addEventListener("input", () => { remember(`${key}.${field.name}`, field.value); apply(); });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    fields.forEach((field) => { field.value = ""; remember(`${key}.${field.name}`, ""); });
    apply();
  });
  apply();
}

document.querySelectorAll("[data-table]").forEach((section) => {
  sortable(section, section.dataset.table);
  filterable(section, section.dataset.table);
});
