"""The figures of all runs: kept by workload, proxy and round; medians, ranges and ratios."""
import dataclasses
import statistics


@dataclasses.dataclass
class Figures:
    """What each run gave, or why it failed."""

    # workload → proxy → round → figures by name
    runs: dict = dataclasses.field(default_factory=dict)
    # (workload, proxy, round, reason)
    failures: list = dataclasses.field(default_factory=list)

    def add(self, workload, proxy, number, figures):
        self.runs.setdefault(workload, {}).setdefault(proxy, {})[number] = figures

    def fail(self, workload, proxy, number, reason):
        self.runs.setdefault(workload, {}).setdefault(proxy, {})
        self.failures.append((workload, proxy, number, reason))

    def values(self, workload, proxy, name):
        """One figure of every round that has it."""
        rounds = self.runs.get(workload, {}).get(proxy, {})
        return [figures[name] for figures in rounds.values() if figures.get(name) is not None]

    def median(self, workload, proxy, name):
        """The median, or None where there is no value."""
        values = self.values(workload, proxy, name)
        return statistics.median(values) if values else None

    def ratios(self, workload, ours, theirs, name="cpu"):
        """Ours to theirs, round by round: what disturbs a whole round disturbs both."""
        rounds = self.runs.get(workload, {})
        mine, other = rounds.get(ours, {}), rounds.get(theirs, {})
        return [mine[number][name] / other[number][name] for number in mine if number in other]
