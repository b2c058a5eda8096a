/* Cohorts of a few patients as curves that appear one by one, next to the curve of many patients. */

const PER = 100, PAUSE = 800;
/** Milliseconds between two cohorts. */

class Cohorts {
  constructor(data) {
    this.data = data;
    this.canvas = $("curves");
    this.count = 0;
    this.playing = false;
    this.at = 0;
    $("few").hidden = false;
    $("few-title").textContent = `Why ${data.size} are few`;
    $("few-about").textContent = `${data.curves.length} simulated cohorts of ${data.size} patients under ${data.scenario}, one after another. All come from one world, `
      + `the first parameter set, in which ${shownOf(data.truth)} of ${PER} are alive at ${data.month} months: their curves differ by chance alone.`;
    $("few-play").addEventListener("click", () => this.play(!this.playing));
    $("few-next").addEventListener("click", () => { this.play(false); this.show(this.count + 1); });
    $("few-all").addEventListener("click", () => { this.play(false); this.show(data.curves.length); });
    $("few-again").addEventListener("click", () => { this.play(false); this.show(0); });
    this.show(0);
  }

  play(playing) {
    if (playing && this.count === this.data.curves.length) this.show(0);
    this.playing = playing;
    $("few-play").textContent = playing ? "Pause" : "Play";
    $("few-now").setAttribute("aria-live", playing ? "off" : "polite");
  }

  /** Show the next cohort when its time has come. now : milliseconds */
  tick(now) {
    if (!this.playing || now - this.at < PAUSE) return;
    this.at = now;
    this.show(this.count + 1);
    if (this.count === this.data.curves.length) this.play(false);
  }

  show(count) {
    const { data } = this, all = data.curves.length;
    this.count = Math.min(count, all);
    const seen = data.alive.slice(0, this.count);
    const range = this.count > 1 ? ` The ${this.count} so far: ${shownOf(Math.min(...seen))} to ${shownOf(Math.max(...seen))} of ${PER}.` : "";
    $("few-now").textContent = this.count
      ? `Cohort ${this.count} of ${all}: ${shownOf(seen.at(-1))} of ${PER} are alive at ${data.month} months.${range}`
      : `No cohort yet. The thick line: ${shownOf(data.truth)} of ${PER} of many patients are alive at ${data.month} months.`;
    $("curves").setAttribute("aria-label", $("few-now").textContent);
    for (const id of ["few-next", "few-all"]) $(id).disabled = this.count === all;
    $("few-again").disabled = !this.count;
    $("few-table").replaceChildren(...table(`Alive at ${data.month} months, of ${PER}`, ["Cohort", data.scenario], seen.map((alive, k) => [String(k + 1), shownOf(alive)])));
    this.draw();
  }

  draw() {
    const { canvas, data } = this, width = canvas.clientWidth, height = Math.min(Math.max(0.55 * width, 240), 460), ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d"), style = window.getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const left = 48, right = width - 12, top = 10, bottom = height - 40;
    const x = (month) => left + (right - left) * month / data.horizon, y = (share) => bottom - (bottom - top) * share;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "13px system-ui, sans-serif";
    context.fillStyle = colour("text");
    context.strokeStyle = colour("line");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      stroke(context, [[left, y(share)], [right, y(share)]]);
      context.fillText(`${PER * share} %`, left - 6, y(share));
    }
    context.textAlign = "center";
    const step = data.horizon > 60 ? 24 : data.horizon > 24 ? 12 : 6;
    for (let month = 0; month <= data.horizon; month += step) context.fillText(String(month), x(month), bottom + 14);
    context.fillText(`months after ${data.clock}`, (left + right) / 2, bottom + 31);
    stroke(context, [[x(data.month), top], [x(data.month), bottom]]);
    const curve = (points) => points.flatMap(([month, alive], k) => [...(k ? [[x(month), y(points[k - 1][1])]] : []), [x(month), y(alive)]]);
    data.curves.slice(0, this.count).forEach((points, k) => {
      const isLast = k === this.count - 1;
      context.strokeStyle = colour(isLast ? "second" : "soft");
      context.globalAlpha = isLast ? 1 : 0.45;
      context.lineWidth = isLast ? 2.5 : 1;
      stroke(context, curve(points));
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour("first");
    context.lineWidth = 3;
    stroke(context, data.many.map(([month, alive]) => [x(month), y(alive)]));
  }
}

function stroke(context, points) {
  context.beginPath();
  points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function shownOf(share) {
  return String(Math.round(PER * share));
}
