/* The page: sliders set a setting, the model solves it, and everything that is shown is drawn from the two solutions. */

const $ = (id) => document.getElementById(id);

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function readData() {
  const data = JSON.parse($("data").textContent), bytes = await unpacked(data.block);
  for (const parameter of data.parameters) parameter.values = Float64Array.from(parameter.values);
  data.practice = Float64Array.from(data.practice);
  data.cohorts = data.cohorts && Float64Array.from(data.cohorts);
  const months = data.months.length, columns = months + data.integrated.length;
  const curves = new Map(), occupied = new Map();
  for (const [path, [place, rows]] of Object.entries(data.curves)) {
    const curve = restored(bytes, place, rows, columns, 1);
    data.integrated.forEach((month, m) => { for (let i = 0; i < rows; i++) curve[i * columns + months + m] *= month; });
    curves.set(Number(path), curve);
  }
  for (const [path, [place, rows]] of Object.entries(data.occupied)) {
    const wide = data.occupiedMonths.length + 1, curve = restored(bytes, place, rows, wide, 1);
    for (let i = 1; i <= rows; i++) curve[i * wide - 1] *= data.months.at(-1);
    occupied.set(Number(path), curve);
  }
  // Occupancy takes the same paths in fewer months, and the last integral.
  const at = [...data.occupiedMonths.map((month) => data.months.indexOf(month)), columns - 1], width = at.length;
  for (const [path, curve] of curves) {
    occupied.set(path, Float64Array.from({ length: curve.length / columns * width }, (_, k) => curve[Math.floor(k / width) * columns + at[k % width]]));
  }
  return Object.assign(data, { curves, occupied });
}

class Explorer {
  constructor(data) {
    this.data = data;
    this.setting = baseOf(data);
    this.kept = [];
    this.bases = new Map();
    this.rows = [];
    this.build();
    this.fromAddress();
    window.addEventListener("resize", () => this.soon());
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
    data.levers.forEach((lever, k) => first.append(leverButtons(this, lever, k, (place) => { this.setting.alternative = place; this.show(); })));
    if (data.levers.length > 1) first.append(make("p", { class: "note" }, "One of these at a time: no two of them were solved together."));
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
    $("toml").download = fileOf(data);
    this.file("toml", "application/toml", () => asToml(data, this.setting));
    this.file("csv", "text/csv", () => asCsv(data, this.columns));
    this.file("svg", "image/svg+xml", () => asSvg($("survival")));
    $("back").addEventListener("click", () => { this.setting = baseOf(data); this.show(); });
    $("keep").addEventListener("click", () => { this.keep(structuredClone(this.setting)); this.show(); });
    [$("numbers-note").textContent, $("centre-note").textContent] = [medianNote(data), centreNote(data)];
    $("queue").hidden = !data.queue;
    if (data.queue) {
      $("waits").append(...simulatedTable(data.queue));
      $("waits-note").textContent = data.queue.note;
    }
    for (const limit of data.limits) $("limits").append(make("li", {}, limit));
    $("survival").addEventListener("pointermove", (event) => {
      const box = $("survival").getBoundingClientRect(), { width, left, right } = frameOf(data);
      const month = ((event.clientX - box.left) / box.width * width - left) / (right - left) * data.months.at(-1);
      const near = data.months.reduce((best, m, t) => (Math.abs(m - month) < Math.abs(data.months[best] - month) ? t : best), 0);
      if (Number($("month").value) !== near) { $("month").value = near; this.reading(); }
    });
  }

  set({ moved, margins, benefit }) {
    const places = Object.entries(moved).map(([name, value]) => [this.data.parameters.findIndex((parameter) => parameter.name === name), value]);
    this.setting = { moved: { ...this.data.moved, ...Object.fromEntries(places) }, margins: structuredClone(margins), benefit };
  }

  row(id, label, about, source, range, onInput, onBack) {
    const input = make("input", { type: "range", id, min: 0, max: range, step: 1, "aria-describedby": `${id}-about` });
    const output = make("output", { for: id, id: `${id}-now` });
    const back = make("button", { type: "button", "aria-label": `${label}: back` }, "back");
    const details = make("details", {}, make("summary", {}, "where from"), make("p", { class: "note" }, source));
    input.addEventListener("input", () => { onInput(Number(input.value)); this.soon(); });
    back.addEventListener("click", () => { onBack(); this.show(); });
    const note = make("span", { class: "note", id: `${id}-about` }, about);
    const row = make("div", { class: "slider" }, make("label", { for: id }, label), output, input, back, note, details);
    return { row, input, output, back, about: note };
  }

  shareRow(p) {
    const { data } = this, parameter = data.parameters[p], own = PER * summary(valuesOf(data, data.moved)[p])[0];
    const label = parameter.meaning;
    const set = (value) => moveShare(data, this.setting.moved, p, value / PER);
    const back = () => { delete this.setting.moved[p]; if (p in data.moved) moveShare(data, this.setting.moved, p, data.moved[p]); };
    const made = this.row(`p-${parameter.name}`, label, "", `${parameter.name}. ${parameter.source}`, PER, set, back);
    this.rows.push(() => {
      const value = PER * summary(this.values[p])[0], isFree = canMove(data, this.setting.moved, p);
      const words = `${shown(value)} of 100`;
      made.about.textContent = `${data.before} ${shown(own)} of 100${isFree ? "" : "; now what the others leave"}`;
      made.input.value = Math.round(value);
      made.input.disabled = !isFree;
      made.input.setAttribute("aria-valuetext", words);
      made.output.value = words;
      made.back.disabled = this.setting.moved[p] === data.moved[p];
    });
    return made.row;
  }

  mixRow({ attribute, label, levels, shares, source }) {
    const box = make("fieldset", {}, make("legend", {}, label));
    const now = () => {
      const weights = this.setting.margins[attribute] || shares, total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.map((weight) => PER * weight / total);
    };
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
    const pairs = addressOf(this.data, this.setting);
    for (const { setting } of this.kept) pairs.append(KEPT, addressOf(this.data, setting));
    if (this.centre) pairs.append(CENTRE, this.centre);
    return pairs.toString();
  }

  /** Patients a year of the reader's centre; 0 for none. */
  get centre() { return Math.max(Number($("centre").value) || 0, 0); }

  fromAddress() {
    const pairs = new URLSearchParams(location.hash.slice(1));
    this.setting = settingOf(this.data, pairs);
    this.kept = [];
    if (pairs.has(CENTRE)) $("centre").value = pairs.get(CENTRE);
    for (const text of pairs.getAll(KEPT)) this.keep(settingOf(this.data, new URLSearchParams(text)));
  }

  keep(setting) {
    const solution = solve(this.data, setting);
    if (this.kept.length < MOST_KEPT && !solution.isClosed) this.kept.push({ setting, solution });
  }

  /* What is shown */

  get isToday() { return !this.data.raised && setsBenefitOnly(this.data, this.setting) || String(addressOf(this.data, this.setting)) === ""; }

  /** Whether the setting has numbers of its own. */
  get hasNumbers() { return !this.isToday && !this.now.isClosed; }

  /** Solutions with their names, and in words: the base, the setting unless it is the base's, and those that are kept. */
  get columns() {
    const { data } = this, words = (setting) => described(data, setting);
    const setting = this.hasNumbers ? [["This setting", this.now, "setting", words(this.setting)]] : [];
    const kept = this.kept.map((one, k) => [`Kept ${k + 1}`, one.solution, `kept kept${k}`, words(one.setting)]);
    return [[data.lead, this.base, "today", ""], ...setting, ...kept];
  }

  show() {
    const begun = performance.now();
    this.base = this.todayAt(this.setting.benefit);
    this.now = this.isToday ? this.base : solve(this.data, this.setting);
    this.values = valuesOf(this.data, this.setting.moved);
    this.rows.forEach((row) => row(this.setting));
    this.answer();
    this.figure();
    this.reading();
    this.settings();
    this.tables();
    this.command();
    this.hints();
    history.replaceState(null, "", this.address ? `#${this.address}` : location.pathname + location.search);
    window.took = performance.now() - begun;
  }

  /** Today, where additional patients benefit as a setting has it: a base may treat more than the reference, too. */
  todayAt(benefit) {
    const key = this.data.raised ? benefit : this.data.benefit;
    if (!this.bases.has(key)) this.bases.set(key, solve(this.data, { ...baseOf(this.data), benefit: key }));
    return this.bases.get(key);
  }

  /** How many more of 100 are alive at a month than in the base, in every parameter set. */
  moreAt(month, now = this.now, base = this.base) {
    const before = aliveAt(this.data, base, month);
    return aliveAt(this.data, now, month).map((alive, i) => alive - before[i]);
  }

  answer() {
    const { data } = this, row = summary(aliveAt(data, this.now, data.answer));
    const within = Number.isFinite(row[1]) ? ` (95 % interval ${interval(row, "")})` : "";
    const alive = `${shown(row[0], "")} of 100${within} are alive at ${data.answer} months in the model`, more = difference(this.moreAt(data.answer), data.before === "today" ? "today" : `under ${data.before}`);
    $("answer").textContent = this.isToday ? `${data.lead}: ${alive}. Move a slider.`
      : this.now.isClosed ? "This setting has no numbers: some patients have no treatment or other branch that is open to them. Move a slider back."
        : `With this setting, ${alive}: ${more}.`;
    $("estimates").textContent = this.estimates();
    $("assumes").textContent = this.assumption();
  }

  assumption() {
    const { data, setting } = this, parts = ["A simulation of stated assumptions, not the effect of a treatment."];
    if (this.hasAdditional) parts.push(`Assumed: ${shown(PER * setting.benefit)} of 100 additional patients benefit as today's treated patients do.`);
    if (data.resources.length) parts.push(`Assumed: there are always enough ${data.resources.join(" and ")}.`);
    return [...parts, data.before !== "today" && data.assumes ? `${data.lead} assumes: ${data.assumes}` : ""].join(" ");
  }

  /** Cautious estimate, and the share of additional patients that must benefit: survival is linear in it. */
  estimates() {
    const { data, setting } = this;
    this.hasAdditional = false;
    if (!data.hasBenefit || !this.hasNumbers) return "";
    const solved = (benefit) => (benefit === setting.benefit ? this.now : solve(data, { ...setting, benefit }));
    const [none, every] = [0, 1].map((benefit) => this.moreAt(data.answer, solved(benefit), this.todayAt(benefit)));
    if (none.every((more, i) => Math.abs(more - every[i]) < 1e-7)) return "";
    this.hasAdditional = true;
    const parts = [];
    if (data.cohorts) {
      const cautious = column(data, (i) => data.cohorts[i] * every[i] + (1 - data.cohorts[i]) * none[i]);
      parts.push(`If additional patients benefit as other cohorts suggest: ${difference(cautious)}.`);
    }
    if (summary(every)[0] <= summary(none)[0]) return parts.join(" ");
    const [least, ...ends] = middle(column(data, (i) => leastBenefit(none[i], every[i], data.margin)));
    const within = ends.map((end) => shown(Math.min(Math.max(end, 0), PER), "", least)).join(" to ");
    parts.push(least <= 0 ? `${data.margin} more of 100 are alive even if none of them benefits.`
      : least > PER ? `Even if all of them benefit, fewer than ${data.margin} more of 100 are alive.`
      : `For ${data.margin} more of 100, ${shown(least)} % of them have to benefit (95 % interval ${within}).`);
    return parts.join(" ");
  }

  figure() {
    const { data } = this;
    const lines = this.columns.map(([label, solution, name]) => {
      const rows = data.months.map((_, t) => summary(column(data, (i) => solution.alive(i, t))));
      return { name, label, rows, hasBand: !name.startsWith("kept") && data.draws > 1 };
    });
    const frame = frameOf(data);
    $("survival").setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    $("drawing").replaceChildren(...survivalFigure(data, lines, frame));
    $("survival-alt").textContent = $("answer").textContent;
    const bands = data.draws > 1 ? `Bands: 95 % interval over ${data.draws} parameter sets.` : "One parameter set: no intervals.";
    const circles = data.reported.length ? `Circles: reported (${data.cohort}), with 1.96 standard errors.` : "";
    const rough = data.draws > 1 && data.draws < 40 ? "So few parameter sets give rough intervals." : "";
    $("marks").textContent = [bands, circles, data.of, ...data.followUp.map(({ sentence }) => sentence), rough].filter(Boolean).join(" ");
  }

  /** The setting and those that are kept, in words. */
  settings() {
    const { data } = this, words = described(data, this.setting);
    $("setting").textContent = words && `This setting: ${words}.`;
    $("keep").disabled = this.kept.length === MOST_KEPT || this.now.isClosed;
    $("kept").replaceChildren(...this.kept.map((kept, k) => {
      const button = make("button", { type: "button", "aria-label": `Kept ${k + 1}: remove` }, "remove");
      button.addEventListener("click", () => { this.kept = this.kept.filter((other) => other !== kept); this.show(); $("keep").focus(); });
      return make("li", {}, `Kept ${k + 1}: ${described(data, kept.setting) || data.before}. `, button);
    }));
  }

  reading() {
    const { data } = this, month = data.months[Number($("month").value)];
    const read = (solution) => `${withInterval(summary(aliveAt(data, solution, month)), "")} of 100`;
    const words = `${data.lead}: ${read(this.base)} are alive${this.hasNumbers ? `; with this setting ${read(this.now)}` : ""}.`;
    $("month-read").value = String(month);
    const beyond = data.followUp.filter((end) => month > end.month).map((end) => end.words).at(-1);
    $("read").textContent = `At month ${month}${beyond ? ` (${beyond})` : ""}: ${words}`;
    $("month").setAttribute("aria-valuetext", $("read").textContent);
    const { x, top, bottom } = frameOf(data), at = x(month);
    $("drawing").querySelector(".cursor")?.remove();
    $("drawing").append(draw("line", { x1: at, x2: at, y1: top, y2: bottom, class: "cursor" }));
  }

  tables() {
    const { data, centre } = this;
    $("numbers").replaceChildren(...numbersTable(data, this.columns, this.hasNumbers));
    $("centre-numbers").hidden = !centre;
    $("per-year").replaceChildren(...(centre ? centreTable(data, this.columns, this.hasNumbers, centre) : []));
    const tables = whereTables(data, this.columns, Number($("at").value));
    ["where", "by-then"].forEach((id, k) => $(id).replaceChildren(...tables[k]));
  }

  /** Mark the tables that do not fit, so that readers know of the columns they do not see. */
  hints() {
    for (const box of document.querySelectorAll(".scroll")) box.toggleAttribute("data-wide", box.scrollWidth > box.clientWidth);
  }

  /** Make a file when it is asked for, before the browser follows the link. */
  file(id, type, text) {
    $(id).addEventListener("click", () => {
      URL.revokeObjectURL($(id).href);
      $(id).href = URL.createObjectURL(new Blob([text()], { type }));
    });
  }

  command() {
    $("command").textContent = `aftercart compare ${shellWord(this.data.base)} ${fileOf(this.data)} --draws ${this.data.draws} --horizon ${this.data.months.at(-1)}`;
  }
}

readData().then((data) => { window.explorer = new Explorer(data); document.documentElement.dataset.ready = "yes"; });
