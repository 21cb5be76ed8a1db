// What a collector's answer means for the spans that were sent to it.

import FoundationEssentials
import Glibc
import Upstream

/// By OTLP's rules (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response").
enum CollectorAnswer: Equatable {
    /// It has taken them, but for so many, for that reason.
    case taken(rejected: UInt64, String)
    /// It may take them later; not before that many nanoseconds have passed, if it says so.
    case busy(String, retryAfter: UInt64?)
    /// It will never take them.
    case refused(String)

    init(_ result: ProbeResult, now: time_t = time(nil)) {
        switch result {
        case .connected: self = .refused("nothing was sent")
        case .failed(let text): self = .busy(text, retryAfter: nil)
        case .answered(let answer):
            switch answer.status {
            case 200...299:
                let partial = Response(answer.body)?.partialSuccess
                self = .taken(rejected: partial?.rejected ?? 0, escaped(partial?.errorMessage ?? ""))
            case 429, 502, 503, 504:
                let wait = answer.value("retry-after").flatMap { Self.seconds($0, now: now) }
                self = .busy("it answers \(answer.status)", retryAfter: wait.map { $0 * 1_000_000_000 })
            default: self = .refused("it answers \(answer.status)")
            }
        }
    }

    /// The value of `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3); an hour at most.
    private static func seconds(_ text: String, now: time_t) -> UInt64? {
        if let seconds = wholeNumber(text) { return UInt64(min(seconds, 3600)) }
        return date(text).map { UInt64(min(max(0, $0 - now), 3600)) }
    }

    /// The time of `Sat, 28 Nov 2026 10:00:30 GMT`, the one form that is sent nowadays (RFC 9110 section 5.6.7).
    private static func date(_ text: String) -> time_t? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = wholeNumber(words[1]),
            let month = months.firstIndex(of: String(words[2])), let year = wholeNumber(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { wholeNumber($0) }
        guard clock.count == 3, (1970...9999).contains(year), day <= 31, clock.allSatisfy({ $0 <= 60 }) else {
            return nil
        }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (CInt(year - 1900), CInt(month), CInt(day))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (CInt(clock[0]), CInt(clock[1]), CInt(clock[2]))
        return timegm(&parts)
    }

    /// `ExportTraceServiceResponse`, as far as it is of interest.
    private struct Response: Decodable {
        struct PartialSuccess: Decodable {
            var rejectedSpans: Number?
            var errorMessage: String?

            var rejected: UInt64 { rejectedSpans?.value ?? 0 }
        }

        /// A 64-bit number, which may be written as text.
        struct Number: Decodable {
            let value: UInt64

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(UInt64.self) {
                    value = number
                } else {
                    value = UInt64(try container.decode(String.self)) ?? 0
                }
            }
        }

        var partialSuccess: PartialSuccess?

        init?(_ bytes: [UInt8]) {
            guard let response = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
            self = response
        }
    }
}
