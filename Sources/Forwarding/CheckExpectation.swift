// What the answer to a health check must be, and what it may ask for.

internal import Balancing
internal import Upstream

/// By what a check over HTTP passes.
public struct CheckExpectation: Sendable, Equatable {
    /// The statuses that pass; by default 200 to 399.
    public var statuses: [ClosedRange<Int>]
    /// What the body must contain; nil for anything.
    public var body: String?
    /// Whether a 404 asks for a drain (HAProxy's `disable-on-404`), and does not fail.
    public var drainsOnNotFound: Bool

    public init(statuses: [ClosedRange<Int>] = [200...399], body: String? = nil, drainsOnNotFound: Bool = false) {
        self.statuses = statuses
        self.body = body
        self.drainsOnNotFound = drainsOnNotFound
    }

    /// How much of a body is looked at where one is expected.
    static let maximumBody = 65536

    /// How many bytes of the answer's body are wanted; 0 when its head says everything, since a body may be a stream without an end.
    func bodyLimit(for order: ProbeOrder) -> Int { order.isPathConfigured && body != nil ? Self.maximumBody : 0 }

    /// What a probe's result means.
    func outcome(of result: ProbeResult, _ order: ProbeOrder, after nanoseconds: UInt64) -> ProbeOutcome {
        switch result {
        case .connected:
            return ProbeOutcome(isPassed: true, text: "connected", nanoseconds: nanoseconds)
        case .failed(let text):
            return ProbeOutcome(isPassed: false, text: text, nanoseconds: nanoseconds)
        case .answered(let answer):
            var outcome = ProbeOutcome(
                isPassed: true,
                status: answer.status,
                text: "status \(answer.status)",
                nanoseconds: nanoseconds
            )
            if let problem = problem(with: answer, isConfigured: order.isPathConfigured) {
                outcome.isPassed = false
                outcome.text += ", \(problem)"
            }
            // What it asks for with an error page is not heard.
            if order.isPathConfigured, outcome.isPassed { outcome.wish = wish(in: answer) }
            return outcome
        }
    }

    private func problem(with answer: ProbeAnswer, isConfigured: Bool) -> String? {
        // Nobody said that there is anything at that path: whatever is no server's error is an answer.
        guard isConfigured else { return answer.status < 500 ? nil : "expected one below 500" }
        if isDrain(answer) { return nil }
        guard statuses.contains(where: { $0.contains(answer.status) }) else {
            return "expected \(statuses.map(Self.text).joined(separator: ", "))"
        }
        guard let body else { return nil }
        return String(decoding: answer.body, as: UTF8.self).contains(body) ? nil : "the body is not as expected"
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }

    private func isDrain(_ answer: ProbeAnswer) -> Bool { drainsOnNotFound && answer.status == 404 }

    // MARK: Wishes

    /// What an answer asks for; what cannot be understood asks for nothing.
    private func wish(in answer: ProbeAnswer) -> BackendWish {
        var wish = BackendWish()
        if let text = answer.value("x-lb-state"), let state = Self.state(text) { wish.state = state }
        if let text = answer.value("x-lb-weight"), let percent = Self.percent(text) { wish.weightPercent = percent }
        if isDrain(answer), wish.state == .ready { wish.state = .drain }
        return wish
    }

    /// The fields with which an answer asks for something that cannot be understood.
    static func misunderstood(in answer: ProbeAnswer) -> [String] {
        var lines: [String] = []
        if let text = answer.value("x-lb-state"), state(text) == nil {
            lines.append("X-LB-State: \(quoted(text)), expected ready, drain or maint")
        }
        if let text = answer.value("x-lb-weight"), percent(text) == nil {
            lines.append("X-LB-Weight: \(quoted(text)), expected a whole number from 0 to 100")
        }
        return lines
    }

    /// A value's beginning: one letter alone can have any number of marks over it.
    private static func quoted(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(64))).debugDescription
    }

    private static func state(_ text: String) -> AdministrativeState? {
        switch text.lowercased() {
        case "ready", "up": .ready
        case "drain": .drain
        case "maint", "maintenance": .maintenance
        default: nil
        }
    }

    /// A whole number of percent, with or without the sign; a backend may ask for less than its weight, not for more.
    private static func percent(_ text: String) -> Int? {
        let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let percent = Int(digits), percent <= 100
        else { return nil }
        return percent
    }
}
