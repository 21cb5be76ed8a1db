// Tests of diagnostics whose level changes while loggers are in use.

import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct DiagnosticsHandlerTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct Recorder: LogHandler {
        var logLevel = Logger.Level.critical
        var metadata: Logger.Metadata = [:]
        let lines: Lines

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.message)") } }
    }

    @Test func `another level holds for every copy of a logger`() {
        let level = DiagnosticsLevel(.notice)
        let lines = Lines()
        let logger = Logger(label: "test") { _ in DiagnosticsHandler(Recorder(lines: lines), level: level) }
        let copy = logger
        logger.info("not yet")
        logger.notice("one")
        level.level = .debug
        copy.debug("two")
        #expect(copy.logLevel <= .debug)
        level.level = .critical
        logger.error("too late")
        #expect(lines.all.withLock { $0 } == ["one", "two"])
        for each in Logger.Level.allCases {
            level.level = each
            #expect(copy.logLevel == each)
        }
    }
}
