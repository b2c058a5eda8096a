/* The page: a month is chosen or goes on by itself, and what is shown is where patients are then. */

const $ = (id) => document.getElementById(id);

class Animation {
  constructor(data) {
    this.data = data;
    this.month = 0;
    this.playing = false;
    this.before = null;
    this.lessMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.build();
    this.diagram = new Diagram($("pathway"), data);
    this.cohorts = data.cohorts && new Cohorts(data.cohorts);
    this.fitMotion();
    const asked = Number(location.hash.slice(1));
    this.show(asked > 0 ? Math.min(asked, data.horizon) : 0);
    window.addEventListener("resize", () => this.redraw());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.lessMotion.addEventListener("change", () => this.fitMotion());
    requestAnimationFrame((now) => this.frame(now));
  }

  build() {
    const { data } = this;
    $("about").textContent = data.about.join(" ");
    for (const limit of data.limits) $("limits").append(make("li", {}, limit));
    $("month").max = data.horizon;
    $("month").addEventListener("input", () => { this.play(false); this.show(Number($("month").value)); });
    $("play").addEventListener("click", () => this.play(!this.playing));
    $("back").addEventListener("click", () => { this.play(false); this.show(Math.ceil(this.month - MOMENT) - 1); });
    $("on").addEventListener("click", () => { this.play(false); this.show(Math.floor(this.month + MOMENT) + 1); });
    for (const month of data.months) {
      const button = make("button", { type: "button" }, `Month ${month}`);
      button.addEventListener("click", () => { this.play(false); this.show(month); });
      $("stills").append(button);
    }
    const head = ["Patients", ...data.scenarios.map(({ name }) => name)];
    $("counts").append(...table("How many are where", head, rowsAt(data, 0).map(([label, , cells]) => [label, ...cells.map(String)])));
    rowsAt(data, 0).forEach(([, kind], k) => $("counts").tBodies[0].rows[k].classList.add(kind));
    this.cells = [...$("counts").tBodies[0].rows].map((row) => [...row.cells].slice(1));
    const shapes = data.scenarios.map(({ name }, k) => `${k ? "squares" : "discs"}: ${name}`).join("; ");
    const queues = data.resources.length ? " Empty squares are free units. Ringed patients above a box wait for one." : "";
    $("key").textContent = `A box is a state, and every mark in it a patient (${shapes}). Patients pass through choices between the boxes at once.${queues}`;
  }

  /** Fit the controls to a system that asks for less motion: stills instead of playing. */
  fitMotion() {
    const isStill = this.lessMotion.matches;
    this.play(false);
    for (const id of ["play", "speed", "speed-label"]) $(id).hidden = isStill;
    $("still-note").hidden = !isStill;
    if (this.cohorts) {
      this.cohorts.play(false);
      $("few-play").hidden = isStill;
    }
    if (this.diagram) this.show(this.month);
  }

  play(playing) {
    if (playing && this.month >= this.data.horizon) this.show(0);
    this.playing = playing;
    this.before = null;
    $("play").textContent = playing ? "Pause" : "Play";
    // Ten sentences a second are no help to anybody who listens.
    $("now").setAttribute("aria-live", playing ? "off" : "polite");
  }

  frame(now) {
    if (this.playing && this.before !== null) {
      // After a pause of the browser the month goes on from where it was.
      const seconds = Math.min((now - this.before) / 1000, 0.25);
      this.show(this.month + seconds * Number($("speed").value));
      if (this.month >= this.data.horizon) this.play(false);
    }
    this.before = now;
    if (this.cohorts) this.cohorts.tick(now);
    requestAnimationFrame((later) => this.frame(later));
  }

  /** Show a month: in the drawing, in the table and in words. */
  show(month) {
    const { data } = this;
    this.month = Math.min(Math.max(month, 0), data.horizon);
    this.diagram.draw(this.month, this.playing ? TRANSIT : 0);
    rowsAt(data, this.month).forEach(([, , cells], k) => cells.forEach((cell, s) => {
      const text = String(cell);
      if (this.cells[k][s].textContent !== text) this.cells[k][s].textContent = text;
    }));
    const shown = this.month.toFixed(1).replace(/\.0$/, "");
    $("month").value = this.month;
    $("month-now").value = shown;
    $("back").disabled = this.month <= 0;
    $("on").disabled = this.month >= data.horizon;
    $("now").textContent = this.sentence(shown);
    $("month").setAttribute("aria-valuetext", `month ${shown}`);
    $("pathway").setAttribute("aria-label", `The drawn pathway. ${$("now").textContent}`);
  }

  sentence(shown) {
    const { data } = this;
    const when = data.clock ? `Month ${shown} after ${data.clock}` : `Calendar month ${shown}`;
    const alive = data.scenarios.map((scenario) => {
      const [living, all] = aliveAt(data, countsAt(data, scenario, this.month));
      const waits = data.resources.map(({ label }, r) => `${waitingAt(scenario, r, this.month).length} wait for ${label}`);
      return [`${living} of ${all} are alive under ${scenario.name}`, ...waits].join(", ");
    });
    return `${when}: ${alive.join("; ")}.`;
  }

  redraw() {
    this.diagram.resize();
    this.show(this.month);
    if (this.cohorts) this.cohorts.draw();
  }
}

window.animation = new Animation(JSON.parse($("data").textContent));
document.documentElement.dataset.ready = "yes";
