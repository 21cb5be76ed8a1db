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

    private var second: Int = .min
    private var isoSeconds: [UInt8] = []
    private var httpDate: [UInt8] = []
    private var logTime: [UInt8] = []
    private var scratch = LineBuffer()

    public init() {}

    /// Appends the time now as `2026-01-31T23:59:59.123Z` (RFC 3339, UTC).
    public func appendTimestamp(to line: inout LineBuffer) {
        let now = refresh()
        line.append(isoSeconds)
        line.append(UInt8(ascii: "."))
        line.append(decimal: UInt64(now.tv_nsec / 1_000_000), minimumDigits: 3)
        line.append(UInt8(ascii: "Z"))
    }

    /// Appends the time now as `31/Jan/2026:23:59:59 +0000`, the form of Apache's logs.
    func appendLogTime(to line: inout LineBuffer) {
        _ = refresh()
        line.append(logTime)
    }

    /// The time now as a Date field's value (RFC 9110 section 5.6.7).
    public func dateFieldValue() -> [UInt8] {
        _ = refresh()
        return httpDate
    }

    private func refresh() -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        guard now.tv_sec != second else { return now }
        second = now.tv_sec
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)

        appendDate(parts, separator: "-")
        scratch.append(UInt8(ascii: "T"))
        appendClock(parts)
        take(into: &isoSeconds)

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
        return now
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
