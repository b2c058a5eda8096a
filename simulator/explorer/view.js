"use strict";
/* The page: sliders set a setting, the model solves it, and everything that is shown is drawn from the two solutions. */

const $ = (id) => document.getElementById(id);
const WIDTH = 720, LEFT = 54, RIGHT = 590, TOP = 16, BOTTOM = 376;

/** Make an element with attributes and children; text is never markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function draw(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function read() {
  const data = JSON.parse($("data").textContent), bytes = await unpacked(data.block);
  for (const parameter of data.parameters) parameter.values = Float64Array.from(parameter.values);
  data.practice = Float64Array.from(data.practice);
  data.cohorts = data.cohorts && Float64Array.from(data.cohorts);
  const months = data.months.length, columns = months + data.means.length;
  const curves = new Map(), occupied = new Map();
  for (const [path, [place, rows]] of Object.entries(data.curves)) {
    const curve = restored(bytes, place, rows, columns, 1);
    data.means.forEach((month, m) => { for (let i = 0; i < rows; i++) curve[i * columns + months + m] *= month; });
    curves.set(Number(path), curve);
  }
  for (const [path, [place, rows]] of Object.entries(data.occupied)) {
    occupied.set(Number(path), restored(bytes, place, rows, data.occupiedMonths.length, 1));
  }
  return Object.assign(data, { curves, occupied });
}

class Explorer {
  constructor(data) {
    this.data = data;
    this.today = { moved: data.moved, margins: {}, benefit: data.benefit };
    this.setting = structuredClone(this.today);
    this.pinned = [];
    this.bases = new Map();
    this.place = new Map(data.parameters.map((parameter, p) => [parameter.name, p]));
    this.rows = [];
    this.build();
    this.fromAddress();
    window.addEventListener("hashchange", () => { if (location.hash.slice(1) !== this.address) { this.fromAddress(); this.show(); } });
    this.show();
  }

  /* Controls */

  build() {
    const { data } = this, first = make("div"), more = make("details", {}, make("summary", {}, "Responses, toxicity, case mix"));
    for (const slider of data.sliders) {
      const parameter = data.parameters[slider.parameter];
      (parameter.lever ? first : more).append(this.shareRow(slider.parameter));
    }
    for (const mix of data.mixes) more.append(this.mixRow(mix));
    if (data.hasBenefit) first.append(this.benefitRow());
    $("sliders").append(first, more);
    if (data.fixed.length) {
      const items = data.fixed.map(([name, reason]) => make("li", {}, `${name}: ${reason}`));
      $("sliders").append(make("details", {}, make("summary", {}, "What this page cannot move"), make("ul", {}, ...items)));
    }
    Object.assign($("month"), { min: 0, max: data.months.length - 1, step: 1, value: data.months.indexOf(data.answer) });
    $("month").addEventListener("input", () => this.show());
    for (const month of data.occupiedMonths) $("at").append(make("option", { value: month }, String(month)));
    $("at").value = data.answer;
    $("at").addEventListener("change", () => this.show());
    $("centre").value = data.centre;
    $("centre-label").textContent = `${data.patients} a year at my centre`;
    $("centre").addEventListener("input", () => this.show());
    for (const preset of data.presets) {
      const button = make("button", { type: "button" }, preset.title);
      button.addEventListener("click", () => { this.set(preset); this.show(); });
      $("presets").append(button, " ");
    }
    this.file("toml", "application/toml", () => this.toml());
    this.file("csv", "text/csv", () => this.csv());
    this.file("svg", "image/svg+xml", () => new XMLSerializer().serializeToString($("survival")));
    $("back").addEventListener("click", () => { this.setting = structuredClone(this.today); this.show(); });
    $("pin").addEventListener("click", () => { this.pinned = [...this.pinned, structuredClone(this.setting)].slice(-4); this.show(); });
    for (const limit of data.limits) $("limits").append(make("li", {}, limit));
    $("survival").addEventListener("pointermove", (event) => {
      const box = $("survival").getBoundingClientRect(), month = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (RIGHT - LEFT) * data.months.at(-1);
      const near = data.months.reduce((best, m, t) => (Math.abs(m - month) < Math.abs(data.months[best] - month) ? t : best), 0);
      if (Number($("month").value) !== near) { $("month").value = near; this.reading(); }
    });
  }

  set({ moved, margins, benefit }) {
    const places = Object.entries(moved).map(([name, value]) => [this.place.get(name), value]);
    this.setting = { moved: Object.fromEntries(places), margins: structuredClone(margins), benefit };
  }

  row(id, label, about, source, range, onInput, onBack) {
    const input = make("input", { type: "range", id, min: 0, max: range, step: 1, "aria-describedby": `${id}-about` });
    const output = make("output", { for: id, id: `${id}-now` });
    const back = make("button", { type: "button", "aria-label": `${label}: back` }, "back");
    const details = make("details", {}, make("summary", {}, "where from"), make("p", { class: "note" }, source));
    input.addEventListener("input", () => { onInput(Number(input.value)); this.soon(); });
    back.addEventListener("click", () => { onBack(); this.show(); });
    const row = make("div", { class: "slider" }, make("label", { for: id }, label), output, input, back, make("span", { class: "note", id: `${id}-about` }, about), details);
    return { row, input, output, back };
  }

  shareRow(p) {
    const { data } = this, parameter = data.parameters[p], own = PER * summary(valuesOf(data, data.moved)[p])[0];
    const label = parameter.meaning;
    const set = (value) => { this.setting.moved[p] = Math.min(value / PER, mostOf(data, this.setting.moved, p)); };
    const back = () => { if (p in data.moved) this.setting.moved[p] = data.moved[p]; else delete this.setting.moved[p]; };
    const made = this.row(`p-${parameter.name}`, label, `${data.before} ${shown(own)} of 100`, `${parameter.name}. ${parameter.source}`, PER, set, back);
    this.rows.push(() => {
      const value = PER * summary(this.values[p])[0];
      made.input.value = Math.round(value);
      made.input.setAttribute("aria-valuetext", `${shown(value)} of 100`);
      made.output.value = `${shown(value)} of 100`;
      made.back.disabled = this.setting.moved[p] === data.moved[p];
    });
    return made.row;
  }

  mixRow({ attribute, label, levels, shares, source }) {
    const box = make("fieldset", {}, make("legend", {}, label));
    const now = () => this.setting.margins[attribute] || shares.map((share) => PER * share);
    levels.forEach((level, l) => {
      const set = (value) => {
        const had = now(), rest = had.reduce((sum, weight, k) => sum + (k === l ? 0 : weight), 0);
        this.setting.margins[attribute] = had.map((weight, k) => (k === l ? value : rest > 0 ? weight * (PER - value) / rest : (PER - value) / (had.length - 1)));
      };
      const made = this.row(`mix-${attribute}-${l}`, level, `${this.data.before} ${shown(PER * shares[l])} of 100`, source, PER, set, () => { delete this.setting.margins[attribute]; });
      this.rows.push(() => {
        made.input.value = Math.round(now()[l]);
        made.input.setAttribute("aria-valuetext", `${shown(now()[l])} of 100`);
        made.output.value = `${shown(now()[l])} of 100`;
        made.back.disabled = !(attribute in this.setting.margins);
      });
      box.append(made.row);
    });
    return box;
  }

  benefitRow() {
    const { data } = this;
    const made = this.row("benefit", "additional patients who benefit as today's treated patients do", data.benefitWords, data.benefitSource, PER,
      (value) => { this.setting.benefit = value / PER; }, () => { this.setting.benefit = data.benefit; });
    this.rows.push(() => {
      const value = PER * this.setting.benefit;
      made.input.value = Math.round(value);
      made.input.setAttribute("aria-valuetext", `${shown(value)} of 100`);
      made.output.value = `${shown(value)} of 100`;
      made.back.disabled = this.setting.benefit === data.benefit;
    });
    return made.row;
  }

  soon() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.show(); });
  }

  /* The address */

  get address() {
    const pairs = new URLSearchParams(), { data, setting } = this;
    for (const [p, value] of Object.entries(setting.moved)) if (value !== data.moved[p]) pairs.set(data.parameters[p].name, written(value));
    for (const [attribute, margin] of Object.entries(setting.margins)) pairs.set(`mix.${attribute}`, margin.map(written).join(","));
    if (setting.benefit !== data.benefit) pairs.set("benefit", written(setting.benefit));
    return pairs.toString();
  }

  fromAddress() {
    const { data } = this, share = (text) => (text.trim() !== "" && Number(text) >= 0 && Number(text) <= 1 ? Number(text) : null);
    this.setting = structuredClone(this.today);
    for (const [key, text] of new URLSearchParams(location.hash.slice(1))) {
      const mix = data.mixes.find(({ attribute }) => key === `mix.${attribute}`), p = this.place.get(key);
      if (key === "benefit" && data.hasBenefit && share(text) !== null) this.setting.benefit = share(text);
      else if (data.sliders.some((slider) => slider.parameter === p) && share(text) !== null) this.setting.moved[p] = Math.min(share(text), mostOf(data, this.setting.moved, p));
      else if (mix) {
        const margin = text.split(",").map(Number);
        if (margin.length === mix.levels.length && margin.every((weight) => weight >= 0 && Number.isFinite(weight)) && margin.some((weight) => weight > 0)) this.setting.margins[mix.attribute] = margin;
      }
    }
  }

  /* What is shown */

  get isToday() { return this.address === "" || (!this.data.raised && /^benefit=[^&]*$/.test(this.address)); }

  show() {
    const begun = performance.now();
    this.base = this.todayAt(this.setting.benefit);
    this.now = this.isToday ? this.base : solve(this.data, this.setting);
    this.values = valuesOf(this.data, this.setting.moved);
    this.rows.forEach((row) => row());
    this.answer();
    this.figure();
    this.reading();
    this.numbers();
    this.where();
    this.command();
    history.replaceState(null, "", this.address ? `#${this.address}` : location.pathname + location.search);
    window.took = performance.now() - begun;
  }

  /** Today, where additional patients benefit as a setting has it: a base may treat more than the reference, too. */
  todayAt(benefit) {
    const key = this.data.raised ? benefit : this.today.benefit;
    if (!this.bases.has(key)) this.bases.set(key, solve(this.data, { ...this.today, benefit: key }));
    return this.bases.get(key);
  }

  column(read) { return Float64Array.from({ length: this.data.draws }, (_, i) => read(i)); }

  aliveAt(solution, month) { const t = this.data.months.indexOf(month); return this.column((i) => PER * solution.alive(i, t)); }

  moreAt(month, of = this.now) { const t = this.data.months.indexOf(month); return this.column((i) => PER * (of.alive(i, t) - this.base.alive(i, t))); }

  answer() {
    const { data } = this, row = summary(this.aliveAt(this.now, data.answer));
    const within = Number.isFinite(row[1]) ? ` (95 % interval ${interval(row, "")})` : "";
    const alive = `${shown(row[0], "")} of 100${within} are alive at ${data.answer} months in the model`, more = difference(this.moreAt(data.answer), data.before === "today" ? "today" : `under ${data.before}`);
    $("answer").textContent = this.isToday ? `${data.lead}: ${alive}. Move a slider.` : `With this setting, ${alive}: ${more}.`;
    $("estimates").textContent = this.estimates();
    $("assumes").textContent = this.assumption();
  }

  assumption() {
    const { data, setting } = this, parts = ["A simulation of stated assumptions, not the effect of a treatment."];
    if (this.hasAdditional) parts.push(`Assumed: ${shown(PER * setting.benefit)} of 100 additional patients benefit as today's treated patients do.`);
    if (data.resources.length) parts.push(`Assumed: there are always enough ${data.resources.join(" and ")}.`);
    return [...parts, data.before !== "today" && data.assumes ? `${data.lead} assumes: ${data.assumes}` : ""].join(" ");
  }

  /** A setting in words: what differs from the base. */
  described({ moved, margins, benefit }) {
    const { data } = this, parts = Object.entries(moved).filter(([p, value]) => value !== data.moved[p]).map(([p, value]) => `${data.parameters[p].meaning}: ${shown(PER * value)} of 100`);
    for (const [attribute, margin] of Object.entries(margins)) {
      const mix = data.mixes.find((one) => one.attribute === attribute), total = margin.reduce((sum, weight) => sum + weight, 0);
      parts.push(`${mix.label}: ${mix.levels.map((level, l) => `${level} ${shown(PER * margin[l] / total)} of 100`).join(", ")}`);
    }
    if (benefit !== data.benefit) parts.push(`additional patients who benefit: ${shown(PER * benefit)} of 100`);
    return parts.length ? `This setting: ${parts.join("; ")}.` : "";
  }

  /** Cautious estimate, and the share of additional patients that must benefit: survival is linear in it. */
  estimates() {
    const { data, setting } = this;
    this.hasAdditional = false;
    if (!data.hasBenefit || this.isToday) return "";
    const t = data.months.indexOf(data.answer), ends = [0, 1].map((benefit) => [solve(data, { ...setting, benefit }), this.todayAt(benefit)]);
    const [none, every] = ends.map(([now, base]) => this.column((i) => PER * (now.alive(i, t) - base.alive(i, t))));
    if (none.every((more, i) => Math.abs(more - every[i]) < 1e-7)) return "";
    this.hasAdditional = true;
    const parts = [];
    if (data.cohorts) {
      const cautious = this.column((i) => data.cohorts[i] * every[i] + (1 - data.cohorts[i]) * none[i]);
      parts.push(`If additional patients benefit as other cohorts suggest: ${difference(cautious)}.`);
    }
    if (summary(every)[0] <= summary(none)[0]) return parts.join(" ");
    const least = this.column((i) => PER * (data.margin - none[i]) / (every[i] - none[i])).sort();
    const quantile = (p) => least[Math.round(p * (least.length - 1))], middle = quantile(0.5);
    const within = [0.025, 0.975].map((p) => shown(Math.min(Math.max(quantile(p), 0), PER), "", middle)).join(" to ");
    parts.push(middle <= 0 ? `${data.margin} more of 100 are alive even if none of them benefits.`
      : middle > PER ? `Even if all of them benefit, fewer than ${data.margin} more of 100 are alive.`
      : `For ${data.margin} more of 100, ${shown(middle)} % of them have to benefit (95 % interval ${within}).`);
    return parts.join(" ");
  }

  figure() {
    const { data } = this, last = data.months.at(-1), x = (month) => LEFT + (RIGHT - LEFT) * month / last, y = (share) => BOTTOM - (BOTTOM - TOP) * share;
    const parts = [], step = last > 60 ? 24 : last > 24 ? 12 : 6;
    for (let month = 0; month <= last; month += step) parts.push(draw("text", { x: x(month), y: BOTTOM + 18, class: "middle" }, String(month)));
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      parts.push(draw("line", { x1: LEFT, x2: RIGHT, y1: y(share), y2: y(share), class: "grid" }), draw("text", { x: LEFT - 6, y: y(share) + 4, class: "end" }, `${PER * share} %`));
    }
    parts.push(draw("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 38, class: "middle" }, `months after ${data.clock}`));
    const line = (values) => values.map((value, t) => `${t ? "L" : "M"}${x(data.months[t]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const all = (solution) => data.months.map((_, t) => summary(this.column((i) => solution.alive(i, t))));
    const drawn = [["today", data.lead, this.base], ...(this.isToday ? [] : [["setting", "This setting", this.now]])];
    const ends = [];
    for (const [name, label, solution] of drawn) {
      const of = all(solution), hasBand = Number.isFinite(of[0][1]), upper = line(of.map((row) => row[2])), lower = of.map((row, t) => `L${x(data.months[t]).toFixed(1)} ${y(row[1]).toFixed(1)}`).reverse().join("");
      if (hasBand) parts.push(draw("path", { d: `${upper}${lower}Z`, class: `band ${name}` }));
      parts.push(draw("path", { d: line(of.map((row) => row[0])), class: `line ${name}` }));
      ends.push([y(of.at(-1)[0]), label, name]);
    }
    this.pinned.forEach((setting, k) => {
      const of = all(solve(data, setting));
      parts.push(draw("path", { d: line(of.map((row) => row[0])), class: `line pinned pin${k}` }));
      ends.push([y(of.at(-1)[0]), `Kept ${k + 1}`, `pin${k}`]);
    });
    ends.sort((a, b) => a[0] - b[0]);
    ends.forEach((end, k) => { if (k) end[0] = Math.max(end[0], ends[k - 1][0] + 17); });
    for (const [height, label, name] of ends) parts.push(draw("text", { x: RIGHT + 8, y: height + 4, class: `name ${name}` }, label));
    for (const { month, value, low, high } of data.reported) {
      parts.push(draw("line", { x1: x(month), x2: x(month), y1: y(low), y2: y(high), class: "reported" }), draw("circle", { cx: x(month), cy: y(value), r: 4, class: "reported" }));
    }
    $("drawing").replaceChildren(...parts);
    $("survival-alt").textContent = $("answer").textContent;
    $("marks").textContent = `${data.draws > 1 ? `Bands: 95 % interval over ${data.draws} parameter sets.` : "One parameter set: no intervals."}${data.reported.length ? ` Circles: reported (${data.cohort}), with 1.96 standard errors.` : ""} ${data.of} ${data.extrapolation}${data.draws > 1 && data.draws < 40 ? " So few parameter sets give rough intervals." : ""}`;
    $("setting").textContent = this.described(this.setting);
    $("kept").replaceChildren(...this.pinned.map((setting, k) => make("li", {}, `Kept ${k + 1}. ${this.described(setting)}`)));
  }

  reading() {
    const { data } = this, t = Number($("month").value), month = data.months[t];
    const read = (solution) => `${withInterval(summary(this.column((i) => PER * solution.alive(i, t))), "")} of 100`;
    const words = this.isToday ? `${data.lead}: ${read(this.base)} are alive.` : `${data.lead}: ${read(this.base)} are alive; with this setting ${read(this.now)}.`;
    $("month-read").value = String(month);
    $("month").setAttribute("aria-valuetext", `month ${month}`);
    $("read").textContent = `At month ${month}: ${words}`;
    const at = LEFT + (RIGHT - LEFT) * month / data.months.at(-1);
    $("drawing").querySelector(".cursor")?.remove();
    $("drawing").append(draw("line", { x1: at, x2: at, y1: TOP, y2: BOTTOM, class: "cursor" }));
  }

  /** Outcomes of a solution: [words, unit, values, per patient]. */
  outcomes(solution) {
    const { data } = this, last = data.occupiedMonths.length;
    const rows = data.survival.map((month) => [`alive at ${month} months, of 100`, "", this.aliveAt(solution, month), true]);
    data.means.forEach((month, m) => rows.push([`mean survival to month ${month}, months`, "months", this.column((i) => solution.mean(i, m)), false]));
    for (const [name, label] of data.countLabels) {
      const entered = solution.count(name);
      rows.push([`${label} to month ${data.months.at(-1)}, per 100`, "", this.column((i) => PER * entered[(i + 1) * last - 1]), true]);
    }
    return rows;
  }

  numbers() {
    const centre = Math.max(Number($("centre").value) || 0, 0), solutions = [[this.data.lead, this.base], ...(this.isToday ? [] : [["This setting", this.now]]), ...this.pinned.map((setting, k) => [`Kept ${k + 1}`, solve(this.data, setting)])];
    const tables = solutions.map(([, solution]) => this.outcomes(solution));
    const head = make("tr", {}, make("th", { scope: "col" }, "outcome (95 % interval)"), ...solutions.map(([name]) => make("th", { scope: "col" }, name)));
    if (!this.isToday) head.append(make("th", { scope: "col" }, `this setting less ${this.data.before}`));
    const body = tables[0].map(([label, unit], k) => {
      const cells = tables.map((rows) => make("td", {}, withInterval(summary(rows[k][2]), unit)));
      if (!this.isToday) cells.push(make("td", {}, withInterval(summary(tables[1][k][2].map((value, i) => value - tables[0][k][2][i])), unit)));
      return make("tr", {}, make("th", { scope: "row" }, label), ...cells);
    });
    if (centre) {
      tables[0].forEach(([label, , , perPatient], k) => {
        if (!perPatient) return;
        const cells = tables.map((rows) => make("td", {}, shown(summary(rows[k][2])[0] * centre / PER)));
        body.push(make("tr", {}, make("th", { scope: "row" }, `${label.replace(/, (of|per) 100$/, "")}, of ${centre} a year`), ...cells, ...(this.isToday ? [] : [make("td", {}, "")])));
      });
    }
    $("numbers").replaceChildren(make("caption", {}, `${this.data.draws} parameter sets`), make("thead", {}, head), make("tbody", {}, ...body));
  }

  where() {
    const { data } = this, place = data.occupiedMonths.indexOf(Number($("at").value)), width = data.occupiedMonths.length;
    const share = (solution, state) => { const there = solution.where(state); return summary(this.column((i) => PER * there[i * width + place])); };
    const head = make("tr", {}, ...["state", data.before, ...(this.isToday ? [] : ["this setting"])].map((name) => make("th", { scope: "col" }, name)));
    const body = data.states.filter(([state]) => state in data.there).map(([state, label]) => {
      const rows = [this.base, ...(this.isToday ? [] : [this.now])].map((solution) => share(solution, state));
      return rows.some((row) => row[0] >= 0.05) ? make("tr", {}, make("th", { scope: "row" }, label), ...rows.map((row) => make("td", {}, withInterval(row, "")))) : null;
    });
    $("where").replaceChildren(make("caption", {}, "of 100 patients (95 % interval)"), make("thead", {}, head), make("tbody", {}, ...body.filter(Boolean)));
  }

  /* Files */

  toml() {
    const { data, setting } = this, lines = ['title = "A setting of the explorer"', `assumes = ${JSON.stringify(data.assumes || "as its base")}`, `base = ${JSON.stringify(data.base)}`];
    if (data.hasBenefit) lines.push(`marginal_benefit = ${written(setting.benefit)}`);
    const moved = Object.entries(setting.moved).filter(([p, value]) => value !== data.moved[p]), mixes = Object.entries(setting.margins);
    if (moved.length) lines.push("", "[set]", ...moved.map(([p, value]) => `${data.parameters[p].name} = ${written(value)}`));
    if (mixes.length) {
      lines.push("", "[population]");
      for (const [attribute, margin] of mixes) {
        const mix = data.mixes.find((one) => one.attribute === attribute);
        lines.push(`${attribute} = { ${mix.names.map((name, l) => `${name} = ${written(margin[l])}`).join(", ")} }`);
      }
    }
    return `${lines.join("\n")}\n`;
  }

  csv() {
    const rows = [["outcome", "setting", "estimate", "lower", "upper"]], quoted = (text) => `"${text.replaceAll('"', '""')}"`;
    for (const [name, solution] of [[this.data.before, this.base], ["setting", this.now]]) {
      for (const [label, , values] of this.outcomes(solution)) rows.push([quoted(label), name, ...summary(values)]);
    }
    return rows.map((row) => row.join(",")).join("\n");
  }

  /** Make a file when it is asked for, before the browser follows the link. */
  file(id, type, text) {
    $(id).addEventListener("click", () => {
      URL.revokeObjectURL($(id).href);
      $(id).href = URL.createObjectURL(new Blob([text()], { type }));
    });
  }

  command() {
    $("command").textContent = `aftercart compare ${this.data.base} setting.toml --draws ${this.data.draws} --horizon ${this.data.months.at(-1)}`;
  }
}

read().then((data) => { window.explorer = new Explorer(data); document.documentElement.dataset.ready = "yes"; });
