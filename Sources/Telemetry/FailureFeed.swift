// The latest requests that did not end well, kept for whoever looks: workers add, and never wait.

internal import Synchronization

/// A failed attempt, as a ``FailureRecord`` tells it.
public struct FailedAttempt: Sendable, Codable, Equatable {
    public var backend: String
    public var reason: String
    /// libcurl's text, or ours.
    public var text: String
    public var milliseconds: Double

    public init(backend: String, reason: String, text: String, milliseconds: Double) {
        self.backend = backend
        self.reason = reason
        self.text = text
        self.milliseconds = milliseconds
    }
}

/// One request that did not end well.
public struct FailureRecord: Sendable, Codable, Equatable {
    /// When it ended, in seconds since 1970.
    public var time: Double
    public var client: String
    public var method: String
    public var target: String
    /// The status sent; nil when no response was begun.
    public var status: Int?
    /// The label of the failure table.
    public var reason: String
    /// Whose response was cut; nil for an answer of our own.
    public var backend: String?
    public var attempts: [FailedAttempt]
    /// The request's identifier.
    public var id: String

    public init(
        client: String,
        method: String,
        target: String,
        status: Int?,
        reason: String,
        backend: String?,
        attempts: [FailedAttempt],
        id: String
    ) {
        time = ProcessStats.realTime()
        self.client = client
        self.method = method
        self.target = target
        self.status = status
        self.reason = reason
        self.backend = backend
        self.attempts = attempts
        self.id = id
    }

    /// With a null for what is nil.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(client, forKey: .client)
        try container.encode(method, forKey: .method)
        try container.encode(target, forKey: .target)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(backend, forKey: .backend)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(id, forKey: .id)
    }
}

/// Keeps the latest failures of each worker.
///
/// Any thread. A worker takes a lock of its own, only when a request has failed, and only if it is free; the one reader holds it for as
/// long as copying a few references takes. In a storm of failures most are left out and counted.
public final class FailureFeed: Sendable {
    /// How many are kept of each worker.
    public static let kept = 50
    /// How many a worker may add at once, and then one for each interval, in nanoseconds.
    static let burst: UInt64 = 50
    static let interval: UInt64 = 50_000_000

    private struct Ring {
        var records: [FailureRecord] = []
        /// Where the next one goes once there are ``FailureFeed/kept``.
        var next = 0
        /// How many there ever were.
        var count: UInt64 = 0
        /// When the allowance would be whole again, in nanoseconds.
        var whole: UInt64 = 0

        mutating func mayAdd(at now: UInt64) -> Bool {
            let start = max(whole, now)
            guard start - now <= (FailureFeed.burst - 1) * FailureFeed.interval else { return false }
            whole = start + FailureFeed.interval
            return true
        }

        mutating func add(_ record: FailureRecord) {
            count += 1
            if records.count < FailureFeed.kept {
                records.append(record)
            } else {
                records[next] = record
                next = (next + 1) % FailureFeed.kept
            }
        }

        /// Those that came after the first so many, as far as they are kept, in order.
        func records(after mark: UInt64) -> [FailureRecord] {
            let new = Int(clamping: min(count - min(mark, count), UInt64(records.count)))
            return (0..<new).map { records[(next + records.count - new + $0) % records.count] }
        }
    }

    /// One worker's.
    private final class Share: Sendable {
        let ring = Mutex(Ring())
        let leftOut = Atomic<UInt64>(0)
    }

    private let shares: [Share]

    public init(workers: Int) { shares = (0..<workers).map { _ in Share() } }

    /// Adds a failure, unless there were too many, or somebody is reading just now.
    ///
    /// - Parameters:
    ///   - now: The monotonic clock, in nanoseconds.
    ///   - make: Makes the record; called only if it is kept.
    public func add(worker: Int, at now: UInt64, _ make: () -> FailureRecord) {
        let share = shares[worker]
        let isAdded = share.ring.withLockIfAvailable { ring in
            guard ring.mayAdd(at: now) else { return false }
            ring.add(make())
            return true
        }
        if isAdded != true { share.leftOut.wrappingAdd(1, ordering: .relaxed) }
    }

    /// How many failures were left out.
    public var leftOut: UInt64 { shares.reduce(0) { $0 &+ $1.leftOut.load(ordering: .relaxed) } }

    /// How far a reader has read.
    public struct Place: Sendable {
        fileprivate var marks: [UInt64] = []

        /// Before all.
        public init() {}
    }

    /// What has been added since a place, the oldest first; as far as it is kept.
    public func records(after place: inout Place) -> [FailureRecord] {
        if place.marks.isEmpty { place.marks = shares.map { _ in 0 } }
        var all: [FailureRecord] = []
        for (index, share) in shares.enumerated() {
            share.ring.withLock { ring in
                all += ring.records(after: place.marks[index])
                place.marks[index] = ring.count
            }
        }
        // Each worker's are in order; stable, so that those of one moment stay so.
        return all.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
