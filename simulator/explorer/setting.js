/* A setting {moved: {parameter: share}, margins: {attribute: weights}, benefit}: in an address, in words, as a scenario.
   `alternative` is the place of the value that one lever has, if it is not the base's. */

const MOST_KEPT = 4, KEPT = "kept.";

/** Return what a setting moves, and the base does not. */
const movedOf = (data, { moved }) => Object.entries(moved).filter(([p, value]) => value !== data.moved[p]);

/** Return the value that a lever has in a setting, in a list; an empty one where every lever has the base's. */
const alternativeOf = (data, { alternative }) => data.alternatives.filter((_, place) => place === alternative);

/** Return a setting as the pairs of an address; none for the base. */
function addressOf(data, setting) {
  const pairs = new URLSearchParams();
  for (const [p, value] of movedOf(data, setting)) pairs.set(data.parameters[p].name, written(value));
  for (const [attribute, margin] of Object.entries(setting.margins)) pairs.set(`mix.${attribute}`, margin.map(written).join(","));
  if (setting.benefit !== data.benefit) pairs.set("benefit", written(setting.benefit));
  for (const { lever, value } of alternativeOf(data, setting)) pairs.set(`value.${lever}`, value);
  return pairs;
}

/** Return the setting of an address; what says nothing changes nothing. */
function settingOf(data, pairs) {
  const setting = baseOf(data), share = (text) => (text.trim() !== "" && Number(text) >= 0 && Number(text) <= 1 ? Number(text) : null);
  for (const [key, text] of pairs) {
    const mix = data.mixes.find(({ attribute }) => key === `mix.${attribute}`), p = data.parameters.findIndex(({ name }) => name === key);
    const alternative = data.alternatives.findIndex(({ lever, value }) => key === `value.${lever}` && text === value);
    if (alternative >= 0) setting.alternative = alternative;
    else if (key === "benefit" && data.hasBenefit && share(text) !== null) setting.benefit = share(text);
    else if (data.sliders.some((slider) => slider.parameter === p) && share(text) !== null) setting.moved[p] = Math.min(share(text), mostOf(data, setting.moved, p));
    else if (mix) {
      const margin = text.split(",").map(Number);
      if (margin.length === mix.levels.length && margin.every((weight) => weight >= 0 && Number.isFinite(weight)) && margin.some((weight) => weight > 0)) setting.margins[mix.attribute] = margin;
    }
  }
  return setting;
}

/** Return a setting that is the base's own. */
const baseOf = (data) => structuredClone({ moved: data.moved, margins: {}, benefit: data.benefit });

/** Return whether only the benefit of additional patients differs from the base's. */
const setsBenefitOnly = (data, setting) => [...addressOf(data, setting).keys()].join() === "benefit";

/** Return in words what differs from the base. */
function described(data, setting) {
  const parts = movedOf(data, setting).map(([p, value]) => `${data.parameters[p].meaning}: ${shown(PER * value)} of 100`);
  for (const [attribute, margin] of Object.entries(setting.margins)) {
    const mix = data.mixes.find((one) => one.attribute === attribute), total = margin.reduce((sum, weight) => sum + weight, 0);
    parts.push(`${mix.label}: ${mix.levels.map((level, l) => `${level} ${shown(PER * margin[l] / total)} of 100`).join(", ")}`);
  }
  if (setting.benefit !== data.benefit) parts.push(`additional patients who benefit: ${shown(PER * setting.benefit)} of 100`);
  for (const { label, words } of alternativeOf(data, setting)) parts.push(`${label}: ${words}`);
  return parts.join("; ");
}

/** Return the setting as a scenario that the command line takes. */
function asToml(data, setting) {
  const lines = ['title = "A setting of the explorer"', `assumes = ${JSON.stringify(data.assumes || "as its base")}`, `base = ${JSON.stringify(data.base)}`];
  if (data.hasBenefit) lines.push(`marginal_benefit = ${written(setting.benefit)}`);
  const mixes = Object.entries(setting.margins), levers = { set: movedOf(data, setting).map(([p, value]) => `${data.parameters[p].name} = ${written(value)}`) };
  for (const one of alternativeOf(data, setting)) levers[one.table] = [...levers[one.table] ?? [], `${JSON.stringify(one.key)} = ${one.value}`];
  for (const [name, declared] of Object.entries(levers)) if (declared.length) lines.push("", `[${name}]`, ...declared);
  if (mixes.length) {
    lines.push("", "[population]");
    for (const [attribute, margin] of mixes) {
      const mix = data.mixes.find((one) => one.attribute === attribute);
      lines.push(`${attribute} = { ${mix.names.map((name, l) => `${name} = ${written(margin[l])}`).join(", ")} }`);
    }
  }
  return `${lines.join("\n")}\n`;
}
