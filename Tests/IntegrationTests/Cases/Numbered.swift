// Requests and responses that are told apart by a number.

/// The parts of rows with several requests.
enum Numbered {
    static func get(_ number: Int, _ fields: String = "") -> String {
        "GET /\(number) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
    }

    static func seen(_ number: Int) -> Seen { Seen("GET /\(number) HTTP/1.1") }

    static func post(_ number: Int, _ body: String) -> String {
        "POST /\(number) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.unicodeScalars.count)\r\n\r\n\(body)"
    }

    static func posted(_ number: Int, _ body: String) -> Seen {
        Seen("POST /\(number) HTTP/1.1", framing: .length(body.unicodeScalars.count), body: body)
    }

    static func chunks(_ number: Int, _ body: String) -> String {
        "POST /\(number) HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    static func acts(_ number: Int) -> [Case.Act] { Case.Act.answer(Reply.ok("\(number)")) }

    static func answer(_ number: Int, closes: Bool = false) -> Case.Step {
        let fields = ["Content-Length: 1"] + (closes ? ["Connection: close"] : [])
        return .receive(.response("HTTP/1.1 200 OK", fields, "\(number)"))
    }
}
