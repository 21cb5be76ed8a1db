// How a worker goes over to another snapshot of the pool.

public import Balancing
internal import Front
internal import Synchronization
internal import Telemetry
public import Upstream

/// A snapshot of the pool, and where each member is.
public struct PoolUpdate: Sendable {
    public let snapshot: PoolSnapshot
    /// In the order of the snapshot's members.
    public let origins: [Origin]
    /// How the health of each is checked, in the same order.
    public let health: [BackendHealth]
}

/// One worker's streams to one backend.
struct BackendStreams {
    let backend: Backend
    let pool: StreamPool
    let meter: BackendMeter
}

extension Worker {
    /// Goes on with another snapshot: new backends get streams, and the streams at rest of those that left are closed.
    ///
    /// Nothing happens to the streams of those that stay, nor to what is in flight: its streams close when they are done.
    func adopt(_ update: PoolUpdate) {
        var leaving = streams.map { $0?.backend }
        var reused = TriedBackends()
        for (member, origin) in zip(update.snapshot.members, update.origins) {
            let index = member.backend.index
            while streams.count <= index {
                streams.append(nil)
                leaving.append(nil)
            }
            if streams[index]?.backend !== member.backend {
                // Left over from a former backend, which nothing is in flight at any more.
                streams[index]?.pool.close()
                if streams[index] != nil { reused.insert(index) }
                streams[index] = makeStreams(to: member.backend, at: origin)
            }
            leaving[index] = nil
        }
        if !reused.isEmpty { forgetTrying(reused) }
        // Their places are not emptied: what is in flight may go on there on a fresh connection.
        for (index, backend) in leaving.enumerated() where backend != nil { streams[index]?.pool.close() }
        let former = balancer.snapshot
        balancer.adopt(update.snapshot)
        let silent = update.snapshot.newlySilent(since: former)
        if !silent.isEmpty { leave(silent) }
        share.poolVersion.store(update.snapshot.version, ordering: .releasing)
    }

    /// Other backends have got these indices: exchanges at work may have tried the former ones, not these.
    ///
    /// One pass for all of them: there may be thousands of backends, and tens of thousands of connections.
    private func forgetTrying(_ indices: TriedBackends) {
        for connection in connections {
            if let exchange = connection.currentExchange as? Exchange { exchange.tried.subtract(indices) }
        }
    }

    /// Has requests that wait at these backends ask others, where that can be done.
    private func leave(_ backends: [Backend]) {
        for connection in connections {
            if let exchange = connection.currentExchange as? Exchange { exchange.leave(backends) }
        }
    }

    /// The streams to a backend that was leased.
    func streams(to backend: Backend) -> BackendStreams {
        guard let streams = streams[backend.index], streams.backend === backend else {
            preconditionFailure("an index is not another backend's while the backend is leased")
        }
        return streams
    }

    private func makeStreams(to backend: Backend, at origin: Origin) -> BackendStreams {
        let meter = share.metrics.meter(of: backend.name, worker: share.index)
        let pool = StreamPool(
            origin: origin,
            settings: StreamSettings(settings),
            loop: loop,
            multi: multi,
            buffers: responseBuffers
        )
        pool.onClosed = { meter.counters.add(.connectionsClosed) }
        return BackendStreams(backend: backend, pool: pool, meter: meter)
    }
}
