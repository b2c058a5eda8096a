/* The figure of survival: a line with a band for the base and the setting, a line for each setting that is kept. */

const WIDE = { width: 720, height: 420, left: 54, right: 590, top: 16, bottom: 376 };
const NARROW = { width: 400, height: 340, left: 52, right: 290, top: 16, bottom: 296 };
const LETTER = 17;

/** Return the figure's places at the width that it has, and where months and shares are in it. */
function frameOf(data) {
  const frame = document.getElementById("survival").clientWidth < 560 ? NARROW : WIDE, { left, right, top, bottom } = frame;
  return { ...frame, x: (month) => left + (right - left) * month / data.months.at(-1), y: (share) => bottom - (bottom - top) * share };
}

/** Draw the figure. lines : {name, label, rows: [mean, lower, upper] a month, hasBand} */
function survivalFigure(data, lines, frame) {
  const { x, y: down } = frame;
  const along = (values) => values.map((value, t) => `${x(data.months[t]).toFixed(1)} ${down(value).toFixed(1)}`);
  const parts = [...axes(data, frame), ...followUp(data, frame)], ends = [];
  for (const { name, label, rows, hasBand } of lines) {
    if (hasBand) {
      const edge = [...along(rows.map((row) => row[2])), ...along(rows.map((row) => row[1])).reverse()];
      parts.push(draw("path", { d: `M${edge.join("L")}Z`, class: `band ${name}` }));
    }
    parts.push(draw("path", { d: `M${along(rows.map((row) => row[0])).join("L")}`, class: `line ${name}` }));
    ends.push([down(rows.at(-1)[0]), label, name]);
  }
  ends.sort((a, b) => a[0] - b[0]);
  ends.forEach((end, k) => { if (k) end[0] = Math.max(end[0], ends[k - 1][0] + LETTER); });
  // The names of curves that end low make room upwards.
  ends.reverse().forEach((end, k) => { end[0] = Math.min(end[0], k ? ends[k - 1][0] - LETTER : frame.bottom); });
  for (const [height, label, name] of ends) parts.push(draw("text", { x: frame.right + 8, y: height + 4, class: `name ${name}` }, label));
  for (const { month, value, low, high } of data.reported) {
    parts.push(draw("line", { x1: x(month), x2: x(month), y1: down(low), y2: down(high), class: "reported" }), draw("circle", { cx: x(month), cy: down(value), r: 4, class: "reported" }));
  }
  return parts;
}

function axes(data, { left, right, bottom, x, y }) {
  const last = data.months.at(-1), step = last > 60 ? 24 : last > 24 ? 12 : 6, parts = [];
  for (let month = 0; month <= last; month += step) parts.push(draw("text", { x: x(month), y: bottom + 18, class: "middle" }, String(month)));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(draw("line", { x1: left, x2: right, y1: y(share), y2: y(share), class: "grid" }), draw("text", { x: left - 6, y: y(share) + 4, class: "end" }, `${PER * share} %`));
  }
  parts.push(draw("text", { x: (left + right) / 2, y: bottom + 38, class: "middle" }, `months after ${data.clock}`));
  return parts;
}

/** Mark the months between which the follow-up of survivors ends. */
function followUp(data, { left, right, top, bottom, x }) {
  return data.followUp.flatMap(({ month, words }, k) => {
    const isLate = x(month) > (left + right) / 2;
    return [
      draw("line", { x1: x(month), x2: x(month), y1: top, y2: bottom, class: "followed" }),
      draw("text", { x: x(month) + (isLate ? -5 : 5), y: top + LETTER * (k + 1), class: isLate ? "end" : "" }, words),
    ];
  });
}
