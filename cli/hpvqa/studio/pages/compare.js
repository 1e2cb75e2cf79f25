/* Runs side by side: how many views each answered correctly, and where two of them disagree. */
"use strict";

/* Of two runs: how many views the first answered correctly and the second wrongly, and in which episodes. */
function disagreements(episodes, a, b) {
  let only = 0;
  const where = [];
  for (const one of episodes) {
    const [first, second] = [one.verdicts[a], one.verdicts[b]];
    const before = only;
    for (let view = 0; view < first.length; view++) {
      if (first[view] === "1" && second[view] === "0") only++;
    }
    if (only > before) where.push(one);
  }
  return { only, where };
}

function compare(episodes) {
  const runs = studio.index.runs;
  at("runs").hidden = !runs.length;
  if (!runs.length) return;
  const rows = runs.map((run, number) => {
    const views = episodes.map((one) => one.verdicts[number]).join("");
    const [correct, wrong] = ["1", "0"].map((mark) => views.split(mark).length - 1);
    const name = make("span", {}, run.name, ...run.marks.map((mark) => make("span", { kind: "badge", text: mark })));
    const share = correct + wrong ? (correct / (correct + wrong)).toFixed(3) : "–";
    return [name, run.condition, String(correct + wrong), share, link(wrong, { wrong: run.name, correct: "" }, `Wrong by ${run.name}`)];
  });
  const parts = [table("Runs", ["run", "condition", "views", "correct", "wrong"], rows)];
  if (runs.length > 1) {
    const pairs = runs.map((row, a) => [row.name, ...runs.map((column, b) => {
      if (a === b) return "";
      const { only } = disagreements(episodes, a, b);
      return link(only, { correct: row.name, wrong: column.name }, `Correct by ${row.name}, wrong by ${column.name}`);
    })]);
    parts.push(make("h3", { text: "Where they disagree" }),
      make("p", { kind: "note", text: "Views that the run of the line answered correctly and that of the column wrongly; a number shows their episodes." }),
      table("Disagreements of runs", ["correct \\ wrong", ...runs.map((run) => run.name)], pairs));
  }
  for (const run of runs) {
    const said = make("details", {}, make("summary", { text: `About ${run.name}` }), facts(run.facts), ...run.notes.map((note) => make("p", { kind: "note", text: note })));
    parts.push(said);
  }
  at("compare").replaceChildren(...parts);
}

function link(count, filters, label) {
  if (!count) return "0";
  return make("a", { href: studio.write({ ...filters, episode: "" }), text: String(count), "aria-label": `${label}: ${count}` });
}
