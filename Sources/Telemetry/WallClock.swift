// The time of day as text, computed once a second.

internal import Glibc

/// CLOCK_REALTIME in the forms that logs and heads need; the parts that change once a second are kept.
///
/// Loop thread only.
public final class WallClock {
    private static let days: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The bytes of a timestamp, and those that are written beyond its end.
    static let timestampLength = ShortText.capacity + 4

    /// Not within a second of any time.
    private static let noSecond: UInt64 = 1 << 63
    /// By how much, in nanoseconds, the clocks may be found to differ otherwise than before without it being believed.
    private static let tolerance: UInt64 = 1_000_000

    /// The second that the texts below tell, in nanoseconds since 1970.
    private var second = noSecond
    /// What is added to a moment on the monotonic clock, in nanoseconds.
    private var difference: UInt64 = 0
    private var isoSeconds = ShortText([])
    private var httpDate: [UInt8] = []
    private var logTime: [UInt8] = []
    private var scratch = LineBuffer()

    public init() {}

    /// Looks at both clocks, so that moments on the monotonic one can be told as times of day: since the time of day may be set, not
    /// long after they were.
    ///
    /// A difference that is the former one but for what passes between two looks stays, so that times are told in the order in which
    /// they were; a clock that is being adjusted is followed a millisecond at a time. A thread that stood still between the looks looks
    /// again, three times at most; no time is told that is yet to come.
    public func compare() {
        var found = difference
        for _ in 0..<3 {
            let before = Self.read(CLOCK_MONOTONIC)
            let time = Self.read(CLOCK_REALTIME)
            let after = Self.read(CLOCK_MONOTONIC)
            found = time &- after
            if found &- difference &+ Self.tolerance <= 2 * Self.tolerance { return }
            if after &- before < Self.tolerance { break }
        }
        difference = found
    }

    /// Writes a time as `2026-01-31T23:59:59.123Z` (RFC 3339, UTC) where there is room for ``timestampLength`` bytes.
    ///
    /// - Parameter moment: On the monotonic clock, in nanoseconds; not long before the last ``compare()``.
    func writeTimestamp(to place: inout TextPlace, at moment: UInt64) {
        let time = time(at: moment)
        tell(time)
        place.write(isoSeconds)
        place.write(UInt32(truncatingIfNeeded: (time &- second) / 1_000_000), digits: 3)
        place.write(UInt8(ascii: "Z"))
    }

    /// Appends a time as `31/Jan/2026:23:59:59 +0000`, the form of Apache's logs.
    ///
    /// - Parameter moment: As in ``writeTimestamp(to:at:)``.
    func appendLogTime(to line: inout LineBuffer, at moment: UInt64) {
        tell(time(at: moment))
        line.append(logTime)
    }

    /// The time now as a Date field's value (RFC 9110 section 5.6.7).
    public func dateFieldValue() -> [UInt8] {
        tell(Self.read(CLOCK_REALTIME))
        return httpDate
    }

    /// What a clock says, in nanoseconds; 0 before its beginning.
    private static func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return now.tv_sec < 0 ? 0 : UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }

    /// In nanoseconds since 1970; what lies before is 0.
    @inline(__always)
    private func time(at moment: UInt64) -> UInt64 {
        let time = moment &+ difference
        return time < Self.noSecond ? time : 0
    }

    /// Makes the texts those of a time's second, unless they are.
    @inline(__always)
    private func tell(_ time: UInt64) { if time &- second >= 1_000_000_000 { makeTexts(of: time) } }

    @inline(never)
    private func makeTexts(of time: UInt64) {
        var seconds = Int(time / 1_000_000_000)
        second = UInt64(seconds) &* 1_000_000_000
        var parts = tm()
        gmtime_r(&seconds, &parts)

        appendDate(parts, separator: "-")
        scratch.append(UInt8(ascii: "T"))
        appendClock(parts)
        scratch.append(UInt8(ascii: "."))
        isoSeconds = ShortText(scratch.bytes)
        scratch.removeAll()

        scratch.append(Self.days[Int(parts.tm_wday)])
        scratch.append(", ")
        scratch.append(decimal: UInt64(parts.tm_mday), minimumDigits: 2)
        scratch.append(UInt8(ascii: " "))
        scratch.append(Self.months[Int(parts.tm_mon)])
        scratch.append(UInt8(ascii: " "))
        scratch.append(decimal: UInt64(parts.tm_year + 1900), minimumDigits: 4)
        scratch.append(UInt8(ascii: " "))
        appendClock(parts)
        scratch.append(" GMT")
        take(into: &httpDate)

        scratch.append(decimal: UInt64(parts.tm_mday), minimumDigits: 2)
        scratch.append(UInt8(ascii: "/"))
        scratch.append(Self.months[Int(parts.tm_mon)])
        scratch.append(UInt8(ascii: "/"))
        scratch.append(decimal: UInt64(parts.tm_year + 1900), minimumDigits: 4)
        scratch.append(UInt8(ascii: ":"))
        appendClock(parts)
        scratch.append(" +0000")
        take(into: &logTime)
    }

    private func appendDate(_ parts: tm, separator: StaticString) {
        scratch.append(decimal: UInt64(parts.tm_year + 1900), minimumDigits: 4)
        scratch.append(separator)
        scratch.append(decimal: UInt64(parts.tm_mon + 1), minimumDigits: 2)
        scratch.append(separator)
        scratch.append(decimal: UInt64(parts.tm_mday), minimumDigits: 2)
    }

    private func appendClock(_ parts: tm) {
        scratch.append(decimal: UInt64(parts.tm_hour), minimumDigits: 2)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(decimal: UInt64(parts.tm_min), minimumDigits: 2)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(decimal: UInt64(parts.tm_sec), minimumDigits: 2)
    }

    /// Moves what was put together; the text's memory is kept while nobody else holds it.
    private func take(into text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: scratch.bytes)
        scratch.removeAll()
    }
}

@available(*, unavailable)
extension WallClock: Sendable {}
