// The admin API of a running balancer, as tests use it.

import Foundation

/// Asks the admin API, each time on a connection of its own.
struct Admin {
    let address: SocketAddress
    /// What is sent as `Authorization: Bearer`.
    var token: String?

    /// The bytes of a request.
    func request(
        _ method: String,
        _ path: String,
        _ body: String? = nil,
        fields: [String] = [],
        isLast: Bool = true
    ) -> String {
        var lines = ["\(method) \(path) HTTP/1.1"]
        if !fields.contains(where: { $0.hasPrefix("Host:") }) { lines.append("Host: localhost") }
        if let token { lines.append("Authorization: Bearer \(token)") }
        if isLast { lines.append("Connection: close") }
        if let body {
            if !fields.contains(where: { $0.hasPrefix("Content-Type:") }) {
                lines.append("Content-Type: application/json")
            }
            lines.append("Content-Length: \(body.utf8.count)")
        }
        return (lines + fields + ["", ""]).joined(separator: "\r\n") + (body ?? "")
    }

    @discardableResult
    func ask(_ method: String, _ path: String, _ body: String? = nil, fields: [String] = []) throws -> Message {
        let connection = try Connection.to(address)
        defer { connection.close() }
        try connection.send(request(method, path, body, fields: fields))
        return try connection.receiveResponse(to: method)
    }

    func get(_ path: String) throws -> Message { try ask("GET", path) }

    /// One backend's state.
    func backend(_ name: String) throws -> [String: Any] { try get("/backends/\(name)").object() }

    /// The events from now on; the head has been read.
    func events(receiveBuffer: CInt? = nil) throws -> Connection {
        let connection = try Connection.to(address, receiveBuffer: receiveBuffer)
        try connection.send(request("GET", "/events", isLast: false))
        let head = try connection.receiveHead()
        guard head.status == 200, head["Content-Type"] == "text/event-stream" else {
            throw Disappointment("no events: \(head.head)")
        }
        return connection
    }
}

extension CurlLB {
    /// Where its admin API listens.
    var admin: Admin {
        get throws {
            let words = "admin API at "
            guard let line = process.standardError.lines.first(where: { $0.contains(words) }),
                let place = line.range(of: words).map({ line[$0.upperBound...] })
            else { throw Disappointment("no admin API: \(process.standardError.text)") }
            if place.hasPrefix("unix:") { return Admin(address: .unix(path: String(place.dropFirst(5)))) }
            return Admin(address: .loopback(port: UInt16(place.split(separator: ":").last ?? "") ?? 0))
        }
    }
}

extension Message {
    /// The body as a JSON object.
    func object() throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            throw Disappointment("no object: \(body.text)")
        }
        return object
    }

    /// The word of a problem.
    var problem: String {
        guard self["Content-Type"] == "application/problem+json" else { return "no problem: \(head)" }
        return (try? object()["reason"] as? String) ?? "none"
    }
}

/// One server-sent event.
struct ServerEvent {
    let name: String
    let data: [String: Any]
}

extension Connection {
    /// The next event; comments are passed over.
    func receiveEvent() throws -> ServerEvent {
        while true {
            let message = try receive(through: "\n\n").text
            guard !message.hasPrefix(":") else { continue }
            let lines = message.split(separator: "\n")
            guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: "),
                let data = try JSONSerialization.jsonObject(with: Data(lines[1].dropFirst(6).utf8)) as? [String: Any]
            else { throw Disappointment("no event: \(message.prefix(200))") }
            return ServerEvent(name: String(lines[0].dropFirst(7)), data: data)
        }
    }

    /// The next event of that name.
    func receiveEvent(_ name: String) throws -> [String: Any] {
        while true {
            let event = try receiveEvent()
            if event.name == name { return event.data }
        }
    }
}
