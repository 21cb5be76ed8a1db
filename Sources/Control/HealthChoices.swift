// What an operator chooses about the backends' health, and how that is written.

import Balancing
public import Forwarding

/// The settings of health checks, ejections, slow start and panic mode.
public struct HealthChoices: Sendable, Equatable {
    /// Whether active checks are made.
    public var isChecking: Bool = SettingsTable.healthChecks.defaultValue
    /// The path that they ask for; nil for checks that only connect.
    public var path: String? = SettingsTable.healthPath.defaultValue
    public var interval: Duration = SettingsTable.healthInterval.defaultValue
    public var timeout: Duration = SettingsTable.healthTimeout.defaultValue
    public var rise: Int = SettingsTable.healthRise.defaultValue
    public var fall: Int = SettingsTable.healthFall.defaultValue
    /// The statuses that pass.
    public var statuses: [ClosedRange<Int>] = SettingsTable.healthStatus.defaultValue
    /// What the body must contain; nil for anything.
    public var body: String? = SettingsTable.healthBody.defaultValue
    public var notFound: NotFoundMeaning = SettingsTable.healthNotFound.defaultValue
    /// Whether backends are ejected because of what live traffic shows.
    public var isEjecting: Bool = SettingsTable.ejections.defaultValue
    /// Failures or errors in a row that eject.
    public var ejectAfter: Int = SettingsTable.ejectAfter.defaultValue
    public var ejectTime: Duration = SettingsTable.ejectTime.defaultValue
    /// The most of the fleet, in percent.
    public var ejectLimit: Int = SettingsTable.ejectLimit.defaultValue
    /// Zero for no slow start.
    public var slowStart: Duration = SettingsTable.slowStart.defaultValue
    /// Whether all ready backends are used when none is usable.
    public var failsOpen: Bool = SettingsTable.panic.defaultValue

    public init() {}
}

/// What a 404 to a health check means.
public enum NotFoundMeaning: String, Sendable, CaseIterable {
    /// That the check has failed, unless 404 is expected.
    case fail
    /// That the backend asks to be drained.
    case drain
}

extension HealthSettings {
    /// The part of the settings that the monitor needs.
    public init(_ settings: Settings) {
        let choices = settings.health
        var check = CheckRules()
        check.kind = choices.path.map { .get($0) } ?? .connect
        check.interval = choices.interval.nanoseconds
        check.timeout = choices.timeout.nanoseconds
        check.rise = choices.rise
        check.fall = choices.fall
        var ejection = EjectionRules()
        ejection.consecutive = choices.ejectAfter
        ejection.baseTime = choices.ejectTime.nanoseconds
        ejection.maximumTime = max(ejection.maximumTime, ejection.baseTime)
        ejection.maximumPercent = choices.ejectLimit
        // Where a key decides, each backend has requests of its own kind.
        if case .hash = settings.policy { ejection.comparesBackends = false }
        self.init(
            rules: HealthRules(
                check: choices.isChecking ? check : nil,
                ejection: choices.isEjecting ? ejection : nil,
                slowStart: choices.slowStart.nanoseconds
            ),
            expectation: CheckExpectation(
                statuses: choices.statuses,
                body: choices.body,
                drainsOnNotFound: choices.notFound == .drain
            )
        )
    }
}

extension PoolSettings {
    /// How the pool behaves under these settings.
    public init(_ settings: Settings) {
        self.init(
            newcomers: settings.health.isChecking ? .unchecked : .up,
            failsOpen: settings.health.failsOpen
        )
    }
}

extension Duration {
    /// In whole nanoseconds; a setting's duration is neither negative nor longer than a day.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}

// MARK: How it is written

extension SettingKind where Value == Bool {
    /// `on` or `off`.
    static let onOff = SettingKind(
        form: "on or off",
        expectation: "on or off",
        parse: { text throws(ValueError) in
            guard text == "on" || text == "off" else { throw ValueError(text, "expected on or off") }
            return text == "on"
        },
        print: { $0 ? "on" : "off" }
    )
}

extension SettingKind where Value == String? {
    /// `off`, or the path of a request.
    static let path = SettingKind(
        form: "off or a path",
        expectation: "off or \(pathExpectation)",
        parse: { text throws(ValueError) in
            if text == "off" { return nil }
            guard isRequestPath(text) else { throw ValueError(text, "expected off or \(pathExpectation)") }
            return text
        },
        print: { $0 ?? "off" }
    )

    /// `off`, or a text.
    static let text = SettingKind(
        form: "off or a text",
        expectation: "off or a text of 1 to 256 bytes without control characters",
        parse: { text throws(ValueError) in
            if text == "off" { return nil }
            guard (1...256).contains(text.utf8.count), escaped(text) == text else {
                throw ValueError(
                    text,
                    "expected off or a text of 1 to 256 bytes without control characters, quotes and backslashes"
                )
            }
            return text
        },
        print: { $0 ?? "off" }
    )
}

/// What ``isRequestPath(_:)`` takes, for messages.
let pathExpectation = "a path such as /healthz"

/// Whether a text can stand in a request line as its target: it begins with a slash, and needs no encoding.
func isRequestPath(_ text: String) -> Bool {
    text.hasPrefix("/") && text.utf8.count <= 1024
        && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"#"<>\^`{|}"#.utf8.contains($0) }
}

extension SettingKind where Value == [ClosedRange<Int>] {
    /// Statuses, each `204`, `200-299` or `2xx`.
    static let statuses = SettingKind(
        form: "list of NNN, NNN-NNN or Nxx",
        expectation: statusExpectation,
        parse: { text throws(ValueError) in
            var ranges: [ClosedRange<Int>] = []
            for entry in listEntries(text) {
                guard let range = parseStatuses(entry) else { throw ValueError(entry, "expected \(statusExpectation)") }
                ranges.append(range)
            }
            guard !ranges.isEmpty else { throw ValueError(text, "expected \(statusExpectation)") }
            return ranges
        },
        print: { $0.map(printStatuses).joined(separator: ",") }
    )
}

private let statusExpectation = "statuses between 200 and 599, such as 200-399, 2xx or 204"

private func parseStatuses(_ text: String) -> ClosedRange<Int>? {
    if text.hasSuffix("xx"), text.utf8.count == 3 {
        guard let first = wholeNumber(text.prefix(1)), (2...5).contains(first) else { return nil }
        return first * 100...first * 100 + 99
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { wholeNumber($0) }
    guard ends.count <= 2, let low = ends[0], let high = ends[ends.count - 1], low <= high,
        (200...599).contains(low), (200...599).contains(high)
    else { return nil }
    return low...high
}

private func printStatuses(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
}
