/* Elements of the page; text is never markup. */

/** Make an element with attributes and children; text is never markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Make the head and rows of a table: labels, then rows [label, ...cells]; a cell is a text, or some elements. */
function table(caption, head, rows) {
  const headings = head.map((label) => make("th", { scope: "col" }, label));
  const lines = rows.map(([label, ...cells]) => make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((cell) => make("td", {}, ...[cell].flat()))));
  return [make("caption", {}, caption), make("thead", {}, make("tr", {}, ...headings)), make("tbody", {}, ...lines)];
}
