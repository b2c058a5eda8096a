"use strict";
/* Calls functions of model.js, whose path is the argument, as JSON on standard input asks: {data, calls: [[name, ...]]}. */

const model = require(process.argv[2]), { data, calls } = JSON.parse(require("fs").readFileSync(0));

if (data) {
  for (const parameter of data.parameters) parameter.values = Float64Array.from(parameter.values);
  for (const key of ["curves", "occupied"]) {
    data[key] = new Map(Object.entries(data[key]).map(([path, curve]) => [Number(path), Float64Array.from(curve)]));
  }
}

/* JSON has no infinite numbers. */
const NUMBERS = { inf: Infinity, nan: NaN };
const given = (value) => (Array.isArray(value) ? value.map(given) : NUMBERS[value] ?? value);
function plain(value) {
  if (typeof value === "object") return Array.from(value, plain);
  return Number.isFinite(value) ? value : String(value);
}

/** Return everything that a solution says, at the third month of occupancy. */
function rows(setting) {
  const solved = model.solve(data, setting), sets = Array.from({ length: data.draws }, (_, i) => i);
  const known = (routes, read) => Object.keys(routes).map(read);
  return [
    sets.map((i) => data.months.map((_, t) => solved.alive(i, t))),
    sets.map((i) => data.means.map((_, m) => solved.mean(i, m))),
    known(data.there, (state) => solved.there(state, 2)),
    known(data.entered, (state) => solved.entered(state, 2)),
    known(data.counts, (name) => solved.count(name)),
  ];
}

const functions = {
  ...model,
  rows,
  isClosed: (setting) => [model.solve(data, setting).isClosed].map(Number),
  canMove: (...values) => [model.canMove(data, ...values)].map(Number),
  mostOf: (...values) => model.mostOf(data, ...values),
  valuesOf: (...values) => model.valuesOf(data, ...values),
  medianOf: (months, alive) => model.medianOf(months, (t) => alive[t]),
  restored: (bytes, ...values) => model.restored(Uint8Array.from(bytes), ...values),
};
process.stdout.write(JSON.stringify(calls.map(([name, ...values]) => plain(functions[name](...values.map(given))))));
