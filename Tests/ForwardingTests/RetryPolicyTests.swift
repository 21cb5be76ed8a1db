// The retry policy as a table: every combination of facts falls into exactly one row.

import Balancing
import Testing
import Upstream

@testable import Forwarding

/// One combination of the ten facts that decide, a column each.
private struct RetryFacts: Sendable {
    let columns: [Bool]

    /// All 1024.
    static let all: [RetryFacts] = (0..<1024).map { number in
        RetryFacts(columns: (0..<10).map { number >> $0 & 1 == 1 })
    }

    var text: String { columns.map { $0 ? "y" : "n" }.joined(separator: " ") }

    func decision(in phase: StreamFailure.Phase) -> RetryDecision {
        let failure = StreamFailure(
            phase: phase,
            cause: columns[1] ? .malformed("not_http") : .closed,
            text: "",
            wasRequestSent: columns[2],
            wasResponseBegun: columns[6],
            wasReused: columns[5]
        )
        let situation = RetryPolicy.Situation(
            isIdempotent: columns[3],
            isSafe: false,
            isReplayable: columns[4],
            isResponseBegun: columns[0],
            retries: columns[8] ? 2 : 3,
            wasFreshConnectionTried: columns[7]
        )
        let condition: RetryConditions =
            columns[1] ? .junkResponse : columns[2] ? .emptyResponse : .connectionFailure
        let all: RetryConditions = [.connectionFailure, .emptyResponse, .junkResponse, .responseTimeout]
        let conditions = columns[9] ? condition : all.subtracting(condition)
        return RetryPolicy(maximumRetries: 3, conditions: conditions).decide(after: failure, situation)
    }
}

/// A row: yes, no, or whatever for each fact, and the decision.
private struct RetryRow: Sendable {
    let pattern: String
    let decision: RetryDecision

    init(_ pattern: String, _ decision: RetryDecision) {
        self.pattern = pattern
        self.decision = decision
    }

    func covers(_ facts: RetryFacts) -> Bool {
        zip(pattern.split(separator: " "), facts.columns).allSatisfy { $0 == "-" || ($0 == "y") == $1 }
    }

    /// The rows, by these columns.
    ///
    ///     1 a response byte went to the client
    ///     2 the backend's bytes are no HTTP
    ///     3 a byte of the request was sent
    ///     4 the method is idempotent
    ///     5 all that was sent is at hand
    ///     6 the connection was reused
    ///     7 a response byte came
    ///     8 the free attempt was made
    ///     9 a retry is left
    ///    10 the operator wants another attempt after such a failure
    static let table: [RetryRow] = [
        .init("y - - - - - - - - -", .giveUp),
        .init("n - - - - - - - - n", .giveUp),
        .init("n - y n - - - - - y", .giveUp),
        .init("n - y y n - - - - y", .giveUp),
        // No HTTP: nothing to do with the connection's age.
        .init("n y n - - - - - y y", .nextBackend),
        .init("n y n - - - - - n y", .giveUp),
        .init("n y y y y - - - y y", .nextBackend),
        .init("n y y y y - - - n y", .giveUp),
        // Nothing was sent.
        .init("n n n - - y n n - y", .sameBackend),
        .init("n n n - - n - - y y", .nextBackend),
        .init("n n n - - n - - n y", .giveUp),
        .init("n n n - - y y - y y", .nextBackend),
        .init("n n n - - y y - n y", .giveUp),
        .init("n n n - - y n y y y", .nextBackend),
        .init("n n n - - y n y n y", .giveUp),
        // What was sent may be sent again.
        .init("n n y y y y n n - y", .sameBackend),
        .init("n n y y y n - - y y", .nextBackend),
        .init("n n y y y n - - n y", .giveUp),
        .init("n n y y y y y - y y", .nextBackend),
        .init("n n y y y y y - n y", .giveUp),
        .init("n n y y y y n y y y", .nextBackend),
        .init("n n y y y y n y n y", .giveUp),
    ]
}

@Suite("Retry policy")
struct RetryPolicyTests {
    @Test func `every combination of facts is decided as its one row says, in every phase`() throws {
        for facts in RetryFacts.all {
            let rows = RetryRow.table.filter { $0.covers(facts) }
            try #require(rows.count == 1, "\(facts.text) is in \(rows.count) rows")
            for phase in StreamFailure.Phase.allCases {
                #expect(facts.decision(in: phase) == rows[0].decision, "\(facts.text) in \(phase)")
            }
        }
    }

    @Test func `a request whose bytes may have arrived goes again only if it is idempotent`() {
        for facts in RetryFacts.all where facts.columns[2] && !facts.columns[3] {
            #expect(facts.decision(in: .send) == .giveUp, "\(facts.text)")
        }
    }

    @Test func `once the client has a byte of the response nothing goes again`() {
        for facts in RetryFacts.all where facts.columns[0] {
            #expect(facts.decision(in: .responseBody) == .giveUp, "\(facts.text)")
        }
    }

    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let phase: StreamFailure.Phase
        let cause: StreamFailure.Cause
        var isSent = true
        var isReused = false
        /// For GET, HEAD, PUT, DELETE, OPTIONS, TRACE, QUERY; and for POST, PATCH and all others.
        let idempotent: RetryDecision
        let other: RetryDecision

        init(
            _ label: String,
            _ phase: StreamFailure.Phase,
            _ cause: StreamFailure.Cause,
            isSent: Bool = true,
            isReused: Bool = false,
            _ idempotent: RetryDecision,
            _ other: RetryDecision
        ) {
            testDescription = label
            self.phase = phase
            self.cause = cause
            self.isSent = isSent
            self.isReused = isReused
            self.idempotent = idempotent
            self.other = other
        }
    }

    @Test(arguments: [
        Story("a name that is unknown", .resolve, .curl(6), isSent: false, .nextBackend, .nextBackend),
        Story("a connection that is refused", .connect, .curl(7), isSent: false, .nextBackend, .nextBackend),
        Story("a connect timeout", .connect, .curl(28), isSent: false, .nextBackend, .nextBackend),
        Story("a failed handshake", .tls, .curl(35), isSent: false, .nextBackend, .nextBackend),
        Story("a bad certificate", .tls, .curl(60), isSent: false, .nextBackend, .nextBackend),
        Story(
            "nothing could be sent on a reused connection",
            .send,
            .curl(55),
            isSent: false,
            isReused: true,
            .sameBackend,
            .sameBackend
        ),
        Story("sending failed on a reused connection", .send, .curl(55), isReused: true, .sameBackend, .giveUp),
        Story("sending failed on a fresh connection", .send, .curl(55), .nextBackend, .giveUp),
        Story("a reset on a reused connection", .responseHead, .curl(56), isReused: true, .sameBackend, .giveUp),
        Story("an end on a reused connection", .responseHead, .closed, isReused: true, .sameBackend, .giveUp),
        Story("a reset on a fresh connection", .responseHead, .curl(56), .nextBackend, .giveUp),
        Story("an end on a fresh connection", .responseHead, .closed, .nextBackend, .giveUp),
        Story("an answer that is no HTTP", .responseHead, .malformed("not_http"), .giveUp, .giveUp),
    ])
    func `what RFC 9110 section 9.2.2 allows is done, and no more`(_ story: Story) {
        let failure = StreamFailure(
            phase: story.phase,
            cause: story.cause,
            text: "",
            wasRequestSent: story.isSent,
            wasResponseBegun: false,
            wasReused: story.isReused
        )
        for (isIdempotent, decision) in [(true, story.idempotent), (false, story.other)] {
            let situation = RetryPolicy.Situation(
                isIdempotent: isIdempotent,
                isSafe: false,
                isReplayable: true,
                isResponseBegun: false,
                retries: 0,
                wasFreshConnectionTried: false
            )
            #expect(RetryPolicy(maximumRetries: 2, conditions: .safe).decide(after: failure, situation) == decision)
        }
    }

    @Test(arguments: 0...4)
    func `so many retries are made as are allowed, the free one not counted`(maximum: Int) {
        var situation = RetryPolicy.Situation(
            isIdempotent: true,
            isSafe: false,
            isReplayable: true,
            isResponseBegun: false,
            retries: 0,
            wasFreshConnectionTried: false
        )
        func failure(isReused: Bool) -> StreamFailure {
            StreamFailure(
                phase: .responseHead,
                cause: .closed,
                text: "",
                wasRequestSent: true,
                wasResponseBegun: false,
                wasReused: isReused
            )
        }
        let policy = RetryPolicy(maximumRetries: maximum, conditions: .safe)
        #expect(policy.decide(after: failure(isReused: true), situation) == .sameBackend)
        situation.wasFreshConnectionTried = true
        while policy.decide(after: failure(isReused: false), situation) == .nextBackend {
            situation.retries += 1
            situation.wasFreshConnectionTried = false
        }
        #expect(situation.retries == maximum)
    }

    /// Every situation that statuses and silences are judged in.
    private static let situations: [RetryPolicy.Situation] = (0..<32).map { number in
        RetryPolicy.Situation(
            isIdempotent: number & 1 != 0,
            isSafe: number & 16 != 0,
            isReplayable: number & 2 != 0,
            isResponseBegun: number & 4 != 0,
            retries: number & 8 != 0 ? 2 : 3,
            wasFreshConnectionTried: false
        )
    }

    @Test(arguments: [RetryConditions.safe, .gateway, .allErrors, [], RetryConditions.status(429) ?? []])
    func `a response gives way only when its status is in the set, and the request may be done twice`(
        conditions: RetryConditions
    ) {
        let policy = RetryPolicy(maximumRetries: 3, conditions: conditions)
        for status in 100...599 {
            let isInSet = RetryConditions.status(status).map(conditions.contains) ?? false
            for situation in Self.situations {
                for hasRetryAfter in [false, true] {
                    let isHeeded = hasRetryAfter && (status == 503 || status == 429)
                    let expected =
                        isInSet && !isHeeded && situation.isIdempotent && situation.isReplayable
                        && !situation.isResponseBegun && situation.retries < 3
                    let decision = policy.mayRepeat(afterStatus: status, hasRetryAfter: hasRetryAfter, situation)
                    #expect(decision == expected, "\(status) \(hasRetryAfter) \(situation)")
                }
            }
        }
    }

    @Test func `a second backend is asked beside the first only for what changes nothing, and within the retries`() {
        for situation in Self.situations {
            for conditions in [RetryConditions.safe, .responseTimeout, []] {
                let expected =
                    !conditions.isEmpty && situation.isSafe && situation.isReplayable
                    && !situation.isResponseBegun
                    && situation.retries < 3
                let policy = RetryPolicy(maximumRetries: 3, conditions: conditions)
                #expect(policy.mayHedge(situation) == expected, "\(situation)")
            }
        }
    }

    @Test func `an error gives way to what is on its way already, whatever is repeated and whatever retries are left`()
    {
        for conditions in [RetryConditions.safe, .gateway, RetryConditions.status(404) ?? []] {
            let policy = RetryPolicy(maximumRetries: 3, conditions: conditions)
            for situation in Self.situations {
                for status in 100...599 {
                    let isError = status >= 500 || status == 429 || conditions.contains(status: status)
                    let expected = isError && !situation.isResponseBegun
                    #expect(policy.isInferior(status: status, situation) == expected, "\(status) \(situation)")
                }
            }
        }
    }

    @Test func `the presets hold these statuses`() {
        let statuses = { (conditions: RetryConditions) in (100...599).filter(conditions.contains(status:)) }
        #expect(statuses(.safe).isEmpty && !RetryConditions.safe.hasStatuses)
        #expect(statuses(.gateway) == [502, 503, 504])
        #expect(statuses(.allErrors) == [500, 502, 503, 504])
        #expect(RetryConditions.gateway.isSuperset(of: .safe))
        #expect(RetryConditions.allErrors.isSuperset(of: [.junkResponse, .responseTimeout]))
        #expect(RetryConditions.gateway.isDisjoint(with: [.junkResponse, .responseTimeout]))
    }

    @Test func `a silence is followed by another attempt as its class says`() {
        for situation in Self.situations {
            for (wasSent, condition) in [(true, RetryConditions.responseTimeout), (false, .connectionFailure)] {
                let mayGoAgain = !wasSent || situation.isIdempotent && situation.isReplayable
                let expected = mayGoAgain && !situation.isResponseBegun && situation.retries < 3
                let all: RetryConditions = [.connectionFailure, .emptyResponse, .junkResponse, .responseTimeout]
                let wanting = RetryPolicy(maximumRetries: 3, conditions: condition)
                let others = RetryPolicy(maximumRetries: 3, conditions: all.subtracting(condition))
                #expect(wanting.mayRepeat(afterSilence: wasSent, situation) == expected, "\(wasSent) \(situation)")
                #expect(!others.mayRepeat(afterSilence: wasSent, situation))
            }
        }
    }
}
