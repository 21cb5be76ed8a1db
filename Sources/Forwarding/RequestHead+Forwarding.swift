// What a head says about being forwarded.

internal import HTTPWire

extension RequestHead {
    /// How often the request may still be forwarded; nil when it does not say, or when it is no TRACE or OPTIONS, whose
    /// Max-Forwards means nothing (RFC 9110 section 7.6.2).
    var forwardsLeft: Int? { method == .trace || method == .options ? maxForwards : nil }
}
