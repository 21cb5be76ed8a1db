// What a route answers, and how that becomes a FlyingFox response.

import FlyingFox
import FlyingSocks
import Foundation

struct Answer {
    enum Body {
        case whole(Data)
        /// Sent piece by piece as it is made; with `length` nil as chunks.
        case stream(any AsyncBufferedSequence<UInt8>, length: Int?, pieceSize: Int)
    }

    var status = HTTPStatusCode.ok
    var contentType: String
    var headers: HTTPHeaders = [:]
    var body: Body
}

extension Answer {
    static func json(_ value: some Encodable, status: HTTPStatusCode = .ok) throws -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        return Answer(status: status, contentType: "application/json", body: .whole(data))
    }

    static func text(_ text: String, type: String) -> Answer {
        Answer(contentType: "\(type); charset=utf-8", body: .whole(Data(text.utf8)))
    }

    static func refusal(_ status: HTTPStatusCode, _ reason: String) throws -> Answer {
        try json(["error": reason], status: status)
    }
}

extension Answer {
    /// The response to send, without its body when the request's method is HEAD.
    func response(to request: HTTPRequest, from identity: Identity) -> HTTPResponse {
        var headers = headers
        headers[.contentType] = contentType
        headers[.cacheControl] = "no-store"
        headers[HTTPHeader("X-Origin")] = identity.name
        // Browsers show a script this field even for pictures and style sheets: the page says who sent which.
        headers[HTTPHeader("Server-Timing")] = "origin;desc=\"\(identity.name)\""
        if request.closesConnection {
            headers[.connection] = "close"
        }
        guard request.method == .HEAD else {
            return HTTPResponse(statusCode: status, headers: headers, body: sequence)
        }
        // FlyingFox sends whatever body it is given, HEAD or not, and the length of that unless we say another.
        switch body {
        case .whole(let data):
            headers[.contentLength] = String(data.count)
        case .stream(_, let length?, _):
            headers[.contentLength] = String(length)
        case .stream(_, nil, _):
            headers[HTTPHeader("Allow")] = "GET"
            return HTTPResponse(statusCode: .methodNotAllowed, headers: headers)
        }
        return HTTPResponse(statusCode: status, headers: headers)
    }

    private var sequence: HTTPBodySequence {
        switch body {
        case .whole(let data):
            HTTPBodySequence(data: data, suggestedBufferSize: max(1, data.count))
        case .stream(let bytes, let length?, let pieceSize):
            HTTPBodySequence(from: bytes, count: length, suggestedBufferSize: pieceSize)
        case .stream(let bytes, nil, let pieceSize):
            HTTPBodySequence(from: bytes, suggestedBufferSize: pieceSize)
        }
    }
}

extension HTTPRequest {
    /// FlyingFox then closes the connection after its answer, but leaves it to us to say so.
    fileprivate var closesConnection: Bool {
        let options = (headers[.connection] ?? "").lowercased()
        return version == .http11 ? options.contains("close") : !options.contains("keep-alive")
    }
}
