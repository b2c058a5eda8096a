/* The tables: outcomes of each solution, and where patients are. columns : [name, solution, class of its colour, in words] */

const MEDIAN_APART = 0.05, MONTHS_A_YEAR = 12, LEAST_SHOWN = 0.05;

/** Return the values of all parameter sets. */
const column = (data, read) => Float64Array.from({ length: data.draws }, (_, i) => read(i));

/** Return how many of 100 are alive at a month, in every parameter set. */
function aliveAt(data, solution, month) {
  const t = data.months.indexOf(month);
  return column(data, (i) => PER * solution.alive(i, t));
}

/** Return the outcomes of a solution: {label, unit, values, of}, `of` being what sums them up. */
function outcomesOf(data, solution) {
  const last = data.months.at(-1), survival = data.survival.map((month) => ({ label: `alive at ${month} months, of 100`, unit: "", values: aliveAt(data, solution, month), of: summary }));
  const middles = data.checked.median <= MEDIAN_APART ? [{ label: "median survival, months", unit: "months", values: column(data, solution.median), of: middle }] : [];
  const means = data.means.map((month, m) => ({ label: `mean survival to month ${month}, months`, unit: "months", values: column(data, (i) => solution.mean(i, m)), of: summary }));
  const counts = data.countLabels.map(({ name, label }) => ({ label: `${label} to month ${last}, per 100`, unit: "", values: solution.count(name).map((each) => PER * each), of: summary }));
  return [...survival, ...middles, ...means, ...counts];
}

/** Return what a year's patients of a centre come to: survivors, counts, and units in use. */
function centreOf(data, solution, centre) {
  const times = (label, values, factor) => ({ label, unit: "", values: values.map((value) => value * factor), of: summary });
  const survival = data.survival.map((month) => times(`alive at ${month} months`, aliveAt(data, solution, month), centre / PER));
  const counts = data.countLabels.flatMap(({ name, label, inUse }) => {
    const values = solution.count(name);
    return [times(label, values, centre), ...(inUse ? [times(`${inUse} in use on average`, values, centre / MONTHS_A_YEAR)] : [])];
  });
  return [...survival, ...counts];
}

/** Return a table of outcomes of columns; with `moved`, the second column's difference from the first. */
function compared(data, caption, columns, moved) {
  const rows = columns[0][1].map(({ label, unit, values, of }, k) => {
    const summaries = columns.map(([, outcomes]) => of(outcomes[k].values)), cells = summaries.map((row) => withInterval(row, unit));
    if (!moved) return [label, ...cells];
    const between = of(columns[1][1][k].values.map((value, i) => value - values[i]));
    // Two medians that most sets do not reach may differ by anything.
    return [label, ...cells, Number.isFinite(summaries[0][0] + summaries[1][0]) ? withInterval(between, unit) : shown(NaN)];
  });
  const head = ["outcome (95 % interval)", ...columns.map(([name]) => name), ...(moved ? [`this setting less ${data.before}`] : [])];
  return table(caption, head, rows);
}

/** Return what a reader of the tables has to know. */
function medianNote(data) {
  if (data.checked.median > MEDIAN_APART) return `Median survival is not shown: the months of this page do not give it to ${MEDIAN_APART} month.`;
  return `Median survival: the median over parameter sets of each one's median. A dash: not reached by month ${data.months.at(-1)}.`;
}

function centreNote(data) {
  const beds = data.countLabels.filter(({ inUse }) => inUse).map(({ label, inUse }) => `${inUse} in use on average: ${label} / ${MONTHS_A_YEAR} (Little's law), if one is always free. On some days more are in use.`);
  return ["The intervals are those of the parameter sets. Numbers of a small centre also differ by chance from year to year.", ...beds].join(" ");
}

const numbersTable = (data, columns, moved) =>
  compared(data, `${data.draws} parameter sets`, columns.map(([name, solution]) => [name, outcomesOf(data, solution)]), moved);

const centreTable = (data, columns, moved, centre) =>
  compared(data, `of ${centre} a year, followed to month ${data.months.at(-1)}`, columns.map(([name, solution]) => [name, centreOf(data, solution, centre)]), moved);

/** Return a table of how many of 100 are in each state, or have been, by `read(solution, state)`, as bars with numbers. */
function statesTable(data, caption, columns, states, read) {
  const shares = states.map(([state, label]) => [label, columns.map(([, solution]) => summary(read(solution, state).map((share) => PER * share)))]);
  const rows = shares.filter(([, of]) => of.some(([mean]) => mean >= LEAST_SHOWN)).map(([label, of]) => [label, ...of.map((row, k) => [withInterval(row, ""), bar(row[0], columns[k][2])])]);
  return table(caption, ["state", ...columns.map(([name]) => name)], rows);
}

/** Return the tables of where patients are at a month, and of what they have gone through by then. */
function whereTables(data, columns, month) {
  const m = data.occupiedMonths.indexOf(month), [there, entered] = [data.there, data.entered].map((known) => data.states.filter(([state]) => state in known));
  return [
    statesTable(data, `of 100 patients, at month ${month} (95 % interval)`, columns, there, (solution, state) => solution.there(state, m)),
    statesTable(data, `of 100 patients, so many by month ${month} (95 % interval)`, columns, entered, (solution, state) => solution.entered(state, m)),
  ];
}

/** Return a table that was simulated beforehand, in words. */
function simulatedTable({ caption, head, rows }) {
  const row = ([first, ...cells]) => make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((cell) => make("td", {}, cell)));
  return [make("caption", {}, caption), make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows.map(row))];
}

/* The beginning of a cell that a spreadsheet may run; an apostrophe makes it text. After OWASP, CSV injection. */
const RUNS = /^'*[=+@\t\r\n\uff0b\uff0d\uff1d\uff20-]/;

/** Return the outcomes of solutions as comma-separated values. */
function asCsv(data, columns) {
  const quoted = (text) => `"${RUNS.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`, lines = [["outcome", "setting", "estimate", "lower", "upper"]];
  for (const [name, solution, , words] of columns) {
    for (const { label, values, of } of outcomesOf(data, solution)) {
      lines.push([quoted(label), quoted(words ? `${name}: ${words}` : name), ...of(values).map((value) => (Number.isFinite(value) ? value : ""))]);
    }
  }
  return lines.map((line) => line.join(",")).join("\n");
}
