// Rows about the length of request bodies: every known way to smuggle a request, and what is allowed.

extension Case {
    private static func length(_ label: String, _ lines: String, _ reason: String, _ status: Int = 400) -> Case {
        smuggles("length: \(label)", "RFC 9112 6.3", lines, status, reason)
    }

    private static func coding(_ label: String, _ lines: String, _ reason: String, _ status: Int = 400) -> Case {
        smuggles("coding: \(label)", "RFC 9112 6.1", lines, status, reason)
    }

    static let framing: [Case] = [
        length("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked", "length_and_transfer_encoding"),
        length("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4", "length_and_transfer_encoding"),
        length("CL.TE with a zero", "Content-Length: 0\r\nTransfer-Encoding: chunked", "length_and_transfer_encoding"),
        length(
            "CL.TE with an unknown coding",
            "Content-Length: 3\r\nTransfer-Encoding: identity",
            "length_and_transfer_encoding"
        ),
        length("two that differ", "Content-Length: 5\r\nContent-Length: 0", "conflicting_content_length"),
        length("two that are the same", "Content-Length: 5\r\nContent-Length: 5", "repeated_content_length"),
        length("a list that differs", "Content-Length: 5, 0", "conflicting_content_length"),
        length("a list that is the same", "Content-Length: 5, 5", "repeated_content_length"),
        length("the same with a leading zero", "Content-Length: 5\r\nContent-Length: 05", "repeated_content_length"),
        length("a plus", "Content-Length: +5", "malformed_content_length"),
        length("a minus", "Content-Length: -5", "malformed_content_length"),
        length("hexadecimal", "Content-Length: 0x5", "malformed_content_length"),
        length("hexadecimal without a mark", "Content-Length: a", "malformed_content_length"),
        length("empty", "Content-Length:", "malformed_content_length"),
        length("empty members", "Content-Length: 5,", "malformed_content_length"),
        length("a fraction", "Content-Length: 5.0", "malformed_content_length"),
        length("an exponent", "Content-Length: 5e0", "malformed_content_length"),
        length("a space inside", "Content-Length: 1 0", "malformed_content_length"),
        length("an underscore", "Content-Length: 1_0", "malformed_content_length"),
        length("quoted", "Content-Length: \"5\"", "malformed_content_length"),
        length("a digit of another script", "Content-Length: \u{B2}", "malformed_content_length"),
        length("beyond 64 bits", "Content-Length: 18446744073709551621", "content_length_too_large", 413),
        length("a space before the colon", "Content-Length : 5", "whitespace_before_colon"),
        length("folded", "Content-Length:\r\n 5", "obsolete_folding"),
        length("behind a line feed alone", "X: 1\nContent-Length: 5", "bare_line_feed"),
        coding("TE.TE, chunked and identity", "Transfer-Encoding: chunked, identity", "chunked_not_final"),
        coding("TE.TE on two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "chunked_not_final"),
        coding("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "chunked_repeated"),
        coding("chunked twice in a list", "Transfer-Encoding: chunked, chunked", "chunked_repeated"),
        coding("gzip before chunked", "Transfer-Encoding: gzip, chunked", "unsupported_transfer_coding", 501),
        coding("identity", "Transfer-Encoding: identity", "unsupported_transfer_coding", 501),
        coding("xchunked", "Transfer-Encoding: xchunked", "unsupported_transfer_coding", 501),
        coding("chunked with a parameter", "Transfer-Encoding: chunked;q=1", "malformed_transfer_encoding"),
        coding("quoted", "Transfer-Encoding: \"chunked\"", "malformed_transfer_encoding"),
        coding("empty", "Transfer-Encoding:", "malformed_transfer_encoding"),
        coding("an empty member", "Transfer-Encoding: ,chunked", "malformed_transfer_encoding"),
        coding("a comma behind", "Transfer-Encoding: chunked,", "chunked_not_final"),
        coding("a space before the colon", "Transfer-Encoding : chunked", "whitespace_before_colon"),
        coding("a tab before the colon", "Transfer-Encoding\t: chunked", "whitespace_before_colon"),
        coding("a vertical tab", "Transfer-Encoding: \u{B}chunked", "control_byte"),
        coding("a form feed behind", "Transfer-Encoding: chunked\u{C}", "control_byte"),
        coding("a NUL behind", "Transfer-Encoding: chunked\u{0}", "nul_byte"),
        coding("folded", "Transfer-Encoding:\r\n chunked", "obsolete_folding"),
        coding("folded behind another", "X: 1\r\n Transfer-Encoding: chunked", "obsolete_folding"),
        coding("behind a line feed alone", "X: 1\nTransfer-Encoding: chunked", "bare_line_feed"),
        coding("a byte beyond ASCII in the name", "Transfer-Encod\u{ED}ng: chunked", "malformed_field_name"),
        coding("a bracket in the name", "Transfer-Encoding[]: chunked", "malformed_field_name"),
        refused(
            "coding: chunked in HTTP/1.0",
            "RFC 9112 6.1",
            "POST / HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "transfer_encoding_in_http_1_0"
        ),
        forwarded(
            "coding: letter case and white space",
            "RFC 9112 7",
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: \t ChUnKeD \t\r\n\r\n1\r\na\r\n0\r\n\r\n",
            Seen("POST / HTTP/1.1", framing: .chunked, body: "a")
        ),
        forwarded(
            "coding: a name that only looks like it is a field like any other",
            "RFC 9112 6.1",
            "GET / HTTP/1.1\r\nHost: test\r\nTransfer_Encoding: chunked\r\n\r\n",
            Seen("GET / HTTP/1.1", ["Host: test", "Transfer_Encoding: chunked"])
        ),
        forwarded(
            "length: leading zeros",
            "RFC 9110 8.6",
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 003\r\n\r\nabc",
            Seen("POST / HTTP/1.1", framing: .length(3), body: "abc")
        ),
        forwarded(
            "length: zero is said",
            "RFC 9110 8.6",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\nHost: test\r\n\r\n",
            Seen("POST / HTTP/1.1", framing: .length(0))
        ),
        forwarded("length: none", "RFC 9112 6.3", "POST / HTTP/1.1\r\nHost: test\r\n\r\n", Seen("POST / HTTP/1.1")),
        forwarded(
            "body: GET with one",
            "RFC 9110 9.3.1",
            "GET / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc",
            Seen("GET / HTTP/1.1", framing: .length(3), body: "abc")
        ),
        forwarded(
            "body: a request inside stays inside",
            "RFC 9112 11.2",
            "GET / HTTP/1.1\r\nHost: test\r\nContent-Length: 38\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n",
            Seen(
                "GET / HTTP/1.1",
                framing: .length(38),
                body: "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
            )
        ),
        forwarded(
            "body: DELETE with chunks",
            "RFC 9110 9.3.5",
            "DELETE /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            Seen("DELETE /a HTTP/1.1", framing: .chunked, body: "ab")
        ),
        forwarded(
            "body: any bytes",
            "RFC 9110 6.4",
            "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n\u{0}\r\n\r\n\u{FF}",
            Seen("PUT / HTTP/1.1", framing: .length(6), body: "\u{0}\r\n\r\n\u{FF}")
        ),
        Case(
            "body: HTTP/1.0 with a length",
            "RFC 9112 6.3",
            [
                .send("POST / HTTP/1.0\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 2", "Connection: close"], "ok")),
            ],
            seen: [Seen("POST / HTTP/1.1", framing: .length(2), body: "hi", version: "1.0")],
            ending: .closed
        ),
        Case(
            "body: HEAD with one",
            "RFC 9110 9.3.2",
            [
                .send("HEAD / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"),
                .receive(Answer(head: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method: "HEAD")),
            ],
            origin: [Act.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")],
            seen: [Seen("HEAD / HTTP/1.1", framing: .length(2), body: "hi")]
        ),
    ]

    static let chunks: [Case] = [
        chunked("chunk: one", "RFC 9112 7.1", "3\r\nabc\r\n0\r\n\r\n", "abc"),
        chunked("chunk: none", "RFC 9112 7.1", "0\r\n\r\n", ""),
        chunked("chunk: several become the same content", "RFC 9112 7.1", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"),
        chunked("chunk: capital digits", "RFC 9112 7.1", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunked("chunk: small digits", "RFC 9112 7.1", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunked("chunk: leading zeros", "RFC 9112 7.1", "0003\r\nabc\r\n000\r\n\r\n", "abc"),
        chunked("chunk: content that looks like an end", "RFC 9112 7.1", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        chunked("chunk: extensions are dropped", "RFC 9112 7.1.1", "3;a;b=c;d=\"e\"\r\nabc\r\n0;f\r\n\r\n", "abc"),
        chunked("chunk: an extension with a semicolon alone", "RFC 9112 7.1.1", "3;\r\nabc\r\n0\r\n\r\n", "abc"),
        chunked(
            "chunk: trailers go on",
            "RFC 9110 6.5",
            "3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-other: 2\r\n\r\n",
            "abc",
            trailers: "X-Sum: 1\r\nx-other: 2\r\n"
        ),
        chunked(
            "chunk: trailers that would frame, route or authenticate are dropped",
            "RFC 9110 6.5.1",
            """
            1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Sum: 1\r\n\
            Authorization: x\r\nX-Forwarded-For: 1.1.1.1\r\nConnection: close\r\nTrailer: a\r\nCookie: a=b\r\n\r\n
            """,
            "a",
            trailers: "X-Sum: 1\r\n"
        ),
        refusedBody("chunk: no size", "RFC 9112 7.1", "\r\nabc\r\n0\r\n\r\n", 400, "missing_chunk_size"),
        refusedBody("chunk: an extension alone", "RFC 9112 7.1", ";a\r\nabc\r\n0\r\n\r\n", 400, "missing_chunk_size"),
        refusedBody("chunk: no number", "RFC 9112 7.1", "g\r\nabc\r\n0\r\n\r\n", 400, "malformed_chunk_size"),
        refusedBody("chunk: a mark in front", "RFC 9112 7.1", "0x3\r\nabc\r\n0\r\n\r\n", 400, "malformed_chunk_size"),
        refusedBody("chunk: a plus", "RFC 9112 7.1", "+3\r\nabc\r\n0\r\n\r\n", 400, "malformed_chunk_size"),
        refusedBody("chunk: a minus", "RFC 9112 7.1", "-1\r\nabc\r\n0\r\n\r\n", 400, "malformed_chunk_size"),
        refusedBody("chunk: 17 digits", "RFC 9112 7.1", "00000000000000003\r\nabc\r\n", 413, "chunk_too_large"),
        refusedBody("chunk: beyond 63 bits", "RFC 9112 7.1", "ffffffffffffffff\r\nabc\r\n", 413, "chunk_too_large"),
        refusedBody("chunk: a space in front", "RFC 9112 7.1", " 3\r\nabc\r\n", 400, "whitespace_in_chunk_size"),
        refusedBody("chunk: a space behind", "RFC 9112 7.1.1", "3 \r\nabc\r\n", 400, "whitespace_in_chunk_size"),
        refusedBody("chunk: a line feed alone", "RFC 9112 7.1", "3\nabc\r\n0\r\n\r\n", 400, "bare_line_feed"),
        refusedBody("chunk: a carriage return alone", "RFC 9112 7.1", "3\rabc\r\n", 400, "bare_carriage_return"),
        refusedBody(
            "chunk: a line feed in an extension",
            "RFC 9112 7.1.1",
            "3;a\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n",
            400,
            "bare_line_feed"
        ),
        refusedBody(
            "chunk: a carriage return in an extension",
            "RFC 9112 7.1.1",
            "3;a\rb\r\nabc\r\n",
            400,
            "bare_carriage_return"
        ),
        refusedBody(
            "chunk: a NUL in an extension",
            "RFC 9112 7.1.1",
            "3;\u{0}\r\nabc\r\n",
            400,
            "control_byte_in_chunk_extension"
        ),
        refusedBody(
            "chunk: an extension beyond 4 KiB",
            "RFC 9112 7.1.1",
            "1;\(String(repeating: "a", count: 4097))\r\na\r\n",
            400,
            "chunk_extension_too_long"
        ),
        refusedBody("chunk: more content than said", "RFC 9112 7.1", "2\r\nabc\r\n0\r\n\r\n", 400, "missing_chunk_end"),
        refusedBody("chunk: content ended by a line feed", "RFC 9112 7.1", "2\r\nab\n0\r\n\r\n", 400, "bare_line_feed"),
        refusedBody(
            "trailer: a space before the colon",
            "RFC 9112 7.1.2",
            "0\r\nA : b\r\n\r\n",
            400,
            "whitespace_before_colon"
        ),
        refusedBody("trailer: folded", "RFC 9112 7.1.2", "0\r\nA: b\r\n c\r\n\r\n", 400, "obsolete_folding"),
        refusedBody(
            "trailer: no colon",
            "RFC 9112 7.1.2",
            "0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            400,
            "whitespace_before_colon"
        ),
        refusedBody("trailer: a line feed alone", "RFC 9112 7.1.2", "0\r\n\nGET / HTTP/1.1\r\n", 400, "bare_line_feed"),
        refusedBody(
            "trailer: 65 lines",
            "RFC 9112 7.1.2",
            "0\r\n\((0..<65).map { "A: \($0)\r\n" }.joined())\r\n",
            431,
            "too_many_trailer_fields"
        ),
    ]
}
