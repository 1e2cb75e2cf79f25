/* The page of one episode. */
"use strict";

const episode = { data: null, player: null, moved: [], stops: [] };

async function open_episode(key) {
  close_episode();
  at("grid").hidden = true;
  at("episode").hidden = false;
  at("name").textContent = key;
  scrollTo({ top: 0, behavior: "instant" });
  try {
    const data = JSON.parse(await studio.load(key, key));
    if (studio.read().episode === key) show_episode(data);
  } catch (error) {
    show_episode({ key, missing: true, trouble: [`There is no such episode, or its data is damaged (${error.message})`] });
  }
}

function close_episode() {
  if (episode.player) episode.player.close();
  Object.assign(episode, { data: null, player: null, moved: [], stops: [] });
  for (const id of ["clips", "marks", "event-list", "plots", "path", "answer-table", "condition", "true", "things", "plan", "facts", "trouble"]) {
    at(id).replaceChildren();
  }
  for (const id of ["name", "where", "question"]) at(id).textContent = "";
  for (const id of ["player", "events", "curves", "space", "answers", "planned"]) at(id).hidden = true;
  at("truth").open = false;
}

function show_episode(data) {
  episode.data = data;
  const name = data.missing || data.number === null ? data.key : `${data.task}, episode ${data.number}`;
  at("name").textContent = name;
  document.title = `${name} · hpvqa studio`;
  at("where").textContent = [data.title, data.split && `${data.split} split`, data.key].filter(Boolean).join(" · ");
  at("question").textContent = data.question || "";
  at("trouble").append(...data.trouble.map((said) => make("p", { kind: "warn", text: data.state === "failed" ? `Failed: ${said}` : said })));
  at("name").focus({ preventScroll: true });
  if (data.missing) return;
  const hues = Object.fromEntries(data.things.map((thing, number) => [thing.name, number % 6]));
  const length = Math.max(data.frames - 1, 1) / (data.fps || 1);
  const views = data.clips.map((clip) => show_clip(clip, data.size, data));
  const seek = (share) => episode.player.seek(Math.round(share * (data.frames - 1)));
  if (data.times) {
    episode.moved = data.charts.map((chart) => plot(chart, data.times, length, data.events.filter((event) => event.story), hues, seek));
    at("plots").append(...episode.moved.map((figure) => figure.element));
    const path = space(data.paths, data.times, length, hues);
    at("path").append(path.element);
    episode.moved.push(path);
    at("curves").hidden = at("space").hidden = false;
  }
  if (data.frames) show_player(views, data);
  show_answers(data);
  show_facts(data);
}

function show_clip(clip, size, data) {
  const words = clip.camera.replaceAll("_", " ");
  const video = make("video", { playsinline: true, preload: "auto" });
  const [front, back] = [0, 1].map(() => make("canvas", { width: size[0], height: size[1], role: "img", "aria-label": `Clip of the camera ${words}` }));
  front.className = "front";
  const screen = make("div", { kind: "screen" }, front, back);
  const large = make("button", { type: "button", text: words, "aria-pressed": "false", title: "Larger or smaller" });
  const note = make("span", { kind: "note" });
  const figure = make("figure", {}, screen, make("figcaption", {}, large, note));
  large.addEventListener("click", () => large.setAttribute("aria-pressed", String(figure.classList.toggle("large"))));
  video.addEventListener("error", () => {
    if (video.getAttribute("src")) screen.replaceWith(make("p", { kind: "nothing", text: "This clip is missing or damaged" }));
  });
  video.addEventListener("loadedmetadata", () => {
    if (video.duration < (data.frames - 1) / data.fps) note.textContent = `cut short: ends at ${video.duration.toFixed(2)} s`;
  });
  video.src = studio.path("clips", clip.file);
  // The first one tells the story; on a phone all have the same size.
  if (!at("clips").childNodes.length && matchMedia("(min-width: 60rem)").matches) large.click();
  at("clips").append(figure);
  return { video, front, back };
}

function show_player(views, data) {
  const scrubber = at("scrubber");
  scrubber.max = data.frames - 1;
  const frame_of = (event) => Math.min(Math.max(Math.round(event.t * data.fps), 0), data.frames - 1);
  episode.stops = [...new Set(data.events.filter((event) => event.story).map(frame_of))].sort((a, b) => a - b);
  data.events.forEach((event) => {
    const said = `${event.words}, ${event.t.toFixed(2)} s`, jump = () => episode.player.seek(frame_of(event));
    if (event.story) {
      const mark = make("button", { type: "button", kind: "mark", title: said, "aria-label": `Go to: ${said}`, tabindex: -1, click: jump });
      mark.style.left = `${100 * frame_of(event) / Math.max(data.frames - 1, 1)}%`;
      at("marks").append(mark);
    }
    at("event-list").append(make("li", {}, make("button", { type: "button", text: said, kind: event.story ? "" : "minor", click: jump })));
  });
  at("player").hidden = false;
  at("events").hidden = !data.events.length;
  episode.player = new Player(views, data.fps, data.frames, (frame, playing) => {
    const words = `${(frame / data.fps).toFixed(2)} s, frame ${frame + 1} of ${data.frames}`;
    scrubber.value = frame;
    scrubber.setAttribute("aria-valuetext", words);
    at("now").textContent = words;
    at("play").textContent = playing ? "Pause" : "Play";
    episode.moved.forEach((figure) => figure.move(frame / Math.max(data.frames - 1, 1)));
  });
  episode.player.speed = +at("speed").value;
}

function show_answers(data) {
  const conditions = [...new Set(data.answers.map((answer) => answer.condition))];
  at("answers").hidden = !studio.index.runs.length;
  at("conditions").hidden = conditions.length < 2;
  at("condition").append(...conditions.map((name) => make("option", { text: name, value: name })));
  const show = () => {
    const chosen = data.answers.filter((answer) => answer.condition === (at("condition").value || conditions[0]));
    const runs = studio.index.runs.map((run, number) => [run, number]).filter(([, number]) => chosen.some((answer) => answer.run === number));
    const lines = [...new Set(chosen.map((answer) => `${answer.camera}\n${answer.asked === data.question ? "" : answer.asked || ""}`))];
    const body = lines.length ? table("Answers by camera and run", ["camera", ...runs.map(([run]) => run.name)], lines.map((line) => {
      const [camera, asked] = line.split("\n");
      return [[camera.replaceAll("_", " "), asked].filter(Boolean).join(": "), ...runs.map(([, number]) => {
        const found = chosen.filter((answer) => answer.run === number && `${answer.camera}\n${answer.asked === data.question ? "" : answer.asked || ""}` === line);
        return make("div", {}, ...found.map(show_answer));
      })];
    })) : make("p", { kind: "note", text: "No run was asked about this episode." });
    at("answer-table").replaceChildren(body);
  };
  at("condition").onchange = show;
  show();
}

/* What was said, how likely it was, and, once the truth is open, whether it is correct. */
function show_answer(answer) {
  const said = answer.error ? "not answered" : answer.said ?? "invalid";
  const pieces = [make("span", { kind: "said", text: said, title: answer.error || answer.text })];
  if (answer.pLeft !== null) {
    const bar = make("span", { kind: "bar", "aria-hidden": "true" }, make("span"));
    bar.firstChild.style.width = `${100 * answer.pLeft}%`;
    pieces.push(make("span", { kind: "p", text: `P(left) ${answer.pLeft.toFixed(2)}` }), bar);
  }
  pieces.push(make("span", { kind: `verdict ${answer.correct ? "correct" : "wrong"}`, text: answer.correct ? "✓ correct" : "✗ wrong" }));
  return make("div", { kind: "answer" }, ...pieces);
}

function show_facts(data) {
  if (data.truth.answer) at("true").append(make("p", { kind: "lead", text: `Answer: ${data.truth.answer}` }));
  at("true").append(facts(data.truth.facts));
  at("facts").append(facts(data.facts));
  at("things").append(...data.things.map((thing) => {
    const patch = make("span", { kind: "patch", "aria-hidden": "true" });
    patch.style.background = thing.color;
    return make("li", {}, patch, thing.words);
  }));
  at("planned").hidden = !data.plan;
  if (data.plan) {
    at("plan").append(table("Movements of the robot", ["movement", "thing", "begins [s]", "takes [s]", "to x, y, z [cm]"],
      data.plan.map((step) => [step.phase, step.thing, step.t.toFixed(2), step.seconds.toFixed(2), step.to])));
  }
}

/* Go to the next event (1), or to the one before (-1). */
function to_event(way) {
  const frame = episode.player.goal;
  const found = way > 0 ? episode.stops.find((stop) => stop > frame) : episode.stops.findLast((stop) => stop < frame);
  if (found !== undefined) episode.player.seek(found);
}

function toggle() {
  if (episode.player.playing) episode.player.pause(); else episode.player.play();
}

at("scrubber").addEventListener("input", () => episode.player.seek(+at("scrubber").value));
at("play").addEventListener("click", toggle);
at("step-back").addEventListener("click", () => episode.player.seek(episode.player.goal - 1));
at("step-on").addEventListener("click", () => episode.player.seek(episode.player.goal + 1));
at("event-back").addEventListener("click", () => to_event(-1));
at("event-on").addEventListener("click", () => to_event(1));
at("speed").addEventListener("change", () => { if (episode.player) episode.player.speed = +at("speed").value; });
at("truth").addEventListener("toggle", () => document.body.classList.toggle("true", at("truth").open));
document.addEventListener("visibilitychange", () => { if (document.hidden && episode.player) episode.player.pause(); });

addEventListener("keydown", (event) => {
  if (at("episode").hidden || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const inside = event.target.closest("select, button, summary, input, .scroll");
  // A button is pressed by Space, a choice changes by arrows, and the scrubber moves by itself.
  if (inside && (key === " " ? !inside.matches("input, .scroll") : key.startsWith("Arrow") || key === "Home" || key === "End")) return;
  if (event.target.matches("select")) return;
  const leave = { j: () => step_episode(1), k: () => step_episode(-1), Escape: to_grid, t: () => { at("truth").open = !at("truth").open; } }[key];
  const player = episode.player;
  const move = player && {
    " ": toggle,
    ArrowLeft: () => player.seek(player.goal - (event.shiftKey ? Math.round(player.fps) : 1)),
    ArrowRight: () => player.seek(player.goal + (event.shiftKey ? Math.round(player.fps) : 1)),
    Home: () => player.seek(0),
    End: () => player.seek(player.frames - 1),
    n: () => to_event(1),
    p: () => to_event(-1),
    "+": () => change_speed(1),
    "-": () => change_speed(-1),
  }[key];
  const act = leave || move;
  if (!act) return;
  event.preventDefault();
  act();
});

function change_speed(way) {
  const speed = at("speed");
  speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + way, 0), speed.options.length - 1);
  episode.player.speed = +speed.value;
}
