// The descriptor that access log lines are written to, and whether it still leads to the file of that name.

internal import Glibc

/// Writes to standard output, or to a file that may be moved, removed or made anew meanwhile.
struct AccessLogFile: ~Copyable {
    /// How often it is looked whether the file is still in its place, and whether a pipe has got a reader, in nanoseconds.
    private static let checkInterval: UInt64 = 1_000_000_000

    /// Nil for standard output and standard error.
    private let path: String?
    /// -1 for a named pipe that nobody reads.
    private var descriptor: CInt
    /// Whether it is made when it is not there: a file is, a pipe is made by others.
    private var isMadeAnew = true
    private var nextCheck: UInt64 = 0
    /// Whether the last write ended within a line.
    private var isMidLine = false

    /// Standard output.
    init() {
        path = nil
        descriptor = STDOUT_FILENO
    }

    /// A file, appended to; a named pipe may have no reader yet.
    ///
    /// Standard output and error by their names in `/dev` are written to as they are: where they are sockets, as systemd has them, they
    /// cannot be opened.
    init(path: String) throws(AccessLogError) {
        switch path {
        case "/dev/stdout": (self.path, descriptor) = (nil, STDOUT_FILENO)
        case "/dev/stderr": (self.path, descriptor) = (nil, STDERR_FILENO)
        default:
            self.path = path
            switch Self.open(path, isMade: true) {
            case .opened(let file): descriptor = file
            case .unread: descriptor = -1
            case .failed(let reason): throw AccessLogError(path: path, reason: reason)
            }
            isMadeAnew = Self.isFile(descriptor)
            nextCheck = Self.now + Self.checkInterval
        }
    }

    deinit { if path != nil, descriptor >= 0 { close(descriptor) } }

    private enum Opening {
        case opened(CInt)
        /// It is a pipe that nobody reads.
        case unread
        case failed(String)
    }

    private static func open(_ path: String, isMade: Bool) -> Opening {
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | (isMade ? O_CREAT : 0)
        let descriptor = Glibc.open(path, flags, 0o644)
        guard descriptor < 0 else { return .opened(descriptor) }
        let code = errno
        let reason = String(cString: strerror(code))
        guard code == ENXIO else { return .failed(reason) }
        var there = stat()
        if stat(path, &there) == 0, there.st_mode & S_IFMT == S_IFIFO { return .unread }
        return .failed("\(reason): it is no file and no pipe; name one of these, or /dev/stdout or /dev/stderr")
    }

    private static func isFile(_ descriptor: CInt) -> Bool {
        var here = stat()
        return fstat(descriptor, &here) == 0 && here.st_mode & S_IFMT == S_IFREG
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
        switch Self.open(path, isMade: isMadeAnew) {
        case .unread: return nil
        case .failed(let reason): return "\(path): \(reason)"
        case .opened(let other):
            if descriptor >= 0 { close(descriptor) }
            descriptor = other
            isMadeAnew = Self.isFile(other)
            isMidLine = false
            return nil
        }
    }

    /// Opens it anew when it was moved, removed or made anew, and looks for a pipe's reader; once a second at most.
    ///
    /// What is no file is made by somebody else: until it is there again, lines go to the old one.
    mutating func checkPlace() -> String? {
        guard let path, Self.now >= nextCheck else { return nil }
        nextCheck = Self.now + Self.checkInterval
        guard descriptor >= 0 else {
            // That nobody reads is what is said of the lines.
            _ = reopen()
            return nil
        }
        var there = stat()
        var here = stat()
        guard fstat(descriptor, &here) == 0 else { return nil }
        guard stat(path, &there) == 0 else { return isMadeAnew ? reopen() : nil }
        return there.st_ino == here.st_ino && there.st_dev == here.st_dev ? nil : reopen()
    }

    // MARK: Writing

    /// Writes whole lines; returns how many of their bytes were written, and why not all of them.
    mutating func write(_ lines: UnsafeRawBufferPointer) -> (written: Int, failure: String?) {
        guard descriptor >= 0 else { return (0, "nobody reads the pipe") }
        if isMidLine {
            // What a full disk has cut off stays a line of its own.
            if let failure = withUnsafeBytes(of: UInt8(ascii: "\n"), { writeAll($0).failure }) { return (0, failure) }
            isMidLine = false
        }
        let (written, failure) = writeAll(lines)
        if written > 0 { isMidLine = lines[written - 1] != UInt8(ascii: "\n") }
        return (written, failure)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> (written: Int, failure: String?) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written > 0 {
                done += written
            } else if written < 0, errno == EAGAIN {
                // A terminal or pipe that another process made non-blocking: wait for room.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, 1000)
            } else if written == 0 || errno != EINTR {
                return (done, written == 0 ? "nothing is written" : String(cString: strerror(errno)))
            }
        }
        return (done, nil)
    }
}
