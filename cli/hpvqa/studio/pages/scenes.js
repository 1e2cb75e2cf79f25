/* Filters of the list of scenes, kept in the address; on the page of a scene, keys that go to the next one. */
"use strict";

const cards = [...document.querySelectorAll("#cards > li")];

function chosen() {
  return new URLSearchParams(location.hash.slice(1));
}

function show() {
  const wanted = [...chosen()];
  let shown = 0;
  for (const card of cards) {
    card.hidden = !wanted.every(([name, value]) => card.dataset[name] === value);
    shown += !card.hidden;
  }
  for (const select of document.querySelectorAll("#filters select")) select.value = chosen().get(select.dataset.name) || "";
  document.getElementById("count").textContent = `${shown} of ${cards.length} scenes`;
}

function filter(name) {
  const select = document.createElement("select"), label = cards[0].dataset[`${name}Label`];
  select.dataset.name = name;
  select.setAttribute("aria-label", label);
  select.add(new Option(`${label}: all`, ""));
  const values = [...new Set(cards.map((card) => card.dataset[name]))].sort();
  values.forEach((value) => select.add(new Option(`${label}: ${value}`, value)));
  select.addEventListener("change", () => {
    const now = chosen();
    if (select.value) now.set(name, select.value); else now.delete(name);
    location.hash = now;
  });
  return values.length > 1 ? select : "";
}

if (cards.length) {
  const names = Object.keys(cards[0].dataset).filter((name) => !name.endsWith("Label"));
  document.getElementById("filters").append(...names.map(filter));
  addEventListener("hashchange", show);
  show();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
  const name = { j: "Next", k: "Previous" }[event.key];
  const link = [...document.querySelectorAll("nav.steps a")].find((one) => one.textContent === name);
  if (link) link.click();
});
