/* Numbers and differences in words, as the tables of a run have them. */

const PER = 100, MINUS = "\u2212", TOGETHER = "\u00a0", AGREED = 0.9;

/** A number as it is shown: per 100 whole from 10 on, else a tenth; months a tenth. `like` : the estimate of an end. */
function shown(value, unit, like = value) {
  if (!Number.isFinite(value)) return "\u2013";
  const text = value.toFixed(unit === "months" || Math.abs(like) < 9.95 ? 1 : 0);
  return Number(text) === 0 ? "0" : text.replace("-", MINUS);
}

const interval = ([value, lower, upper], unit) => `${shown(lower, unit, value)} to ${shown(upper, unit, value)}`;
const withInterval = (row, unit) => {
  const [low, high] = [row[1], row[2]].map((end) => shown(end, unit, row[0]));
  if (low === high || !Number.isFinite(row[0])) return shown(row[0], unit);
  const ends = Number.isFinite(row[2]) ? [low, "to", high] : [low, "or", "more"];
  return `${shown(row[0], unit)} (${ends.join(TOGETHER)})`;
};
const written = (value) => Number(value.toFixed(4)).toString();

/** A difference in words, led by "no clear difference" where 0 is in its interval and the parameter sets disagree. */
function difference(values, other = "") {
  const [value, lower, upper] = summary(values), way = value > 0 ? "more" : "fewer";
  const agree = values.reduce((n, v) => n + (Math.sign(v) === Math.sign(value)), 0) / values.length;
  const ends = lower < 0 && upper > 0
    ? `${shown(-lower, "", value)} fewer to ${shown(upper, "", value)} more`
    : [Math.abs(lower), Math.abs(upper)].sort((a, b) => a - b).map((end) => shown(end, "", value)).join(" to ");
  const words = shown(Math.abs(value), "") === "0" ? "as many" : `${shown(Math.abs(value), "")} ${way}`;
  const than = other ? ` than ${other}` : "";
  if (words === "as many" && !(Math.max(-lower, upper) >= 0.05)) return `as many${other ? ` as ${other}` : ""}`;
  if (!Number.isFinite(lower)) return words + than;
  const has0 = lower <= 0 && upper >= 0, sets = `; ${way} in ${Math.round(PER * agree)} of 100 parameter sets`;
  const details = `95 % interval ${ends}${has0 ? sets : ""}`;
  if (has0 && agree < AGREED) return `no clear difference${other ? ` from ${other.replace(/^under /, "")}` : ""} (${words}; ${details})`;
  return `${words}${than} (${details})`;
}
