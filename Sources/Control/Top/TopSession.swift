// `curl-lb top` at work: looks again and again, on a thread of its own, and shows what has come.

internal import Foundation
internal import Synchronization
internal import Telemetry
internal import Upstream

/// Why nothing is shown, or no more.
public struct TopFailure: Error, Equatable, CustomStringConvertible {
    public let description: String
    /// Whether looking again might help.
    let isPassing: Bool
}

/// One run of the command.
public struct TopSession: Sendable {
    /// What an answer may take, in milliseconds.
    private static let patience = 5000

    private let request: TopRequest

    public init(_ request: TopRequest) { self.request = request }

    /// Shows until it is ended, or looks twice; ``CurlLibrary/prepare()`` comes first.
    public func run() throws(TopFailure) {
        if request.isOnce {
            FileHandle.standardOutput.write(Data(try once().utf8))
            return
        }
        guard let terminal = Terminal() else {
            throw TopFailure(
                description: "standard output is no terminal; --once prints two looks' difference",
                isPassing: false
            )
        }
        defer { terminal.restore() }
        try show(on: terminal)
    }

    // MARK: Twice

    private func once() throws(TopFailure) -> String {
        let look = Look(request, patience: Self.patience)
        let first = try look.state()
        Thread.sleep(forTimeInterval: request.interval.seconds)
        guard let figures = TopFigures(from: first, to: try look.state()) else {
            throw TopFailure(description: "the balancer was started anew between the two looks", isPassing: true)
        }
        return TopScreen().lines(figures).map { "\($0)\n" }.joined()
    }

    // MARK: Again and again

    private func show(on terminal: Terminal) throws(TopFailure) {
        let watch = Watch(request, patience: Self.patience, wake: terminal.wake)
        watch.start()
        var earlier: StatsSnapshot?
        var figures: TopFigures?
        var problem: String? = "asking \(request.place) …"
        while true {
            let screen = TopScreen(size: terminal.size, isColourful: request.isColourful)
            terminal.show(screen.lines(figures, problem: problem))
            switch terminal.next() {
            // q, Q, Ctrl-C, and Ctrl-D.
            case .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(3), .key(4), .ended: return
            case .key, .resized: continue
            case .woken: break
            }
            switch watch.latest.withLock({ $0.take() }) {
            case nil: continue
            case .success(let state):
                problem = nil
                if let earlier, let new = TopFigures(from: earlier, to: state) { figures = new }
                earlier = state
            case .failure(let failure):
                guard failure.isPassing else { throw failure }
                problem = "\(failure); what is shown is old"
            }
        }
    }
}

/// Looks at the interval, and keeps what has come last.
private final class Watch: Sendable {
    let latest = Mutex<Result<StatsSnapshot, TopFailure>?>(nil)
    private let request: TopRequest
    private let patience: Int
    private let wake: @Sendable () -> Void

    init(_ request: TopRequest, patience: Int, wake: @escaping @Sendable () -> Void) {
        self.request = request
        self.patience = patience
        self.wake = wake
    }

    /// Goes on until the process ends.
    func start() {
        let thread = Thread { [self] in
            let look = Look(request, patience: patience)
            while true {
                let result = Result { () throws(TopFailure) in try look.state() }
                latest.withLock { $0 = result }
                wake()
                Thread.sleep(forTimeInterval: request.interval.seconds)
            }
        }
        thread.name = "curl-lb.top"
        thread.start()
    }
}

/// Asks the admin API; one thread's.
private final class Look {
    private let request: TopRequest
    private let download: Download

    init(_ request: TopRequest, patience: Int) {
        self.request = request
        download = Download(
            request.url,
            unixSocketPath: request.socketPath,
            fields: ["Accept: application/json"] + (request.token.map { ["Authorization: Bearer \($0)"] } ?? []),
            timeoutMilliseconds: patience
        )
    }

    func state() throws(TopFailure) -> StatsSnapshot {
        let answer: (status: Int, body: [UInt8])
        do { answer = try download.get() } catch {
            throw TopFailure(description: "no answer from \(request.place): \(printable("\(error)"))", isPassing: true)
        }
        switch answer.status {
        case 200: break
        case 401:
            let what =
                request.token == nil ? "asks for its token: --token-file, or LB_ADMIN_TOKEN" : "refuses the token"
            throw TopFailure(description: "\(request.place) \(what)", isPassing: false)
        case let status:
            throw TopFailure(description: "\(request.place) answers with status \(status)", isPassing: status >= 500)
        }
        do { return try StatsJSON.read(Data(answer.body)) } catch {
            throw TopFailure(description: "what \(request.place) answers is no state of curl-lb", isPassing: false)
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
