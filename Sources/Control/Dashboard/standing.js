// How a backend stands: one word and shape for its two states, and whether it takes requests.

/** From bad to good, which is the order when sorted by state. */
const STANDINGS = ["down", "ejected", "unchecked", "maintenance", "drain", "up", "removed"];

/** The word for both states together: what the operator has said hides what is measured, except that it is down. */
function standingOf(backend) {
  if (!backend.is_member) return "removed";
  if (backend.administrative === "maintenance") return "maintenance";
  if (backend.operational !== "up") return backend.operational;
  return backend.administrative === "drain" ? "drain" : "up";
}

/** What is shown of the states: the measured one, what is left of an ejection, and the operator's, when that is not ready. */
function stateWords(backend) {
  if (!backend.is_member) return { measured: "removed", left: "", said: backend.in_flight > 0 ? "finishing" : "" };
  const left = backend.operational === "ejected" ? backend.health?.ejection?.ends_in : undefined;
  return {
    measured: backend.operational,
    left: left === undefined ? "" : left > 0 ? `${span(left)} left` : "trial due",
    said: backend.administrative === "ready" ? "" : backend.administrative,
  };
}

/** Whether it takes new requests. */
function isUsable(backend) {
  return (
    backend.is_member && backend.operational === "up" && backend.administrative === "ready" && backend.weight > 0
  );
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
  if (backend.operational === "up" && backend.administrative === "ready" && health.weight_percent < 100) {
    return `takes ${health.weight_percent} % of its weight`;
  }
  return "";
}
