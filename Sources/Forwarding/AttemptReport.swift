// The failed attempts on a page of ours, for those who may know where the backends are.

internal import HTTPWire
internal import Telemetry

/// Failed attempts as text, in the form of the page that they stand on.
struct AttemptReport {
    /// The most bytes of a report; attempts that do not fit are counted.
    static let maximumSize = 6144
    /// The most characters of one attempt's text.
    private static let longestText = 256

    let attempts: [AccessLogAttempt]

    /// Lines such as `Attempt 1: a:80 connection_refused 0.3 ms "…"`.
    var text: String {
        gathered(separator: "") { number, attempt in
            "Attempt \(number): \(attempt.backend) \(attempt.reason) \(milliseconds(attempt)) ms \"\(said(attempt))\"\n"
        } rest: {
            "and \($0) more\n"
        }
    }

    /// The members of an array of objects.
    var json: String {
        gathered(separator: ",") { _, attempt in
            """
            {"backend":"\(jsonEscaped(attempt.backend))","reason":"\(attempt.reason)",\
            "text":"\(jsonEscaped(said(attempt)))","ms":\(milliseconds(attempt))}
            """
        } rest: {
            "{\"omitted\":\($0)}"
        }
    }

    /// Items of a list.
    var html: String {
        gathered(separator: "\n") { _, attempt in
            """
            <li><b>\(htmlEscaped(attempt.backend))</b> \(attempt.reason) \(milliseconds(attempt)) ms: \
            \(htmlEscaped(said(attempt)))</li>
            """
        } rest: {
            "<li>and \($0) more</li>"
        }
    }

    private func gathered(
        separator: String,
        _ item: (Int, AccessLogAttempt) -> String,
        rest: (Int) -> String
    ) -> String {
        var result = ""
        for (index, attempt) in attempts.enumerated() {
            let item = (index == 0 ? "" : separator) + item(index + 1, attempt)
            guard result.utf8.count + item.utf8.count + 64 <= Self.maximumSize else {
                return result + (index == 0 ? "" : separator) + rest(attempts.count - index)
            }
            result += item
        }
        return result
    }

    private func said(_ attempt: AccessLogAttempt) -> String {
        String(String.UnicodeScalarView(attempt.text.unicodeScalars.prefix(Self.longestText).map(visible)))
    }

    /// The scalar if it is printable ASCII, `?` otherwise: libcurl's texts are ASCII, and a backend may have a hand in them.
    private func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        (0x20..<0x7F).contains(scalar.value) ? scalar : "?"
    }

    private func milliseconds(_ attempt: AccessLogAttempt) -> String {
        let microseconds = attempt.nanoseconds / 1000
        let fraction = String(microseconds % 1000 + 1000).dropFirst()
        return "\(microseconds / 1000).\(fraction)"
    }

    private func jsonEscaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\u{0}"..<"\u{20}": "?"
            default: String(scalar)
            }
        }.joined()
    }

    private func htmlEscaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(scalar)
            }
        }.joined()
    }
}
