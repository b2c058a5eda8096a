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

/** Make the head and rows of a table: labels, then rows [label, ...cells]; a cell is a text, or some elements. */
function table(caption, head, rows) {
  const headings = head.map((label) => make("th", { scope: "col" }, label));
  const lines = rows.map(([label, ...cells]) => make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((cell) => make("td", {}, ...[cell].flat()))));
  return [make("caption", {}, caption), make("thead", {}, make("tr", {}, ...headings)), make("tbody", {}, ...lines)];
}

/** Draw a bar of so many of 100. */
function bar(share, name) {
  const drawn = draw("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
  drawn.append(draw("rect", { width: share, height: 8, class: `fill ${name}` }));
  return drawn;
}

/** Return a drawing of the page as a file of its own, with the page's colours. */
function asSvg(drawing) {
  const copy = drawing.cloneNode(true);
  copy.prepend(draw("style", {}, document.querySelector("style").textContent));
  return new XMLSerializer().serializeToString(copy);
}
