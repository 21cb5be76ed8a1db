// The cookies of a request, read where they stand.

internal import Front
internal import HTTPWire

extension RequestReader {
    /// What the first cookie of a name is taken for, in the order of the fields and of the cookies in them (RFC 6265
    /// section 4.2.1); names are told apart by case.
    ///
    /// - Parameters:
    ///   - name: The name's bytes.
    ///   - take: What is made of a value; with nil the next cookie of that name is looked at.
    func firstCookie<Result>(
        named name: some Collection<UInt8>,
        _ take: (UnsafeRawBufferPointer) -> Result?
    ) -> Result? {
        guard head.fields.contains(.cookie) else { return nil }
        for index in 0..<head.fields.count where head.fields[index].name == .cookie {
            var rest = headBytes(head.fields[index].valueRange)[...]
            while !rest.isEmpty {
                let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
                let pair = rest[..<end].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                rest = rest[end...].dropFirst()
                guard pair.starts(with: name) else { continue }
                let value = pair.dropFirst(name.count)
                guard value.first == UInt8(ascii: "=") else { continue }
                if let result = take(UnsafeRawBufferPointer(rebasing: value.dropFirst())) { return result }
            }
        }
        return nil
    }
}
