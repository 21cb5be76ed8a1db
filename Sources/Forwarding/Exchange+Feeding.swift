// What an exchange that has failed leaves for those who watch.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry

extension Exchange {
    /// The most bytes of a target, and of a failed attempt's text.
    private static let longestTarget = 512
    private static let longestText = 256
    /// The most failed attempts: the last ones.
    private static let mostAttempts = 8

    /// Tells the feed of failures; the only place on the way of a request where it is touched.
    func feed(_ row: ExchangeFailure) {
        worker.share.metrics.failures.add(worker: worker.share.index, at: loop.now.nanoseconds) {
            let reader = reader
            return FailureRecord(
                client: clientText,
                method: Self.text(reader.headBytes(reader.head.methodRange), limit: 32),
                target: Self.text(reader.headBytes(reader.head.targetRange), limit: Self.longestTarget),
                status: isResponseBegun ? status : nil,
                reason: row.label,
                backend: responder?.name,
                attempts: failedAttempts.suffix(Self.mostAttempts).map { attempt in
                    FailedAttempt(
                        backend: attempt.backend,
                        reason: attempt.reason,
                        text: String(attempt.text.prefix(Self.longestText)),
                        milliseconds: Double(attempt.nanoseconds / 1000) / 1000
                    )
                },
                id: requestID.text
            )
        }
    }

    private var clientText: String {
        withUnsafeTemporaryAllocation(byteCount: PeerAddress.maximumTextLength, alignment: 1) { text in
            String(decoding: text[..<clientAddress.write(to: text)], as: UTF8.self)
        }
    }

    /// Bytes that a client chose, as text, cut after so many.
    private static func text(_ bytes: UnsafeRawBufferPointer, limit: Int) -> String {
        let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
        return bytes.count > limit ? text + "…" : text
    }
}
