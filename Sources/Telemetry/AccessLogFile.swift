// The descriptor that access log lines are written to, and whether it still leads to the file of that name.

internal import Glibc

/// Writes to standard output, or to a file that may be moved, removed or made anew meanwhile.
struct AccessLogFile: ~Copyable {
    /// How often it is looked whether the file is still in its place, and whether a pipe has got a reader, in nanoseconds.
    private static let checkInterval: UInt64 = 1_000_000_000

    /// Nil for standard output.
    private let path: String?
    /// -1 for a named pipe that nobody reads.
    private var descriptor: CInt
    private var nextCheck: UInt64 = 0
    /// Whether the last write ended within a line.
    private var isMidLine = false

    /// Standard output.
    init() {
        path = nil
        descriptor = STDOUT_FILENO
    }

    /// A file, appended to; a named pipe may have no reader yet.
    init(path: String) throws(AccessLogError) {
        self.path = path
        descriptor = Self.open(path)
        guard descriptor >= 0 || errno == ENXIO else {
            throw AccessLogError(path: path, reason: String(cString: strerror(errno)))
        }
        nextCheck = Self.now + Self.checkInterval
    }

    deinit { if path != nil, descriptor >= 0 { close(descriptor) } }

    private static func open(_ path: String) -> CInt {
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o644)
    }

    private static var now: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    // MARK: The file's place

    /// Opens the file anew; returns why that cannot be done, and then goes on with the old one.
    mutating func reopen() -> String? {
        guard let path else { return nil }
        nextCheck = Self.now + Self.checkInterval
        let other = Self.open(path)
        guard other >= 0 else { return errno == ENXIO ? nil : "\(path): \(String(cString: strerror(errno)))" }
        if descriptor >= 0 { close(descriptor) }
        descriptor = other
        isMidLine = false
        return nil
    }

    /// Makes the file anew when it was moved or removed, and looks for a pipe's reader; once a second at most.
    mutating func checkPlace() -> String? {
        guard let path, Self.now >= nextCheck else { return nil }
        nextCheck = Self.now + Self.checkInterval
        guard descriptor >= 0 else { return reopen() }
        var there = stat()
        var here = stat()
        guard fstat(descriptor, &here) == 0, here.st_mode & S_IFMT == S_IFREG else { return nil }
        let isSame = stat(path, &there) == 0 && there.st_ino == here.st_ino && there.st_dev == here.st_dev
        return isSame ? nil : reopen()
    }

    // MARK: Writing

    /// Writes whole lines; returns what could not be written, and why.
    mutating func write(_ lines: ArraySlice<UInt8>) -> (rest: ArraySlice<UInt8>, failure: String?) {
        guard descriptor >= 0 else { return (lines, "nobody reads the pipe") }
        // What a full disk has cut off stays a line of its own.
        let bytes = isMidLine ? [UInt8(ascii: "\n")] + lines : lines
        var rest = bytes
        while !rest.isEmpty {
            let written = writeSome(rest)
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if written < 0, errno == EAGAIN {
                // A terminal or pipe that another process made non-blocking: wait for room.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, 1000)
            } else if written == 0 || errno != EINTR {
                let failure = written == 0 ? "nothing is written" : String(cString: strerror(errno))
                if let last = bytes[..<rest.startIndex].last { isMidLine = last != UInt8(ascii: "\n") }
                return (rest.suffix(lines.count), failure)
            }
        }
        isMidLine = false
        return ([], nil)
    }

    private func writeSome(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
