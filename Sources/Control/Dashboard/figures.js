// From counters to figures: what was counted between two messages, as rates, shares and percentiles.

const PHASES = ["queue", "dns", "connect", "tls", "wait", "body"];

/** The bounds that durations are counted between, in nanoseconds: those of LatencyScale.swift. */
const BOUNDS = (() => {
  const steps = [
    100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 225, 250, 275, 300, 350, 400, 450, 500, 600, 700, 800, 900,
  ];
  const bounds = [];
  for (let decade = 10; decade < 1e10; decade *= 10) bounds.push(...steps.map((step) => step * decade));
  return [...bounds, 1e12, Infinity];
})();
const PLACES = new Map(BOUNDS.map((bound, place) => [bound, place]));

/** A histogram of a message as counts by the place of their bound. */
function histogram(json) {
  const result = new Map();
  for (const { le, count } of json.buckets) {
    const bound = le === null || le === undefined ? Infinity : Math.round(le * 1e9);
    const place = PLACES.get(bound);
    if (place !== undefined) result.set(place, count);
  }
  return result;
}

/** What a histogram has counted since an earlier one; all of it, when that one has counted more: it began anew. */
function countedSince(later, earlier) {
  const result = new Map();
  for (const [place, before] of earlier) if ((later.get(place) ?? 0) < before) return later;
  for (const [place, now] of later) {
    const difference = now - (earlier.get(place) ?? 0);
    if (difference > 0) result.set(place, difference);
  }
  return result;
}

/** The time in seconds that a share did not exceed, even within its bucket as Histogram.swift has it; null for none. */
function percentile(counts, share) {
  let total = 0;
  for (const number of counts.values()) total += number;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(total * share));
  let below = 0;
  for (const place of [...counts.keys()].sort((a, b) => a - b)) {
    const number = counts.get(place);
    if (below + number >= rank) {
      const lower = place === 0 ? 0 : BOUNDS[place - 1];
      const upper = place === BOUNDS.length - 1 ? lower : BOUNDS[place];
      return (lower + ((upper - lower) * (rank - below)) / number) / 1e9;
    }
    below += number;
  }
  return null;
}

const total = (list) => list.reduce((sum, each) => sum + each.count, 0);
const labelled = (list) => new Map(list.map(({ label, count }) => [label, count]));

/** What is kept of a message: its counters, in the form in which they are subtracted. */
function sampleOf(stats) {
  const codes = new Map();
  for (const { code, count } of stats.clients.requests) codes.set(code, (codes.get(code) ?? 0) + count);
  return {
    time: stats.time,
    uptime: stats.process.uptime,
    ended: stats.clients.requests_ended,
    codes,
    failures: labelled(stats.clients.failures),
    durations: histogram(stats.clients.duration),
    received: stats.clients.bytes_received,
    sent: stats.clients.bytes_sent,
    processor: stats.process.cpu_seconds,
    busy: stats.loops.reduce((sum, loop) => sum + loop.busy_seconds, 0),
    backends: new Map(stats.backends.map((backend) => [backend.name, backendSampleOf(backend.counts)])),
  };
}

function backendSampleOf(counts) {
  return {
    attempts: counts.attempts,
    failed: total(counts.failures),
    failures: labelled(counts.failures),
    errors: labelled(counts.responses).get("5xx") ?? 0,
    requests: histogram(counts.request),
    phases: PHASES.map((phase) => counts[phase].sum_seconds),
  };
}

/** A counter's growth; all of it, when it has begun anew. */
const growth = (later, earlier) => (later >= earlier ? later - earlier : later);

function growthByLabel(later, earlier) {
  const result = new Map();
  for (const [label, number] of later) {
    const grown = growth(number, earlier.get(label) ?? 0);
    if (grown > 0) result.set(label, grown);
  }
  return result;
}

/** The figures of the whole between two samples; null when there is only one. */
function figuresOf(later, earlier) {
  if (!earlier || later.time <= earlier.time) return null;
  const seconds = later.time - earlier.time;
  const ended = growth(later.ended, earlier.ended);
  const codes = growthByLabel(later.codes, earlier.codes);
  const failures = growthByLabel(later.failures, earlier.failures);
  const durations = countedSince(later.durations, earlier.durations);
  const errors = codes.get("5xx") ?? 0;
  return {
    seconds,
    requests: ended / seconds,
    errorShare: ended > 0 ? errors / ended : null,
    errors: errors / seconds,
    codes,
    ended,
    failures,
    failed: [...failures.values()].reduce((sum, number) => sum + number, 0) / seconds,
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    p99: percentile(durations, 0.99),
    received: growth(later.received, earlier.received) / seconds,
    sent: growth(later.sent, earlier.sent) / seconds,
    processor: growth(later.processor, earlier.processor) / seconds,
    busy: growth(later.busy, earlier.busy) / seconds,
  };
}

/** The figures of a backend between two samples; null when it was not in both. */
function backendFiguresOf(later, earlier, name) {
  const now = later.backends.get(name);
  const before = earlier?.backends.get(name);
  if (!now || !before || later.time <= earlier.time) return null;
  const seconds = later.time - earlier.time;
  const attempts = growth(now.attempts, before.attempts);
  const requests = countedSince(now.requests, before.requests);
  const failed = growth(now.failed, before.failed);
  return {
    seconds,
    attempts,
    requests: attempts / seconds,
    failures: failed / seconds,
    errors: growth(now.errors, before.errors) / seconds,
    reasons: growthByLabel(now.failures, before.failures),
    p50: percentile(requests, 0.5),
    p99: percentile(requests, 0.99),
    phases: now.phases.map((sum, place) => growth(sum, before.phases[place])),
  };
}

/** The samples of the last minute, the newest last. */
class Samples {
  static longest = 60;
  list = [];

  /** Takes the newest; true when the process is another one than before, whose counters began at nothing. */
  add(sample) {
    const last = this.list.at(-1);
    const isAnew = last !== undefined && sample.uptime < last.uptime;
    if (isAnew) this.list = [];
    this.list.push(sample);
    while (this.list.length > 2 && this.list[1].time <= sample.time - Samples.longest) this.list.shift();
    return isAnew;
  }

  get newest() {
    return this.list.at(-1);
  }

  get previous() {
    return this.list.at(-2);
  }

  /** The newest sample that is so old, with some room for messages that come early; else the oldest there is. */
  before(seconds) {
    return this.list[this.placeBefore(seconds)];
  }

  /** The same for a backend that may have come later: the oldest sample in that time that knows it. */
  beforeFor(name, seconds) {
    const place = this.placeBefore(seconds);
    return place < 0 ? undefined : this.list.slice(place, -1).find((sample) => sample.backends.has(name));
  }

  placeBefore(seconds) {
    const limit = (this.newest?.time ?? 0) - seconds + 0.5;
    for (let place = this.list.length - 2; place > 0; place -= 1) if (this.list[place].time <= limit) return place;
    return this.list.length < 2 ? -1 : 0;
  }
}
