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

    public init(retryConditions: RetryConditions = .safe, retryBudget: Int = 20) {
        self.retryConditions = retryConditions
        self.retryBudget = retryBudget
    }
}
