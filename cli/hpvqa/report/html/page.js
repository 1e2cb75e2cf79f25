/* Sorts a table by a column, and filters the cards of what went wrong. Without it, the page says the same. */
"use strict";

function number(cell) {
  return parseFloat(cell.textContent.replace("\u2212", "-").replace("<", ""));
}

function compare(a, b, column, down) {
  const [x, y] = [number(a.cells[column]), number(b.cells[column])];
  if (column > 0 && (isNaN(x) || isNaN(y))) return isNaN(x) - isNaN(y); // what is not known comes last
  const words = a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
  return (column > 0 ? x - y : words) * (down ? -1 : 1);
}

for (const table of document.querySelectorAll(".scroll > table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== (column > 0 ? "descending" : "ascending") === column > 0;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => row.cells[0].tagName === "TD");
        body.append(...rows.sort((a, b) => compare(a, b, column, down)));
      }
    });
  });
}

const cards = [...document.querySelectorAll("#failures .card")];
const choices = {};
const bar = document.createElement("p");
bar.className = "filters";
for (const name of ["run", "task", "camera", "kind"]) {
  const values = [...new Set(cards.map((card) => card.dataset[name]))];
  if (values.length < 2) continue;
  const select = document.createElement("select");
  select.setAttribute("aria-label", name);
  select.add(new Option(`every ${name}`, ""));
  values.forEach((value) => select.add(new Option(value, value)));
  select.addEventListener("change", () => {
    choices[name] = select.value;
    for (const card of cards) {
      card.hidden = Object.entries(choices).some(([key, value]) => value && card.dataset[key] !== value);
    }
    for (const part of document.querySelectorAll("#failures .run")) {
      part.hidden = Object.values(choices).some(Boolean) && !part.querySelector(".card:not([hidden])");
    }
  });
  bar.append(select);
}
if (bar.childNodes.length) document.querySelector("#failures h2").after(bar);
