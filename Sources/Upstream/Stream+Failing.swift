// How a stream fails: what libcurl, the kernel or the backend's bytes said, as facts.

internal import CCurl
internal import EventLoop

extension Stream {
    var readPhase: StreamFailure.Phase { progress == .body ? .responseBody : .responseHead }

    func connectPhase(_ code: CURLcode) -> StreamFailure.Phase {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: .connect
        // A proxy's refusal of a tunnel.
        case CURLE_RECV_ERROR where pool.origin.proxy != nil: .connect
        default: connection.hasConnected && isEncrypted ? .tls : connection.hasResolved ? .connect : .resolve
        }
    }

    func makeFailure(_ phase: StreamFailure.Phase, _ code: CURLcode) -> StreamFailure {
        var systemError = connection.systemError
        // libcurl does not say that the system would not give it a socket.
        if phase == .connect, systemError == 0, let reason = Socket.whyNoDescriptor { systemError = reason }
        return makeFailure(phase, .curl(Int32(code.rawValue)), connection.failureText(code), systemError)
    }

    func makeFailure(
        _ phase: StreamFailure.Phase,
        _ cause: StreamFailure.Cause,
        _ text: String,
        _ systemError: Int32 = 0
    ) -> StreamFailure {
        StreamFailure(
            phase: phase,
            cause: cause,
            text: text,
            systemError: systemError,
            wasRequestSent: wasRequestSent,
            wasResponseBegun: wasResponseBegun,
            wasReused: wasReused
        )
    }

    func fail(_ failure: StreamFailure) {
        let observer = observer
        close()
        observer?.stream(self, failed: failure)
    }
}
