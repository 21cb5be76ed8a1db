// What an exchange knows of its client beyond the connection: who it is, whom it is bound to, and what it may be told.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry

/// One client's standing for one request.
struct ClientStanding {
    /// What a trusted proxy says of the client; nil when it is no trusted proxy that has sent the request.
    var forwarded: ForwardedClient?
    /// The token of the backend that the client is bound to.
    var pin: AffinityToken?
    /// Whether the client has asked why, and may know.
    var isExplained = false
    /// Why attempts went where they went, each with the attempt's number.
    var explanations: [(attempt: Int, text: String)] = []

    /// Whether the client may be told about backends: the request comes from a trusted address itself.
    var isTrusted: Bool { forwarded?.isTrusted == true }
}

extension Exchange {
    /// The field that asks for an explanation, and the one that gives it.
    static let explanationField: StaticString = "X-LB-Explain"
    /// The most bytes of an explanation, the number of the attempt included.
    static let maximumExplanation = 1024

    /// Who the client is: the other end of the connection, or whom a trusted proxy names.
    var clientAddress: PeerAddress { standing.forwarded?.address ?? client.peer }

    /// Finds out about the client of a request that was read whole.
    func readStanding() {
        if client.isTrusted {
            let forwarded = reader.client(behind: client.peer, trusting: worker.settings.trusted)
            standing.forwarded = forwarded
            standing.isExplained = forwarded.isTrusted && asksForExplanation
        }
        if let affinity = worker.settings.affinity { standing.pin = affinity.pin(of: reader, at: worker.balancer) }
    }

    private var asksForExplanation: Bool {
        reader.head.fields.lines.contains { line in
            line.name == .other && line.nameRange.count == Self.explanationField.utf8CodeUnitCount
                && zip(reader.headBytes(line.nameRange), Self.explanationField.description.utf8).allSatisfy {
                    $0 | 0x20 == $1 | 0x20
                }
                && reader.headBytes(line.valueRange).elementsEqual("1".utf8)
        }
    }

    /// Chooses the backend of the next attempt: the one that the client is bound to, or else by the policy.
    ///
    /// - Parameter isBeside: Whether it is one beside the present one.
    func chooseBackend(excluding tried: TriedBackends, isBeside: Bool) -> BackendLease? {
        let balancer = worker.balancer
        let now = loop.now.nanoseconds
        let key = balancer.hashKey.flatMap { reader.hash(of: $0, peer: clientAddress) }
        guard standing.isExplained else {
            return balancer.acquire(excluding: tried, at: now, key: key, pin: standing.pin, isBeside: isBeside)
        }
        let explanation = balancer.explain(excluding: tried, at: now, key: key, pin: standing.pin)
        let lease = balancer.acquire(excluding: tried, at: now, key: key, pin: standing.pin, isBeside: isBeside)
        guard let lease else {
            note(explanation)
            return nil
        }
        note(explanation, chosen: lease.backend.name)
        return lease
    }

    private func note(_ explanation: Explanation, chosen: String? = nil) {
        var explanation = explanation
        explanation.chosen = chosen
        let attempt = attemptCount + 1
        let start = "attempt=\(attempt), "
        let text = start + explanation.text(limit: Self.maximumExplanation - start.utf8.count)
        // Whoever waits for a place asks for one several times.
        if standing.explanations.last?.attempt == attempt { standing.explanations.removeLast() }
        standing.explanations.append((attempt, text))
    }

    /// Appends the fields that a backend's response gets for its client alone.
    func appendClientFields(to buffer: Buffer) {
        if let affinity = worker.settings.affinity, let responder,
            let token = worker.balancer.snapshot.affinityToken(of: responder), token != standing.pin
        {
            let isEncrypted = client.isTrusted && reader.isForwardedEncrypted
            affinity.appendFields(token, isEncrypted: isEncrypted, to: buffer)
        }
        guard standing.isExplained else { return }
        buffer.append(Self.explanationField)
        buffer.append(": ")
        // Other attempts may have been chosen for that are not made, or not waited for: this response is the answer.
        buffer.append(text: standing.explanations.last { $0.attempt <= attemptNumber }?.text ?? "")
        buffer.append("\r\n")
    }
}
