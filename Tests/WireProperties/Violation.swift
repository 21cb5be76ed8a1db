// What a property says when it does not hold.

/// A rule that does not hold for an input.
public struct Violation: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Demands that a rule holds.
@inline(__always)
public func demand(_ holds: Bool, _ rule: @autoclosure () -> String) throws(Violation) {
    if !holds { throw Violation(rule()) }
}
