/* A setting {moved: {parameter: share}, margins: {attribute: weights}, benefit}: in an address, in words, as a scenario.
   `alternative` is the place of the value that one lever has, if it is not the base's. */

const MOST_KEPT = 4, KEPT = "kept.", CENTRE = "centre.";

/** Return what a setting moves, and the base does not. */
const movedOf = (data, { moved }) => Object.entries(moved).filter(([p, value]) => value !== data.moved[p]);

/** Return the value that a lever has in a setting, in a list; an empty one where every lever has the base's. */
const alternativeOf = (data, { alternative }) => data.alternatives.filter((_, place) => place === alternative);

/** Return the key of a parameter in an address, which has a key `benefit` of its own. */
const keyOf = ({ name }) => (name === "benefit" ? "set.benefit" : name);

/** Move a share as far as others of its choices that have been moved allow; what the base sets stays set. */
function moveShare(data, moved, p, value) {
  const isFree = canMove(data, moved, p), most = mostOf(data, moved, p);
  if (isFree || p in data.moved) moved[p] = isFree ? Math.min(value, most) : most;
}

/** Return a setting as the pairs of an address; none for the base. */
function addressOf(data, setting) {
  const pairs = new URLSearchParams();
  for (const [p, value] of movedOf(data, setting)) pairs.set(keyOf(data.parameters[p]), written(value));
  for (const [attribute, margin] of Object.entries(setting.margins)) pairs.set(`mix.${attribute}`, margin.map(written).join(","));
  if (setting.benefit !== data.benefit) pairs.set("benefit", written(setting.benefit));
  for (const { lever, value } of alternativeOf(data, setting)) pairs.set(`value.${lever}`, value);
  return pairs;
}

/** Return the setting of an address; what says nothing changes nothing. */
function settingOf(data, pairs) {
  const shares = [], setting = baseOf(data), share = (text) => (text.trim() !== "" && Number(text) >= 0 && Number(text) <= 1 ? Number(text) : null);
  for (const [key, text] of pairs) {
    const mix = data.mixes.find(({ attribute }) => key === `mix.${attribute}`), p = data.parameters.findIndex((parameter) => keyOf(parameter) === key);
    const alternative = data.alternatives.findIndex(({ lever, value }) => key === `value.${lever}` && text === value);
    if (alternative >= 0) setting.alternative = alternative;
    else if (key === "benefit" && data.hasBenefit && share(text) !== null) setting.benefit = share(text);
    else if (data.sliders.some((slider) => slider.parameter === p) && share(text) !== null) shares.push([p, share(text)]);
    else if (mix) {
      const margin = text.split(",").map(Number);
      if (margin.length === mix.levels.length && margin.every((weight) => weight >= 0 && Number.isFinite(weight)) && margin.some((weight) => weight > 0)) setting.margins[mix.attribute] = margin;
    }
  }
  for (const [p] of shares) delete setting.moved[p];
  for (const [p, value] of shares) moveShare(data, setting.moved, p, value);
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

const tomlText = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
const tomlKey = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : tomlText(name));

/** Return the name of the scenario's file: not that of its base. */
const fileOf = (data) => (data.base === "setting.toml" ? "new-setting.toml" : "setting.toml");

/** Return a file's name as a shell reads it. */
const shellWord = (name) => (/^[\w.@][\w.@-]*$/.test(name) ? name : `'./${name.replaceAll("'", "'\\''")}'`);

/** Return the setting as a scenario that the command line takes. */
function asToml(data, setting) {
  const lines = ['title = "A setting of the explorer"', `assumes = ${tomlText(data.assumes || "as its base")}`, `base = ${tomlText(data.base)}`];
  if (data.hasBenefit) lines.push(`marginal_benefit = ${written(setting.benefit)}`);
  const mixes = Object.entries(setting.margins), levers = { set: movedOf(data, setting).map(([p, value]) => `${tomlKey(data.parameters[p].name)} = ${written(value)}`) };
  for (const one of alternativeOf(data, setting)) levers[one.table] = [...levers[one.table] ?? [], `${tomlText(one.key)} = ${one.value}`];
  for (const [name, declared] of Object.entries(levers)) if (declared.length) lines.push("", `[${name}]`, ...declared);
  if (mixes.length) {
    lines.push("", "[population]");
    for (const [attribute, margin] of mixes) {
      const mix = data.mixes.find((one) => one.attribute === attribute);
      lines.push(`${tomlKey(attribute)} = { ${mix.names.map((name, l) => `${tomlKey(name)} = ${written(margin[l])}`).join(", ")} }`);
    }
  }
  return `${lines.join("\n")}\n`;
}
