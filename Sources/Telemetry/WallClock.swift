// The time of day as text, computed once a second.

internal import Glibc

/// CLOCK_REALTIME in the forms that logs and heads need; the parts that change once a second are kept.
///
/// Loop thread only.
public final class WallClock {
    private var second: Int = .min
    private var isoSeconds: [UInt8] = []
    private var httpDate: [UInt8] = []

    public init() {
        isoSeconds.reserveCapacity(20)
        httpDate.reserveCapacity(32)
    }

    /// Appends the time now as `2026-01-31T23:59:59.123Z` (RFC 3339, UTC).
    public func appendTimestamp(to line: inout [UInt8]) {
        let now = refresh()
        line.append(contentsOf: isoSeconds)
        line.append(UInt8(ascii: "."))
        line.append(decimal: UInt64(now.tv_nsec / 1_000_000), minimumDigits: 3)
        line.append(UInt8(ascii: "Z"))
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

        isoSeconds.removeAll(keepingCapacity: true)
        isoSeconds.append(decimal: UInt64(parts.tm_year + 1900), minimumDigits: 4)
        isoSeconds.append(UInt8(ascii: "-"))
        isoSeconds.append(decimal: UInt64(parts.tm_mon + 1), minimumDigits: 2)
        isoSeconds.append(UInt8(ascii: "-"))
        isoSeconds.append(decimal: UInt64(parts.tm_mday), minimumDigits: 2)
        isoSeconds.append(UInt8(ascii: "T"))
        Self.appendClock(parts, to: &isoSeconds)

        let days: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months: [StaticString] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        httpDate.removeAll(keepingCapacity: true)
        httpDate.append(days[Int(parts.tm_wday)])
        httpDate.append(", ")
        httpDate.append(decimal: UInt64(parts.tm_mday), minimumDigits: 2)
        httpDate.append(UInt8(ascii: " "))
        httpDate.append(months[Int(parts.tm_mon)])
        httpDate.append(UInt8(ascii: " "))
        httpDate.append(decimal: UInt64(parts.tm_year + 1900), minimumDigits: 4)
        httpDate.append(UInt8(ascii: " "))
        Self.appendClock(parts, to: &httpDate)
        httpDate.append(" GMT")
        return now
    }

    private static func appendClock(_ parts: tm, to line: inout [UInt8]) {
        line.append(decimal: UInt64(parts.tm_hour), minimumDigits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(decimal: UInt64(parts.tm_min), minimumDigits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(decimal: UInt64(parts.tm_sec), minimumDigits: 2)
    }
}

@available(*, unavailable)
extension WallClock: Sendable {}
