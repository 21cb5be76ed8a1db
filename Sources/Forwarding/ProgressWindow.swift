// The pace that a client is held to in the middle of a body.

internal import EventLoop

/// How much a client must move, and in what time.
public struct BodyProgress: Sendable, Equatable {
    public var bytes: UInt64
    public var nanoseconds: UInt64

    public init(bytes: UInt64, nanoseconds: UInt64) {
        self.bytes = bytes
        self.nanoseconds = nanoseconds
    }
}

/// One stretch of time in which a client is waited for, and in which it must move its bytes.
///
/// A limit on silence alone can be kept by one byte a minute; this one cannot. It is closed as soon as somebody else is waited for, so
/// that nobody is blamed for a slow backend.
struct ProgressWindow {
    /// When it ends; never while it is closed.
    private(set) var end = MonotonicTime.never
    private var mark: UInt64 = 0

    var isOpen: Bool { end != .never }

    /// Opens it, if there is a pace to keep and it is not open already.
    mutating func open(_ pace: BodyProgress?, at now: MonotonicTime, moved: UInt64) {
        guard let pace, !isOpen else { return }
        end = now + pace.nanoseconds
        mark = moved
    }

    mutating func close() { end = .never }

    /// Judges at its end whether enough was moved; if so, the next one begins, otherwise it is closed.
    mutating func isKept(_ pace: BodyProgress?, at now: MonotonicTime, moved: UInt64) -> Bool {
        let count = moved - min(moved, mark)
        close()
        if let pace, count < pace.bytes { return false }
        open(pace, at: now, moved: moved)
        return true
    }
}
