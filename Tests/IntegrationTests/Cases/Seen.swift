// What the backend sees of a request in the table of cases.

/// A request as the backend must have seen it, to the byte.
struct Seen: Sendable {
    enum Framing: Sendable {
        case none
        case length(Int)
        case chunked
    }

    /// The head, with `*` for an identifier of the balancer's making.
    let head: String
    let body: String
    let trailers: String
    /// Whether the request was to arrive to its end.
    var isWhole: Bool

    /// - Parameters:
    ///   - fields: The client's own field lines.
    ///   - added: Further lines behind those that each forwarded request gets.
    ///   - host: The value of X-Forwarded-Host; nil where there is none of the balancer's making.
    ///   - proto: The value of X-Forwarded-Proto; nil where there is none of the balancer's making.
    ///   - forwardedFor: The value of X-Forwarded-For.
    init(
        _ line: String,
        _ fields: [String] = ["Host: test"],
        added: [String] = [],
        framing: Framing = .none,
        body: String = "",
        trailers: String = "",
        host: String? = "test",
        proto: String? = "http",
        forwardedFor: String = "127.0.0.1",
        version: String = "1.1",
        maxForwards: Int? = nil,
        keepsIdentifier: Bool = false,
        isWhole: Bool = true
    ) {
        var lines = [line]
        let hasHost = fields.contains { $0.lowercased().hasPrefix("host:") }
        if !hasHost { lines.append("Host: curl-lb") }
        lines += fields
        lines.append("X-Forwarded-For: \(forwardedFor)")
        if let proto { lines.append("X-Forwarded-Proto: \(proto)") }
        if let host, hasHost, !host.isEmpty { lines.append("X-Forwarded-Host: \(host)") }
        if !keepsIdentifier { lines.append("X-Request-Id: *") }
        if let maxForwards { lines.append("Max-Forwards: \(maxForwards)") }
        lines.append("Via: \(version) curl-lb")
        lines += added
        switch framing {
        case .none: break
        case .length(let length): lines.append("Content-Length: \(length)")
        case .chunked: lines.append("Transfer-Encoding: chunked")
        }
        head = "\(lines.joined(separator: "\r\n"))\r\n\r\n"
        self.body = body
        self.trailers = trailers
        self.isWhole = isWhole
    }

    /// The same request, of which the backend's script reads the head alone.
    var headAlone: Seen {
        var seen = self
        seen.isWhole = false
        return seen
    }

    /// What is wrong with a request that was seen; nil when it is this one.
    func complaint(about message: Message, isWhole: Bool) -> String? {
        let lines = message.head.split(separator: "\r\n", omittingEmptySubsequences: false).map { line in
            let isIdentifier = line.hasPrefix("X-Request-Id: ") && line.count == 46
            return isIdentifier ? "X-Request-Id: *" : String(line)
        }
        let head = lines.joined(separator: "\r\n")
        if head != self.head { return "head \(head.debugDescription), expected \(self.head.debugDescription)" }
        if isWhole != self.isWhole { return isWhole ? "arrived whole" : "did not arrive whole" }
        guard isWhole else { return nil }
        if message.body.text != body { return "body \(message.body.text.debugDescription)" }
        if message.trailers != trailers { return "trailers \(message.trailers.debugDescription)" }
        return nil
    }
}
