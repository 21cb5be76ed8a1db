// The routes: which path is answered how.

import FlyingFox
import Foundation

struct RouteHandler: HTTPHandler {
    let identity: Identity

    init(name: String, port: UInt16) {
        identity = Identity(name: name, port: port)
    }

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let segments = request.target.path().split(separator: "/").map(String.init)
        let hashing = segments.first == "echo" || segments.first == "upload"
        let body = try await ReceivedBody(reading: request.bodySequence, hashing: hashing)
        if segments != ["requests"] {
            identity.count(method: request.method.rawValue)
        }
        let answer: Answer
        do {
            answer = try await self.answer(segments, request, body)
        } catch let error as BadParameter {
            answer = try .refusal(.badRequest, error.description)
        }
        return answer.response(to: request, from: identity)
    }

    private func answer(_ segments: [String], _ request: HTTPRequest, _ body: ReceivedBody) async throws -> Answer {
        switch (segments.first, segments.dropFirst().first, segments.count) {
        case (nil, _, _):
            return try whoAnswered(request)
        case ("echo", _, _):
            return try .json(Echo(name: identity.name, request: request, body: body))
        case ("upload", nil, _):
            return try .json(Received(name: identity.name, length: body.length, sha256: body.sha256))
        case ("requests", nil, _):
            let methods = identity.answered
            return try .json(Tally(name: identity.name, methods: methods, total: methods.values.reduce(0, +)))
        case ("bytes", let size?, 2):
            return try bytes(number("the number of bytes", size, in: 0...Int.max), request)
        case ("status", let code?, 2):
            return try status(number("the status", code, in: 200...599))
        case ("slow", nil, _):
            let delay = try milliseconds(request, default: 1000)
            try await Task.sleep(for: delay)
            return try .json(["name": identity.name])
        case ("stream", nil, _):
            let count = try request.query["count"].map { try number("count", $0, in: 0...Int.max) }
            let events = EventStream(interval: try milliseconds(request, default: 200), count: count)
            return Answer(contentType: "text/event-stream", body: .stream(events, length: nil, pieceSize: 4096))
        case ("assets", let name?, 2):
            guard let asset = assets[name] else { return try notFound() }
            return asset
        default:
            return try notFound()
        }
    }
}

// MARK: - Routes

extension RouteHandler {
    /// A page for browsers, JSON for everybody else.
    private func whoAnswered(_ request: HTTPRequest) throws -> Answer {
        let greeting = Greeting(
            name: identity.name,
            pid: identity.pid,
            port: identity.port,
            requests: identity.answered.values.reduce(0, +)
        )
        let wantsPage = request.headers[HTTPHeader("Accept")]?.contains("text/html") ?? false
        var answer: Answer = wantsPage ? .text(page(greeting), type: "text/html") : try .json(greeting)
        answer.headers[HTTPHeader("Vary")] = "Accept"
        return answer
    }

    private func bytes(_ count: Int, _ request: HTTPRequest) -> Answer {
        let isChunked = request.query["chunked"] == "1"
        // A chunked answer has no length, but a HEAD may still say how much a GET would bring.
        let length = isChunked && request.method != .HEAD ? nil : count
        let body = Answer.Body.stream(BytePattern(count: count), length: length, pieceSize: BytePattern.block.count)
        return Answer(contentType: "application/octet-stream", body: body)
    }

    private func status(_ code: Int) throws -> Answer {
        let status = HTTPStatusCode(code, phrase: "As Requested")
        guard code != 204, code != 304 else {
            return Answer(status: status, contentType: "application/json", body: .whole(Data()))
        }
        return try .json(Status(name: identity.name, status: code), status: status)
    }

    private func notFound() throws -> Answer {
        try .refusal(.notFound, "no such path here")
    }
}

// MARK: - Parameters

private struct BadParameter: Error, CustomStringConvertible {
    let description: String
}

private func number(_ what: String, _ text: String, in range: ClosedRange<Int>) throws -> Int {
    guard let number = Int(text), range.contains(number) else {
        throw BadParameter(description: "\(what) must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
}

private func milliseconds(_ request: HTTPRequest, default preset: Int) throws -> Duration {
    guard let text = request.query["ms"] else { return .milliseconds(preset) }
    return .milliseconds(try number("ms", text, in: 0...86_400_000))
}

// MARK: - JSON answers

/// What `/` answers.
struct Greeting: Encodable {
    let name: String
    let pid: Int32
    let port: UInt16
    let requests: Int
}

private struct Echo: Encodable {
    struct Body: Encodable {
        let length: Int
        let sha256: String?
    }

    let name: String
    let method: String
    let target: String
    let version: String
    /// One value for each name: of repeated field lines FlyingFox keeps the last.
    let headers: [String: String]
    let body: Body

    init(name: String, request: HTTPRequest, body: ReceivedBody) {
        self.name = name
        method = request.method.rawValue
        target = request.target.rawValue
        version = request.version.rawValue
        headers = Dictionary(request.headers.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { "\($0), \($1)" })
        self.body = Body(length: body.length, sha256: body.sha256)
    }
}

private struct Received: Encodable {
    let name: String
    let length: Int
    let sha256: String?
}

private struct Tally: Encodable {
    let name: String
    let methods: [String: Int]
    let total: Int
}

private struct Status: Encodable {
    let name: String
    let status: Int
}
