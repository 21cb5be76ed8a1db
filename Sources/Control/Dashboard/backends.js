// The list of backends: which rows are shown, in which order, and which of them are kept up to date.

class BackendList {
  constructor(ask) {
    this.ask = ask;
    this.rows = new Map();
    this.series = new Map();
    this.chips = new Map();
    this.only = null;
    this.parent = byId("rows");
    // Rows that cannot be seen are not laid out and not filled: with hundreds of them that is most of the work.
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.rows.get(target.dataset.name)?.see(isIntersecting);
      },
      { rootMargin: "200px" },
    );
    byId("filter").addEventListener("input", () => this.arrange(true));
    byId("sort").addEventListener("change", () => this.arrange(true));
    byId("legend").replaceChildren(
      ...PHASES.map((phase) => {
        return element("li", {}, element("span", { class: `swatch phase-${phase}`, "aria-hidden": "true" }), phase);
      }),
    );
  }

  /** Notes each backend's requests of the last second, also while nobody looks. */
  note(samples) {
    const { backends } = samples.newest;
    for (const name of this.series.keys()) if (!backends.has(name)) this.series.delete(name);
    for (const name of backends.keys()) {
      if (!this.series.has(name)) this.series.set(name, new Series());
      const figures = backendFiguresOf(samples.newest, samples.previous, name);
      this.series.get(name).add(figures ? figures.requests : null);
    }
  }

  /** Shows a message's backends. */
  update(backends, samples, seconds) {
    const names = new Set(backends.map(({ name }) => name));
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      this.observer.unobserve(row.element);
      row.element.remove();
      this.rows.delete(name);
    }
    backends.forEach((backend, place) => {
      let row = this.rows.get(backend.name);
      if (!row) {
        row = new BackendRow(backend.name, this.ask);
        this.rows.set(backend.name, row);
        this.observer.observe(row.element);
      }
      row.rank = place;
      row.series = this.series.get(backend.name);
      row.update(backend, backendFiguresOf(samples.newest, samples.beforeFor(backend.name, seconds), backend.name));
    });
    this.count(backends);
    this.arrange(false);
  }

  /** The buttons that show only those of one state. */
  count(backends) {
    const numbers = new Map([["all", backends.length]]);
    for (const standing of STANDINGS) numbers.set(standing, 0);
    for (const backend of backends) {
      const standing = standingOf(backend);
      numbers.set(standing, numbers.get(standing) + 1);
    }
    for (const [standing, number] of numbers) {
      let chip = this.chips.get(standing);
      if (!chip) {
        chip = element("button", { type: "button", class: "chip", "data-standing": standing });
        if (standing !== "all") chip.append(shape(standing));
        chip.append(element("span", {}, standing), element("span", { class: "num" }));
        chip.addEventListener("click", () => {
          this.only = standing === "all" || this.only === standing ? null : standing;
          this.arrange(true);
        });
        this.chips.set(standing, chip);
        byId("states").append(chip);
      }
      say(chip.lastElementChild, String(number));
      show(chip, number > 0 || standing === "all" || this.only === standing);
      mark(chip, "aria-pressed", String((this.only ?? "all") === standing));
    }
  }

  /** Orders and filters the rows. An order by figures holds still while somebody is about to click. */
  arrange(isAsked) {
    const rows = [...this.rows.values()];
    const order = BackendList.orders[byId("sort").value];
    if (isAsked || !this.parent.matches(":hover, :focus-within") || this.parent.children.length !== rows.length) {
      rows.sort((a, b) => order(a, b) || a.rank - b.rank);
      rows.forEach((row, place) => {
        const present = this.parent.children[place];
        if (present !== row.element) this.parent.insertBefore(row.element, present ?? null);
      });
    }
    const words = byId("filter").value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const { backend } = row;
      const text = `${backend.name} ${backend.address ?? ""} ${backend.source ?? ""}`.toLowerCase();
      const isShown = (!this.only || standingOf(backend) === this.only) && text.includes(words);
      show(row.element, isShown);
      shown += isShown ? 1 : 0;
    }
    say(byId("no-rows"), rows.length ? `None of the ${rows.length} is shown.` : "There is no backend.");
    show(byId("no-rows"), shown === 0);
    if (isAsked) this.count(rows.map(({ backend }) => backend));
  }

  static falling(figure) {
    return (a, b) => (figure(b) ?? -1) - (figure(a) ?? -1);
  }

  static orders = {
    list: () => 0,
    state: (a, b) => STANDINGS.indexOf(standingOf(a.backend)) - STANDINGS.indexOf(standingOf(b.backend)),
    name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
    requests: BackendList.falling((row) => row.figures?.requests),
    failures: BackendList.falling((row) => row.figures && row.figures.failures + row.figures.errors),
    latency: BackendList.falling((row) => row.figures?.p99),
    "in-flight": BackendList.falling((row) => row.backend.in_flight),
  };
}
