/* Curves over time under the player's cursor. All have the scrubber's width, so that one line goes through them all. */
"use strict";

const TALL = 100, WIDE = 1000;

/* A figure, and what moves its cursor to a share of the episode, 0 to 1. */
function plot(chart, times, length, events, hues, seek) {
  const known = chart.lines.flatMap((line) => line.values).filter((value) => value !== null);
  let [low, high] = known.length ? [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))] : [0, 1];
  const ends = chart.span || [low, high];
  const margin = 0.06 * (ends[1] - ends[0] || Math.abs(ends[1]) || 1);
  [low, high] = [ends[0] - margin, ends[1] + margin];
  const hue_of = (line) => line.name in hues ? `c${hues[line.name]}` : "robot";
  const x = (time) => WIDE * time / length, y = (value) => TALL * (high - value) / (high - low);

  const pieces = events.map((event) => draw("line", { class: "event", x1: x(event.t), x2: x(event.t), y1: 0, y2: TALL }));
  chart.lines.forEach((line) => {
    let path = "", begun = false;
    line.values.forEach((value, number) => {
      if (value === null) { begun = false; return; }
      path += `${begun ? "L" : "M"}${x(times[number]).toFixed(1)} ${y(value).toFixed(2)}`;
      begun = true;
    });
    pieces.push(draw("path", { class: `curve ${hue_of(line)} ${dash(chart, line)}`, d: path }));
  });
  const drawing = draw("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...pieces);
  const cursor = make("div", { kind: "cursor" });
  const box = make("div", { kind: "plot" }, drawing, cursor,
    make("span", { kind: "high", text: short(ends[1]) }), make("span", { kind: "low", text: short(ends[0]) }));
  const move = (event) => {
    const place = box.getBoundingClientRect();
    seek(Math.min(Math.max((event.clientX - place.left) / place.width, 0), 1));
  };
  box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); move(event); });
  box.addEventListener("pointermove", (event) => { if (box.hasPointerCapture(event.pointerId)) move(event); });

  const values = chart.lines.map(() => make("b"));
  const key = make("figcaption", {}, make("span", { kind: "what", text: chart.title }), ...chart.lines.map((line, number) =>
    make("span", { kind: `line ${hue_of(line)} ${dash(chart, line)}` }, `${line.name} `, values[number])));
  return {
    element: make("figure", { kind: "curves" }, key, box),
    move(share) {
      cursor.style.left = `${100 * share}%`;
      const row = nearest(times, share * length);
      chart.lines.forEach((line, number) => { values[number].textContent = short(line.values[row]); });
    },
  };
}

/* Lines that are no things have one colour, and differ in how they are drawn. */
function dash(chart, line) {
  return `dash${chart.lines.indexOf(line) % 3}`;
}

function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle; else high = middle;
  }
  return time - times[low] < times[high] - time ? low : high;
}

function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return (size > 0 && size < 0.01 ? value.toExponential(1) : value.toFixed(size < 10 ? 2 : 1)).replaceAll("-", "−");
}
