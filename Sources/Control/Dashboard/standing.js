// How a backend stands: one word and shape for its two states, and whether it takes requests.

/** From bad to good, which is the order when sorted by state. */
const STANDINGS = ["down", "ejected", "unchecked", "maintenance", "drain", "up", "removed"];

/** From what allows most to what allows least. */
const WORDS = ["ready", "drain", "maintenance"];

/** What holds of the operator's word and the backend's own: the stricter one. */
function wordOf(backend) {
  return WORDS[Math.max(WORDS.indexOf(backend.administrative), WORDS.indexOf(backend.requested))];
}

/** The word for all states together: what is said hides what is measured, except that it is down. */
function standingOf(backend) {
  if (!backend.is_member) return "removed";
  const word = wordOf(backend);
  if (word === "maintenance") return "maintenance";
  if (backend.operational !== "up") return backend.operational;
  return word === "drain" ? "drain" : "up";
}

/** What is shown of the states: the measured one, what is left of an ejection, and what is said by whom, when that is not ready. */
function stateWords(backend) {
  if (!backend.is_member) return { measured: "removed", left: "", said: backend.in_flight > 0 ? "finishing" : "" };
  const left = backend.operational === "ejected" ? backend.health?.ejection?.ends_in : undefined;
  return {
    measured: backend.operational,
    left: left === undefined ? "" : left > 0 ? `${span(left)} left` : "trial due",
    said: [
      backend.administrative === "ready" ? [] : [backend.administrative],
      backend.requested === "ready" ? [] : [`asks for ${backend.requested}`],
    ].flat().join(", "),
  };
}

/** Whether it takes new requests. */
function isUsable(backend) {
  return backend.takes_requests;
}

/** One line about why it stands so; empty when there is nothing to say. */
function whyOf(backend) {
  const health = backend.health;
  if (!health) return "";
  if (backend.operational === "ejected" && health.ejection) return health.ejection.reason;
  if (backend.operational === "down" || backend.operational === "unchecked") {
    const last = health.probes.at(-1);
    if (last) return `${last.text} (${span(last.age)} ago)`;
  }
  if (backend.operational === "up" && wordOf(backend) === "ready" && health.weight_percent < 100) {
    return `takes ${health.weight_percent} % of its weight`;
  }
  return "";
}
