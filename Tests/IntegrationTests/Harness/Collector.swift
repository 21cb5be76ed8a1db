// A collector of spans: what OpenTelemetry's would take, kept for the test to look at.

import Foundation
import Synchronization

/// One span as it arrived.
struct CollectedSpan: Sendable {
    let traceID: String
    let id: String
    /// Empty for the root of a trace.
    let parent: String
    let state: String
    let name: String
    /// 2 for an exchange, 3 for an attempt.
    let kind: Int
    let start: UInt64
    let end: UInt64
    /// Values as text, whatever their type.
    let attributes: [String: String]
    let isError: Bool
    let message: String
    /// What is said of the balancer.
    let resource: [String: String]

    fileprivate init(_ object: [String: Any], resource: [String: String]) throws {
        func text(_ key: String) -> String { object[key] as? String ?? "" }
        traceID = text("traceId")
        id = text("spanId")
        parent = text("parentSpanId")
        state = text("traceState")
        name = text("name")
        kind = object["kind"] as? Int ?? 0
        start = UInt64(text("startTimeUnixNano")) ?? 0
        end = UInt64(text("endTimeUnixNano")) ?? 0
        attributes = Self.values(object["attributes"])
        let status = object["status"] as? [String: Any]
        isError = status?["code"] as? Int == 2
        message = status?["message"] as? String ?? ""
        self.resource = resource
    }

    /// The spans of a request's body.
    fileprivate static func all(in body: [UInt8]) throws -> [CollectedSpan] {
        let json = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        guard let groups = json?["resourceSpans"] as? [[String: Any]] else { throw Disappointment("no spans") }
        return try groups.flatMap { group in
            let resource = values((group["resource"] as? [String: Any])?["attributes"])
            let scopes = group["scopeSpans"] as? [[String: Any]] ?? []
            return try scopes.flatMap { $0["spans"] as? [[String: Any]] ?? [] }
                .map { try CollectedSpan($0, resource: resource) }
        }
    }

    private static func values(_ list: Any?) -> [String: String] {
        let pairs = (list as? [[String: Any]] ?? []).compactMap { entry -> (String, String)? in
            guard let key = entry["key"] as? String, let value = (entry["value"] as? [String: Any])?.values.first else {
                return nil
            }
            return (key, "\(value)")
        }
        return Dictionary(pairs) { first, _ in first }
    }
}

/// Takes spans at `/v1/traces`.
///
/// Any thread.
final class Collector: Sendable {
    private struct State {
        var spans: [CollectedSpan] = []
        var requests: [Message] = []
        var problems: [String] = []
    }

    private let state = Mutex(State())

    var spans: [CollectedSpan] { state.withLock { $0.spans } }
    /// What has come.
    var requests: [Message] { state.withLock { $0.requests } }
    /// What was wrong with that.
    var problems: [String] { state.withLock { $0.problems } }

    /// The number of a request that has come.
    private func begin(_ request: Message) -> Int {
        state.withLock { state in
            if request.startLine != "POST /v1/traces HTTP/1.1" { state.problems.append(request.startLine) }
            if request["Content-Type"] != "application/json" { state.problems.append("no JSON") }
            state.requests.append(request)
            return state.requests.count - 1
        }
    }

    private func keep(_ request: Message) {
        do {
            let spans = try CollectedSpan.all(in: request.body)
            state.withLock { $0.spans += spans }
        } catch { state.withLock { $0.problems.append("\(error)") } }
    }

    /// The origin that the collector answers at.
    ///
    /// - Parameter answer: What the n-th request is answered with, from 0 on; spans of a request that is not answered with
    ///   200 are not kept.
    func origin(
        in scene: Scene,
        answering answer: @escaping @Sendable (Int) -> String = { _ in Reply.ok("{}") }
    ) throws -> ScriptedOrigin {
        try scene.origin { [self] request, connection in
            let answer = answer(begin(request))
            if answer.hasPrefix("HTTP/1.1 200") { keep(request) }
            try connection.send(answer)
        }
    }
}
