"use strict";
/* A pathway as a sum over routes, for every parameter set i:

       dead_i(t) = sum_r sign_r w_ir P_ir(t),    w_ir = sum over cells of weight x product of the shares on route r

   Path curves P hold times only. A slider moves shares, case mix or benefit: w changes, and P stays.
   Every array below has a row a parameter set; a share has one column, or one for each cell of the case mix. */

const REST = "rest";

/** Undo the differences of differences along a row, and the 16 bits: (rows, columns) numbers from 0 to `top`. */
function restored(bytes, offset, rows, columns, top) {
  const high = bytes.length / 2, values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    let level = 0, slope = 0;
    for (let column = 0; column < columns; column++) {
      const place = row * columns + column, code = bytes[offset + place] + 256 * bytes[high + offset + place];
      slope += code & 1 ? -(code + 1) / 2 : code / 2;
      level = (level + slope) & 0xffff;
      values[place] = level * top / 65535;
    }
  }
  return values;
}

/** Return the parameters' values, levers pulled: what a choice's moved branches leave is shared by the others. */
function valuesOf(data, moved) {
  const n = data.draws, values = data.parameters.map((parameter) => parameter.values);
  const now = values.map((own, p) => (p in moved ? new Float64Array(n).fill(moved[p]) : data.held[p] ?? own));
  for (const choice of data.siblings) {
    const together = choice.names.filter((p) => p in moved), others = choice.names.filter((p) => !(p in moved));
    if (!together.length || (!others.length && !choice.rest)) continue;
    for (let i = 0; i < n; i++) {
      let before = 0, had = 0, taken = 0;
      for (const p of together) { before += values[p][i]; taken += moved[p]; }
      for (const p of others) had += values[p][i];
      if (choice.rest) had = Math.max(1 - choice.fixed - before, 0);
      const left = Math.max(before + had - taken, 0);
      for (const p of others) {
        if (now[p] === values[p]) now[p] = Float64Array.from(values[p]);
        now[p][i] = had > 0 ? values[p][i] * left / had : 0;
      }
    }
  }
  return now;
}

/** Return the largest value that a parameter can have, given the others of its choices that have been moved. */
function mostOf(data, moved, parameter) {
  let most = 1;
  for (const choice of data.siblings) {
    if (!choice.names.includes(parameter)) continue;
    const taken = choice.names.filter((p) => p in moved && p !== parameter).reduce((sum, p) => sum + moved[p], 0);
    most = Math.min(most, 1 - choice.fixed - taken);
  }
  return Math.max(most, 0);
}

/** Return whether a parameter can move: in each of its choices, something that has a share takes what it leaves. */
function canMove(data, moved, parameter) {
  const hasShare = (p) => p !== parameter && !(p in moved) && data.parameters[p].values.every((value) => value > 0);
  return data.siblings.every((choice) => !choice.names.includes(parameter) || choice.rest || choice.names.some(hasShare));
}

/** Return the same of a choice; where none of its parameters has moved, what was found before. */
function choiceOf(data, choice, values) {
  const leaves = choice.branches.flatMap((branch) => [...branch.share, ...branch.open.flat()]).filter((leaf) => leaf.p !== undefined);
  if (leaves.some(({ p }) => values[p] !== data.parameters[p].values)) return choiceMade(data, choice, values);
  return (choice.today ??= choiceMade(data, choice, values));
}

/** Return the shares of a choice's branches among those to whom they are open, (draws x cells) each. */
function choiceMade(data, choice, values) {
  const n = data.draws, cells = data.cells.length, width = choice.byCell ? cells : 1;
  const read = (leaf, i) => (typeof leaf === "number" ? leaf : values[leaf.p][i]);
  const shares = choice.branches.map(() => new Float64Array(n * width));
  for (let i = 0; i < n; i++) {
    for (let cell = 0; cell < width; cell++) {
      const raw = choice.branches.map((branch) => (branch.share[cell] === REST ? 0 : read(branch.share[cell], i)));
      const rest = Math.max(1 - raw.reduce((sum, share) => sum + share, 0), 0);
      const open = choice.branches.map((branch, b) =>
        branch.open[cell].reduce((share, leaf) => share * read(leaf, i), branch.share[cell] === REST ? rest : raw[b]));
      const total = open.reduce((sum, share) => sum + share, 0);
      open.forEach((share, b) => { shares[b][i * width + cell] = share / total; });
    }
  }
  return shares;
}

/** Return the share who take each branch of the routes, those of treated patients with benefit and without apart. */
function sharesOf(data, values, benefit) {
  const n = data.draws;
  const byState = new Map(data.choices.map((choice) => [choice.state, choiceOf(data, choice, values)]));
  const names = new Map(data.choices.map((choice) => [choice.state, choice.branches.map((branch) => branch.name)]));
  return data.branches.map(({ state, name, among: others, who }) => {
    const shares = byState.get(state), own = shares[names.get(state).indexOf(name)], width = own.length / n;
    if (!others.length && !who) return own;
    const open = others.map((other) => shares[names.get(state).indexOf(other)]), byCell = data.practice.length > n;
    return Float64Array.from(own, (whole, place) => {
      const total = open.reduce((sum, other) => sum + other[place], 0), among = total === 0 ? 1 / open.length : whole / total;
      const share = open.length ? among : whole;
      if (!who) return share;
      const i = Math.floor(place / width), practice = data.practice[byCell ? place : i];
      const without = (1 - (typeof benefit === "number" ? benefit : benefit[i])) * Math.max(share - practice, 0);
      return who === "without benefit" ? without : share - without;
    });
  });
}

/** Return the weights of the cells of the case mix under new margins {attribute: [a weight a level]}. */
function weightsOf(data, margins) {
  const tables = data.joints.map(({ of, levels, shares }) => {
    const joint = Float64Array.from(shares);
    const moved = of.map((attribute, axis) => [axis, margins[attribute]]).filter(([, margin]) => margin);
    for (let round = 0; round < (moved.length > 1 || of.length > 1 ? 200 : 1); round++) {
      for (const [axis, margin] of moved) {
        const total = margin.reduce((sum, weight) => sum + weight, 0), had = new Float64Array(margin.length);
        joint.forEach((share, place) => { had[levels[place][axis]] += share; });
        joint.forEach((share, place) => {
          const level = levels[place][axis];
          joint[place] = had[level] > 0 ? share * margin[level] / total / had[level] : 0;
        });
      }
    }
    return joint;
  });
  return data.cells.map((places) => places.reduce((weight, place, t) => weight * tables[t][place], 1));
}

/** Return w of a route in every parameter set: the product of its shares, added up over the cells that go along it. */
function routeShare(data, branches, mask, shares, weights) {
  const n = data.draws, cells = weights.length;
  const going = weights.map((weight, cell) => (mask < 0 || data.masks[mask][cell] ? weight : 0));
  const alike = branches.filter((b) => shares[b].length === n), apart = branches.filter((b) => shares[b].length > n);
  const total = new Float64Array(n).fill(going.reduce((sum, weight) => sum + weight, 0));
  for (let i = 0; apart.length && i < n; i++) {
    total[i] = 0;
    for (let cell = 0; cell < cells; cell++) {
      let share = going[cell];
      for (const b of apart) share *= shares[b][i * cells + cell];
      total[i] += share;
    }
  }
  for (const b of alike) for (let i = 0; i < n; i++) total[i] *= shares[b][i];
  return total;
}

/** Return path -> its coefficient in every parameter set: sum_r sign_r w_ir of the routes that go along it. */
function coefficients(data, routes, productOf) {
  const found = new Map();
  for (const [path, sign, branches, mask] of routes) {
    if (!found.has(path)) found.set(path, new Float64Array(data.draws));
    const total = found.get(path), share = productOf(branches, mask);
    for (let i = 0; i < share.length; i++) total[i] += sign * share[i];
  }
  return found;
}

/** Return the sum of path curves in the columns from `first` to before `end`, (draws x (end - first)). */
function summed(data, found, curves, columns, first = 0, end = columns) {
  const n = data.draws, width = end - first, total = new Float64Array(n * width);
  for (const [path, coefficient] of found) {
    const curve = curves.get(path), single = curve.length === columns;
    for (let i = 0; i < n; i++) {
      const share = coefficient[i], from = (single ? 0 : i * columns) + first;
      if (share !== 0) for (let t = 0; t < width; t++) total[i * width + t] += share * curve[from + t];
    }
  }
  return total;
}

/** Return the first month at which fewer than half are alive; Infinity where there is none. Between its months a curve
   is the monotone cubic of Fritsch & Butland (1984, SIAM J Sci Stat Comput 5:300). */
function medianOf(months, alive) {
  const after = months.findIndex((_, t) => alive(t) < 0.5), before = after - 1;
  if (after < 1) return after < 0 ? Infinity : months[0];
  const width = (t) => months[t + 1] - months[t], secant = (t) => (alive(t + 1) - alive(t)) / width(t);
  const slope = (t) => {
    if (t === 0 || t === months.length - 1) return secant(before);
    const [early, late, h, k] = [secant(t - 1), secant(t), width(t - 1), width(t)];
    return early * late > 0 ? 3 * (h + k) / ((h + 2 * k) / early + (2 * h + k) / late) : 0;
  };
  const ends = [alive(before), alive(after), width(before) * slope(before), width(before) * slope(after)];
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 30; halving++) {
    const x = (low + high) / 2, y = 1 - x;
    const at = ends[0] * (1 + 2 * x) * y * y + ends[1] * (1 + 2 * y) * x * x + x * y * (ends[2] * y - ends[3] * x);
    if (at < 0.5) high = x; else low = x;
  }
  return months[before] + width(before) * high;
}

/** Solve a setting {moved: {parameter: share}, margins, benefit}: in parameter set i how many are alive at month t, and
   in all of them how many are in a state at a month, have entered it by then, or are counted. `isClosed` : no branch of
   a choice is open to some patients, so that there are no numbers. With an `alternative`, by the routes that patients
   go where a lever has another value. */
function solve(page, setting) {
  const data = { ...page, ...page.alternatives[setting.alternative] };
  const shares = sharesOf(data, valuesOf(data, setting.moved), setting.benefit), weights = weightsOf(data, setting.margins);
  const columns = data.months.length + data.integrated.length, products = new Map();
  const productOf = (branches, mask) => {
    const key = `${branches} ${mask}`;
    if (!products.has(key)) products.set(key, routeShare(data, branches, mask, shares, weights));
    return products.get(key);
  };
  const dead = summed(data, coefficients(data, data.deaths, productOf), data.curves, columns);
  const alive = (i, t) => 1 - dead[i * columns + t];
  const read = (routes, column) => summed(data, coefficients(data, routes, productOf), data.occupied, data.occupiedMonths.length + 1, column, column + 1);
  return {
    alive,
    isClosed: shares.some((of) => of.some(Number.isNaN)),
    median: (i) => medianOf(data.months, (t) => alive(i, t)),
    mean: (i, m) => data.means[m] - dead[i * columns + data.months.length + m],
    there: (state, m) => read(data.there[state], m),
    entered: (state, m) => read(data.entered[state], m),
    count: (name) => read(data.counts[name].routes, data.counts[name].column),
  };
}

/** Return how many of 100 additional patients have to benefit for `margin` more alive, of `none` and `every` if none and
   all of them do: survival is linear in it. Below 0 none has to; without benefit in treatment it is 0 or Infinity. */
function leastBenefit(none, every, margin) {
  if (every - none > 1e-7) return 100 * (margin - none) / (every - none);
  return none >= margin ? 0 : Infinity;
}

/** Return a quantile of sorted values, linear between two of them; infinite where one of the two is. */
function quantile(sorted, p) {
  const at = p * (sorted.length - 1), below = Math.floor(at), low = sorted[below];
  return at > below && Number.isFinite(low) ? low + (at - below) * (sorted[below + 1] - low) : low;
}

/** Return mean, 2.5 % and 97.5 % quantile of some values. */
function summary(values) {
  const sorted = Float64Array.from(values).sort(), mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const [low, high] = [0.025, 0.975].map((p) => quantile(sorted, p));
  return sorted.length > 1 ? [mean, Math.min(low, mean), Math.max(high, mean)] : [mean, NaN, NaN];
}

/** Return median, 2.5 % and 97.5 % quantile of values that may be infinite; NaN, no difference, is left out. */
function middle(values) {
  const sorted = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  if (!sorted.length) return [NaN, NaN, NaN];
  return [0.5, 0.025, 0.975].map((p, k) => (k && sorted.length < 2 ? NaN : quantile(sorted, p)));
}

if (typeof module !== "undefined") module.exports = { restored, valuesOf, mostOf, canMove, weightsOf, medianOf, leastBenefit, solve, summary, middle };
