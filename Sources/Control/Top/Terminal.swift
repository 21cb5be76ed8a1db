// The terminal of `curl-lb top`: taken over, drawn on, and given back as it was.

internal import Foundation

/// What happens at a terminal.
enum TerminalEvent: Equatable {
    case key(UInt8)
    /// It has another size.
    case resized
    /// A signal wants the program to end.
    case ended
    /// Somebody has called ``Terminal/wake()``.
    case woken
}

/// Standard input and output as a screen with keys.
///
/// The thread that made it, but for ``wake()``.
final class Terminal {
    private let saved: termios?
    /// Bytes that say what happened: signals and other threads write, ``next()`` reads.
    private let pipe: (read: CInt, write: CInt)
    private var hasInput: Bool

    /// Takes the terminal over; nil when standard output is none.
    init?() {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var ends: [CInt] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let pipe = (read: ends[0], write: ends[1])
        self.pipe = pipe

        var state = termios()
        if tcgetattr(STDIN_FILENO, &state) == 0 {
            saved = state
            // Keys come at once and unseen; Ctrl-C comes as a key, so that there is one way out.
            state.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
            tcsetattr(STDIN_FILENO, TCSANOW, &state)
            hasInput = true
        } else {
            saved = nil
            hasInput = false
        }
        Self.passSignals(to: pipe.write)
        // The other screen, without cursor, and no line goes on in the next one.
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Gives it back.
    func restore() {
        write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if var saved { tcsetattr(STDIN_FILENO, TCSANOW, &saved) }
    }

    /// Its columns and lines.
    var size: (columns: Int, lines: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows these lines and nothing else; what is the same does not flicker.
    func show(_ lines: [String]) {
        // Each line, and then the rest of what stood there, is overwritten; what is below is cleared.
        let text = lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
        write("\u{1B}[H\(text)\u{1B}[J")
    }

    // MARK: Signals

    /// Has a thread wait for the signals that concern a terminal; no other thread gets them, nor those that are started from now on.
    private static func passSignals(to end: CInt) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGWINCH, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waiting = signals
        let thread = Thread {
            var waiting = waiting
            var number: CInt = 0
            while true {
                if sigwait(&waiting, &number) == 0 { tell(number == SIGWINCH ? .resized : .ended, end) }
            }
        }
        thread.name = "curl-lb.signals"
        thread.start()
    }

    // MARK: Events

    private enum Word: UInt8 {
        case resized
        case ended
        case woken
    }

    /// A way to wake ``next()`` up; any thread.
    var wake: @Sendable () -> Void {
        let end = pipe.write
        return { Self.tell(.woken, end) }
    }

    private static func tell(_ word: Word, _ end: CInt) {
        // A pipe that is full wakes up as well.
        withUnsafeBytes(of: word.rawValue) { _ = Foundation.write(end, $0.baseAddress, 1) }
    }

    /// Waits for what happens next.
    func next() -> TerminalEvent {
        while true {
            var waits = [
                pollfd(fd: pipe.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasInput ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, 2, -1) > 0 else { continue }
            var byte: UInt8 = 0
            if waits[0].revents != 0, read(pipe.read, &byte, 1) == 1 {
                switch Word(rawValue: byte) {
                case .resized: return .resized
                case .ended: return .ended
                case .woken, nil: return .woken
                }
            }
            if waits[1].revents != 0 {
                if read(STDIN_FILENO, &byte, 1) == 1 { return .key(byte) }
                // Its end: the terminal is gone, or there never was one to type at.
                hasInput = false
                if saved != nil { return .ended }
            }
        }
    }

    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}
