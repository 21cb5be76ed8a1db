// The row of one backend: made once, filled again and again while it can be seen.

const OPERATOR_STATES = [
  { state: "ready", word: "Ready", help: "takes its share" },
  { state: "drain", word: "Drain", help: "finishes what it has; bound clients alone come back" },
  { state: "maintenance", word: "Maint.", help: "gets nothing, and is not checked" },
];

class BackendRow {
  static made = 0;

  /** `ask` is called with a name and a change that the operator wants. */
  constructor(name, ask) {
    this.name = name;
    this.ask = ask;
    this.isVisible = false;
    this.make();
  }

  make() {
    const shown = plain(this.name);
    const id = `details-${(BackendRow.made += 1)}`;
    const cell = (kind, label, ...children) =>
      element("div", { role: "cell", class: `cell ${kind}`, "data-label": label }, ...children);

    this.opener = element(
      "button",
      { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": id },
      shape("open"),
      element("bdi", { class: "name" }, shown),
    );
    this.opener.addEventListener("click", () => this.toggle());
    this.backup = element("span", { class: "tag" }, "backup");
    this.place = element("div", { class: "quiet place" });

    this.shapeUse = drawn("use");
    this.measured = element("span", { class: "measured" });
    this.left = element("span", { class: "quiet num" });
    this.said = element("span", { class: "said" });
    this.why = element("div", { class: "quiet why" });
    const stateLine = element(
      "div",
      { class: "state-line" },
      drawn("svg", { class: "shape", "aria-hidden": "true" }, this.shapeUse),
      this.measured,
      this.left,
      this.said,
    );

    this.marks = new ProbeMarks();
    this.weight = element("input", {
      type: "number", min: "0", max: "65535", step: "1", inputmode: "numeric", "aria-label": `Weight of ${shown}`,
    });
    // What somebody types stays until it is sent or left.
    this.weight.addEventListener("input", () => (this.isTyping = true));
    this.weight.addEventListener("blur", () => (this.isTyping = false));
    this.weight.addEventListener("change", () => this.changeWeight());
    this.share = element("span", { class: "quiet num" });
    this.inFlight = element("span", { class: "num" });
    this.requests = element("span", { class: "num" });
    const chart = drawn("svg", { class: "row-spark", "aria-hidden": "true" });
    this.lines = new Lines(chart, ["plain"], 72, 18);
    this.failures = element("span", { class: "num" });
    this.errors = element("span", { class: "quiet num" });
    this.latency = element("span", { class: "num" });
    this.phases = new PhaseBar();

    this.choices = OPERATOR_STATES.map(({ state, word, help }) => {
      const button = element("button", { type: "button", "data-state": state, title: `${state}: ${help}` }, word);
      button.setAttribute("aria-label", `${state}: ${shown}`);
      button.addEventListener("click", () => this.ask(this.name, { state }));
      return button;
    });
    this.operator = element(
      "div",
      { class: "choices", role: "group", "aria-label": `Operator's state of ${shown}` },
      ...this.choices,
    );

    this.details = element("div", { role: "cell", class: "details", id, hidden: "" });
    this.element = element(
      "div",
      { role: "row", class: "row", "data-name": this.name },
      cell("who-cell", "Backend", element("div", { class: "name-line" }, this.opener, this.backup), this.place),
      cell("state-cell", "State", stateLine, this.why),
      cell("probes-cell", "Probes", this.marks.svg),
      cell("weight-cell", "Weight", this.weight, this.share),
      cell("in-flight-cell right", "In flight", this.inFlight),
      cell("requests-cell right", "Requests/s", chart, this.requests),
      cell("failures-cell right", "Failures/s", this.failures, this.errors),
      cell("latency-cell right", "p50 · p99", this.latency),
      cell("phases-cell", "Time spent", this.phases.svg),
      cell("operator-cell", "Operator", this.operator),
      this.details,
    );
  }

  toggle() {
    const isOpen = this.details.hidden;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && !this.parts) {
      this.parts = new RowDetails(this.details, () => this.ask(this.name, { weight: null }));
    }
    show(this.details, isOpen);
    if (this.backend) this.fill(this.backend, this.figures);
  }

  changeWeight() {
    this.isTyping = false;
    const text = this.weight.value.trim();
    const weight = Number(text);
    if (/^\d+$/.test(text) && weight !== this.backend.weight) this.ask(this.name, { weight });
    this.weight.value = String(this.backend.weight);
  }

  /** While a change is under way nothing else can be asked for. */
  set isBusy(isBusy) {
    this.isAsking = isBusy;
    mark(this.operator, "aria-busy", String(isBusy));
    if (this.backend) this.fillControls(this.backend);
  }

  /** Keeps what it is told, and shows it when it can be seen. */
  update(backend, figures) {
    this.backend = backend;
    this.figures = figures;
    if (this.isVisible) this.fill(backend, figures);
  }

  see(isVisible) {
    if (isVisible && !this.isVisible && this.backend) this.fill(this.backend, this.figures);
    this.isVisible = isVisible;
  }

  fill(backend, figures) {
    const standing = standingOf(backend);
    mark(this.element, "data-standing", standing);
    const places = [];
    show(this.backup, backend.is_backup);
    // What nearly all have says nothing.
    places.push((backend.address ?? "no member any more").replace(/^http:\/\//, ""));
    if (backend.source && backend.source !== "configuration") places.push(backend.source);
    say(this.place, plain(places.join(" · ")));
    mark(this.place, "title", plain(places.join(" · ")));

    const { measured, left, said } = stateWords(backend);
    mark(this.shapeUse, "href", `#shape-${standing}`);
    say(this.measured, measured);
    say(this.left, left);
    say(this.said, said);
    show(this.said, said !== "");
    const why = plain(whyOf(backend));
    say(this.why, why);
    mark(this.why, "title", why);

    this.marks.draw(backend.health?.probes ?? [], backend.health ? plain(backend.health.check) : "none");
    this.fillControls(backend);

    const most = backend.maximum_in_flight > 0 ? ` / ${count(backend.maximum_in_flight)}` : "";
    say(this.inFlight, count(backend.in_flight) + most);
    say(this.requests, rate(figures?.requests ?? null));
    this.lines.draw([this.series], 1);
    say(this.failures, rate(figures?.failures ?? null));
    mark(this.failures, "class", figures?.failures > 0 ? "num alarming" : "num");
    say(this.errors, figures?.errors > 0 ? `5xx ${rate(figures.errors)}` : "");
    say(this.latency, figures?.p50 ? `${duration(figures.p50)} · ${duration(figures.p99)}` : NOTHING);
    this.phases.draw(figures?.phases ?? null, figures?.attempts ?? 0);
    if (!this.details.hidden) this.parts.fill(backend, figures);
  }

  fillControls(backend) {
    const isFixed = !backend.is_member || this.isAsking === true;
    if (!this.isTyping && this.weight.value !== String(backend.weight)) {
      this.weight.value = String(backend.weight);
    }
    if (this.weight.disabled !== isFixed) this.weight.disabled = isFixed;
    const percent = backend.health?.weight_percent ?? 100;
    say(this.share, backend.is_member && percent < 100 ? `${percent} %` : "");
    for (const button of this.choices) {
      const isChosen = backend.is_member && button.dataset.state === backend.administrative;
      mark(button, "aria-pressed", String(isChosen));
      if (button.disabled !== isFixed) button.disabled = isFixed;
    }
  }
}

/** What a row tells when it is opened. */
class RowDetails {
  constructor(parent, resetWeight) {
    this.pairs = element("dl", { class: "pairs wide-pairs" });
    this.probes = element("ol", { class: "probe-list" });
    this.reset = element("button", { type: "button" }, "Weight as set");
    this.reset.addEventListener("click", resetWeight);
    parent.append(this.pairs, element("div", {}, element("h3", {}, "Checks, the latest first"), this.probes), this.reset);
  }

  fill(backend, figures) {
    const { counts, health } = backend;
    const open = Math.max(0, counts.connections_opened - counts.connections_closed);
    const listed = (list) => {
      const some = list.filter((each) => each.count > 0);
      return some.map((each) => `${plain(each.label)} ${count(each.count)}`).join(", ") || "none";
    };
    const { connections_opened: made, connections_reused: reused } = counts;
    const pairs = [
      ["Address", plain(backend.address ?? NOTHING)],
      ["Known from", plain(backend.source ?? NOTHING)],
      ["Attempts", `${count(counts.attempts)}, of them ${count(counts.retries)} retries`],
      ["Responses", listed(counts.responses)],
      ["Failed attempts", listed(counts.failures)],
      ["Connections", `${count(open)} open, ${count(made)} made, ${count(reused)} attempts on kept ones`],
      ["Bodies", `${bytes(counts.bytes_sent)} sent, ${bytes(counts.bytes_received)} received`],
      ["Time spent", phaseWords(figures?.phases ?? null, figures?.attempts ?? 0)],
    ];
    if (health) {
      pairs.push(["Check", plain(health.check)], ["Ejections", count(health.ejections)]);
      if (health.ejection) pairs.push(["Ejected", `${span(health.ejection.age)} ago: ${plain(health.ejection.reason)}`]);
      if (health.latest_change) {
        pairs.push(["Latest change", `${span(health.latest_change.age)} ago: ${plain(health.latest_change.text)}`]);
      }
    }
    fillPairs(this.pairs, pairs);
    const probes = (health?.probes ?? []).slice(-8).reverse();
    while (this.probes.children.length > probes.length) this.probes.lastElementChild.remove();
    while (this.probes.children.length < probes.length) this.probes.append(element("li"));
    probes.forEach((probe, place) => {
      const line = this.probes.children[place];
      mark(line, "class", probe.is_good ? "good" : "bad");
      say(line, plain(probeWords(probe)));
    });
    show(this.probes.parentElement, probes.length > 0);
    show(this.reset, backend.is_member);
  }
}
