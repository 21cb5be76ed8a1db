// Rows about upgrades, and about clients that end their sending early.

extension Case {
    private static let wish = "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    private static let asked = Seen("GET / HTTP/1.1", added: ["Connection: Upgrade", "Upgrade: websocket"])
    private static let switched = "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    private static let answer = Answer.interim("HTTP/1.1 101 S", ["Connection: Upgrade", "Upgrade: websocket"])

    /// A request whose wish is not passed on: a 101 is no answer to it.
    private static func unheard(_ label: String, _ section: String, _ request: String, _ seen: Seen) -> Case {
        Case(
            "upgrade: \(label)",
            section,
            [.send(request), .receive(.failure("http_protocol_error", "101 without an Upgrade asked for"))],
            origin: [Act.answerAndClose(switched)],
            seen: [seen],
            connections: 2
        )
    }

    /// A 101 that is not what was asked for.
    private static func mismatched(_ label: String, _ lines: String) -> Case {
        Case(
            "upgrade: \(label)",
            "RFC 9110 7.8",
            [.send(wish), .receive(.failure("http_protocol_error"))],
            origin: [Act.answerAndClose("HTTP/1.1 101 S\r\n\(lines)\r\n")],
            seen: [asked],
            connections: 2
        )
    }

    static let tunnels: [Case] = [
        Case(
            "upgrade: bytes go both ways, and each side ends for itself",
            "RFC 9110 7.8",
            [
                .send(wish), .receive(answer), .receiveBytes("hello"), .send("one\r\n\r\n"), .receiveBytes("two\u{0}"),
                .send("bye"), .finishSending, .receiveBytes("late"), .receiveEnd,
            ],
            origin: [
                [
                    .send(switched), .send("hello"), .receiveBytes("one\r\n\r\n"), .send("two\u{0}"),
                    .receiveBytes("bye"),
                    .receiveEnd, .send("late"), .close,
                ]
            ],
            seen: [asked.headAlone],
            ending: .done
        ),
        Case(
            "upgrade: the backend's first bytes come with the 101",
            "RFC 9110 7.8",
            [.send(wish), .receive(answer), .receiveBytes("hello"), .receiveEnd],
            origin: [[.send("\(switched)hello"), .close]],
            seen: [asked.headAlone],
            ending: .done
        ),
        Case(
            "upgrade: what the client sends behind its request is the new protocol's",
            "RFC 9110 7.8",
            [.send("\(wish)GET / HTTP/1.1\r\n\r\n"), .receive(answer), .receiveBytes("seen"), .receiveEnd],
            origin: [[.send(switched), .receiveBytes("GET / HTTP/1.1\r\n\r\n"), .send("seen"), .close]],
            seen: [asked.headAlone],
            ending: .done
        ),
        Case(
            "upgrade: an interim response before the 101",
            "RFC 9110 15.2",
            [.send(wish), .receive(.interim("HTTP/1.1 103 H", ["X-A: 1"])), .receive(answer), .receiveEnd],
            origin: [[.send("HTTP/1.1 103 H\r\nX-A: 1\r\n\r\n\(switched)"), .close]],
            seen: [asked.headAlone],
            ending: .done
        ),
        Case(
            "upgrade: fields of the 101 go on, those of the connection do not",
            "RFC 9110 7.6.1",
            [
                .send(wish),
                .receive(
                    .interim(
                        "HTTP/1.1 101 S",
                        ["Sec-WebSocket-Accept: x", "Connection: Upgrade", "Upgrade: websocket"]
                    )
                ), .receiveEnd,
            ],
            origin: [
                [
                    .send(
                        """
                        HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nX-A: 1\r\n\
                        Connection: upgrade, X-A\r\nKeep-Alive: x\r\n\r\n
                        """
                    ), .close,
                ]
            ],
            seen: [asked.headAlone],
            ending: .done
        ),
        Case(
            "upgrade: refused, and the connection serves on",
            "RFC 9110 7.8",
            [
                .send(wish), .receive(.response("HTTP/1.1 400 B", ["Content-Length: 2"], "no")), .send(wish),
                .receive(.ok),
            ],
            origin: [Act.answer("HTTP/1.1 400 B\r\nContent-Length: 2\r\n\r\nno")],
            seen: [asked, asked],
            connections: 1
        ),
        Case(
            "upgrade: refused, and what the client sent behind its request is the next one",
            "RFC 9110 7.8",
            [.send("\(wish)GET /next HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok), .receive(.ok)],
            seen: [asked, Seen("GET /next HTTP/1.1")],
            connections: 1
        ),
        mismatched("a 101 to another protocol", "Connection: Upgrade\r\nUpgrade: other\r\n"),
        mismatched("a 101 that names no protocol", "X-A: 1\r\n"),
        unheard(
            "with a body",
            "RFC 9110 7.8",
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
            Seen("POST / HTTP/1.1", framing: .length(1), body: "x")
        ),
        unheard(
            "without the option",
            "RFC 9110 7.8",
            "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n\r\n",
            Seen("GET / HTTP/1.1")
        ),
        unheard(
            "to h2c",
            "RFC 9113 3.1",
            "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            Seen("GET / HTTP/1.1")
        ),
    ]

    // MARK: A client that ends its sending has left

    static let departures: [Case] = [
        Case("leaving: without a byte", "RFC 9112 9.6", [.finishSending, .receiveEnd], seen: [], ending: .done),
        Case(
            "leaving: between requests",
            "RFC 9112 9.6",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok), .finishSending, .receiveEnd],
            seen: [Seen("GET / HTTP/1.1")],
            ending: .done
        ),
        Case(
            "leaving: in the middle of a head",
            "RFC 9112 8",
            [.send("GET / HTTP/1.1\r\nHost: te"), .finishSending, .receiveEnd],
            seen: [],
            ending: .done
        ),
        Case(
            "leaving: in the middle of a length",
            "RFC 9112 8",
            [
                .send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc"), .waitUntilSeen(1),
                .finishSending,
                .receiveBroken(""),
            ],
            origin: [[.receiveBytes("abc"), .receiveEnd, .close]],
            seen: [Seen("POST / HTTP/1.1", framing: .length(9), isWhole: false)],
            ending: .done
        ),
        Case(
            "leaving: in the middle of chunks",
            "RFC 9112 8",
            [
                .send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
                .waitUntilSeen(1),
                .finishSending, .receiveBroken(""),
            ],
            origin: [[.receiveBytes("3\r\nabc\r\n"), .receiveEnd, .close]],
            seen: [Seen("POST / HTTP/1.1", framing: .chunked, isWhole: false)],
            ending: .done
        ),
        Case(
            "leaving: while the answer is awaited",
            "RFC 9112 9.6",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .waitUntilSeen(1), .finishSending, .receiveBroken("")],
            origin: [[.receiveEnd, .close]],
            seen: [Seen("GET / HTTP/1.1", isWhole: false)],
            ending: .done
        ),
    ]
}
