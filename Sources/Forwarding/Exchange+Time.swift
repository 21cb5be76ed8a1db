// Time: how long each step of an exchange may take, and what follows when it takes longer.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    /// Moves the deadline on: called whenever a byte has moved, and when what is waited for changes.
    func refreshDeadline() {
        silenceEnd = isQueued ? queueStart + worker.settings.overload.queueTimeout : loop.now + allowance
        client.setDeadline(nextDeadline)
    }

    /// When something is due next.
    var nextDeadline: MonotonicTime {
        min(min(silenceEnd, progress.end), min(requestEnd, hedge?.silenceEnd ?? hedgeDue))
    }

    /// How long nothing may move.
    private var allowance: UInt64 {
        if isTunnel, !isRequestSent, response != .complete {
            worker.settings.tunnelIdle
        } else if isOwnContinueDue {
            min(Worker.continueWait, worker.settings.idleTimeout)
        } else if isRequestSent, !isResponseBegun {
            worker.settings.responseTimeout
        } else if isResponseBegun, client.hasPendingOutput {
            worker.settings.writeTimeout
        } else {
            worker.settings.idleTimeout
        }
    }

    /// Whether the client waits for 100, the backend has had time to say it, and the way to the client is free.
    private var isOwnContinueDue: Bool {
        isContinueAwaited && !isBodyTaken && stream?.isConnected == true && !client.hasPendingOutput
    }

    /// The client is waited for in the middle of its request's body: from now on it is held to a pace.
    func watchRequestBody() {
        guard !isResponseBegun, !isTunnel else { return }
        progress.open(worker.settings.bodyProgress, at: loop.now, moved: reader.bodyBytes)
        if progress.end < client.deadline { client.setDeadline(progress.end) }
    }

    /// The client does not take the response as fast as it comes: from now on it is held to a pace.
    func watchResponseBody() {
        guard isResponseBegun, !isTunnel else { return }
        takenMark = client.bytesTaken
        progress.open(worker.settings.bodyProgress, at: loop.now, moved: takenMark)
        refreshDeadline()
    }

    /// Whether the client has taken something since that was last looked at, although nothing more could be sent.
    private var isClientTaking: Bool {
        let taken = client.bytesTaken
        defer { takenMark = taken }
        return taken != takenMark
    }

    /// The end of the time in which the client had to move something; true if that is all that the deadline was about.
    private func paceIsJudged() -> Bool {
        let moved = isResponseBegun ? client.bytesTaken : reader.bodyBytes
        let isKept = progress.isKept(worker.settings.bodyProgress, at: loop.now, moved: moved)
        // A silence that has lasted too long has a name of its own.
        if loop.now >= silenceEnd { return false }
        if isKept {
            client.setDeadline(nextDeadline)
        } else {
            endAttempt(.abandoned)
            keepAlive = false
            giveUp(isResponseBegun ? .clientTooSlow : .requestBodyTooSlow)
        }
        return true
    }

    /// Whether the next byte of the request is the client's to send.
    private var isClientAwaited: Bool {
        !reader.isBodyComplete && reader.content.isEmpty && (outbound.map { sent == $0.count } ?? true)
    }

    func deadlineReached() {
        if loop.now >= requestEnd {
            requestEndReached()
            return
        }
        if let hedge {
            if loop.now >= hedge.silenceEnd {
                hedgeFellSilent(hedge)
                return
            }
        } else if loop.now >= hedgeDue {
            hedgeIsDue()
            return
        }
        if loop.now >= progress.end, paceIsJudged() { return }
        if loop.now >= silenceEnd { silenceHasLasted() } else { client.setDeadline(nextDeadline) }
    }

    /// Nothing has moved for as long as it may.
    private func silenceHasLasted() {
        if isQueued {
            queueTimedOut()
            return
        }
        if isOwnContinueDue {
            sendOwnContinue()
            return
        }
        if isTunnel {
            endAttempt(.answered)
            cut(.tunnelIdle)
            return
        }
        if isResponseBegun {
            let isClientSlow = client.hasPendingOutput
            if isClientSlow, isClientTaking {
                refreshDeadline()
                return
            }
            if !isClientSlow, isClientAwaited {
                endAttempt(.abandoned)
                cut(.requestBodyTimeout)
                return
            }
            endAttempt(isClientSlow ? .abandoned : .failed)
            cut(isClientSlow ? .clientStalled : .responseIncomplete)
            return
        }
        guard let stream else {
            cut(.clientStalled)
            return
        }
        if client.hasPendingOutput {
            // An interim response that the client does not take.
            if isClientTaking {
                refreshDeadline()
            } else {
                endAttempt(.abandoned)
                cut(.clientStalled)
            }
            return
        }
        if isRequestSent {
            fellSilent(.responseTimeout, stream)
        } else if stream.isConnected, isClientAwaited {
            endAttempt(.abandoned)
            keepAlive = false
            giveUp(.requestBodyTimeout)
        } else {
            fellSilent(silence(of: stream), stream)
        }
    }

    /// The response head was to have come by now, whatever has been tried for it.
    private func requestEndReached() {
        // Its own: the setting may be another one since.
        let deadline = requestEnd.since(startTime)
        if let stream {
            let text = "no response within \(deadline / 1_000_000) ms of the request's head"
            record(.requestDeadline, text)
            // Who has had most of the time has failed. To others the time was lost before they were asked, or by the client.
            if let hedge {
                note(.requestDeadline, text, of: hedge)
                endHedge(loop.now.since(hedge.start) >= deadline / 2 ? .failed : .abandoned)
            }
            let isAwaited = isRequestSent || !stream.isConnected
            endAttempt(isAwaited && loop.now.since(attemptStart) >= deadline / 2 ? .failed : .abandoned)
        }
        leaveQueue()
        giveUp(.requestDeadline)
    }

    /// The name of an attempt's silence that has lasted too long.
    func silence(of stream: Stream?) -> ExchangeFailure {
        stream?.isConnected == false ? .connectionTimeout : .responseTimeout
    }

    /// How long it has lasted.
    func silenceText(isRequestSent: Bool) -> String {
        isRequestSent
            ? "no response within \(worker.settings.responseTimeout / 1_000_000) ms"
            : "no progress within \(worker.settings.idleTimeout / 1_000_000) ms"
    }

    /// The backend has not moved for too long, and no byte of its response has gone to the client.
    private func fellSilent(_ row: ExchangeFailure, _ stream: Stream) {
        record(row, silenceText(isRequestSent: isRequestSent))
        if hedge != nil {
            goOnWithHedge(after: .failed)
        } else if worker.retryPolicy.mayRepeat(afterSilence: stream.wasRequestSent, situation) {
            repeatElsewhere(after: row, wasRequestSent: stream.wasRequestSent)
        } else {
            endAttempt(.failed)
            giveUp(row)
        }
    }
}
