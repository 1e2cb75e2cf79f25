/* The ways of things and gripper in space, seen from a side that can be turned. */
"use strict";

function space(paths, times, length, hues) {
  const drawing = draw("svg", { viewBox: "-160 -110 320 220", role: "img", "aria-label": "Ways of the things and the gripper in space" });
  const turn = make("input", { type: "range", min: -180, max: 180, value: 30, step: 5, "aria-label": "Turn the view, in degrees" });
  const tilt = make("input", { type: "range", min: 0, max: 90, value: 25, step: 5, "aria-label": "Height of the view, in degrees" });
  const all = paths.flatMap((path) => path.points).filter((point) => !point.includes(null));
  const ends = [0, 1, 2].map((axis) => [Math.min(...all.map((p) => p[axis])), Math.max(...all.map((p) => p[axis]))]);
  const centre = ends.map(([low, high]) => (low + high) / 2);
  const scale = 190 / Math.max(Math.hypot(...ends.map(([low, high]) => high - low)), 1e-6);
  const hue_of = (path) => path.name in hues ? `c${hues[path.name]}` : "robot";
  let row = 0;

  /* The viewer stands before the robot's table, which the robot faces: its left, +y, is on the viewer's right. */
  const seen = (point) => {
    const [a, b] = [turn.value, tilt.value].map((degrees) => degrees * Math.PI / 180);
    const [x, y, z] = point.map((part, axis) => (part - centre[axis]) * scale);
    const [right, back] = [y * Math.cos(a) + x * Math.sin(a), -x * Math.cos(a) + y * Math.sin(a)];
    return [right, -(z * Math.cos(b) + back * Math.sin(b))];
  };
  const line = (points, kind) => draw("polyline", { class: kind, points: points.map((p) => seen(p).map((v) => v.toFixed(1)).join()).join(" ") });

  function show() {
    const [[x0, x1], [y0, y1]] = ends;
    const floor = [[x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0], [x0, y0, 0]];
    drawing.replaceChildren(line(floor, "floor"), ...paths.flatMap((path) => {
      const hue = hue_of(path);
      const points = path.points.filter((point) => !point.includes(null));
      const now = path.points[row];
      if (!now || now.includes(null)) return [line(points, `curve ${hue}`)];
      const [cx, cy] = seen(now);
      const foot = seen([now[0], now[1], 0]);
      return [line(points, `curve ${hue}`), draw("line", { class: "foot", x1: cx, y1: cy, x2: foot[0], y2: foot[1] }),
        draw("circle", { class: `mark ${hue}`, cx, cy, r: 4.5 })];
    }));
  }
  turn.addEventListener("input", show);
  tilt.addEventListener("input", show);
  let from = null;
  drawing.addEventListener("pointerdown", (event) => { drawing.setPointerCapture(event.pointerId); from = [event.clientX, event.clientY, +turn.value, +tilt.value]; });
  drawing.addEventListener("pointermove", (event) => {
    if (!from || !drawing.hasPointerCapture(event.pointerId)) return;
    turn.value = ((from[2] + (event.clientX - from[0]) / 2 + 540) % 360) - 180;
    tilt.value = from[3] + (event.clientY - from[1]) / 2;
    show();
  });
  const key = make("p", { kind: "note" }, ...paths.map((path) => make("span", { kind: `line ${hue_of(path)}`, text: path.name })));
  show();
  return {
    element: make("div", { kind: "space" }, drawing, key, make("p", { kind: "turn" }, make("label", {}, "turn ", turn), make("label", {}, "height ", tilt))),
    move(share) { row = nearest(times, share * length); show(); },
  };
}
