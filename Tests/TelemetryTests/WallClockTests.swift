// The time of day in its forms, read back with the C library's own functions.

import Glibc
import Testing

@testable import Telemetry

private let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/// The second since 1970 of a day and a time of day, and its weekday, by the C library's calendar.
private func second(_ year: Int32, _ month: Int32, _ day: Int32, _ time: Substring) -> (second: Int, weekday: String) {
    let clock = time.split(separator: ":").compactMap { Int32($0) }
    var parts = tm()
    parts.tm_year = year - 1900
    parts.tm_mon = month - 1
    parts.tm_mday = day
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
    let second = timegm(&parts)
    return (second, days[Int(parts.tm_wday)])
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`; nil if it is not of that form, or the weekday is wrong.
private func readDate(_ text: String) -> Int? {
    let form = /([A-Z][a-z]{2}), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) GMT/
    guard let parts = text.wholeMatch(of: form)?.output, let month = months.firstIndex(of: String(parts.3)),
        let day = Int32(parts.2), let year = Int32(parts.4)
    else { return nil }
    let (second, weekday) = second(year, Int32(month + 1), day, parts.5)
    return weekday == parts.1 ? second : nil
}

/// Reads `2026-01-31T23:59:59.123Z` as milliseconds; nil if it is not of that form.
private func readTimestamp(_ text: String) -> Int? {
    let form = /(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)\.(\d{3})Z/
    guard let parts = text.wholeMatch(of: form)?.output, let year = Int32(parts.1), let month = Int32(parts.2),
        let day = Int32(parts.3), let milliseconds = Int(parts.5)
    else { return nil }
    return second(year, month, day, parts.4).second * 1000 + milliseconds
}

/// Reads `31/Jan/2026:23:59:59 +0000`; nil if it is not of that form.
private func readLogTime(_ text: String) -> Int? {
    let form = /(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) \+0000/
    guard let parts = text.wholeMatch(of: form)?.output, let month = months.firstIndex(of: String(parts.2)),
        let day = Int32(parts.1), let year = Int32(parts.3)
    else { return nil }
    return second(year, Int32(month + 1), day, parts.4).second
}

private func now() -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return now
}

private func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

@Suite("Wall clock")
struct WallClockTests {
    private let clock = WallClock()

    @Test func `the Date field is an IMF-fixdate of this moment`() throws {
        let before = now().tv_sec
        let text = String(decoding: clock.dateFieldValue(), as: UTF8.self)
        let after = now().tv_sec
        let date = try #require(readDate(text), "\(text)")
        #expect((before...after).contains(date))
    }

    @Test func `the timestamp is RFC 3339 in UTC with milliseconds, of this moment`() throws {
        func milliseconds(_ time: timespec) -> Int { time.tv_sec * 1000 + time.tv_nsec / 1_000_000 }
        for _ in 0..<100 {
            var line = LineBuffer()
            line.append("> ")
            let before = milliseconds(now())
            clock.appendTimestamp(to: &line)
            let after = milliseconds(now())
            let text = String(decoding: line.bytes.dropFirst(2), as: UTF8.self)
            let time = try #require(readTimestamp(text), "\(text)")
            #expect((before...after).contains(time))
        }
    }

    @Test func `moments of the monotonic clock are told as times of day, in any order`() throws {
        let before = now()
        clock.compare()
        let monotonic = monotonic()
        let after = now()
        func nanoseconds(_ time: timespec) -> Int { time.tv_sec * 1_000_000_000 + time.tv_nsec }
        for age: UInt64 in [0, 700_000_000, 3_000_000_000, 1_000_000_000, 1, 999_999_999, 50_000_000] {
            var line = LineBuffer()
            var place = line.place(for: WallClock.timestampLength)
            clock.writeTimestamp(to: &place, at: monotonic - age)
            line.end(at: place)
            var logTime = LineBuffer()
            clock.appendLogTime(to: &logTime, at: monotonic - age)
            let text = String(decoding: line.bytes, as: UTF8.self)
            let time = try #require(readTimestamp(text), "\(text)")
            let range = (nanoseconds(before) - Int(age)) / 1_000_000...(nanoseconds(after) - Int(age)) / 1_000_000
            #expect(range.contains(time))
            #expect(readLogTime(String(decoding: logTime.bytes, as: UTF8.self)) == time / 1000)
        }
    }

    @Test func `all forms tell the same second, also when it has changed`() throws {
        var seconds: Set<Int> = []
        // Until the second has changed between two readings.
        while seconds.count < 2 {
            let before = now().tv_sec
            guard !seconds.contains(before) else {
                sched_yield()
                continue
            }
            var line = LineBuffer()
            clock.appendTimestamp(to: &line)
            var logTime = LineBuffer()
            clock.appendLogTime(to: &logTime, at: monotonic())
            let date = clock.dateFieldValue()
            guard now().tv_sec == before else { continue }
            #expect(readLogTime(String(decoding: logTime.bytes, as: UTF8.self)) == before)
            #expect(readTimestamp(String(decoding: line.bytes, as: UTF8.self)).map { $0 / 1000 } == before)
            #expect(readDate(String(decoding: date, as: UTF8.self)) == before)
            seconds.insert(before)
        }
    }
}

extension WallClock {
    fileprivate func appendTimestamp(to line: inout LineBuffer) {
        var place = line.place(for: Self.timestampLength)
        compare()
        writeTimestamp(to: &place, at: monotonic())
        line.end(at: place)
    }
}
