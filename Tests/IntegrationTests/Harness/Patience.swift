// Waiting for what must come: a condition, never a length of time, and a limit after which waiting is a failure.

import Glibc

/// Something in a test did not come about.
struct Disappointment: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Whether a sanitizer watches this process, and with it the programs that are built beside it: all is several times as
/// slow then, and needs several times the memory.
let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

/// How long anything is waited for before the test fails; far more than it takes.
let patience = Duration.seconds(isSanitized ? 100 : 20)

/// Waits until a condition holds, and looks anew after each pause, in microseconds.
///
/// - Throws: ``Disappointment`` when it does not within the limit.
func eventually(
    _ what: @autoclosure () -> String,
    within limit: Duration = patience,
    pause: UInt32 = 2000,
    _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw Disappointment("in vain waited for: \(what())") }
        usleep(pause)
    }
}
