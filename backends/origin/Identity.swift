// Who this origin is and how many requests it has answered.

import Glibc
import Synchronization

/// What every answer may tell about the origin.
///
/// Any thread.
final class Identity: Sendable {
    let name: String
    let pid = getpid()

    private let mutable: Mutex<(port: UInt16, answered: [String: Int])>

    init(name: String, port: UInt16) {
        self.name = name
        mutable = Mutex((port, [:]))
    }

    var port: UInt16 {
        mutable.withLock { $0.port }
    }

    /// The port is known only now when port 0 was asked for.
    func listening(on port: UInt16) {
        mutable.withLock { $0.port = port }
    }

    /// Counts one request; called once its body has arrived, whatever the answer will be.
    func count(method: String) {
        mutable.withLock { $0.answered[method, default: 0] += 1 }
    }

    /// Requests counted so far, by method.
    var answered: [String: Int] {
        mutable.withLock { $0.answered }
    }
}
