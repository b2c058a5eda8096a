/* The drawn pathway on a canvas: boxes with a place for every patient, arrows along which patients move. */

const FONT = "system-ui, sans-serif", LETTERS = 11.5, LINE_HEIGHT = 13.5;
const TRANSIT = 0.4;
/** Months for which a patient who changes states is seen to move. */

class Diagram {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.boxes = data.states.map(({ name }) => data.drawing.boxes.find((box) => box.state === name));
    this.arrows = new Map(data.drawing.arrows.map((arrow) => [`${arrow.from}/${arrow.to}`, arrow.curve]));
    this.lanes = data.scenarios.length;
    this.still = document.createElement("canvas");
    this.resize();
  }

  /** Fit the canvas to its width on the page, and draw what does not move. */
  resize() {
    const [width, height] = this.data.drawing.size, scale = this.canvas.clientWidth / width;
    const ratio = window.devicePixelRatio || 1;
    this.scale = scale * ratio;
    for (const canvas of [this.canvas, this.still]) {
      canvas.width = Math.round(width * this.scale);
      canvas.height = Math.round(height * this.scale);
    }
    const style = window.getComputedStyle(document.documentElement);
    const names = ["text", "soft", "page", "line", "arrow", "box", "choice", "dead", "end", "first", "second", "wait"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.drawStill();
  }

  context(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    return context;
  }

  drawStill() {
    const context = this.context(this.still), { colours } = this, [width, height] = this.data.drawing.size;
    context.fillStyle = colours.page;
    context.fillRect(0, 0, width, height);
    context.lineWidth = 1.2;
    for (const curve of this.arrows.values()) {
      context.strokeStyle = context.fillStyle = colours.arrow;
      context.beginPath();
      curve.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.stroke();
      const [x, y] = curve.at(-1), up = y < curve.at(-2)[1] ? 7 : -7;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x - 4, y + up);
      context.lineTo(x + 4, y + up);
      context.fill();
    }
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.boxes.forEach((box, k) => this.drawBox(context, box, this.data.states[k].kind));
  }

  drawBox(context, { at: [x, y], size: [width, height], lines, places }, kind) {
    const { colours } = this;
    context.fillStyle = { decision: colours.choice, chance: colours.choice, death: colours.dead, end: colours.end }[kind] || colours.box;
    context.strokeStyle = colours.soft;
    context.beginPath();
    context.roundRect(x, y, width, height, kind === "death" ? 0 : 6);
    context.fill();
    context.stroke();
    context.fillStyle = colours.text;
    context.font = `${LETTERS}px ${FONT}`;
    const middle = y + (height - places) / 2 - (lines.length - 1) * LINE_HEIGHT / 2;
    lines.forEach((line, k) => context.fillText(line, x + width / 2, middle + k * LINE_HEIGHT, width - 4));
  }

  /** Return the middle of a place in a scenario's part of a box. */
  place(state, lane, slot) {
    const { pitch, columns, count } = this.data.drawing, { at: [x, y], size: [width, height], places } = this.boxes[state];
    if (!places) return [x + width / 2, y + height / 2];
    const left = x + width * lane / this.lanes + (width / this.lanes - columns * pitch) / 2;
    return [left + (slot % columns + 0.5) * pitch, y + height - places + count + (Math.floor(slot / columns) + 0.5) * pitch];
  }

  /** Return the middle of a place in the queue above a box. */
  inQueue(state, lane, number) {
    const { pitch, columns } = this.data.drawing, { at: [x, y], size: [width] } = this.boxes[state];
    const left = x + width * lane / this.lanes + (width / this.lanes - columns * pitch) / 2;
    return [left + (number % columns + 0.5) * pitch, y - 3 - (Math.floor(number / columns) + 0.5) * pitch];
  }

  /** Return the place of words above a queue. */
  queueTop(state, lane, count) {
    const { pitch, columns } = this.data.drawing, { at: [x, y], size: [width] } = this.boxes[state];
    return [x + width * (lane + 0.5) / this.lanes, y - 10 - Math.ceil(count / columns) * pitch];
  }

  /** Return where a patient is at a month; on the way along the arrow from the state before. */
  where(stays, number, lane, month, transit) {
    const [since, state, slot] = stays[number], to = this.place(state, lane, slot), part = (month - since) / transit;
    if (!(part < 1)) return to;
    const before = number ? stays[number - 1] : null;
    if (!before && state === this.data.start) return to;
    const source = before ? before[1] : this.data.start, from = before ? this.place(source, lane, before[2]) : this.place(source, lane, 0);
    const curve = this.arrows.get(`${this.data.states[source].name}/${this.data.states[state].name}`) || [];
    return along([from, ...curve, to], part * part * (3 - 2 * part));
  }

  /** Draw a month. transit : months for which who changes states moves; 0 for a still */
  draw(month, transit) {
    const context = this.context(this.canvas), { data, colours } = this, radius = 0.38 * data.drawing.pitch;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.still, 0, 0);
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    data.scenarios.forEach((scenario, lane) => {
      const colour = lane ? colours.second : colours.first, queued = this.drawResources(context, scenario, lane, month, colour);
      context.fillStyle = colour;
      scenario.stays.forEach((stays, patient) => {
        const number = stayAt(stays, month);
        if (number < 0 || queued.has(patient)) return;
        const [x, y] = this.where(stays, number, lane, month, transit);
        dot(context, x, y, radius, lane);
      });
      this.drawCounts(context, countsAt(data, scenario, month), lane, colour);
    });
  }

  /** Draw the units of limited resources and who waits for them; return who waits. */
  drawResources(context, scenario, lane, month, colour) {
    const { data, colours } = this, { pitch } = data.drawing, queued = new Set();
    data.resources.forEach(({ state }, r) => {
      const units = unitsAt(scenario, r, month);
      context.strokeStyle = colours.soft;
      context.lineWidth = 1;
      for (let slot = 0; slot < (units || 0); slot++) {
        const [x, y] = this.place(state, lane, slot);
        context.strokeRect(x - pitch / 2 + 0.5, y - pitch / 2 + 0.5, pitch - 1, pitch - 1);
      }
      const waiting = waitingAt(scenario, r, month);
      if (waiting.length) this.label(context, `${waiting.length} wait`, this.queueTop(state, lane, waiting.length), colours.wait);
      waiting.forEach((patient, number) => {
        const [x, y] = this.inQueue(state, lane, number);
        context.fillStyle = colour;
        dot(context, x, y, 0.3 * pitch, lane);
        context.strokeStyle = colours.wait;
        context.lineWidth = 1.6;
        context.beginPath();
        context.arc(x, y, 0.46 * pitch, 0, 2 * Math.PI);
        context.stroke();
        queued.add(patient);
      });
    });
    return queued;
  }

  drawCounts(context, counts, lane, colour) {
    this.boxes.forEach(({ at: [x, y], size: [width, height], places }, k) => {
      if (places) this.label(context, String(counts[k]), [x + width * (lane + 0.5) / this.lanes, y + height - places + 6], colour);
    });
  }

  label(context, text, [x, y], colour) {
    context.fillStyle = colour;
    context.font = `600 ${LETTERS}px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y);
  }
}

/** Draw a patient: a disc in the first scenario, a square in the second. */
function dot(context, x, y, radius, lane) {
  if (lane) {
    context.fillRect(x - 0.9 * radius, y - 0.9 * radius, 1.8 * radius, 1.8 * radius);
    return;
  }
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** Return the point at a part of the way through points. */
function along(points, part) {
  const lengths = points.slice(1).map(([x, y], k) => Math.hypot(x - points[k][0], y - points[k][1]));
  let left = part * lengths.reduce((sum, length) => sum + length, 0);
  for (let k = 0; k < lengths.length; k++) {
    if (left <= lengths[k]) {
      const [[x, y], [toX, toY]] = [points[k], points[k + 1]], share = lengths[k] ? left / lengths[k] : 0;
      return [x + share * (toX - x), y + share * (toY - y)];
    }
    left -= lengths[k];
  }
  return points.at(-1);
}
