/* Levers that are not linear: a few values of each were solved beforehand, and one value holds at a time. */

/** Return radio buttons of a lever: what the page starts from, and the solved values. `rows` : updates of the controls */
function leverButtons({ data, rows }, lever, k, onChoice) {
  const buttons = make("fieldset", { id: `lever-${k}` }, make("legend", {}, lever.label));
  const values = [[-1, `${data.before}: ${lever.today}`], ...lever.places.map((place) => [place, data.alternatives[place].words])];
  for (const [place, words] of values) {
    const button = make("input", { type: "radio", name: `lever-${k}`, id: `lever-${k}-${place}` });
    button.addEventListener("change", () => onChoice(place));
    rows.push(({ alternative }) => { button.checked = place >= 0 ? alternative === place : !lever.places.includes(alternative); });
    buttons.append(make("label", { class: "value", for: button.id }, button, ` ${words}`));
  }
  buttons.append(make("details", {}, make("summary", {}, "where from"), make("p", { class: "note" }, lever.source)));
  return buttons;
}
