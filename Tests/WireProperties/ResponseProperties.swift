// What must hold for every response head, whatever request it answers.

import EventLoop
import HTTPWire
import MessageIO

extension ResponseParser: HeadParser {}

extension ResponseParser.Progress: ParsingProgress {
    var isForSize: Bool {
        switch self {
        case .refused(.headTooLarge), .refused(.tooManyFields): true
        case .refused, .needMore, .complete: false
        }
    }
}

extension ResponseHead: ParsedHead {
    func isSame(as other: ResponseHead) -> Bool {
        status == other.status && minorVersion == other.minorVersion && isPersistent == other.isPersistent
            && reasonRange == other.reasonRange && framing == other.framing && declaredLength == other.declaredLength
            && length == other.length && fields.isSame(as: other.fields)
    }
}

/// The properties of ``ResponseParser`` and of what a ``ResponseHead`` says.
public enum ResponseProperties {
    /// Checks an input: the bytes of a response head, and what follows.
    public static func check(_ input: [UInt8]) throws(Violation) {
        let some = Method.allCases[Int(input.fingerprint >> 40) % Method.allCases.count]
        let reading = try HeadReading.inEveryWay(input, by: ResponseParser(requestMethod: some))
        let limits = tightLimits(for: input)
        let tight = try HeadReading.inEveryWay(input, by: ResponseParser(requestMethod: some, limits: limits))
        try reading.demandSameVerdict(within: tight)
        let isComplete = reading.progress == .complete
        let naive = isComplete ? try checkShape(of: reading.head, in: input) : nil
        for method in Method.allCases {
            var parser = ResponseParser(requestMethod: method)
            var head = ResponseHead()
            let progress = parser.parse(input.span, into: &head)
            try demand(progress == reading.progress, "the method has no say in the verdict")
            guard let naive else { continue }
            try checkFraming(of: head, answering: method, naive)
            guard method == some else { continue }
            head.markHopByHop(input.span)
            try head.fields.demandMarks(naive.hopByHopNames, of: naive)
            try checkForwarding(of: head, answering: method, in: input)
        }
    }

    /// The head is a version, a status, a reason and lines, and no byte of it is anything else.
    private static func checkShape(of head: ResponseHead, in input: [UInt8]) throws(Violation) -> NaiveFields {
        try demand(head.length <= input.count, "a head ends inside its bytes")
        try demandCleanLines(input[..<head.length])
        try demand(input.has("HTTP/1.", at: 0) && input[7..<8].isNumber, "a version starts the head")
        try demand((head.minorVersion == 0) == (input[7] == 0x30), "a minor version is what it says")
        try demand(input[8] == 0x20 && input[9..<12].number == head.status, "a status is its three digits")
        try demand((100...999).contains(head.status), "a status is at least 100")
        try demand(head.isInterim == (head.status < 200 && head.status != 101), "101 is final")
        try demand(head.switchesProtocols == (head.status == 101), "101 alone switches protocols")
        let hasSpace = input[12] == 0x20
        let reason = head.reasonRange
        try demand(hasSpace ? reason.lowerBound == 13 : reason == 12..<12, "a reason follows a space")
        try demand(input[reason].allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }, "a reason is text")
        try demand(input.has("\r\n", at: reason.upperBound), "a reason ends with its line")
        guard let naive = NaiveFields(input, from: reason.upperBound + 2) else {
            throw Violation("the plain reader can read what was accepted")
        }
        try demand(naive.end == head.length, "the head ends where the plain reader ends")
        try head.fields.demandSame(as: naive)
        return naive
    }

    /// RFC 9112 section 6.3, read plainly.
    private static func checkFraming(
        of head: ResponseHead,
        answering method: Method,
        _ naive: NaiveFields
    ) throws(Violation) {
        let codings = naive.values("transfer-encoding")
        try demand(codings.isEmpty || !naive.has("content-length"), "a length and a coding are never both accepted")
        try demand(!naive.has("content-length") || naive.contentLength != nil, "all lengths are one number")
        try demand(head.declaredLength == naive.contentLength, "a length is found")
        if !codings.isEmpty {
            try demand(codings.map(\.lowercased) == [[UInt8]("chunked")], "chunked is said once and alone")
            try demand(head.minorVersion > 0, "HTTP/1.0 has no transfer coding")
        }
        let hasNoBody =
            head.status < 200 || head.status == 204 || head.status == 304 || method == .head
            || (method == .connect && head.status < 300)
        let expected: MessageFraming =
            if hasNoBody {
                .none
            } else if !codings.isEmpty {
                .chunked
            } else if let length = naive.contentLength {
                .length(length)
            } else {
                .untilClose
            }
        try demand(head.framing == expected, "a body is framed as the rules say")

        let options = naive.tokens("connection")
        let isKept =
            !options.contains([UInt8]("close"))
            && (head.minorVersion > 0 || options.contains([UInt8]("keep-alive")))
        let announcesBody = !codings.isEmpty || (naive.contentLength ?? 0) > 0
        let isDoubtful =
            expected == .untilClose || head.switchesProtocols
            || ((head.status < 200 || head.status == 204) && announcesBody)
        let isTunnel = method == .connect && (200..<300).contains(head.status)
        try demand(
            head.isPersistent == (isKept && !isDoubtful && !isTunnel),
            "a connection is kept if nothing speaks against"
        )
    }

    /// What goes on of an accepted head is accepted again and means the same.
    private static func checkForwarding(
        of head: ResponseHead,
        answering method: Method,
        in input: [UInt8]
    ) throws(Violation) {
        let output = forwarded(head, in: input)
        var parser = ResponseParser(requestMethod: method)
        var again = ResponseHead()
        try demand(parser.parse(output.span, into: &again) == .complete, "what is forwarded is accepted")
        again.markHopByHop(output.span)
        try demand(again.length == output.count, "what is forwarded is one head")
        try demand(again.status == head.status, "a status is forwarded as it came")
        try demand(output[again.reasonRange] == input[head.reasonRange], "a reason is forwarded as it came")
        try demand(again.framing == head.framing, "what is forwarded is framed the same")
        try demand(again.declaredLength == head.declaredLength, "a length is forwarded")
        let kept = head.fields.lines.filter(isKept).flatMap { input[$0.lineRange] }
        let keptAgain = again.fields.lines.filter(isKept).flatMap { output[$0.lineRange] }
        try demand(keptAgain == kept, "lines are forwarded as they came and in order")
    }

    private static func isKept(_ line: FieldLine) -> Bool { !line.isHopByHop && line.name != .contentLength }

    /// The head as a proxy sends it on.
    private static func forwarded(_ head: ResponseHead, in input: [UInt8]) -> [UInt8] {
        let buffer = BufferPool(capacity: input.count + 256, maximumIdle: 0).take()
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(head.status))
        buffer.append(" ")
        buffer.append(Array(input[head.reasonRange]))
        buffer.append("\r\n")
        input.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            buffer.appendLines(of: head.fields, from: base, where: isKept)
        }
        if let length = head.declaredLength {
            buffer.append("Content-Length: ")
            buffer.append(decimal: UInt64(length))
            buffer.append("\r\n")
        } else if head.framing == .chunked {
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
        buffer.append("\r\n")
        return Array(buffer.bytes)
    }
}
