// A head read in every way it can arrive; the ways must not differ.

import HTTPWire

/// What the parsers of request and response heads have in common.
protocol HeadParser {
    associatedtype Head: ParsedHead
    associatedtype Progress: ParsingProgress
    mutating func parse(_ bytes: Span<UInt8>, into head: inout Head) -> Progress
}

protocol ParsedHead {
    init()
    var length: Int { get }
    var fields: FieldSection { get }
    func isSame(as other: Self) -> Bool
}

protocol ParsingProgress: Equatable {
    static var needMore: Self { get }
    static var complete: Self { get }
    /// Whether the refusal is for size alone.
    var isForSize: Bool { get }
}

/// The reading of one head.
struct HeadReading<Parser: HeadParser> {
    private(set) var head = Parser.Head()
    private(set) var progress = Parser.Progress.needMore
    /// How many bytes the parser had been given when it came to its verdict.
    private(set) var given = 0

    /// Gives the parser prefixes of the input, each longer than the one before, until it comes to a verdict.
    init(_ input: [UInt8], prefixes: some Sequence<Int>, by parser: Parser) {
        var parser = parser
        for count in prefixes {
            progress = parser.parse(input.span.extracting(first: count), into: &head)
            given = count
            if progress != .needMore { break }
        }
    }

    /// Reads all at once, byte by byte, cut in two, without what follows, and followed by something else.
    static func inEveryWay(_ input: [UInt8], by parser: Parser) throws(Violation) -> HeadReading {
        let whole = HeadReading(input, prefixes: [input.count], by: parser)
        let bytewise = HeadReading(input, prefixes: 0...input.count, by: parser)
        try demand(bytewise.progress == whole.progress, "byte by byte, the verdict is the same")
        try demand(bytewise.head.isSame(as: whole.head), "byte by byte, the head is the same")
        let cut = Int(truncatingIfNeeded: input.fingerprint % UInt64(input.count + 1))
        let halves = HeadReading(input, prefixes: [cut, input.count], by: parser)
        try demand(halves.progress == whole.progress, "cut in two, the verdict is the same")
        try demand(halves.head.isSame(as: whole.head), "cut in two, the head is the same")

        guard whole.progress != .needMore else { return whole }
        let judged = Array(input.prefix(bytewise.given))
        for suffix in ["\r\n\r\n", "\n\n", "0 HTTP/1.1\r\nHost: a\r\n\r\n", "\0"] {
            let followed = judged + suffix.utf8
            let again = HeadReading(followed, prefixes: [followed.count], by: parser)
            try demand(again.progress == whole.progress, "what follows the verdict does not change it")
            if whole.progress == .complete {
                try demand(again.head.isSame(as: whole.head), "what follows the head does not change it")
            }
        }
        if whole.progress == .complete {
            try demand(whole.head.length == bytewise.given, "the head is complete with its last byte and not before")
        }
        return whole
    }

    /// Demands that tight limits refuse for size what is too large, and change nothing else.
    func demandSameVerdict(within tight: HeadReading) throws(Violation) {
        guard tight.progress != progress else {
            try demand(progress != .complete || tight.head.isSame(as: head), "tight limits do not change a head")
            return
        }
        try demand(tight.progress.isForSize, "tight limits do nothing but refuse")
    }
}

/// The verdict, by RFC 9112, over every byte of an accepted head: no bare CR, no bare LF, no NUL.
func demandCleanLines(_ head: ArraySlice<UInt8>) throws(Violation) {
    var previous: UInt8 = 0
    for byte in head {
        try demand((byte == 0x0A) == (previous == 0x0D), "CR and LF come together alone")
        try demand(byte != 0, "no NUL is accepted")
        previous = byte
    }
}

/// Limits so tight that small inputs meet them.
func tightLimits(for input: [UInt8]) -> HeadLimits {
    let number = input.fingerprint >> 16
    return HeadLimits(
        maxHeadBytes: 1 + Int(number % UInt64(input.count + 2)),
        maxFieldCount: Int(number >> 16 & 7),
        maxTargetBytes: 1 + Int(number >> 20 & 31)
    )
}
