// How much of its weight a new or recovered backend gets.

/// The ramp of Envoy and HAProxy: linear with age, from a tenth on.
enum SlowStart {
    /// The first share, in percent.
    static let floor = 10
    /// The ramp goes up in steps of so many percent, so that schedules stay short and snapshots few.
    static let step = 5

    /// The share in percent at an age; 100 from the end of the window on.
    static func percent(age: UInt64, window: UInt64) -> Int {
        guard window > 0, age < window else { return 100 }
        let exact = Double(age) / Double(window) * 100
        return max(floor, Int(exact) / step * step)
    }
}
