// What becomes of requests when backends fail, are full, or do not answer.

public import Balancing

/// Repeating, waiting and giving up; times in nanoseconds.
///
/// `docs/settings.md` tells what each means.
public struct OverloadSettings: Sendable {
    /// What is worth another attempt.
    public var retryConditions: RetryConditions
    /// How much of what is in flight may be retries, in percent.
    public var retryBudget: Int
    /// How many requests may wait for a place at a backend; 0 for none.
    public var queueLimit: Int
    /// How long each may.
    public var queueTimeout: UInt64
    /// How long a request may take until its response head has come; nil for any time.
    public var deadline: UInt64?
    /// How long an attempt may bring no response head before a second backend is asked beside it; nil for ever.
    public var hedge: UInt64?

    public init(
        retryConditions: RetryConditions = .safe,
        retryBudget: Int = 20,
        queueLimit: Int = 1024,
        queueTimeout: UInt64 = 5_000_000_000,
        deadline: UInt64? = nil,
        hedge: UInt64? = nil
    ) {
        self.retryConditions = retryConditions
        self.retryBudget = retryBudget
        self.queueLimit = queueLimit
        self.queueTimeout = queueTimeout
        self.deadline = deadline
        self.hedge = hedge
    }
}
