// What runs the table of cases: one balancer, one backend, a new client connection for each row.

import Foundation
import Synchronization

/// A backend that plays the current row's scripts and remembers what it saw.
///
/// Any thread.
final class CaseOrigin: Sendable {
    struct Sighting {
        let connection: Int
        var message: Message
        var isWhole = false
    }

    private struct State {
        var scripts: [[Case.Act]] = []
        /// Where the first bytes that are sent are cut in two.
        var cut: Int?
        var sightings: [Sighting] = []
        var busy = 0
        var failures: [String] = []
    }

    private let state = Mutex(State())

    /// Makes ready for a row.
    ///
    /// - Parameter cut: where the first bytes sent are cut in two, of which the second go out when the first have been read.
    func begin(_ row: Case, cut: Int? = nil) {
        state.withLock { state in
            state.scripts = row.origin
            state.cut = cut
            state.sightings = []
            state.failures = []
        }
    }

    /// Whether a script is being played.
    var isBusy: Bool { state.withLock { $0.busy > 0 } }

    var sightings: [Sighting] { state.withLock { $0.sightings } }

    /// What did not go as the scripts say.
    var failures: [String] { state.withLock { $0.failures } }

    /// What the backend does on one connection.
    func play(_ connection: Connection, _ number: Int) throws {
        connection.patience = CaseTable.patience
        while try !connection.isAtEnd() {
            let head = try connection.receiveHead()
            let (index, script) = state.withLock { state in
                let index = state.sightings.count
                state.sightings.append(Sighting(connection: number, message: head))
                state.busy += 1
                return (index, index < state.scripts.count ? state.scripts[index] : Case.Act.ok)
            }
            var goesOn = true
            do {
                goesOn = try play(script, on: connection, index, head)
            } catch {
                state.withLock { $0.failures.append("the backend: \(error)") }
                goesOn = false
            }
            if !goesOn { connection.close() }
            state.withLock { $0.busy -= 1 }
            guard goesOn else { return }
        }
    }

    private func play(_ script: [Case.Act], on connection: Connection, _ index: Int, _ head: Message) throws -> Bool {
        for act in script {
            switch act {
            case .receiveBody:
                var message = head
                do { try connection.receiveFramedBody(of: &message) } catch {
                    // The body was broken off; the row tells whether it may be.
                    return false
                }
                state.withLock { state in
                    state.sightings[index].message = message
                    state.sightings[index].isWhole = true
                }
            case .send(let text):
                if let cut = state.withLock({ $0.cut.take() }) {
                    try connection.send(Array(text.bytes.prefix(cut)))
                    try connection.waitUntilRead()
                    // The balancer may have seen enough, and be gone.
                    try? connection.send(Array(text.bytes.dropFirst(cut)))
                } else {
                    try connection.send(text)
                }
            case .waitUntilRead: try connection.waitUntilRead()
            case .receiveBytes(let text):
                let bytes = try connection.receive(text.bytes.count).text
                if bytes != text { throw Disappointment("got \(bytes.debugDescription)") }
            case .receiveEnd:
                let rest = try connection.receiveToEnd()
                if !rest.isEmpty { throw Disappointment("got \(rest.text.debugDescription) before the end") }
            case .finishSending: connection.finishSending()
            case .close: return false
            }
        }
        return true
    }
}

/// Runs rows one after another.
///
/// Confined to its thread.
final class CaseTable {
    /// How long a row waits for anything.
    static let patience = IntegrationTests.patience / 4
    private static let probe = "GET /probe HTTP/1.1\r\nHost: test\r\n\r\n"

    private let origin: CaseOrigin
    private let balancer: CurlLB
    /// Words that must stand together in one line of the log, with the row they belong to.
    private var lines: [(label: String, identifier: String, words: [String])] = []

    init(in scene: Scene, _ environment: [String: String] = [:]) throws {
        let origin = CaseOrigin()
        self.origin = origin
        balancer = try scene.curlLB([try scene.origin { try origin.play($0, $1) }], environment)
    }

    /// Where a row's first bytes are cut in two, of which the second go out when the balancer has read the first.
    enum Cut {
        case request(Int)
        case response(Int)
    }

    /// Runs a row; what went wrong.
    func run(_ row: Case, _ cut: Cut? = nil) -> [String] {
        var requestCut: Int?
        var responseCut: Int?
        switch cut {
        case .request(let position): requestCut = position
        case .response(let position): responseCut = position
        case nil: break
        }
        origin.begin(row, cut: responseCut)
        var complaints: [String] = []
        do {
            let client = try balancer.connect()
            defer { client.close() }
            client.patience = Self.patience
            try play(row, on: client, requestCut, &complaints)
            try waitForRest()
            try end(row, on: client, &complaints)
            try waitForRest()
        } catch {
            complaints.append("\(error)")
        }
        complaints += origin.failures
        // A head that came first may have gone on before its body was found wanting.
        let sightings = requestCut == nil ? origin.sightings : origin.sightings.filter(\.isWhole)
        check(row, sightings, &complaints)
        return complaints
    }

    private func waitForRest() throws {
        try eventually("the backend's rest", within: Self.patience, pause: 100) { !origin.isBusy }
    }

    private func play(_ row: Case, on client: Connection, _ cut: Int?, _ complaints: inout [String]) throws {
        var cut = cut
        for step in row.steps {
            switch step {
            case .send(let text):
                if let position = cut {
                    try client.send(Array(text.bytes.prefix(position)))
                    try client.waitUntilRead()
                    try client.send(Array(text.bytes.dropFirst(position)))
                    cut = nil
                } else {
                    try client.send(text)
                }
            case .receive(let answer):
                let message =
                    try answer.isInterim ? client.receiveHead() : client.receiveResponse(to: answer.method)
                if let complaint = answer.complaint(about: message) { complaints.append(complaint) }
                remember(row, answer, message)
            case .receiveBytes(let text):
                if let complaint = try Self.complaint(about: text, on: client) { complaints.append(complaint) }
            case .receiveEnd:
                try receiveEnd(client, &complaints)
            case .receiveBroken(let text):
                let bytes = try client.receiveToEnd().text
                if Self.withoutChunks(Answer.withoutTime(bytes)) != Self.withoutChunks(text) {
                    complaints.append("got \(bytes.debugDescription), expected \(text.debugDescription)")
                }
                if client.ending != .reset { complaints.append("an end in place of a reset") }
            case .waitUntilRead: try client.waitUntilRead()
            case .waitUntilSeen(let count):
                try eventually("request \(count) at the backend", within: Self.patience) {
                    origin.sightings.count >= count
                }
            case .finishSending: client.finishSending()
            case .close: client.close()
            }
        }
    }

    /// A response without the framing of its chunks, whose sizes are those of what was read; a last chunk stays.
    private static func withoutChunks(_ response: String) -> [UInt8] {
        guard let end = response.range(of: "Transfer-Encoding: chunked\r\n\r\n")?.upperBound else {
            return response.bytes
        }
        var result = response[..<end].bytes
        var rest = response[end...].bytes[...]
        while let line = rest.firstIndex(of: 0x0A), let size = Int(rest[..<line].dropLast().text, radix: 16), size > 0,
            rest.count >= line - rest.startIndex + 3 + size
        {
            result += rest[(line + 1)...].prefix(size)
            rest = rest[(line + 1)...].dropFirst(size + 2)
        }
        return result + rest
    }

    /// What is wrong with the next bytes; a date may have been added to a head among them.
    private static func complaint(about text: String, on client: Connection) throws -> String? {
        var rest = text
        if text.hasPrefix("HTTP/1.1 2"), let end = text.range(of: "\r\n\r\n") {
            let answer = Answer(head: String(text[..<end.upperBound]))
            if let complaint = answer.complaint(about: try client.receiveHead()) { return complaint }
            rest = String(text[end.upperBound...])
        }
        guard !rest.isEmpty else { return nil }
        let bytes = try client.receive(rest.bytes.count).text
        return bytes == rest ? nil : "got \(bytes.debugDescription)"
    }

    private func receiveEnd(_ client: Connection, _ complaints: inout [String]) throws {
        let rest = try client.receiveToEnd()
        if !rest.isEmpty { complaints.append("got \(rest.text.debugDescription) before the end") }
        if client.ending != .closed { complaints.append("a reset in place of an end") }
    }

    private func end(_ row: Case, on client: Connection, _ complaints: inout [String]) throws {
        switch row.ending {
        case .usable:
            try client.send(Self.probe)
            let message = try client.receiveResponse()
            if let complaint = Answer.ok.complaint(about: message) { complaints.append("then \(complaint)") }
        case .closed: try receiveEnd(client, &complaints)
        case .done: break
        }
    }

    private func check(_ row: Case, _ sightings: [CaseOrigin.Sighting], _ complaints: inout [String]) {
        var expected = row.seen
        if case .usable = row.ending { expected.append(Seen("GET /probe HTTP/1.1")) }
        if sightings.count != expected.count {
            let lines = sightings.map(\.message.startLine)
            complaints.append("the backend saw \(lines) in place of \(expected.count) requests")
            return
        }
        for (seen, sighting) in zip(expected, sightings) {
            if let complaint = seen.complaint(about: sighting.message, isWhole: sighting.isWhole) {
                complaints.append("the backend saw \(complaint)")
            }
        }
        let connections = Set(sightings.map(\.connection)).count
        if let count = row.connections, count != connections {
            complaints.append("\(connections) connections to the backend in place of \(count)")
        }
    }

    // MARK: The log

    private func remember(_ row: Case, _ answer: Answer, _ message: Message) {
        guard answer.head == nil, let identifier = message["X-Request-Id"] else { return }
        let words = [" \(answer.status) ", answer.reason.map { " reason=\($0) " } ?? ""] + answer.logged
        lines.append((row.label, identifier, words.filter { !$0.isEmpty }))
    }

    /// The rows whose answers the log does not explain, each with what is missing.
    func unexplained() throws -> [(label: String, complaint: String)] {
        var found: [String: String] = [:]
        try eventually("a log line for each answer", within: Self.patience) {
            found = [:]
            for line in balancer.log {
                let fields = line.split(separator: " ")
                for field in fields where field.hasPrefix("id=") { found[String(field.dropFirst(3))] = line }
            }
            return lines.allSatisfy { found[$0.identifier] != nil }
        }
        return lines.flatMap { expected in
            let line = found[expected.identifier] ?? ""
            let missing = expected.words.filter { !"\(line) ".contains($0) }
            return missing.map { (expected.label, "no \($0.debugDescription) in the log line \(line)") }
        }
    }
}
