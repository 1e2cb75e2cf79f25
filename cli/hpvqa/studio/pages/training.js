/* How trainings go: a curve for everything that is measured, over the steps. */
"use strict";

function show_trainings() {
  const found = studio.index.trainings;
  at("trainings").hidden = !found.length;
  at("courses").replaceChildren(...found.flatMap((one) => [
    make("h3", { text: one.name }),
    ...(one.trouble ? [make("p", { kind: "warn", text: one.trouble })] : []),
    ...one.charts.map((chart) => {
      const steps = chart.points.map(([step]) => step), last = steps.at(-1);
      const line = { name: `by step ${last}`, values: chart.points.map(([, value]) => value) };
      let figure = null;
      const seek = (share) => figure.move(share);
      figure = plot({ title: chart.title, lines: [line] }, steps, Math.max(last, 1), [], {}, seek);
      figure.move(1);
      return figure.element;
    }),
  ]));
}
