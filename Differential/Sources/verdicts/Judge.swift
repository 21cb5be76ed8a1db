// What the product's parsers make of one message that is followed by the end of the connection.

import HTTPWire

/// Writes one verdict for each message.
///
/// A verdict is `I` for a message that the end of the connection cuts, `R` and the reason for one that is refused, or for one
/// that is accepted `A`, whether the connection is kept, the minor version, the status, the bytes consumed, and with a count
/// in front of each: method and target or reason phrase, the field lines, the body, the trailer field lines.
struct Judge {
    private var verdicts = VerdictFrames()
    private var request = RequestHead()
    private var response = ResponseHead()
    private var trailers = FieldSection()
    private var body: [UInt8] = []

    var output: [UInt8] { verdicts.output }

    mutating func judge(_ kind: MessageKind, _ bytes: Span<UInt8>) {
        verdicts.begin()
        switch kind {
        case .request: judgeRequest(bytes)
        case .responseToGet: judgeResponse(bytes, answering: .get)
        case .responseToHead: judgeResponse(bytes, answering: .head)
        case .responseToConnect: judgeResponse(bytes, answering: .connect)
        }
        verdicts.end()
    }

    private mutating func judgeRequest(_ bytes: Span<UInt8>) {
        var parser = RequestParser()
        switch parser.parse(bytes, into: &request) {
        case .needMore: verdicts.append("I")
        case .refused(let refusal): refuse(refusal.rawValue)
        case .complete:
            guard let end = readBody(bytes, from: request.length, request.framing) else { return }
            accept(isKept: request.isPersistent, request.minorVersion, status: 0, end)
            verdicts.append(bytes: bytes.extracting(request.methodRange))
            verdicts.append(bytes: bytes.extracting(request.targetRange))
            append(request.fields, bytes)
            appendBody(bytes)
        }
    }

    private mutating func judgeResponse(_ bytes: Span<UInt8>, answering method: Method) {
        var parser = ResponseParser(requestMethod: method)
        switch parser.parse(bytes, into: &response) {
        case .needMore: verdicts.append("I")
        case .refused(let refusal): refuse(refusal.rawValue)
        case .complete:
            guard let end = readBody(bytes, from: response.length, response.framing) else { return }
            accept(isKept: response.isPersistent, response.minorVersion, status: response.status, end)
            verdicts.append(bytes: bytes.extracting(response.reasonRange))
            verdicts.append(number: 0)
            append(response.fields, bytes)
            appendBody(bytes)
        }
    }

    /// Reads the body and the trailers; nil with a verdict written if they are cut or refused.
    private mutating func readBody(_ bytes: Span<UInt8>, from start: Int, _ framing: MessageFraming) -> Int? {
        body.removeAll(keepingCapacity: true)
        trailers.reset()
        var decoder = BodyDecoder(framing)
        var position = start
        while true {
            switch decoder.step(bytes, at: &position, trailers: &trailers) {
            case .data(let range):
                for index in range { body.append(bytes[index]) }
            case .finished:
                return position
            case .needMore:
                if decoder.endOfInput() { return position }
                verdicts.append("I")
                return nil
            case .refused(let refusal):
                refuse(refusal.rawValue)
                return nil
            }
        }
    }

    private mutating func refuse(_ reason: String) {
        verdicts.append("R")
        verdicts.append(text: reason)
    }

    private mutating func accept(isKept: Bool, _ minorVersion: UInt8, status: Int, _ consumed: Int) {
        verdicts.append("A")
        verdicts.append(number: isKept ? 1 : 0)
        verdicts.append(number: Int(minorVersion))
        verdicts.append(number: status)
        verdicts.append(number: consumed)
    }

    private mutating func append(_ fields: FieldSection, _ bytes: Span<UInt8>) {
        verdicts.append(number: fields.count)
        for line in fields.lines {
            verdicts.append(bytes: bytes.extracting(line.nameRange))
            verdicts.append(bytes: bytes.extracting(line.valueRange))
        }
    }

    private mutating func appendBody(_ bytes: Span<UInt8>) {
        let content = body
        verdicts.append(bytes: content.span)
        append(trailers, bytes)
    }
}
