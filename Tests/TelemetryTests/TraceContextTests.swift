// The traceparent field: what the specification calls valid, what it does not, and what is written.

import Testing

@testable import Telemetry

/// What a text says as a `traceparent`.
private func read(_ text: String) -> TraceContext? { Array(text.utf8).withUnsafeBytes { TraceContext($0) } }

@Suite("Trace context")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    /// From the examples and the rules of W3C's trace context, sections 3.2.2 to 3.2.4.
    static let valid: [(String, UInt8)] = [
        ("00-\(trace)-\(parent)-01", 1),
        ("00-\(trace)-\(parent)-00", 0),
        // Flags that are not known are not passed on; that the identifier is random is.
        ("00-\(trace)-\(parent)-09", 1),
        ("00-\(trace)-\(parent)-03", 3),
        ("00-\(trace)-\(parent)-ff", 3),
        // Later versions: what is known of them is read, and what follows a dash may be anything.
        ("01-\(trace)-\(parent)-01", 1),
        ("cc-\(trace)-\(parent)-01-what-the-future-will-be-like", 1),
        ("fe-\(trace)-\(parent)-01-", 1),
    ]

    static let malformed: [String] = [
        "", "00", "00-", "hello",
        // The version.
        "ff-\(trace)-\(parent)-01", "0-\(trace)-\(parent)-01", "000-\(trace)-\(parent)-01", "0g-\(trace)-\(parent)-01",
        "0A-\(trace)-\(parent)-01", " 0-\(trace)-\(parent)-01",
        // The trace's identifier.
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace.dropLast())-\(parent)-01",
        "00-\(trace)0-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01", "00-\(trace.dropLast())g-\(parent)-01",
        "00-\(trace.dropLast())--\(parent)-01",
        // The parent's.
        "00-\(trace)-0000000000000000-01", "00-\(trace)-\(parent.dropLast())-01", "00-\(trace)-\(parent)0-01",
        "00-\(trace)-\(parent.uppercased())-01", "00-\(trace)-\(parent.dropLast())x-01",
        // The flags.
        "00-\(trace)-\(parent)-", "00-\(trace)-\(parent)-1", "00-\(trace)-\(parent)-0G", "00-\(trace)-\(parent)-0A",
        "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-.0",
        // Something behind, which version 00 does not have, or not behind a dash.
        "00-\(trace)-\(parent)-01-", "00-\(trace)-\(parent)-01-what", "00-\(trace)-\(parent)-01 ",
        "01-\(trace)-\(parent)-01what", "01-\(trace)-\(parent)-010",
        // The dashes.
        "00_\(trace)-\(parent)-01", "00-\(trace)_\(parent)-01", "00-\(trace)-\(parent)_01", "00\(trace)-\(parent)--01",
    ]

    @Test(arguments: valid)
    func `a valid value is read`(text: String, flags: UInt8) throws {
        let context = try #require(read(text))
        #expect(context.traceHigh == 0x4bf9_2f35_77b3_4da6 && context.traceLow == 0xa3ce_929d_0e0e_4736)
        #expect(context.parent == 0x00f0_67aa_0ba9_02b7)
        #expect(context.flags == flags)
        #expect(context.isSampled == (flags & 1 == 1))
    }

    @Test(arguments: malformed)
    func `a malformed value is none`(text: String) { #expect(read(text) == nil) }

    @Test func `no valid value is any longer valid with one byte changed for a capital letter or a control`() {
        let text = Array("00-\(Self.trace)-\(Self.parent)-01".utf8)
        for place in text.indices {
            for byte in [UInt8(ascii: "Z"), 0, 0x80, UInt8(ascii: " ")] {
                var other = text
                other[place] = byte
                #expect(other.withUnsafeBytes { TraceContext($0) } == nil)
            }
        }
    }

    @Test func `what is written is version 00, and reads back the same`() throws {
        let original = TraceContext(traceHigh: 0x0102, traceLow: .max, parent: 0xA, flags: 1)
        var bytes = [UInt8](repeating: 0, count: TraceContext.length)
        bytes.withUnsafeMutableBytes { original.write(to: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text == "00-0000000000000102ffffffffffffffff-000000000000000a-01")
        #expect(read(text) == original)
        var identifier = [UInt8](repeating: 0, count: TraceContext.identifierLength)
        identifier.withUnsafeMutableBytes { original.writeIdentifier(to: $0) }
        #expect(String(decoding: identifier, as: UTF8.self) == "0000000000000102ffffffffffffffff")
    }

    @Test func `so many are sampled as should be, by the last seven bytes alone`() {
        var generator = Sampler(seed: 7)
        let all = (0..<20_000).map { _ in generator.next() }
        #expect(all.allSatisfy(TraceSampling(oneOf: 1).samples))
        #expect(!all.contains(where: TraceSampling(oneOf: 0).samples))
        let tenth = all.count(where: TraceSampling(oneOf: 10).samples)
        #expect((1700...2300).contains(tenth))
        // What one takes of a hundred, one who takes a tenth takes, too.
        for word in all where TraceSampling(oneOf: 100).samples(word) {
            #expect(TraceSampling(oneOf: 10).samples(word))
            #expect(TraceSampling(oneOf: 100).samples(word ^ 0xFF << 56))
        }
    }
}
