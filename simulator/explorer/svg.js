/* Drawings of the page as SVG. */

function draw(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
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
