// What the kernel tells in files that have no size.

import Glibc

/// A file of proc(5), read to its end; empty when it cannot be read.
///
/// Foundation reads no more than a page of such files.
struct ProcFile {
    let bytes: [UInt8]

    init(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            bytes = []
            return
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(descriptor, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        self.bytes = bytes
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Where a text stands first; quick also in large tables.
    func firstIndex(of text: String) -> Int? {
        (bytes + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { table in
                guard let start = table.baseAddress, let found = strstr(start, text) else { return nil }
                return UnsafePointer(found) - start
            }
        }
    }

    /// The line that a place is in.
    func line(around place: Int) -> String {
        let newline = UInt8(ascii: "\n")
        let start = bytes[..<place].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex(of: newline) ?? bytes.count
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}
