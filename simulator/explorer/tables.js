"use strict";
/* The tables: outcomes of each solution, and where patients are. columns : [name, solution] */

/** Return the values of all parameter sets. */
const column = (data, read) => Float64Array.from({ length: data.draws }, (_, i) => read(i));

/** Return how many of 100 are alive at a month, in every parameter set. */
function aliveAt(data, solution, month) {
  const t = data.months.indexOf(month);
  return column(data, (i) => PER * solution.alive(i, t));
}

/** Return the outcomes of a solution: {label, unit, values, perPatient}. */
function outcomesOf(data, solution) {
  const last = data.occupiedMonths.length;
  const rows = data.survival.map((month) => ({ label: `alive at ${month} months, of 100`, unit: "", values: aliveAt(data, solution, month), perPatient: true }));
  data.means.forEach((month, m) => rows.push({ label: `mean survival to month ${month}, months`, unit: "months", values: column(data, (i) => solution.mean(i, m)) }));
  for (const [name, label] of data.countLabels) {
    const entered = solution.count(name);
    rows.push({ label: `${label} to month ${data.months.at(-1)}, per 100`, unit: "", values: column(data, (i) => PER * entered[(i + 1) * last - 1]), perPatient: true });
  }
  return rows;
}

/** Return the table of outcomes; with `moved`, the second column's difference from the first. centre : patients a year */
function numbersTable(data, columns, moved, centre) {
  const outcomes = columns.map(([, solution]) => outcomesOf(data, solution));
  const rows = outcomes[0].map(({ label, unit, values }, k) => {
    const cells = outcomes.map((of) => withInterval(summary(of[k].values), unit));
    if (moved) cells.push(withInterval(summary(outcomes[1][k].values.map((value, i) => value - values[i])), unit));
    return [label, ...cells];
  });
  if (centre) {
    outcomes[0].forEach(({ label, perPatient }, k) => {
      if (!perPatient) return;
      const cells = outcomes.map((of) => shown(summary(of[k].values)[0] * centre / PER));
      rows.push([`${label.replace(/, (of|per) 100$/, "")}, of ${centre} a year`, ...cells, ...(moved ? [""] : [])]);
    });
  }
  const head = ["outcome (95 % interval)", ...columns.map(([name]) => name), ...(moved ? [`this setting less ${data.before}`] : [])];
  return table(`${data.draws} parameter sets`, head, rows);
}

/** Return the table of where patients are at a month. */
function whereTable(data, columns, month) {
  const place = data.occupiedMonths.indexOf(month), width = data.occupiedMonths.length;
  const share = (solution, state) => { const there = solution.where(state); return summary(column(data, (i) => PER * there[i * width + place])); };
  const found = data.states.filter(([state]) => state in data.there).map(([state, label]) => [label, columns.map(([, solution]) => share(solution, state))]);
  const rows = found.filter(([, of]) => of.some((row) => row[0] >= 0.05)).map(([label, of]) => [label, ...of.map((row) => withInterval(row, ""))]);
  return table("of 100 patients (95 % interval)", ["state", ...columns.map(([name]) => name)], rows);
}

/** Return the outcomes of solutions as comma-separated values. */
function asCsv(data, columns) {
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`, lines = [["outcome", "setting", "estimate", "lower", "upper"]];
  for (const [name, solution] of columns) {
    for (const { label, values } of outcomesOf(data, solution)) lines.push([quoted(label), quoted(name), ...summary(values)]);
  }
  return lines.map((line) => line.join(",")).join("\n");
}
