// What each part of a worker takes from its settings.

internal import Front
internal import Upstream

extension FrontSettings {
    init(_ settings: ForwardingSettings) {
        self.init(
            limits: settings.headLimits,
            idleNanoseconds: settings.idleTimeout,
            headNanoseconds: settings.headTimeout,
            maximumPipelined: settings.maximumPipelined,
            trusted: settings.trusted
        )
    }
}

extension StreamSettings {
    init(_ settings: ForwardingSettings) {
        self.init(
            connectTimeoutMilliseconds: Int(settings.connectTimeout / 1_000_000),
            idleNanoseconds: settings.upstreamIdle,
            headLimits: settings.headLimits
        )
    }
}

extension RetryPolicy {
    init(_ settings: ForwardingSettings) {
        self.init(maximumRetries: settings.retries, conditions: settings.overload.retryConditions)
    }
}
