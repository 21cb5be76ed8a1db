// Elements and words: what is shown is set as text, never as markup.

/** The element with that id. */
const byId = (id) => document.getElementById(id);

/** A new element with these attributes and children; strings become text. */
function element(name, attributes = {}, ...children) {
  const result = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
  result.append(...children);
  return result;
}

/** A new element of a drawing. */
function drawn(name, attributes = {}, ...children) {
  const result = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
  result.append(...children);
  return result;
}

/** One of the page's shapes, which stand beside words. */
function shape(name) {
  return drawn("svg", { class: "shape", "aria-hidden": "true" }, drawn("use", { href: `#shape-${name}` }));
}

/** Sets an element's text, only when it is another one: what has not changed is neither laid out nor read out again. */
function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Text of unknown origin, in which nothing is invisible or turns the direction of what follows. */
function plain(text) {
  return String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0).toString(16).toUpperCase();
    return `\\u{${code}}`;
  });
}

/** Fills a list of terms and their descriptions, and keeps the elements that are there. */
function fillPairs(list, pairs) {
  while (list.children.length > pairs.length) list.lastElementChild.remove();
  while (list.children.length < pairs.length) {
    list.append(element("div", {}, element("dt"), element("dd", { class: "num" })));
  }
  pairs.forEach(([term, text], place) => {
    const [dt, dd] = list.children[place].children;
    say(dt, term);
    say(dd, text);
  });
}

function show(target, isShown) {
  if (target.hidden === isShown) target.hidden = !isShown;
}

function mark(target, name, value) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

const NOTHING = "–";
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 12,345 */
const count = (value) => grouped.format(value);

/** A number of something each second. */
function rate(value) {
  if (value === null) return NOTHING;
  if (value >= 99.95) return grouped.format(value);
  if (value >= 9.995) return value.toFixed(1);
  if (value === 0) return "0";
  return value < 0.005 ? "<0.01" : value.toFixed(2);
}

/** A share in percent, without the sign. */
function percent(share) {
  if (share === null) return NOTHING;
  const value = share * 100;
  if (value === 0) return "0";
  if (value === 100) return "100";
  if (value < 0.005) return "<0.01";
  // What is not all is never shown as all.
  return value >= 9.995 ? (share < 1 ? Math.min(value, 99.9) : value).toFixed(1) : value.toFixed(2);
}

/** A time a request may take, with three digits. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds <= 0) return "0 µs";
  for (const [factor, unit] of [[1e6, "µs"], [1e3, "ms"], [1, "s"]]) {
    const value = seconds * factor;
    if (value < 999.5 || unit === "s") {
      return `${value < 1 ? value.toFixed(2) : value < 999.5 ? value.toPrecision(3) : value.toFixed(0)} ${unit}`;
    }
  }
}

/** A longer time: its two largest units. */
function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, unit] = parts[first];
  const text = `${Math.floor(whole / size)} ${unit}`;
  if (first === parts.length - 1) return text;
  const [nextSize, nextUnit] = parts[first + 1];
  const rest = Math.floor((whole % size) / nextSize);
  return rest ? `${text} ${rest} ${nextUnit}` : text;
}

/** A size in binary units. */
function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) {
    value /= 1024;
    place += 1;
  }
  return `${place && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[place]}`;
}

/** The time of day of a moment since 1970. */
function clock(seconds) {
  const date = new Date(seconds * 1000);
  const two = (value) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
