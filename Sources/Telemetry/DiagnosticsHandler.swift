// Diagnostics on standard error, at a level that can be changed while loggers are in use.

public import Logging
internal import Synchronization

/// The least severe level of diagnostics that is written.
///
/// Any thread.
public final class DiagnosticsLevel: Sendable {
    /// The level's place in ``Logger/Level/allCases``.
    private let place: Atomic<Int>

    public init(_ level: Logger.Level) { place = Atomic(Self.place(of: level)) }

    public var level: Logger.Level {
        get { Logger.Level.allCases[place.load(ordering: .relaxed)] }
        set { place.store(Self.place(of: newValue), ordering: .relaxed) }
    }

    private static func place(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}

/// Hands lines to another handler, by a level that all such handlers share.
///
/// A logger has a copy of its handler: its own level could be changed in that copy alone.
public struct DiagnosticsHandler: LogHandler {
    private var handler: any LogHandler
    private let shared: DiagnosticsLevel

    public init(_ handler: any LogHandler, level: DiagnosticsLevel) {
        self.handler = handler
        self.handler.logLevel = .trace
        shared = level
    }

    /// The level that is shared; setting it changes all.
    public var logLevel: Logger.Level {
        get { shared.level }
        set { shared.level = newValue }
    }

    public var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) { handler.log(event: event) }
}
