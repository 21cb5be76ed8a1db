// Leaving a backend that leaves requests waiting, before the response timeout would.

internal import Balancing
internal import Front
internal import HTTPWire
internal import Upstream

extension Exchange {
    /// Goes on at another backend if the present attempt waits for an answer of one of these.
    ///
    /// By the rules of a failed attempt: what may have been begun there is not sent again unless it may be done twice. Where there is
    /// nobody else to ask, waiting goes on. The retry budget is not asked: what is repeated takes the place of what the backend does not
    /// do, and those who were refused would be told of a timeout that has not come.
    func leave(_ backends: [Backend]) {
        let text = "not waited for: the backend answers nobody"
        if let hedge, backends.contains(where: { $0 === hedge.backend }) {
            note(silence(of: hedge.stream), text, of: hedge)
            endHedge(.failed)
            beginHedge()
        }
        guard let stream, response == .awaited, !isTunnel, let responder,
            backends.contains(where: { $0 === responder })
        else { return }
        if hedge != nil {
            record(silence(of: stream), text)
            goOnWithHedge(after: .failed)
            return
        }
        guard worker.balancer.hasAnother(excluding: tried) else { return }
        let failure = StreamFailure(
            phase: stream.isConnected ? .responseHead : .connect,
            cause: .closed,
            text: text,
            wasRequestSent: stream.wasRequestSent,
            wasResponseBegun: false,
            wasReused: false
        )
        guard case .nextBackend = worker.retryPolicy.decide(after: failure, situation) else { return }
        record(silence(of: stream), failure.text)
        endAttempt(.failed)
        retries += 1
        attemptNext()
    }
}
