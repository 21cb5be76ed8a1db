// The page: what comes in is kept, and shown once for each frame.

class Dashboard {
  constructor() {
    this.samples = new Samples();
    this.series = Object.fromEntries(
      ["requests", "errors", "p50", "p99", "inFlight"].map((figure) => [figure, new Series()]),
    );
    this.charts = {
      requests: new Lines(byId("requests-chart"), ["plain"]),
      errors: new Lines(byId("errors-chart"), ["bad"]),
      latency: new Lines(byId("latency-chart"), ["plain", "faint"]),
      inFlight: new Lines(byId("in-flight-chart"), ["plain"]),
    };
    this.backends = new BackendList((name, change) => this.ask(name, change));
    this.reasons = new Reasons();
    this.failures = new Tail(
      byId("failures"),
      byId("no-failures"),
      ({ time, id }) => `${time} ${id}`,
      failureLine,
      (failure) => JSON.stringify(failure),
    );
    this.changes = new Tail(
      byId("changes"),
      byId("no-changes"),
      ({ time, kind, backend, text }) => JSON.stringify([time, kind, backend, text]),
      changeLine,
      (change) => change.text,
    );
    this.link = new Link(
      (kind, value) => this.take(kind, value),
      (...how) => this.linkChanged(...how),
    );
    this.listen();
  }

  listen() {
    byId("window").addEventListener("change", () => this.schedule());
    byId("failure-filter").addEventListener("input", ({ target }) => (this.failures.words = target.value));
    byId("hold").addEventListener("click", ({ target }) => {
      this.failures.isHeld = !this.failures.isHeld;
      mark(target, "aria-pressed", String(this.failures.isHeld));
      this.failures.render();
    });
    byId("retry").addEventListener("click", () => this.link.retry());
    byId("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      token.value = byId("token").value;
      byId("token").value = "";
      show(byId("token-form"), false);
      this.link.retry();
    });
    setInterval(() => this.tick(), 250);
  }

  /** Keeps what has come. */
  take(kind, value) {
    if (kind === "stats") {
      this.stats = value;
      if (this.samples.add(sampleOf(value))) for (const series of Object.values(this.series)) series.add(null);
      this.backends.note(this.samples);
      const last = figuresOf(this.samples.newest, this.samples.previous);
      this.series.requests.add(last ? last.requests : null);
      this.series.errors.add(last ? (last.errorShare ?? 0) * 100 : null);
      this.series.p50.add(last ? last.p50 : null);
      this.series.p99.add(last ? last.p99 : null);
      this.series.inFlight.add(value.clients.requests_begun - value.clients.requests_ended);
    } else if (kind === "failure") {
      this.failures.add(value);
    } else if (kind === "change") {
      this.changes.add(value);
    }
    this.schedule();
  }

  /** Shows it with the next frame; a page that nobody sees gets none. */
  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      this.render();
    });
  }

  render() {
    this.failures.render();
    this.changes.render();
    if (!this.stats) return;
    const seconds = Number(byId("window").value);
    const figures = figuresOf(this.samples.newest, this.samples.before(seconds));
    this.renderHead();
    this.renderTiles(figures);
    this.reasons.update(this.samples.newest.failures, figures);
    this.backends.update(this.stats.backends, this.samples, seconds);
  }

  renderHead() {
    const { name, build, policy, process, is_panic: isPanic, backends } = this.stats;
    say(byId("name"), plain(name));
    say(byId("facts"), plain(`curl-lb ${build.version} · ${build.libcurl} · ${policy} · up ${span(process.uptime)}`));
    let problem = "";
    if (isPanic) {
      problem =
        "No backend is usable. Requests go to all that are ready, since one of them may still answer (panic mode).";
    } else if (!backends.some(isUsable)) {
      problem = "No backend takes requests: clients are answered with 503.";
    }
    say(byId("panic"), problem);
    show(byId("panic"), problem !== "");
    const bad = backends.filter((backend) => ["down", "ejected"].includes(standingOf(backend))).length;
    const sign = this.isLost ? "(no link) " : problem ? "(!) " : bad ? `(${bad}) ` : "";
    document.title = `${sign}${plain(name)} – curl-lb`;
  }

  renderTiles(figures) {
    const { clients, process, queue_waiting: waiting, loops, access_log: log } = this.stats;
    const inFlight = clients.requests_begun - clients.requests_ended;
    say(byId("requests"), rate(figures?.requests ?? null));
    say(byId("requests-more"), `${bytes(figures?.received ?? 0)}/s in, ${bytes(figures?.sent ?? 0)}/s out`);
    say(byId("errors"), percent(figures?.errorShare ?? null));
    mark(byId("errors"), "class", figures?.errors > 0 ? "num alarming" : "num");
    const share = (code) => percent(figures?.ended ? (figures.codes.get(code) ?? 0) / figures.ended : null);
    say(byId("errors-more"), `${rate(figures?.errors ?? null)} /s; 4xx ${share("4xx")} %, no answer ${share("none")} %`);
    for (const name of ["p50", "p95", "p99"]) say(byId(name), duration(figures?.[name]));
    say(byId("latency-more"), `of ${count(figures?.ended ?? 0)} requests in ${Math.round(figures?.seconds ?? 0)} s`);
    say(byId("in-flight"), count(inFlight));
    say(
      byId("in-flight-more"),
      `${count(waiting)} waiting, ${count(clients.connections_opened - clients.connections_closed)} connections`,
    );
    const pairs = [
      ["Processor", figures ? `${percent(figures.processor)} %` : NOTHING],
      ["Workers busy", figures ? `${percent(figures.busy / Math.max(1, loops.length))} % of ${loops.length}` : NOTHING],
      ["Memory", bytes(process.resident_bytes)],
      ["Open files", `${count(process.open_descriptors)} of ${count(process.maximum_descriptors)}`],
    ];
    if (log?.lost > 0) pairs.push(["Log lines lost", count(log.lost)]);
    fillPairs(byId("process"), pairs);
    say(byId("reasons-more"), figures ? `${rate(figures.failed)} /s did not end well` : "");
    this.renderCharts();
  }

  /** Each with the value that its scale ends at. */
  renderCharts() {
    const { requests, errors, p50, p99, inFlight } = this.series;
    say(byId("requests-peak"), `max ${rate(this.charts.requests.draw([requests], 1))}`);
    say(byId("errors-peak"), `max ${percent(this.charts.errors.draw([errors], 1) / 100)} %`);
    say(byId("latency-peak"), `max p99 ${duration(this.charts.latency.draw([p99, p50], 0.001))}`);
    say(byId("in-flight-peak"), `max ${count(this.charts.inFlight.draw([inFlight], 1))}`);
  }

  // MARK: The link

  linkChanged(state, why, retryAt) {
    this.retryAt = retryAt;
    this.isLost = state === "lost" || (state === "connecting" && this.isLost === true);
    const names = { connecting: "Connecting", live: "Live", lost: "No link", token: "Token needed" };
    mark(byId("link"), "data-state", state);
    say(byId("link-text"), names[state]);
    if (state === "live") this.isLost = false;
    if (state === "lost") say(byId("lost-text"), `${why} What is shown is old.`);
    show(byId("lost"), this.isLost);
    mark(document.body, "class", this.isLost || state === "token" ? "stale" : "");
    if (state === "token") this.wantToken(why);
    if (state === "live") show(byId("token-form"), false);
    this.tick();
    if (this.stats) this.schedule();
  }

  wantToken(why) {
    say(byId("token-why"), why);
    show(byId("token-form"), true);
    byId("token").focus();
  }

  /** The countdown to the next try. */
  tick() {
    const left = this.retryAt ? Math.ceil((this.retryAt - Date.now()) / 1000) : 0;
    say(byId("lost-wait"), left > 0 ? `Next try in ${left} s.` : this.isLost ? "Trying now." : "");
  }

  // MARK: Changes

  async ask(name, change) {
    const row = this.backends.rows.get(name);
    if (this.leavesNothing(name, change) && !(await confirmed(name, change))) return;
    row.isBusy = true;
    try {
      const member = await changeBackend(name, change);
      this.stats.backends = this.stats.backends.map((backend) => (backend.name === name ? member : backend));
    } catch (error) {
      if (error instanceof TokenNeeded) this.wantToken(error.message);
      notice(`${plain(name)} was not changed. ${plain(wordsFor(error))}`);
    } finally {
      row.isBusy = false;
      this.schedule();
    }
  }

  /** Whether the backend is the last that takes requests, and would take none. */
  leavesNothing(name, { state, weight }) {
    const takesNone = (state !== undefined && state !== "ready") || weight === 0;
    const usable = this.stats.backends.filter(isUsable);
    return takesNone && usable.length === 1 && usable[0].name === name;
  }
}

/** Asks whether that is meant. */
function confirmed(name, { state, weight }) {
  const dialog = byId("confirm");
  const shown = plain(name);
  const deeds = { drain: `Drain ${shown}`, maintenance: `Put ${shown} into maintenance` };
  const deed = weight === 0 ? `Give ${shown} no weight` : deeds[state];
  say(byId("confirm-title"), `${deed}?`);
  say(
    byId("confirm-text"),
    `${shown} is the last backend that takes requests. Without it clients are answered with 503, until another one is up` +
      " and ready.",
  );
  say(byId("confirm-yes"), deed);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Says what was refused, until it is taken note of. */
function notice(text) {
  const line = element("li", { class: "banner bad" }, element("span", {}, text));
  const button = element("button", { type: "button" }, "Dismiss");
  button.addEventListener("click", () => line.remove());
  line.append(button);
  byId("notices").append(line);
  while (byId("notices").children.length > 5) byId("notices").firstElementChild.remove();
}

new Dashboard().link.run();
