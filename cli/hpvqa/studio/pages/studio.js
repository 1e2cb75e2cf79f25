/* What all parts share: data that scripts hand over, pieces of the page, and the address, which says what is shown. */
"use strict";

const studio = {
  index: null,
  waiting: new Map(),

  /* Called by the scripts in data/. A page that was opened as a file may load scripts, and nothing else. */
  give(key, text) {
    const take = studio.waiting.get(key);
    studio.waiting.delete(key);
    if (take) take(text);
  },

  /* The data of an episode, or of all of them ("" and index), as JSON. */
  load(key, file) {
    return new Promise((resolve, reject) => {
      studio.waiting.set(key, resolve);
      const script = document.createElement("script");
      script.src = `${studio.path("data", file)}.js${studio.index && studio.index.live ? `?${Date.now()}` : ""}`;
      script.onload = () => script.remove();
      script.onerror = () => { script.remove(); reject(new Error(`${file} cannot be loaded`)); };
      document.head.append(script);
    });
  },

  path(folder, name) {
    return [folder, ...name.split("/")].map(encodeURIComponent).join("/");
  },

  /* The address says which episode is shown, and which filters are set. */
  read() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  },

  write(changes) {
    const found = new URLSearchParams({ ...studio.read(), ...changes });
    for (const [name, value] of [...found]) if (!value) found.delete(name);
    return `#${found}`;
  },
};

const at = (id) => document.getElementById(id);

/* An element with text, attributes and children; text is never taken for HTML. */
function make(name, { text, kind, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/* A table in a box that scrolls where the page is narrow. */
function table(label, heads, rows) {
  const line = (cells, name) => make("tr", {}, ...cells.map((cell, number) => {
    const attributes = name === "th" ? { scope: "col" } : number === 0 ? { scope: "row" } : {};
    const element = make(name === "td" && number === 0 ? "th" : name, attributes);
    element.append(cell);
    return element;
  }));
  const body = make("table", {}, make("thead", {}, line(heads, "th")), make("tbody", {}, ...rows.map((row) => line(row, "td"))));
  return make("div", { kind: "scroll", tabindex: 0, role: "group", "aria-label": label }, body);
}

function facts(pairs) {
  return make("dl", {}, ...pairs.flatMap(([name, said]) => [make("dt", { text: name }), make("dd", { text: said })]));
}
