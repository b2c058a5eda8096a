/* Where patients are at a month: a patient has stays [since, state, place], in order, of which the last one lasts. */

const MOMENT = 1e-9;

/** Return the number of a patient's stay at a month; -1 before the first. */
function stayAt(stays, month) {
  let low = 0, high = stays.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stays[middle][0] <= month + MOMENT) low = middle + 1; else high = middle;
  }
  return low - 1;
}

/** Count the patients in each state at a month. */
function countsAt(data, scenario, month) {
  const counts = data.states.map(() => 0);
  for (const stays of scenario.stays) {
    const number = stayAt(stays, month);
    if (number >= 0) counts[stays[number][1]] += 1;
  }
  return counts;
}

/** Return the patients who wait for a resource at a month, those first who came first. */
function waitingAt(scenario, resource, month) {
  return scenario.waits
    .filter(([, of, since, until]) => of === resource && since <= month + MOMENT && (until === null || until > month + MOMENT))
    .sort((a, b) => a[2] - b[2] || a[0] - b[0]).map(([patient]) => patient);
}

/** Return the units of a resource at a month; null where they are not counted. */
function unitsAt(scenario, resource, month) {
  const steps = scenario.units[resource].filter(([from]) => from <= month + MOMENT);
  return steps.length ? steps.at(-1)[1] : null;
}

/** Count those alive, and all who have come, at a month. */
function aliveAt(data, counts) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const dead = counts.reduce((sum, count, k) => sum + (data.states[k].kind === "death" ? count : 0), 0);
  return [all - dead, all];
}

/** Return the rows of the table of counts at a month: [label, kind, a number a scenario]. */
function rowsAt(data, month) {
  const counts = data.scenarios.map((scenario) => countsAt(data, scenario, month));
  const rows = [["alive", "alive", counts.map((of) => aliveAt(data, of)[0])]];
  // Nobody stays at a choice.
  data.states.forEach(({ label, kind }, k) => { if (kind !== "decision" && kind !== "chance") rows.push([label, "state", counts.map((of) => of[k])]); });
  data.resources.forEach(({ name, label }, r) => {
    const inUse = counts.map((of) => of.reduce((sum, count, k) => sum + (data.states[k].holds === name ? count : 0), 0));
    rows.push([`${label} in use`, "resource", inUse.map((count, s) => {
      const units = unitsAt(data.scenarios[s], r, month);
      return units === null ? String(count) : `${count} of ${units}`;
    })]);
    rows.push([`waiting for ${label}`, "resource", data.scenarios.map((scenario) => waitingAt(scenario, r, month).length)]);
  });
  return rows;
}
