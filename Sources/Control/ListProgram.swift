// Running a program that lists backends on its standard output.

internal import CLinux
internal import Glibc

/// Runs a program within limits of time and output.
enum ListProgram {
    /// No list of backends is as large.
    static let maximumOutput = 1 << 20
    /// What is kept of standard error, from its beginning.
    private static let maximumErrors = 4096

    /// What the program has written when it ends well.
    ///
    /// Without arguments, with our environment and working directory, without input. It gets a process group of its own, which is killed
    /// when the time is over. Blocks for as long as the program runs; `timeout` at most.
    static func run(_ path: String, timeout: Duration) -> Result<String, ListFailure> {
        var output = Pipe()
        var errors = Pipe()
        defer {
            output.close()
            errors.close()
        }
        guard output.isOpen, errors.isOpen else { return .failure(.system("the program cannot be run", errno)) }
        var process: pid_t = 0
        let code = spawn(path, output: output.end, errors: errors.end, &process)
        guard code == 0 else { return .failure(.system("the program cannot be run", code)) }
        output.closeEnd()
        errors.closeEnd()

        let deadline = ContinuousClock.now + timeout
        let late = "the program runs for longer than \(printDuration(timeout))"
        let problem = collect(&output, &errors, until: deadline, late)
        let status = problem == nil ? wait(for: process, until: deadline) : nil
        guard let status else {
            // The whole group: what the program has started in turn ends with it.
            kill(-process, SIGKILL)
            var status: CInt = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            return .failure(errors.explaining(problem ?? late))
        }
        if let reason = failure(of: status) { return .failure(errors.explaining(reason)) }
        return .success(String(decoding: output.bytes, as: UTF8.self))
    }

    private static func spawn(_ path: String, output: CInt, errors: CInt, _ process: inout pid_t) -> CInt {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // We block some signals and ignore one, which is nothing for others.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )
        return path.withCString { text in
            var arguments: [UnsafeMutablePointer<CChar>?] = [UnsafeMutablePointer(mutating: text), nil]
            return posix_spawn(&process, text, &actions, &attributes, &arguments, environ)
        }
    }

    /// Reads both pipes to their ends; returns what went wrong.
    ///
    /// - Parameter late: What is wrong when they have not ended by then: somebody may yet write, also when the program has ended.
    private static func collect(
        _ output: inout Pipe,
        _ errors: inout Pipe,
        until deadline: ContinuousClock.Instant,
        _ late: String
    ) -> String? {
        while output.isReading || errors.isReading {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return late }
            var waiting = [output, errors].filter(\.isReading).map {
                pollfd(fd: $0.start, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&waiting, nfds_t(waiting.count), CInt(clamping: milliseconds(left))) >= 0 || errno == EINTR
            else {
                return "poll: \(String(cString: strerror(errno)))"
            }
            let ready = waiting.filter { $0.revents != 0 }.map(\.fd)
            if ready.contains(output.start) { output.read(keeping: maximumOutput + 1) }
            if ready.contains(errors.start) { errors.read(keeping: maximumErrors) }
            if output.bytes.count > maximumOutput { return "expected at most \(printSize(maximumOutput)) of output" }
        }
        return nil
    }

    /// The status of a program that has ended by then.
    private static func wait(for process: pid_t, until deadline: ContinuousClock.Instant) -> CInt? {
        var status: CInt = 0
        while true {
            let found = waitpid(process, &status, WNOHANG)
            if found == process { return status }
            guard found == 0 || errno == EINTR, ContinuousClock.now < deadline else { return nil }
            usleep(2000)
        }
    }

    /// What is wrong with the way in which a program has ended; nil when nothing is.
    private static func failure(of status: CInt) -> String? {
        let signal = status & 0x7F
        if signal != 0 { return "the program was ended by signal \(signal)" }
        let code = status >> 8 & 0xFF
        return code == 0 ? nil : "the program ended with exit code \(code)"
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000 + 1
    }

    /// A pipe that a program writes to and we read from.
    private struct Pipe {
        private(set) var start: CInt = -1
        private(set) var end: CInt = -1
        private(set) var bytes: [UInt8] = []
        private(set) var isReading = false

        init() {
            var ends: [CInt] = [-1, -1]
            guard lb_pipe(&ends) == 0 else { return }
            (start, end) = (ends[0], ends[1])
            isReading = true
        }

        var isOpen: Bool { start >= 0 }

        mutating func read(keeping limit: Int) {
            var piece = [UInt8](repeating: 0, count: 65536)
            let count = Glibc.read(start, &piece, piece.count)
            if count < 0, errno == EINTR { return }
            guard count > 0 else {
                isReading = false
                return
            }
            bytes += piece[..<min(count, max(0, limit - bytes.count))]
        }

        mutating func closeEnd() {
            if end >= 0 { Glibc.close(end) }
            end = -1
        }

        mutating func close() {
            closeEnd()
            if start >= 0 { Glibc.close(start) }
            start = -1
        }

        /// A failure, with the last line that the program has written to standard error.
        func explaining(_ reason: String) -> ListFailure {
            let text = String(decoding: bytes, as: UTF8.self)
            let line = text.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }
            return ListFailure(text: reason + (line.map { ", saying \(quoted(String($0)))" } ?? ""))
        }
    }
}

extension ListFailure {
    fileprivate static func system(_ what: String, _ code: CInt) -> ListFailure {
        ListFailure(text: "\(what): \(String(cString: strerror(code)))")
    }
}
