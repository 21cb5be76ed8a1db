// How often each thing went wrong.

import Telemetry
import Testing

@Suite("Reasons counted")
struct ReasonTallyTests {
    @Test func `the most frequent comes first, equals by name`() {
        let tally = ReasonTally()
        for label in ["b", "c", "a", "c"] { tally.count(label) }
        #expect(tally.summary.map(\.label) == ["c", "a", "b"])
        #expect(tally.summary.map(\.count) == [2, 1, 1])
    }
}
