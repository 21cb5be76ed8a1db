// Clients that ask one request after the other while something happens to the balancer.

import Foundation
import Synchronization

/// Sends requests on kept connections until it is told to stop, and notes all that is no success.
///
/// Any thread.
final class BusyClients: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let running = Counter()
    private let ended = Counter()
    /// What was answered that is no success, and what was not answered.
    let failures = Record()
    let answers = Counter()

    /// - Parameter requests: After how many requests a connection is closed and another made; 0 for never.
    init(_ count: Int, at address: SocketAddress, requests: Int = 0) {
        for _ in 0..<count {
            running.add()
            Thread.detachNewThread { [self] in
                do {
                    while !isOver.load(ordering: .relaxed) { try converse(address, requests) }
                } catch { failures.add("\(error)") }
                ended.add()
            }
        }
    }

    /// One connection's life.
    private func converse(_ address: SocketAddress, _ requests: Int) throws {
        let client = try Connection.to(address)
        defer { client.close() }
        var count = 0
        while !isOver.load(ordering: .relaxed) {
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            let response = try client.receiveResponse()
            if response.status == 200 { answers.add() } else { failures.add(response.startLine) }
            count += 1
            if response["Connection"] == "close" || count == requests { return }
        }
    }

    /// Waits until this many more requests were answered.
    func wait(for count: Int = 50) throws {
        let before = answers.value
        try eventually("\(count) more answers; failures: \(failures.all)") { answers.value >= before + count }
    }

    func stop() throws {
        isOver.store(true, ordering: .relaxed)
        try eventually("the clients' end") { ended.value == running.value }
    }
}
