// What `curl-lb top` shows, as numbers: the difference of two states of a balancer.

import Telemetry

/// What was counted between two looks, and how things stand at the second.
struct TopFigures: Equatable {
    /// One backend.
    struct Backend: Equatable {
        var name: String
        /// Its states in words.
        var state: String
        /// How bad that is.
        var mood: TopMood
        var weight: String
        var inFlight: String
        /// Attempts each second; nil when it was not there before.
        var requests: Double?
        var failures: Double?
        /// In nanoseconds; nil when no request has ended.
        var p50: Double?
        var p99: Double?
        /// The last probe.
        var check: String
    }

    /// One reason of failures.
    struct Reason: Equatable {
        var label: String
        /// Each second.
        var rate: Double
        var total: UInt64
    }

    var name: String
    var version: String
    var policy: String
    /// In seconds.
    var uptime: Double
    var isPanic: Bool
    var requests: Double
    /// Answers of 500 and more, each second.
    var errors: Double
    /// Their share; nil when no request has ended.
    var errorShare: Double?
    var p50: Double?
    var p99: Double?
    var inFlight: UInt64
    var waiting: Int
    var connections: UInt64
    var backends: [Backend]
    /// The most frequent of late first.
    var reasons: [Reason]
}

extension TopFigures {
    /// The difference of two states; nil when no time lies between them, or when another process has answered meanwhile.
    init?(from earlier: StatsSnapshot, to later: StatsSnapshot) {
        let seconds = later.time - earlier.time
        guard seconds > 0, later.process.uptime >= earlier.process.uptime else { return nil }
        name = later.name
        version = later.build.version
        policy = later.policy
        uptime = later.process.uptime
        isPanic = later.isPanic
        inFlight = later.clients.requestsInFlight
        waiting = later.queueWaiting
        connections = later.clients.connections
        let ended = later.clients.requestsEnded.since(earlier.clients.requestsEnded)
        let failed = later.clients.serverErrors.since(earlier.clients.serverErrors)
        requests = Double(ended) / seconds
        errors = Double(failed) / seconds
        errorShare = ended > 0 ? Double(failed) / Double(ended) : nil
        let durations = later.clients.duration.since(earlier.clients.duration)
        p50 = durations.percentile(0.5)
        p99 = durations.percentile(0.99)
        let before = Dictionary(earlier.backends.map { ($0.name, $0) }) { first, _ in first }
        backends = later.backends.map { Backend($0, since: before[$0.name], seconds) }
        let counted = Dictionary(earlier.clients.failures.map { ($0.label, $0.count) }) { first, _ in first }
        reasons = later.clients.failures.filter { $0.count > 0 }
            .map { failure in
                let new = failure.count.since(counted[failure.label] ?? 0)
                return Reason(label: failure.label, rate: Double(new) / seconds, total: failure.count)
            }
            .sorted { ($1.rate, $1.total, $0.label) < ($0.rate, $0.total, $1.label) }
    }
}

/// How something is to be looked at, which colours say beside the words.
enum TopMood: Equatable {
    case good
    case notable
    case bad
    case faint
    case plain
}

extension TopFigures.Backend {
    init(_ later: BackendStats, since earlier: BackendStats?, _ seconds: Double) {
        name = later.name
        (state, mood) = Self.state(of: later)
        let percent = later.health?.weightPercent ?? 100
        weight = later.isMember ? "\(later.weight)\(percent < 100 ? " (\(percent) %)" : "")" : "-"
        inFlight = "\(later.inFlight)\(later.maximumInFlight > 0 ? "/\(later.maximumInFlight)" : "")"
        if let earlier {
            requests = Double(later.counts.attempts.since(earlier.counts.attempts)) / seconds
            failures = Double(later.counts.failed.since(earlier.counts.failed)) / seconds
            let durations = later.counts.request.since(earlier.counts.request)
            p50 = durations.percentile(0.5)
            p99 = durations.percentile(0.99)
        }
        check =
            later.health?.probes.last.map { probe in
                "\(probe.isGood ? "passed" : "FAILED") \(TopWords.span(probe.age)) ago: \(probe.text)"
            } ?? "-"
    }

    private static func state(of backend: BackendStats) -> (String, TopMood) {
        guard backend.isMember, let operational = backend.operational else { return ("removed", .faint) }
        var words = operational
        var mood: TopMood = ["down", "ejected"].contains(operational) ? .bad : operational == "up" ? .good : .notable
        if operational == "ejected", let ejection = backend.health?.ejection {
            words += ejection.endsIn > 0 ? " \(TopWords.span(ejection.endsIn))" : " (trial)"
        }
        if let administrative = backend.administrative, administrative != "ready" {
            words += ", \(administrative)"
            if mood == .good { mood = .notable }
        }
        if let requested = backend.requested, requested != "ready" {
            words += ", asks for \(requested)"
            if mood == .good { mood = .notable }
        }
        return (backend.isBackup ? words + ", backup" : words, mood)
    }
}

extension ClientCounts {
    /// Requests that were answered with 500 and more.
    fileprivate var serverErrors: UInt64 { requests.reduce(0) { $0 &+ ($1.code == "5xx" ? $1.count : 0) } }
}

extension BackendCounts {
    /// Attempts that failed.
    fileprivate var failed: UInt64 { failures.reduce(0) { $0 &+ $1.count } }
}

extension UInt64 {
    /// How much a counter has grown; all of it, when it has begun anew.
    fileprivate func since(_ earlier: UInt64) -> UInt64 { self >= earlier ? self - earlier : self }
}
