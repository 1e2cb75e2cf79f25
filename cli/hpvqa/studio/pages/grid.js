/* All episodes, as cards that are made when they are scrolled to, and filters. */
"use strict";

const CHUNK = 60, OFTEN = 5000, SOON = 100;
const grid = { shown: [], made: 0, top: 0, text: "", from: 0, timer: 0, near: new Set(), drawn: new Set() };

const FILTERS = {
  task: ["every task", (one) => one.task],
  split: ["every split", (one) => one.split],
  answer: ["every answer", (one) => one.answer],
  state: ["every outcome", (one) => one.state],
};

function fill_filters() {
  const index = studio.index, chosen = studio.read(), form = at("filters");
  const lists = Object.entries(FILTERS).map(([name, [every, of]]) => [name, every, [...new Set(index.episodes.map(of))].filter(Boolean).sort()]);
  const names = index.runs.map((run) => run.name);
  lists.push(["wrong", "wrong by any or none", names], ["correct", "correct by any or none", names]);
  const kept = { wrong: "wrong by ", correct: "correct by " };
  form.replaceChildren(...lists.filter(([name, , values]) => values.length > (name in kept ? 0 : 1)).map(([name, every, values]) => {
    const select = make("select", { "aria-label": { wrong: "Wrong by run", correct: "Correct by run" }[name] || name, "data-name": name });
    select.add(new Option(every, ""));
    values.forEach((value) => select.add(new Option((kept[name] || "") + value, value)));
    select.value = values.includes(chosen[name]) ? chosen[name] : "";
    select.addEventListener("change", () => { location.hash = studio.write({ [name]: select.value }); });
    return select;
  }));
  const clear = make("button", { type: "button", text: "Clear", click: () => {
    location.hash = studio.write(Object.fromEntries(lists.map(([name]) => [name, ""])));
  } });
  clear.hidden = !lists.some(([name]) => chosen[name]);
  form.append(clear);
}

/* Episodes that the filters leave. Of two runs: those with a view that one answered correctly and the other wrongly. */
function filtered() {
  const chosen = studio.read();
  const number = (name) => studio.index.runs.findIndex((run) => run.name === name);
  const [correct, wrong] = [number(chosen.correct), number(chosen.wrong)];
  const plain = studio.index.episodes.filter((one) => Object.entries(FILTERS).every(([name, [, of]]) => !chosen[name] || of(one) === chosen[name]));
  if (correct >= 0 && wrong >= 0) return [plain, disagreements(plain, correct, wrong).where];
  if (wrong >= 0) return [plain, plain.filter((one) => one.verdicts[wrong].includes("0"))];
  if (correct >= 0) return [plain, plain.filter((one) => one.verdicts[correct].includes("1"))];
  return [plain, plain];
}

function show_grid() {
  const [plain, shown] = filtered();
  grid.shown = shown;
  grid.made = 0;
  observer.disconnect();
  grid.near.clear();
  at("cards").replaceChildren();
  fill_filters();
  compare(plain);
  const bad = ["failed", "damaged"].map((state) => [shown.filter((one) => one.state === state).length, state]).filter(([count]) => count);
  at("count").textContent = `${shown.length} of ${studio.index.episodes.length} episodes${bad.map(([count, state]) => `, ${count} ${state}`).join("")}`;
  more();
}

function more() {
  const part = grid.shown.slice(grid.made, grid.made + CHUNK);
  grid.made += part.length;
  at("cards").append(...part.map(card));
  at("more").hidden = grid.made >= grid.shown.length;
}

const observer = new IntersectionObserver((seen) => {
  seen.forEach(({ target, isIntersecting }) => grid.near[isIntersecting ? "add" : "delete"](target));
  grid.timer ||= setTimeout(draw_near, SOON);
}, { rootMargin: "300px" });

/* Pictures of cards that are near are loaded, but not of those that fly past, faster than 2.5 screens a second: these
   would keep the machine from scrolling. */
function draw_near() {
  const fast = Math.abs(scrollY - grid.from) > innerHeight / 4;
  grid.from = scrollY;
  if (!fast) {
    grid.near.forEach((one) => { observer.unobserve(one); one.draw(); });
    grid.near.clear();
  }
  grid.timer = grid.near.size && setTimeout(draw_near, SOON);
}

function card(one) {
  const none = one.state === "damaged" ? "damaged" : "no picture";
  const picture = make("span", { kind: "nothing", text: one.picture ? "" : none });
  const name = one.number === null ? one.key : `${one.task} ${one.number}`;
  const badges = [one.split && make("span", { kind: "split", text: one.split }), one.state !== "ok" && make("span", { kind: "badge", text: one.state })].filter(Boolean);
  const runs = studio.index.runs.map((run, number) => {
    const [correct, wrong] = ["1", "0"].map((mark) => one.verdicts[number].split(mark).length - 1);
    return correct + wrong ? make("span", { kind: `score ${wrong ? "wrong" : ""}`, text: `${run.name} ${correct}/${correct + wrong}` }) : "";
  });
  const link = make("a", { href: studio.write({ episode: one.key }) }, picture, make("span", { kind: "name", text: name }), ...badges);
  const whole = make("li", { kind: "card" }, link, make("p", { kind: "scores" }, ...runs.slice(0, 4)), ...(one.why ? [make("p", { kind: "why", text: one.why })] : []));
  whole.draw = () => {
    grid.drawn.add(one.key);
    const image = make("img", { alt: "", decoding: "async", src: `${studio.path("pictures", one.key)}.jpg` });
    image.addEventListener("error", () => image.replaceWith(none));
    picture.replaceChildren(image);
  };
  if (grid.drawn.has(one.key)) whole.draw();
  else if (one.picture) observer.observe(whole);
  return whole;
}

function step_episode(way) {
  const here = grid.shown.findIndex((one) => one.key === studio.read().episode);
  const next = grid.shown[here + way];
  if (next) location.hash = studio.write({ episode: next.key });
}

function to_grid() {
  location.hash = studio.write({ episode: "" });
}

function route() {
  const { episode: key, ...filters } = studio.read();
  const text = JSON.stringify(filters);
  if (text !== grid.text) {
    grid.text = text;
    show_grid();
  }
  if (key) {
    if (!at("grid").hidden) grid.top = scrollY;
    const here = grid.shown.findIndex((one) => one.key === key);
    at("previous").disabled = here <= 0;
    at("next").disabled = here < 0 || here >= grid.shown.length - 1;
    if (!episode.data || episode.data.key !== key) open_episode(key);
    return;
  }
  const came = at("grid").hidden;
  close_episode();
  at("episode").hidden = true;
  at("grid").hidden = false;
  document.title = `${studio.index.title} · hpvqa studio`;
  if (came) scrollTo({ top: grid.top, behavior: "instant" });
}

/* How far the commands are whose progress is followed. What was there stays, so that readers of screens are not told twice. */
function show_work() {
  at("work").hidden = !studio.index.work.length;
  const lines = studio.index.work.map((one) => {
    const left = one.status || one.trouble || (one.activity ? "" : "has not begun");
    const words = `${one.activity || one.name}: ${[one.text, left].filter(Boolean).join(", ")}`;
    const bar = make("progress", { max: Math.max(one.total, 1), value: one.done, "aria-label": words });
    return make("div", { kind: one.status === "failed" ? "warn" : "" },
      make("p", { text: words }), ...(one.activity ? [bar] : []), ...(one.said ? [make("p", { kind: "note", text: one.said })] : []));
  });
  at("work").replaceChildren(...lines);
}

function show_about() {
  const { kind, episodes, runs, version } = studio.index;
  at("about").textContent = `A ${kind} of ${episodes.length} episodes${runs.length ? `, and ${runs.length} ${runs.length > 1 ? "runs" : "run"}` : ""}. Shown by hpvqa ${version}.`;
}

/* A server is asked now and then whether there is more to see: the longer it takes to answer, the less often. */
async function follow(known) {
  const begin = performance.now();
  let text = known;
  if (!document.hidden) {
    try {
      text = await studio.load("", "index");
    } catch {
      at("count").textContent = "The program that serves these pages has ended.";
    }
  }
  if (text !== known) {
    const before = studio.index;
    studio.index = JSON.parse(text);
    const differs = (...names) => names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(studio.index[name]));
    // Only what has changed is drawn anew, and whoever is on a card or in a list stays there.
    if (differs("work")) show_work();
    if (differs("trainings")) show_trainings();
    if (differs("episodes", "runs")) {
      const here = document.activeElement, made = grid.made;
      const again = here.dataset.name ? `#filters [data-name="${here.dataset.name}"]` : here.closest(".card") && `.card a[href="${CSS.escape(here.getAttribute("href"))}"]`;
      show_about();
      show_grid();
      while (grid.made < made && !at("more").hidden) more();
      if (again) document.querySelector(again)?.focus({ preventScroll: true });
    }
  }
  setTimeout(follow, Math.max(OFTEN, 20 * (performance.now() - begin)), text);
}

at("more").addEventListener("click", more);
at("back").addEventListener("click", to_grid);
at("previous").addEventListener("click", () => step_episode(-1));
at("next").addEventListener("click", () => step_episode(1));
at("filters").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", route);
new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(); }, { rootMargin: "600px" }).observe(at("more"));

(async () => {
  let text;
  try {
    text = await studio.load("", "index");
  } catch {
    at("count").textContent = "The list of episodes cannot be loaded.";
    return;
  }
  studio.index = JSON.parse(text);
  at("title").textContent = studio.index.title;
  show_about();
  show_work();
  show_trainings();
  at("trainings").open = studio.index.live;
  route();
  if (studio.index.live) setTimeout(follow, OFTEN, text);
})();
