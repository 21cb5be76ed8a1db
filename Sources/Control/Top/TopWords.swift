// Numbers as `curl-lb top` writes them: short, and with as many digits as mean something.

enum TopWords {
    static let nothing = "-"

    /// So many each second.
    static func rate(_ value: Double?) -> String {
        guard let value else { return nothing }
        if value == 0 { return "0" }
        if value < 0.005 { return "<0.01" }
        return fixed(value, digits: value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)
    }

    /// A share in percent, without the sign; what is not all is never written as all.
    static func percent(_ share: Double) -> String {
        let value = share * 100
        if value == 0 || value == 100 { return fixed(value, digits: 0) }
        if value < 0.005 { return "<0.01" }
        return fixed(min(value, 99.9), digits: value >= 9.995 ? 1 : 2)
    }

    /// What a request took, given in nanoseconds, in three digits.
    static func duration(_ nanoseconds: Double?) -> String {
        guard let nanoseconds else { return nothing }
        let units = [(1e3, "µs"), (1e6, "ms"), (1e9, "s")]
        let (size, unit) = units.first { nanoseconds / $0.0 < 999.5 } ?? (1e9, "s")
        let value = nanoseconds / size
        return "\(fixed(value, digits: value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)) \(unit)"
    }

    /// A longer time, given in seconds: its two largest units.
    static func span(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)).rounded())
        let units = [(86400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        guard let first = units.firstIndex(where: { whole >= $0.0 }) else { return "0 s" }
        let text = "\(whole / units[first].0) \(units[first].1)"
        guard first + 1 < units.count else { return text }
        let rest = whole % units[first].0 / units[first + 1].0
        return rest == 0 ? text : "\(text) \(rest) \(units[first + 1].1)"
    }

    /// A number that is not negative, with so many decimals.
    private static func fixed(_ value: Double, digits: Int) -> String {
        let scale = [1, 10, 100][digits]
        let scaled = Int((min(value, 1e15) * Double(scale)).rounded())
        guard digits > 0 else { return String(scaled) }
        return "\(scaled / scale).\(String(scaled % scale + scale).dropFirst())"
    }
}
