// Tests by table: exact bytes in and out of the real program, both ways, whole and cut in two.

import CLinux
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct CaseTableTests {
    @Test func `every row of the table`() throws { try Self.run(Case.all) }

    @Test func `every row about a proxy that is trusted`() throws {
        try Self.run(Case.trustedProxies, ["LB_TRUSTED": "127.0.0.1 10.0.0.0/8"])
    }

    private static func run(_ rows: [Case], _ environment: [String: String] = [:]) throws {
        try Scene.play { scene in
            let table = try CaseTable(in: scene, environment)
            #expect(Set(rows.map(\.label)).count == rows.count, "no two rows have the same label")
            var complaints: [String: [String]] = [:]
            for row in rows { complaints[row.label] = table.run(row) }
            for (label, complaint) in try table.unexplained() { complaints[label, default: []].append(complaint) }
            let failed = rows.filter { complaints[$0.label]?.isEmpty == false }
            for row in failed {
                let reasons = complaints[row.label, default: []].joined(separator: "; ")
                Issue.record("\(row.label) (\(row.section)): \(reasons)")
            }
            print("\(rows.count - failed.count) passed, \(failed.count) failed")
        }
    }

    @Test func `bytes that wait to be accepted, or to be received, have not been read`() throws {
        let listener = try SocketAddress.loopback(port: 0).bind()
        defer { close(listener) }
        #expect(listen(listener, 1) == 0)
        let client = try Connection.to(port: SocketAddress.port(of: listener))
        defer { client.close() }
        client.patience = .milliseconds(50)
        try client.send("hello")
        #expect(throws: Disappointment.self) { try client.waitUntilRead() }
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let server = Connection(descriptor: lb_accept(listener, &address, &length))
        #expect(throws: Disappointment.self) { try client.waitUntilRead() }
        #expect(try server.receive(5).text == "hello")
        try client.waitUntilRead()
        try client.send("again")
        #expect(throws: Disappointment.self) { try client.waitUntilRead() }
        server.close()
        try client.waitUntilRead()
    }

    @Test func `how a request arrives makes no difference`() throws {
        try Self.cutAll(Case.divisibleRequests, { row in row.firstRequest }, { .request($0) })
    }

    @Test func `how a response arrives makes no difference`() throws {
        try Self.cutAll(Case.divisibleResponses, { row in row.firstResponse }, { .response($0) })
    }

    /// How far the places are apart where one row is cut; the rows take turns, so that together they are cut everywhere.
    private static let step = 3

    /// Runs each row once for each place where its bytes are cut, until one makes a difference.
    private static func cutAll(
        _ rows: [Case],
        _ bytes: (Case) -> String?,
        _ cut: (Int) -> CaseTable.Cut
    ) throws {
        try Scene.play { scene in
            let table = try CaseTable(in: scene)
            for (index, row) in rows.enumerated() {
                let length = bytes(row)?.unicodeScalars.count ?? 0
                for position in stride(from: 1 + index % step, to: length, by: step) {
                    let complaints = table.run(row, cut(position))
                    guard complaints.isEmpty else {
                        Issue.record("\(row.label), cut at \(position): \(complaints.joined(separator: "; "))")
                        break
                    }
                }
            }
            #expect(try table.unexplained().isEmpty)
        }
    }
}

extension Case {
    static let all: [Case] = requests + responses + flow

    private static let requests =
        requestLines + hosts + fieldLines + framing + chunks + connectionOptions + persistence + transferCodings
        + upgradeFields + forwardLimits + ways

    private static let responses =
        statusLines + responseFieldSyntax + responseFields + responseHopByHop + responseLengths + responseEnds
        + bodilessResponses + cutHeads + cutBodies + brokenChunks + strayBytes

    private static let flow =
        interimResponses + expectations + earlyAnswers + pipelines + pipelineEnds + trailers + tunnels + departures

    /// The longest messages that are cut at every byte.
    private static let divisibleLength = 200

    /// Rows that are short, and say all they have to say at once.
    static let divisibleRequests: [Case] = requests.filter { row in
        guard let bytes = row.firstRequest, row.steps.count == 2 else { return false }
        return bytes.unicodeScalars.count <= divisibleLength
    }

    /// Rows whose response is short, says all at once, and is judged by its head, or is good to its end.
    static let divisibleResponses: [Case] = responses.filter { row in
        guard let bytes = row.firstResponse, bytes.unicodeScalars.count <= divisibleLength else { return false }
        return row.origin.count == 1 && !row.label.hasSuffix(", at once")
    }

    /// The first bytes that the client sends.
    var firstRequest: String? {
        guard case .send(let text) = steps[0] else { return nil }
        return text
    }

    /// The first bytes that the backend sends, if it is the row's script that says them.
    var firstResponse: String? {
        for act in origin.first ?? [] { if case .send(let text) = act { return text } }
        return nil
    }
}
