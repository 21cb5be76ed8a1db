// What a head says about being forwarded.

internal import Front
internal import HTTPWire

extension RequestReader {
    /// How often the request may still be forwarded; nil when it does not say, or when it is no TRACE or OPTIONS, whose
    /// Max-Forwards means nothing (RFC 9110 section 7.6.2).
    var forwardsLeft: Int? { head.method == .trace || head.method == .options ? head.maxForwards : nil }

    /// Whether `Via` says that the request has been received under that name before (RFC 9110 section 7.6.3).
    func hasPassed(_ name: String) -> Bool {
        guard head.fields.contains(.via) else { return false }
        return head.fields.lines.contains { line in
            line.name == .via
                && Self.withoutComments(headBytes(line.valueRange)).split(separator: UInt8(ascii: ",")).contains {
                    member in
                    Self.isReceived(member, by: name)
                }
        }
    }

    private static func withoutComments(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var depth = 0
        return value.filter { byte in
            if byte == UInt8(ascii: ")") { depth = max(0, depth - 1) }
            defer { if byte == UInt8(ascii: "(") { depth += 1 } }
            return depth == 0 && byte != UInt8(ascii: "(") && byte != UInt8(ascii: ")")
        }
    }

    /// Whether a member of Via, `[protocol/]version name`, has that name.
    private static func isReceived(_ member: ArraySlice<UInt8>, by name: String) -> Bool {
        let words = member.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count > 1, words[1].count == name.utf8.count else { return false }
        return zip(words[1], name.utf8).allSatisfy { byte, expected in
            byte == expected
                || (byte ^ expected == 0x20 && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20))
        }
    }

    /// Whether each protocol that a 101 switches to, one at least, is among those that the request asked for (RFC 9110 section 7.8).
    func asked(forUpgradeIn response: ResponseHead, at start: UnsafeRawPointer) -> Bool {
        let wanted = protocols(in: head.fields, at: headBytes)
        let given = protocols(in: response.fields, at: start)
        return !given.isEmpty && given.allSatisfy(wanted.contains)
    }

    private func protocols(in fields: FieldSection, at start: UnsafeRawPointer) -> [String] {
        fields.lines.filter { $0.name == .upgrade }.flatMap { line in
            let value = UnsafeRawBufferPointer(start: start + line.valueRange.lowerBound, count: line.valueRange.count)
            let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
            return value.split(separator: UInt8(ascii: ",")).compactMap { member -> String? in
                let text = String(
                    decoding: member.drop(while: isBlank).reversed().drop(while: isBlank).reversed(),
                    as: UTF8.self
                )
                return text.isEmpty ? nil : text.lowercased()
            }
        }
    }
}
