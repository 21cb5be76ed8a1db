// What watches over a pool while requests go through it: health checks, ejection, slow start.

public import Balancing

/// How an attempt ended, for those who judge a backend by its live traffic.
public enum AttemptResult: Sendable {
    /// A response came, with this status, after so many nanoseconds.
    case response(status: Int, after: UInt64)
    /// No connection could be made.
    case unreachable
    /// The connection was lost without a response.
    case reset
    /// No response came in time.
    case timedOut
}

/// What a probe of a backend finds.
public enum ProbeResult: Sendable, Equatable {
    /// It answers, as it should.
    case passed
    /// It does not, or wrongly.
    case failed
}

/// Health's part in a simulation: it is told how attempts end and when its time has come, may probe, and changes its balancer's pool.
///
/// One for each balancer. Whatever it changes reaches the workers as any change of the pool does.
public protocol Overseer: AnyObject {
    /// When it wants to be woken first.
    func start(_ pool: inout PoolRoster, at now: UInt64) -> UInt64?

    /// An attempt has ended.
    ///
    /// - Returns: Whether it has changed the pool.
    func observe(_ result: AttemptResult, of backend: Backend, in pool: inout PoolRoster, at now: UInt64) -> Bool

    /// It is awake.
    ///
    /// - Parameter probe: What a probe of a backend finds now.
    /// - Returns: Whether it has changed the pool, and when it wants to be woken next.
    func wake(
        _ pool: inout PoolRoster,
        at now: UInt64,
        probe: (_ name: String) -> ProbeResult
    ) -> (isChanged: Bool, next: UInt64?)
}
