"use strict";
/* The figure of survival: a line with a band for the base and the setting, a line for each setting that is kept. */

const WIDTH = 720, LEFT = 54, RIGHT = 590, TOP = 16, BOTTOM = 376, LETTER = 17;

const across = (month, last) => LEFT + (RIGHT - LEFT) * month / last;
const down = (share) => BOTTOM - (BOTTOM - TOP) * share;

/** Draw the figure. lines : {name, label, rows: [mean, lower, upper] a month, hasBand} */
function survivalFigure(data, lines) {
  const x = (month) => across(month, data.months.at(-1));
  const along = (values) => values.map((value, t) => `${x(data.months[t]).toFixed(1)} ${down(value).toFixed(1)}`);
  const parts = axes(data, x), ends = [];
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
  for (const [height, label, name] of ends) parts.push(draw("text", { x: RIGHT + 8, y: height + 4, class: `name ${name}` }, label));
  for (const { month, value, low, high } of data.reported) {
    parts.push(draw("line", { x1: x(month), x2: x(month), y1: down(low), y2: down(high), class: "reported" }), draw("circle", { cx: x(month), cy: down(value), r: 4, class: "reported" }));
  }
  return parts;
}

function axes(data, x) {
  const last = data.months.at(-1), step = last > 60 ? 24 : last > 24 ? 12 : 6, parts = [];
  for (let month = 0; month <= last; month += step) parts.push(draw("text", { x: x(month), y: BOTTOM + 18, class: "middle" }, String(month)));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(draw("line", { x1: LEFT, x2: RIGHT, y1: down(share), y2: down(share), class: "grid" }), draw("text", { x: LEFT - 6, y: down(share) + 4, class: "end" }, `${PER * share} %`));
  }
  parts.push(draw("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 38, class: "middle" }, `months after ${data.clock}`));
  return parts;
}
