// The latest failures and changes, and the reasons of failures.

/** A list that keeps the latest entries, the newest first. */
class Tail {
  static most = 100;

  constructor(list, empty, key, make, textOf) {
    Object.assign(this, { list, empty, key, make, textOf });
    this.entries = [];
    this.known = new Set();
    this.isHeld = false;
    this.isChanged = false;
  }

  /** Takes an entry; one that is known already comes again after the link was lost. */
  add(entry) {
    const key = this.key(entry);
    if (this.known.has(key)) return;
    this.known.add(key);
    this.entries.push({ key, entry });
    if (this.entries.length > Tail.most) this.known.delete(this.entries.shift().key);
    this.isChanged = true;
  }

  set words(text) {
    this.filter = text.trim().toLowerCase();
    this.render(true);
  }

  render(isAsked = false) {
    if (!isAsked && (this.isHeld || !this.isChanged)) return;
    this.isChanged = false;
    const shown = this.entries.filter(({ entry }) => !this.filter || this.textOf(entry).toLowerCase().includes(this.filter));
    const keys = new Set(shown.map(({ key }) => key));
    for (const line of [...this.list.children]) if (!keys.has(line.dataset.key)) line.remove();
    let next = null;
    for (const { key, entry } of shown) {
      // From the oldest to the newest, each before the one before it.
      let line = next ? next.previousElementSibling : this.list.lastElementChild;
      if (line?.dataset.key !== key) {
        line = this.make(entry);
        line.dataset.key = key;
        this.list.insertBefore(line, next);
      }
      next = line;
    }
    say(this.empty, this.entries.length ? "None of them matches." : "None.");
    show(this.empty, shown.length === 0);
  }
}

/** A moment, with its date when it is pointed at. */
function moment(seconds) {
  const date = new Date(seconds * 1000);
  return element("time", { class: "num quiet", datetime: date.toISOString(), title: date.toString() }, clock(seconds));
}

const words = (kind, text) => element("bdi", { class: kind }, plain(text));

function failureLine(failure) {
  const status = failure.status === null || failure.status === undefined ? "no answer" : String(failure.status);
  const isBad = failure.status === null || failure.status === undefined || failure.status >= 500;
  const parts = [words("method", failure.method), " ", words("target", failure.target)];
  const request = element("span", { class: "request" }, ...parts);
  request.title = plain(`${failure.method} ${failure.target}`);
  const line = element(
    "li",
    {},
    element(
      "div",
      { class: "first" },
      moment(failure.time),
      element("span", { class: isBad ? "status num alarming" : "status num" }, status),
      request,
    ),
    element(
      "div",
      { class: "second quiet" },
      words("reason", failure.reason),
      element("span", {}, "backend ", words("", failure.backend ?? NOTHING)),
      element("span", {}, "client ", words("num", failure.client)),
      element("span", { class: "id" }, "id ", words("num", failure.id)),
    ),
  );
  if (failure.attempts.length) {
    const attempts = failure.attempts.map((attempt) => {
      const text = attempt.text ? [" ", words("quiet", attempt.text)] : [];
      return element(
        "li",
        {},
        words("tried", attempt.backend),
        " ",
        words("reason", attempt.reason),
        " ",
        element("span", { class: "num" }, duration(attempt.milliseconds / 1000)),
        ...text,
      );
    });
    line.append(element("ol", { class: "attempts", "aria-label": "Failed attempts" }, ...attempts));
  }
  return line;
}

function changeLine(change) {
  return element(
    "li",
    {},
    element(
      "div",
      { class: "first" },
      moment(change.time),
      element("span", { class: "kind" }, plain(change.kind)),
      element("span", { class: "change" }, ...(change.backend ? [words("name", change.backend), " "] : []), words("", change.text)),
    ),
  );
}

/** The reasons of failures, the most frequent of late first. */
class Reasons {
  constructor() {
    this.list = byId("reasons");
    this.lines = new Map();
  }

  update(totals, figures) {
    const recent = figures?.failures ?? new Map();
    const known = [...totals].filter(([, number]) => number > 0);
    known.sort(([a, m], [b, n]) => (recent.get(b) ?? 0) - (recent.get(a) ?? 0) || n - m || (a < b ? -1 : 1));
    const most = Math.max(1, ...known.map(([label]) => recent.get(label) ?? 0));
    known.forEach(([label, number], place) => {
      let line = this.lines.get(label);
      if (!line) {
        const bar = drawn("rect", { height: "4", width: "0", y: "0" });
        const rateText = element("span", { class: "num right" });
        const totalText = element("span", { class: "num quiet right" });
        const scale = { viewBox: "0 0 100 4", preserveAspectRatio: "none" };
        const drawing = drawn("svg", { class: "bar", "aria-hidden": "true", ...scale }, bar);
        const whole = element("li", {}, words("reason", label), rateText, totalText, drawing);
        line = { bar, rateText, totalText, element: whole };
        this.lines.set(label, line);
      }
      const grown = recent.get(label) ?? 0;
      mark(line.bar, "width", ((grown / most) * 100).toFixed(1));
      say(line.rateText, figures ? `${rate(grown / figures.seconds)} /s` : NOTHING);
      say(line.totalText, `${count(number)} in all`);
      if (this.list.children[place] !== line.element) this.list.insertBefore(line.element, this.list.children[place] ?? null);
    });
    for (const [label, line] of this.lines) {
      if (totals.get(label) > 0) continue;
      line.element.remove();
      this.lines.delete(label);
    }
    show(byId("no-reasons"), known.length === 0);
  }
}
