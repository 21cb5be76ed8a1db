// Small drawings: lines of the last two minutes, a bar of phases, marks of probes.

/** How many values a line shows: one each second. */
const LINE = 120;

/** A series of values that forgets the oldest. */
class Series {
  values = [];

  add(value) {
    this.values.push(value);
    if (this.values.length > LINE) this.values.shift();
  }
}

/** The paths of a line and of the area below it; a gap where there is no value. */
function linePath(values, top, width, height) {
  const x = (place) => (((LINE - values.length + place) / (LINE - 1)) * width).toFixed(1);
  const y = (value) => (height - 1 - (value / top) * (height - 2)).toFixed(1);
  let line = "";
  let area = "";
  let start = -1;
  for (let place = 0; place <= values.length; place += 1) {
    const value = place < values.length ? values[place] : null;
    if (value === null) {
      if (start >= 0) area += `L${x(place - 1)} ${height}H${x(start)}Z`;
      start = -1;
    } else {
      const point = `${x(place)} ${y(value)}`;
      line += `${start < 0 ? "M" : "L"}${point}`;
      area += start < 0 ? `M${x(place)} ${height}L${point}` : `L${point}`;
      if (start < 0) start = place;
    }
  }
  return { line, area };
}

/** A drawing of one or more series on one scale, the first with its area filled. */
class Lines {
  constructor(svg, kinds, width = 240, height = 40) {
    this.width = width;
    this.height = height;
    mark(svg, "viewBox", `0 0 ${width} ${height}`);
    mark(svg, "preserveAspectRatio", "none");
    this.area = drawn("path", { class: "area" });
    this.lines = kinds.map((kind) => drawn("path", { class: `line ${kind}` }));
    svg.replaceChildren(this.area, ...this.lines);
  }

  /** Draws; the scale ends at the largest value, which is returned, but never below `least`. */
  draw(series, least) {
    const most = Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value !== null)));
    const top = Math.max(least, most);
    series.forEach(({ values }, place) => {
      const { line, area } = linePath(values, top, this.width, this.height);
      mark(this.lines[place], "d", line);
      if (place === 0) mark(this.area, "d", area);
    });
    return most;
  }
}

/** How the time of requests at a backend is shared by its phases. */
class PhaseBar {
  constructor() {
    this.parts = PHASES.map((phase) => drawn("rect", { class: `phase-${phase}`, y: "0", height: "8" }));
    this.title = drawn("title");
    this.svg = drawn(
      "svg",
      { class: "phases", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img" },
      this.title,
      ...this.parts,
    );
  }

  /** `sums`: the seconds of each phase; null for none. */
  draw(sums, attempts) {
    const whole = sums ? sums.reduce((sum, part) => sum + part, 0) : 0;
    let x = 0;
    this.parts.forEach((part, place) => {
      const width = whole > 0 ? (sums[place] / whole) * 100 : 0;
      mark(part, "x", x.toFixed(2));
      mark(part, "width", width.toFixed(2));
      x += width;
    });
    const words = phaseWords(sums, attempts);
    say(this.title, words);
    mark(this.svg, "aria-label", words);
  }
}

/** Each phase with its share and what it took of an attempt on average. */
function phaseWords(sums, attempts) {
  const whole = sums ? sums.reduce((sum, part) => sum + part, 0) : 0;
  if (whole === 0) return "No time spent";
  return PHASES.map((phase, place) => ({ phase, sum: sums[place] }))
    .filter(({ sum }) => sum > 0)
    .map(({ phase, sum }) => `${phase} ${percent(sum / whole)} %${attempts ? ` (${duration(sum / attempts)})` : ""}`)
    .join(", ");
}

/** The last probes of a backend, the newest at the right: tall for good, low and crossed out for bad. */
class ProbeMarks {
  static most = 20;

  constructor() {
    this.marks = Array.from({ length: ProbeMarks.most }, (_, place) => {
      const title = drawn("title");
      const shapeOf = drawn("path", { class: "none" });
      return { group: drawn("g", { transform: `translate(${place * 6} 0)` }, title, shapeOf), title, shapeOf };
    });
    this.svg = drawn(
      "svg",
      { class: "probes", viewBox: `0 0 ${ProbeMarks.most * 6} 16`, role: "img" },
      ...this.marks.map(({ group }) => group),
    );
  }

  draw(probes, check) {
    const shown = probes.slice(-ProbeMarks.most);
    this.marks.forEach(({ title, shapeOf }, place) => {
      const probe = shown[place - (ProbeMarks.most - shown.length)];
      mark(shapeOf, "class", probe ? (probe.is_good ? "good" : "bad") : "none");
      // A cross for what is bad, a bar for what is good, a dot for what has not been.
      mark(shapeOf, "d", probe ? (probe.is_good ? "M2.5 2V14" : "M0.8 5.5L4.2 10.5M4.2 5.5L0.8 10.5") : "M2.5 7.5V8.5");
      say(title, probe ? probeWords(probe) : "");
    });
    const bad = shown.filter((probe) => !probe.is_good).length;
    const last = shown.at(-1);
    const words = last
      ? `Checks (${check}): ${bad} of the last ${shown.length} failed; the last: ${last.text}`
      : `Checks (${check}): none yet`;
    mark(this.svg, "aria-label", words);
  }
}

/** A probe in words. */
function probeWords(probe) {
  const took = probe.milliseconds ?? null;
  const time = took === null ? "" : `, ${duration(took / 1000)}`;
  return `${span(probe.age)} ago: ${probe.is_good ? "passed" : "failed"}, ${probe.text}${time}`;
}
