// Points on the monotonic clock.

internal import CLinux

/// A point on CLOCK_MONOTONIC, in nanoseconds.
@frozen
public struct MonotonicTime: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Later than every other point: "no deadline".
    @inlinable
    public static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    /// The clock now; one vDSO call.
    public static var now: MonotonicTime { MonotonicTime(nanoseconds: lb_monotonic_nanoseconds()) }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The point that many nanoseconds later; saturates at ``never``.
    @inlinable
    public static func + (time: Self, nanoseconds: UInt64) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// Nanoseconds from an earlier point to this one; 0 when the other is not earlier.
    @inlinable
    public func since(_ earlier: Self) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

extension Duration {
    /// The duration in whole nanoseconds; negative durations are 0, those beyond 584 years saturate.
    public var clampedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : scaled &+ UInt64(attoseconds / 1_000_000_000)
    }
}
