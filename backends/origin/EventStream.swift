// The server-sent events of `/stream`: one every so often, each sent when it is due.

import FlyingSocks
import Foundation

struct EventStream: AsyncBufferedSequence {
    typealias Element = UInt8

    let interval: Duration

    /// Events to send; nil for a stream that the client ends.
    let count: Int?

    func makeAsyncIterator() -> Iterator {
        Iterator(interval: interval, count: count)
    }

    struct Iterator: AsyncBufferedIteratorProtocol {
        fileprivate let interval: Duration
        fileprivate let count: Int?
        private var sent = 0

        fileprivate init(interval: Duration, count: Int?) {
            self.interval = interval
            self.count = count
        }

        mutating func next() async throws -> UInt8? {
            preconditionFailure("FlyingFox reads body sequences by the buffer")
        }

        mutating func nextBuffer(suggested: Int) async throws -> [UInt8]? {
            if let count, sent >= count { return nil }
            if sent > 0 {
                try await Task.sleep(for: interval)
            }
            sent += 1
            let now = Int(Date().timeIntervalSince1970 * 1000)
            return Array("data: {\"n\":\(sent),\"sent\":\(now)}\n\n".utf8)
        }
    }
}
