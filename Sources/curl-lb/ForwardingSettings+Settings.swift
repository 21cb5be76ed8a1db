// What the workers take from the settings.

import Control
import EventLoop
import Forwarding
import Foundation
import HTTPWire
import Telemetry

extension ForwardingSettings {
    /// The part of the settings that workers need.
    init(_ settings: Settings) {
        self.init(
            name: settings.name,
            retries: settings.retries,
            connectTimeout: settings.connectTimeout.clampedNanoseconds,
            headTimeout: settings.headTimeout.clampedNanoseconds,
            responseTimeout: settings.responseTimeout.clampedNanoseconds,
            idleTimeout: settings.idleTimeout.clampedNanoseconds,
            upstreamIdle: settings.upstreamIdleTimeout.clampedNanoseconds,
            tunnelIdle: settings.tunnelIdleTimeout.clampedNanoseconds,
            writeTimeout: settings.writeTimeout.clampedNanoseconds,
            bodyProgress: settings.bodyPace.map {
                BodyProgress(bytes: UInt64($0.bytes), nanoseconds: $0.interval.clampedNanoseconds)
            },
            maximumPipelined: settings.maxPipelined,
            headLimits: HeadLimits(maxHeadBytes: settings.maxHeadBytes, maxFieldCount: settings.maxFields),
            accessLogStyle: settings.accessLog == .off ? nil : AccessLogStyle(settings),
            overload: OverloadSettings(settings)
        )
        trusted = settings.trusted
        addsForwarded = settings.addsForwarded
        affinity = CookieAffinity(settings)
        if settings.followsTraces {
            trace = TraceSettings(
                sampling: TraceSampling(oneOf: settings.traceSample),
                isRecording: settings.traceEndpoint != nil
            )
        }
    }
}

extension OverloadSettings {
    init(_ settings: Settings) {
        self.init(
            retryConditions: settings.retryOn,
            retryBudget: settings.retryBudget,
            queueLimit: settings.queue,
            queueTimeout: settings.queueTimeout.clampedNanoseconds,
            deadline: settings.deadline?.clampedNanoseconds,
            hedge: settings.hedge?.clampedNanoseconds
        )
    }
}

extension AccessLogStyle {
    /// Columns and colour are for a terminal that shows them, and for people who want them (no-color.org).
    convenience init(_ settings: Settings) {
        let environment = ProcessInfo.processInfo.environment
        let isWanted = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        self.init(
            format: settings.accessLogFormat,
            fields: settings.accessLogFields,
            isForTerminal: settings.accessLog == .standardOutput && isWanted && isatty(STDOUT_FILENO) == 1,
            sample: settings.accessLogSample
        )
    }
}
