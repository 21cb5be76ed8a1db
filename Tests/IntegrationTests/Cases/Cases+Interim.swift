// Rows about interim responses and expectations, and about final responses that come before the request's end.

extension Case {
    private static let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    private static let go = "HTTP/1.1 100 Continue\r\n\r\n"
    private static let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"

    // MARK: Interim responses

    /// Interim responses before the final one, to a GET.
    private static func interim(
        _ label: String,
        _ response: String,
        _ answers: [Answer],
        _ section: String = "RFC 9110 15.2",
        connections: Int? = 1
    ) -> Case {
        Case(
            "interim: \(label)",
            section,
            [.send(get)] + answers.map { .receive($0) } + [.receive(.ok)],
            origin: [Act.answer(response + Reply.ok("ok"))],
            seen: [Seen("GET / HTTP/1.1")],
            connections: connections
        )
    }

    static let interimResponses: [Case] = [
        interim("103", hints, [.interim("HTTP/1.1 103 Early Hints", ["Link: </a.css>"])], "RFC 8297 2"),
        interim(
            "two of them",
            "\(hints)HTTP/1.1 103\r\nLink: </b>\r\n\r\n",
            [.interim("HTTP/1.1 103 Early Hints", ["Link: </a.css>"]), .interim("HTTP/1.1 103 ", ["Link: </b>"])],
            "RFC 8297 2"
        ),
        interim("102", "HTTP/1.1 102 Processing\r\n\r\n", [.interim("HTTP/1.1 102 Processing")]),
        interim("one nobody knows", "HTTP/1.1 199 Odd\r\nX-A: 1\r\n\r\n", [.interim("HTTP/1.1 199 Odd", ["X-A: 1"])]),
        interim("a 100 that nobody asked for", go, [.interim("HTTP/1.1 100 Continue")]),
        interim(
            "fields for the connection stay behind",
            "HTTP/1.1 103 H\r\nConnection: X-A, close\r\nX-A: 1\r\nKeep-Alive: x\r\nX-B: 1\r\n\r\n",
            [.interim("HTTP/1.1 103 H", ["X-B: 1"])],
            "RFC 9110 7.6.1"
        ),
        interim(
            "a length in one says nothing",
            "HTTP/1.1 103 H\r\nContent-Length: 5\r\nX-B: 1\r\n\r\n",
            [.interim("HTTP/1.1 103 H", ["X-B: 1"])],
            "RFC 9112 6.3"
        ),
        interim(
            "32 of them",
            String(repeating: "HTTP/1.1 103 H\r\n\r\n", count: 32),
            [Answer](repeating: .interim("HTTP/1.1 103 H"), count: 32)
        ),
        Case(
            "interim: before 204",
            "RFC 9110 15.2",
            [
                .send(get), .receive(.interim("HTTP/1.1 103 Early Hints", ["Link: </a.css>"])),
                .receive(.response("HTTP/1.1 204 N", [])),
            ],
            origin: [Act.answer("\(hints)HTTP/1.1 204 N\r\n\r\n")],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 1
        ),
        answered(
            "interim: none to a client of HTTP/1.0",
            "RFC 9110 15.2",
            "\(hints)\(go)HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            .response("HTTP/1.1 200 OK", ["Content-Length: 2", "Connection: close"], "ok"),
            version: "HTTP/1.0",
            ending: .closed
        ),
        Case(
            "interim: 33 of them",
            "RFC 9110 15.2",
            [.send(get)] + [Step](repeating: .receive(.interim("HTTP/1.1 103 H")), count: 32)
                + [.receive(.failure("http_protocol_error", "too many 1xx responses"))],
            origin: [Act.answerAndClose(String(repeating: "HTTP/1.1 103 H\r\n\r\n", count: 33) + Reply.ok("ok"))],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
        Case(
            "interim: a malformed one behind a good one",
            "RFC 9112 4",
            [
                .send(get), .receive(.interim("HTTP/1.1 103 Early Hints", ["Link: </a.css>"])),
                .receive(.failure("http_protocol_error", "The backend's answer does not start with an HTTP version.")),
            ],
            origin: [Act.answerAndClose("\(hints)hello\(Reply.ok("ok"))")],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
        bad(
            "interim: 101 that nobody asked for",
            "RFC 9110 15.2.2",
            "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "101 without an Upgrade asked for"
        ),
    ]

    // MARK: Expectations

    private static func post(_ lines: String, _ version: String = "HTTP/1.1") -> String {
        "POST / \(version)\r\nHost: test\r\n\(lines)\r\n"
    }

    private static let expecting = post("Expect: 100-continue\r\nContent-Length: 3\r\n")
    private static let expected = ["Host: test", "Expect: 100-continue"]
    private static let whole = Seen("POST / HTTP/1.1", expected, framing: .length(3), body: "abc")
    private static let headOnly = Seen("POST / HTTP/1.1", expected, framing: .length(3), isWhole: false)

    static let expectations: [Case] = [
        Case(
            "Expect: the backend's 100 goes on",
            "RFC 9110 10.1.1",
            [.send(expecting), .receive(.interim("HTTP/1.1 100 Go", ["X-A: 1"])), .send("abc"), .receive(.ok)],
            origin: [[.send("HTTP/1.1 100 Go\r\nX-A: 1\r\n\r\n"), .receiveBody, .send(Reply.ok("ok"))]],
            seen: [whole],
            connections: 1
        ),
        Case(
            "Expect: in capitals, and chunks",
            "RFC 9110 10.1.1",
            [
                .send(post("expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n")),
                .receive(.interim("HTTP/1.1 100 Continue")), .send("1\r\na\r\n0\r\n\r\n"), .receive(.ok),
            ],
            origin: [[.send(go), .receiveBody, .send(Reply.ok("ok"))]],
            seen: [Seen("POST / HTTP/1.1", ["Host: test", "expect: 100-Continue"], framing: .chunked, body: "a")],
            connections: 1
        ),
        Case(
            "Expect: 103 before the 100",
            "RFC 9110 15.2",
            [
                .send(expecting), .receive(.interim("HTTP/1.1 103 Early Hints", ["Link: </a.css>"])),
                .receive(.interim("HTTP/1.1 100 Continue")), .send("abc"), .receive(.ok),
            ],
            origin: [[.send("\(hints)\(go)"), .receiveBody, .send(Reply.ok("ok"))]],
            seen: [whole]
        ),
        Case(
            "Expect: a silent backend gets the body all the same",
            "RFC 9110 10.1.1",
            [.send(expecting), .receive(.interim("HTTP/1.1 100 Continue")), .send("abc"), .receive(.ok)],
            seen: [whole]
        ),
        Case(
            "Expect: a body that does not wait",
            "RFC 9110 10.1.1",
            [.send("\(expecting)abc"), .receive(.ok)],
            seen: [whole],
            connections: 1
        ),
        Case(
            "Expect: without a body",
            "RFC 9110 10.1.1",
            [.send("GET / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n\r\n"), .receive(.ok)],
            seen: [Seen("GET / HTTP/1.1", expected)]
        ),
        Case(
            "Expect: in HTTP/1.0 it is ignored",
            "RFC 9110 10.1.1",
            [
                .send("\(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "HTTP/1.0"))abc"),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 2", "Connection: close"], "ok")),
            ],
            seen: [Seen("POST / HTTP/1.1", framing: .length(3), body: "abc", version: "1.0")],
            ending: .closed
        ),
        early("Expect: 417 in place of the 100", "RFC 9110 15.5.18", "HTTP/1.1 417 Expectation Failed"),
        early("Expect: a refusal in place of the 100", "RFC 9110 10.1.1", "HTTP/1.1 401 Unauthorized"),
        early("Expect: a success in place of the 100", "RFC 9110 10.1.1", "HTTP/1.1 200 OK"),
        early("Expect: a redirection in place of the 100", "RFC 9110 10.1.1", "HTTP/1.1 307 Temporary Redirect"),
    ]

    /// A final response to a client that waits for 100: its body is not waited for, and that is said.
    private static func early(_ label: String, _ section: String, _ line: String) -> Case {
        Case(
            label,
            section,
            [.send(expecting), .receive(.response(line, ["Content-Length: 2", "Connection: close"], "no"))],
            origin: [[.send("\(line)\r\nContent-Length: 2\r\n\r\nno"), .receiveEnd, .close]],
            seen: [headOnly],
            ending: .closed
        )
    }

    // MARK: Responses before the request's end

    /// A final response to a part of a body.
    private static func hasty(_ label: String, _ line: String, _ rest: [Step] = []) -> Case {
        Case(
            "early answer: \(label)",
            "RFC 9112 9.3",
            [
                .send("\(post("Content-Length: 9\r\n"))part"),
                .receive(.response(line, ["Content-Length: 2", "Connection: close"], "no")),
            ] + rest,
            origin: [[.receiveBytes("part"), .send("\(line)\r\nContent-Length: 2\r\n\r\nno"), .receiveEnd, .close]],
            seen: [Seen("POST / HTTP/1.1", framing: .length(9), isWhole: false)],
            ending: .closed
        )
    }

    /// A success before a body's end: the rest is read and dropped, and the connection serves on.
    private static func unhurried(_ label: String, _ line: String) -> Case {
        Case(
            "early answer: \(label)",
            "RFC 9112 9.3",
            [
                .send("\(post("Content-Length: 9\r\n"))part"),
                .receive(.response(line, ["Content-Length: 2"], "no")),
                .send(" rest"),
            ],
            origin: [[.receiveBytes("part"), .send("\(line)\r\nContent-Length: 2\r\n\r\nno"), .receiveEnd, .close]],
            seen: [Seen("POST / HTTP/1.1", framing: .length(9), isWhole: false)],
            connections: 2
        )
    }

    static let earlyAnswers: [Case] = [
        hasty("413", "HTTP/1.1 413 Content Too Large"),
        hasty("413, and the client goes on sending", "HTTP/1.1 413 Content Too Large", [.send(" rest")]),
        hasty("401", "HTTP/1.1 401 Unauthorized"),
        hasty("500", "HTTP/1.1 500 Oops"),
        unhurried("200", "HTTP/1.1 200 OK"),
        unhurried("303", "HTTP/1.1 303 See Other"),
        Case(
            "early answer: a request behind the unfinished one is not looked at",
            "RFC 9112 9.3.2",
            [
                .send("\(post("Content-Length: 9\r\n"))part"),
                .receive(.response("HTTP/1.1 400 Bad", ["Content-Length: 0", "Connection: close"])),
                .send(" restGET /behind HTTP/1.1\r\nHost: test\r\n\r\n"),
            ],
            origin: [
                [.receiveBytes("part"), .send("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"), .receiveEnd, .close]
            ],
            seen: [Seen("POST / HTTP/1.1", framing: .length(9), isWhole: false)],
            ending: .closed
        ),
        Case(
            "early answer: chunks",
            "RFC 9112 9.3",
            [
                .send("\(post("Transfer-Encoding: chunked\r\n"))4\r\npart\r\n"),
                .receive(.response("HTTP/1.1 413 C", ["Transfer-Encoding: chunked", "Connection: close"], "no")),
            ],
            origin: [
                [
                    .receiveBytes("4\r\npart\r\n"),
                    .send("HTTP/1.1 413 C\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"), .receiveEnd,
                    .close,
                ]
            ],
            seen: [Seen("POST / HTTP/1.1", framing: .chunked, isWhole: false)],
            ending: .closed
        ),
    ]
}
