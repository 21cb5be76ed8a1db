// What must hold for every request head.

import EventLoop
import HTTPWire
import MessageIO

extension RequestParser: HeadParser {}

extension RequestParser.Progress: ParsingProgress {
    var isForSize: Bool {
        switch self {
        case .refused(.headTooLarge), .refused(.tooManyFields), .refused(.targetTooLong): true
        case .refused, .needMore, .complete: false
        }
    }
}

extension RequestHead: ParsedHead {
    func isSame(as other: RequestHead) -> Bool {
        method == other.method && targetForm == other.targetForm && pathPrefix == other.pathPrefix
            && minorVersion == other.minorVersion && isPersistent == other.isPersistent
            && expectsContinue == other.expectsContinue && acceptsTrailers == other.acceptsTrailers
            && wantsUpgrade == other.wantsUpgrade && methodRange == other.methodRange
            && targetRange == other.targetRange && pathRange == other.pathRange
            && authorityRange == other.authorityRange && hostValueRange == other.hostValueRange
            && maxForwards == other.maxForwards && framing == other.framing && length == other.length
            && fields.isSame(as: other.fields)
    }
}

/// The properties of ``RequestParser`` and of what a ``RequestHead`` says.
public enum RequestProperties {
    /// Checks an input: the bytes of a request head, and what follows.
    public static func check(_ input: [UInt8]) throws(Violation) {
        let reading = try HeadReading.inEveryWay(input, by: RequestParser())
        let tight = try HeadReading.inEveryWay(input, by: RequestParser(limits: tightLimits(for: input)))
        try reading.demandSameVerdict(within: tight)
        guard reading.progress == .complete else { return }
        var head = reading.head
        try demand(head.length <= input.count, "a head ends inside its bytes")
        try demandCleanLines(input[..<head.length])
        let naive = try checkShape(of: head, in: input)
        try checkTarget(of: head, in: input)
        try checkHost(of: head, naive, in: input)
        try checkFraming(of: head, naive)
        try checkMeaning(of: head, naive)
        head.markHopByHop(input.span)
        try head.fields.demandMarks(naive.hopByHopNames, of: naive)
        try checkForwarding(of: head, in: input)
    }

    /// The head is a method, a target, a version and lines, and no byte of it is anything else.
    private static func checkShape(of head: RequestHead, in input: [UInt8]) throws(Violation) -> NaiveFields {
        let start = input.has("\r\n", at: 0) ? 2 : 0
        let method = head.methodRange
        try demand(method.lowerBound == start, "a method follows at most one empty line")
        try demand(input[method].isToken && method.count <= 32, "a method is a token of at most 32 bytes")
        let spelled = Method.allCases.first { $0 != .other && input[method].elementsEqual($0.spelling.utf8) }
        try demand(head.method == spelled ?? .other, "a method is recognised")
        let target = head.targetRange
        try demand(
            input[method.upperBound] == 0x20 && target.lowerBound == method.upperBound + 1,
            "one space stands behind the method"
        )
        try demand(
            !target.isEmpty && input[target].allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x23 },
            "a target is visible ASCII without a fragment"
        )
        let line = target.upperBound
        try demand(input.has(" HTTP/1.", at: line) && input.has("\r\n", at: line + 9), "the request line ends well")
        try demand(input[line + 8..<line + 9].isNumber, "a minor version is a digit")
        try demand((head.minorVersion == 0) == (input[line + 8] == 0x30), "a minor version is what it says")
        guard let naive = NaiveFields(input, from: line + 11) else {
            throw Violation("the plain reader can read what was accepted")
        }
        try demand(naive.end == head.length, "the head ends where the plain reader ends")
        try head.fields.demandSame(as: naive)
        return naive
    }

    private static func checkTarget(of head: RequestHead, in input: [UInt8]) throws(Violation) {
        try demand(head.method != .connect, "CONNECT is refused")
        let target = input[head.targetRange]
        let path = input[head.pathRange]
        try demand(path.endIndex == target.endIndex, "a path ends its target")
        switch head.targetForm {
        case .origin:
            try demand(head.pathRange == head.targetRange && path.first == 0x2F, "a path starts with a slash")
            try demand(head.pathPrefix == .nothing && head.authorityRange == nil, "a path is all there is")
        case .asterisk:
            try demand(target.elementsEqual("*".utf8) && head.method == .options, "only OPTIONS has an asterisk")
            try demand(head.pathPrefix == .nothing && head.authorityRange == nil, "an asterisk is all there is")
            try demand(head.pathRange == head.targetRange, "an asterisk is forwarded")
        case .absolute:
            guard let authority = head.authorityRange else { throw Violation("an absolute target has an authority") }
            let scheme = target[..<authority.lowerBound].lowercased
            try demand(scheme == [UInt8]("http://") || scheme == [UInt8]("https://"), "a scheme is http or https")
            try demand(authority.upperBound == path.startIndex, "a path follows its authority")
            try demandAuthority(input[authority])
            switch head.pathPrefix {
            case .nothing: try demand(path.first == 0x2F, "nothing is missing before a slash")
            case .slash: try demand(path.isEmpty || path.first == 0x3F, "a slash is missing before a query or nothing")
            case .asterisk: try demand(path.isEmpty && head.method == .options, "an asterisk is missing for OPTIONS")
            }
        case .authority:
            throw Violation("an authority alone is refused")
        }
    }

    private static func checkHost(of head: RequestHead, _ naive: NaiveFields, in input: [UInt8]) throws(Violation) {
        let hosts = naive.values("host")
        try demand(hosts.count <= 1, "there is one Host at most")
        try demand(hosts.count == 1 || head.minorVersion == 0, "HTTP/1.1 has a Host")
        try demand((head.hostValueRange == nil) == hosts.isEmpty, "Host is found")
        guard let host = hosts.first else { return }
        try demand(head.hostValueRange.map { input[$0] == host } ?? false, "Host is what it says")
        if !host.isEmpty { try demandAuthority(host) }
        let expected = head.authorityRange ?? head.hostValueRange
        try demand(head.effectiveAuthorityRange == expected, "the target's authority goes before Host")
    }

    /// A host that is not empty and a port: one way to read it.
    private static func demandAuthority(_ text: ArraySlice<UInt8>) throws(Violation) {
        let barred = Set("/?#@\\, \t\"<>^`{|}".utf8)
        try demand(
            text.allSatisfy { $0 > 0x20 && $0 < 0x7F && !barred.contains($0) },
            "an authority is a host and a port"
        )
        let host: ArraySlice<UInt8>
        if text.first == 0x5B {
            guard let end = text.firstIndex(of: 0x5D) else { throw Violation("a bracket is closed") }
            host = text[...end]
            try demand(host.dropFirst().count { $0 == 0x3A } >= 2, "an address has its colons")
            try demand(!host.dropFirst().contains(0x5B), "there is one bracket")
        } else {
            host = text.prefix { $0 != 0x3A }
            try demand(!host.contains(0x5B) && !host.contains(0x5D), "a name has no bracket")
        }
        try demand(!host.isEmpty, "a host is not empty")
        let port = text[host.endIndex...]
        guard !port.isEmpty else { return }
        try demand(port.first == 0x3A, "a colon is before a port")
        let digits = port.dropFirst()
        try demand(digits.isEmpty || (digits.number ?? .max) <= 65_535, "a port is a number of 16 bits")
    }

    /// A length, or chunks, or nothing: never two of them (RFC 9112 section 6.3).
    private static func checkFraming(of head: RequestHead, _ naive: NaiveFields) throws(Violation) {
        let codings = naive.values("transfer-encoding")
        let lengths = naive.values("content-length")
        try demand(codings.isEmpty || lengths.isEmpty, "a length and a coding are never both accepted")
        switch head.framing {
        case .none:
            try demand(codings.isEmpty && lengths.isEmpty, "without framing there is no body")
        case .length(let length):
            try demand(lengths.count == 1 && lengths.first?.number == length, "a length is said once and is a number")
        case .chunked:
            try demand(codings.map(\.lowercased) == [[UInt8]("chunked")], "chunked is said once and alone")
            try demand(head.minorVersion > 0, "HTTP/1.0 has no transfer coding")
        case .untilClose:
            throw Violation("no request ends with its connection")
        }
    }

    private static func checkMeaning(of head: RequestHead, _ naive: NaiveFields) throws(Violation) {
        let options = naive.tokens("connection")
        let isModern = head.minorVersion > 0
        let asksClose = options.contains([UInt8]("close"))
        let keepsAlive = isModern || options.contains([UInt8]("keep-alive"))
        try demand(head.isPersistent == (!asksClose && keepsAlive), "a connection is kept if the client wants it")
        try demand(options.count <= 64, "the options of a connection are few")
        let upgrades =
            isModern && options.contains([UInt8]("upgrade")) && naive.has("upgrade")
            && !naive.tokens("upgrade").contains { token in
                // White space before the slash has no place there; a lenient backend would read the same name all the same.
                let name = token.prefix { $0 != UInt8(ascii: "/") }.trimmed
                return name.elementsEqual("h2c".utf8) || name.elementsEqual("tls".utf8)
            }
        try demand(
            head.wantsUpgrade == upgrades,
            "another protocol is asked for with an option, and is neither h2c nor TLS"
        )
        let expects = isModern && naive.hasToken("100-continue", "expect")
        try demand(head.expectsContinue == expects, "a client that waits says so")
        try demand(head.acceptsTrailers == naive.hasToken("trailers", "te"), "a client that takes trailers says so")
        let forwards = naive.values("max-forwards").first.flatMap { $0.isNumber ? $0.number ?? .max : nil }
        try demand(head.maxForwards == forwards, "Max-Forwards is a number or nothing")
    }

    /// What goes on of an accepted head is accepted again and means the same.
    private static func checkForwarding(of head: RequestHead, in input: [UInt8]) throws(Violation) {
        let output = forwarded(head, in: input)
        var parser = RequestParser()
        var again = RequestHead()
        try demand(parser.parse(output.span, into: &again) == .complete, "what is forwarded is accepted")
        again.markHopByHop(output.span)
        try demand(again.length == output.count, "what is forwarded is one head")
        try demand(output[again.methodRange] == input[head.methodRange], "a method is forwarded as it came")
        try demand(again.targetForm != .absolute && again.pathPrefix == .nothing, "a target is forwarded as a path")
        let path = Array(output[again.pathRange])
        try demand(path == prefix(of: head) + input[head.pathRange], "a path is forwarded as it came")
        try demand(again.framing == head.framing, "what is forwarded is framed the same")
        try demand(again.acceptsTrailers == head.acceptsTrailers, "a wish for trailers is forwarded")
        try demand(again.isPersistent && !again.wantsUpgrade, "nothing else of the connection is forwarded")
        let host = head.effectiveAuthorityRange.map { Array(input[$0]) } ?? [UInt8]("b")
        try demand(again.hostValueRange.map { Array(output[$0]) } == host, "a host is forwarded as it was meant")
        let kept = keptLines(of: head, in: input)
        try demand(keptLines(of: again, in: output) == kept, "lines are forwarded as they came and in order")
    }

    private static func prefix(of head: RequestHead) -> [UInt8] {
        switch head.pathPrefix {
        case .nothing: []
        case .slash: [0x2F]
        case .asterisk: [0x2A]
        }
    }

    /// The end-to-end lines without those that are said anew.
    private static func keptLines(of head: RequestHead, in input: [UInt8]) -> [UInt8] {
        head.fields.lines.filter(isKept).flatMap { input[$0.lineRange] }
    }

    private static func isKept(_ line: FieldLine) -> Bool {
        !line.isHopByHop && line.name != .host && line.name != .contentLength
    }

    /// The head as a proxy sends it on.
    private static func forwarded(_ head: RequestHead, in input: [UInt8]) -> [UInt8] {
        let pool = BufferPool(capacity: input.count + 256, maximumIdle: 0)
        let buffer = pool.take()
        buffer.append(Array(input[head.methodRange]))
        buffer.append(" ")
        buffer.append(prefix(of: head))
        buffer.append(Array(input[head.pathRange]))
        buffer.append(" HTTP/1.1\r\nHost: ")
        buffer.append(head.effectiveAuthorityRange.map { Array(input[$0]) } ?? [UInt8]("b"))
        buffer.append("\r\n")
        input.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            buffer.appendLines(of: head.fields, from: base, where: isKept)
        }
        if head.acceptsTrailers { buffer.append("Connection: TE\r\nTE: trailers\r\n") }
        switch head.framing {
        case .none, .untilClose: break
        case .length(let length):
            buffer.append("Content-Length: ")
            buffer.append(decimal: UInt64(length))
            buffer.append("\r\n")
        case .chunked: buffer.append("Transfer-Encoding: chunked\r\n")
        }
        buffer.append("\r\n")
        return Array(buffer.bytes)
    }
}
