// Why a request went where it went, for the operator who asks.

/// One choice of a backend: by which rule, among whom, and who was passed over for what reason.
public struct Explanation: Sendable, Equatable {
    /// Why a backend was not among those that the policy compared.
    public enum Obstacle: String, Sendable {
        case maintenance
        case drain
        case down
        /// Out for a time because of what live traffic showed.
        case ejected
        /// Not checked yet.
        case unchecked
        case noWeight = "no_weight"
        /// The request has been there.
        case tried
        /// It has as many requests in flight as it may have.
        case full
        /// An ordinary backend was eligible.
        case backup
        /// It has more in flight than `hash` lets it have for its share.
        case bound
        /// It is not among the candidates that `hash` has for the key, in a pool of more than 256.
        case distant
    }

    /// A backend as it stood.
    public struct Candidate: Sendable, Equatable {
        public let name: String
        public let weight: Int
        public let inFlight: Int
        /// 0 for any number.
        public let maximumInFlight: Int
        public let isBackup: Bool
        /// Whether the client is bound to it.
        public let isPinned: Bool
        let rating: Rating?
        public let obstacle: Obstacle?
    }

    /// The policy, as `LB_POLICY` spells it.
    public let policy: String
    /// All members, in the list's order.
    public let candidates: [Candidate]
    /// The rule that chooses when no client is bound: the policy's, or the one that it falls back to.
    let policyRule: String
    /// The name of the backend that was chosen; nil when none could be.
    public var chosen: String?

    /// The rule that chose: `pinned`, that of the policy, or `none`.
    public var rule: String {
        guard let chosen = candidates.first(where: { $0.name == chosen }) else { return "none" }
        return chosen.isPinned ? "pinned" : policyRule
    }

    /// The explanation as a field value: a dictionary of structured fields (RFC 8941 section 3.2), the chosen one first among
    /// the candidates, then the others in the list's order, as many as fit.
    ///
    /// - Parameter limit: The most bytes; at least 512, which the part before the candidates never takes.
    public func text(limit: Int) -> String {
        var text = "policy=\"\(policy)\", rule=\(rule)"
        if let chosen { text += ", chosen=\"\(Self.plain(chosen))\"" }
        text += ", candidates=("
        let order = candidates.filter { $0.name == chosen } + candidates.filter { $0.name != chosen }
        // Room for the end, and for how many did not fit.
        var room = limit - text.utf8.count - ", omitted=".utf8.count - 12
        var shown = 0
        for candidate in order {
            let item = (shown == 0 ? "" : " ") + item(candidate)
            guard item.utf8.count <= room else { break }
            room -= item.utf8.count
            text += item
            shown += 1
        }
        text += ")"
        if shown < order.count { text += ", omitted=\(order.count - shown)" }
        return text
    }

    private func item(_ candidate: Candidate) -> String {
        let isChosen = candidate.name == chosen
        var item = "\"\(Self.plain(candidate.name))\""
        if isChosen { item += ";chosen" }
        if candidate.isPinned { item += ";pinned" }
        item += ";weight=\(candidate.weight);in_flight=\(candidate.inFlight)"
        if candidate.maximumInFlight > 0 { item += ";max_conns=\(candidate.maximumInFlight)" }
        if candidate.isBackup { item += ";tier=backup" }
        switch candidate.rating {
        case .cost(let cost): item += ";cost=\(Self.decimal(cost))"
        case .score(let score): item += ";score=\(Self.decimal(score))"
        case nil: break
        }
        if let obstacle = candidate.obstacle, !isChosen { item += ";skipped=\(obstacle.rawValue)" }
        return item
    }

    /// A name as it can stand in a string: printable ASCII, neither quote nor backslash; `?` for everything else.
    private static func plain(_ name: String) -> String {
        let bytes = name.utf8.map { byte in
            let isPlain = (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            return isPlain ? byte : UInt8(ascii: "?")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decimal with three digits behind the point, and twelve before it at most.
    private static func decimal(_ value: Double) -> String {
        let thousandths = Int((min(max(value, 0), 999_999_999_999) * 1000).rounded())
        let fraction = String(thousandths % 1000 + 1000).dropFirst()
        return "\(thousandths / 1000).\(fraction)"
    }
}
