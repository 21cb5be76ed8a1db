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

    /// What the clock said when it was last looked at.
    private var now = timespec()
    /// The turn in which that was.
    private var turn: UInt64?
    private var second: Int = .min
    private var isoSeconds = ShortText([])
    private var httpDate: [UInt8] = []
    private var logTime: [UInt8] = []
    private var scratch = LineBuffer()

    public init() {}

    /// Writes the time now as `2026-01-31T23:59:59.123Z` (RFC 3339, UTC) where there is room for ``timestampLength`` bytes.
    ///
    /// - Parameter turn: What is the same for all calls of one turn of a loop, which have one time; without it, the clock is asked.
    func writeTimestamp(to place: inout TextPlace, turn: UInt64?) {
        if turn == nil || turn != self.turn { refresh() }
        self.turn = turn
        place.write(isoSeconds)
        place.write(UInt32(truncatingIfNeeded: now.tv_nsec / 1_000_000), digits: 3)
        place.write(UInt8(ascii: "Z"))
    }

    /// Appends the time now as `31/Jan/2026:23:59:59 +0000`, the form of Apache's logs.
    func appendLogTime(to line: inout LineBuffer) {
        refresh()
        line.append(logTime)
    }

    /// The time now as a Date field's value (RFC 9110 section 5.6.7).
    public func dateFieldValue() -> [UInt8] {
        refresh()
        return httpDate
    }

    private func refresh() {
        clock_gettime(CLOCK_REALTIME, &now)
        turn = nil
        guard now.tv_sec != second else { return }
        second = now.tv_sec
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)

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
