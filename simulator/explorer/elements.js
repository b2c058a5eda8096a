"use strict";
/* Elements of the page; text is never markup. */

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

/** Make the head and rows of a table: labels, then rows [label, ...cells]. */
function table(caption, head, rows) {
  const headings = head.map((label) => make("th", { scope: "col" }, label));
  const lines = rows.map(([label, ...cells]) => make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((cell) => make("td", {}, cell))));
  return [make("caption", {}, caption), make("thead", {}, make("tr", {}, ...headings)), make("tbody", {}, ...lines)];
}
