// Messages in, verdicts out: length-prefixed frames, numbers in little-endian order.

import Glibc

/// What a message is, and what it answers.
enum MessageKind: UInt8 {
    case request = 0x51
    case responseToGet = 0x47
    case responseToHead = 0x48
    case responseToConnect = 0x43
}

/// The messages on standard input: for each the kind, a count of 32 bits, and as many bytes.
struct MessageFrames {
    private let input: [UInt8]
    private var position = 0

    init(_ input: [UInt8]) {
        self.input = input
    }

    /// Hands over the next message; false at the end.
    mutating func next(_ body: (MessageKind, Span<UInt8>) -> Void) -> Bool {
        guard position < input.count else { return false }
        guard let kind = MessageKind(rawValue: input[position]) else { fatalError("no kind of message") }
        var length = 0
        for offset in 0..<4 { length |= Int(input[position + 1 + offset]) << (8 * offset) }
        let start = position + 5
        position = start + length
        body(kind, input.span.extracting(start..<position))
        return true
    }
}

/// The verdicts for standard output, in the order of the messages: for each a count of 32 bits, and as many bytes.
struct VerdictFrames {
    private(set) var output: [UInt8] = []
    private var start = 0

    mutating func begin() {
        start = output.count
        append(number: 0)
    }

    mutating func end() {
        let length = output.count - start - 4
        for offset in 0..<4 { output[start + offset] = UInt8(truncatingIfNeeded: length >> (8 * offset)) }
    }

    mutating func append(_ letter: Unicode.Scalar) {
        output.append(UInt8(ascii: letter))
    }

    mutating func append(number: Int) {
        for offset in 0..<4 { output.append(UInt8(truncatingIfNeeded: number >> (8 * offset))) }
    }

    mutating func append(text: String) {
        output.append(contentsOf: text.utf8)
    }

    mutating func append(bytes: Span<UInt8>) {
        append(number: bytes.count)
        for index in bytes.indices { output.append(bytes[index]) }
    }
}

/// All of standard input.
func readInput() -> [UInt8] {
    var input: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = read(STDIN_FILENO, &block, block.count)
        guard count > 0 else { return input }
        input.append(contentsOf: block[..<count])
    }
}

/// Writes everything to standard output.
func writeOutput(_ output: [UInt8]) {
    var position = 0
    while position < output.count {
        let count = output[position...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        guard count > 0 else { exit(1) }
        position += count
    }
}
