// Tests that nothing waits longer than it must, and that nothing piles up.

import Testing

// One at a time: they measure memory and fill the kernel's buffers.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FlowTests {
    @Test(
        "each event arrives before the next is sent",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 170\r\n\r\n",
        ],
        ["HTTP/1.1", "HTTP/1.0"]
    )
    func events(head: String, version: String) throws {
        try Scene.play { scene in
            let gates = (0..<10).map { _ in Gate() }
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send(head)
                for (number, gate) in gates.enumerated() {
                    try gate.wait()
                    let event = "data: event \(number)\r\n\r\n"
                    let isChunked = head.contains("chunked")
                    try connection.send(isChunked ? "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n" : event)
                }
                if head.contains("chunked") { try connection.send("0\r\n\r\n") }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("GET / \(version)\r\nHost: test\r\n\r\n")
            // Also the head comes by itself, before there is any event.
            #expect(try client.receiveHead().status == 200)
            for (number, gate) in gates.enumerated() {
                gate.open()
                _ = try client.receive(through: "data: event \(number)\r\n\r\n")
            }
            client.close()
        }
    }

    @Test func `a response may flow while its request still does`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                while try !connection.isAtEnd() {
                    _ = try connection.receiveHead()
                    try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for _ in 0..<20 { try connection.send("4\r\n\(try connection.receive(4).text)\r\n") }
                    try connection.send("0\r\n\r\n")
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 80\r\n\r\n")
            #expect(try client.receiveHead().status == 200)
            for number in 10..<30 {
                try client.send("<\(number)>")
                #expect(try client.receive(9).text == "4\r\n<\(number)>\r\n")
            }
            #expect(try client.receive(5).text == "0\r\n\r\n")
            // Both are complete: the connection serves on.
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 80\r\n\r\n")
            #expect(try client.receiveHead().status == 200)
            client.close()
        }
    }

    /// Waits until a number does not change any more while the system had every opportunity to change it.
    private func settled(_ counter: Counter) throws -> Int {
        var last = -1
        var repetitions = 0
        try eventually("a standstill at \(counter.value)") {
            let value = counter.value
            repetitions = value == last ? repetitions + 1 : 0
            last = value
            return repetitions > 150
        }
        return last
    }

    @Test func `a slow reader stops the backend, and memory stays bounded`() throws {
        try Scene.play { scene in
            let total = 200 << 20
            let sent = Counter()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                let piece = [UInt8](repeating: 1, count: 65_536)
                for _ in 0..<(total / piece.count) {
                    try connection.send(piece)
                    sent.add(piece.count)
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect(receiveBuffer: 65_536)
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.receiveHead().status == 200)
            let first = try settled(sent)
            #expect(first < 32 << 20)

            // A slow reader goes on: the backend may send on, and no more than that.
            var read = 0
            try eventually("8 MiB to arrive") {
                read += client.discard(32_768)
                return read > 8 << 20
            }
            let second = try settled(sent)
            #expect(second > first)
            #expect(second < first + read + (8 << 20))
            #expect(isSanitized || balancer.process.peakMemory < 64 << 20)
            client.close()
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test("a backend that reads slowly stops the client, and memory stays bounded", arguments: [false, true])
    func slowUpload(isChunked: Bool) throws {
        try Scene.play { scene in
            let total = 100 << 20
            let reads = Gate()
            let read = Counter()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try reads.wait()
                while true {
                    _ = try connection.receive(10_000)
                    read.add(10_000)
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(total)"
            try client.send("POST / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n")
            if isChunked { try client.send("\(String(total, radix: 16))\r\n") }

            var sent = 0
            let piece = [UInt8](repeating: 1, count: 65_536)
            func fill() throws {
                var refusals = 0
                try eventually("the sending to stop at \(sent)") {
                    var count = client.sendSome(piece)
                    while count > 0, sent < total / 2 {
                        sent += count
                        count = client.sendSome(piece)
                    }
                    refusals = count == 0 ? refusals + 1 : 0
                    return refusals > 150 || sent > total / 2
                }
            }
            try fill()
            let first = sent
            #expect(first < 32 << 20)
            reads.open()
            try eventually("the backend to read what was sent") { read.value + 10_000 >= first }
            #expect(client.sendSome(piece) > 0)
            #expect(isSanitized || balancer.process.peakMemory < 64 << 20)
            client.close()
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test func `many exchanges leave nothing behind`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                if request.startLine.contains("/cut") {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")
                    connection.reset()
                } else {
                    try connection.send(Reply.ok("ok"))
                }
            }
            let balancer = try scene.curlLB([try scene.refusingURL(), origin.url], ["LB_UPSTREAM_IDLE": "50ms"])
            func round(_ count: Int) throws {
                for number in 0..<count {
                    let client = try balancer.connect()
                    try client.send("GET \(number % 4 == 1 ? "/cut" : "/") HTTP/1.1\r\nHost: test\r\n\r\n")
                    _ = try client.receiveHead()
                    if number % 4 == 2 { client.reset() } else { client.close() }
                }
                try eventually("all connections to be closed") { balancer.process.connectionCount == 0 }
            }
            try round(20)
            let descriptors = balancer.process.descriptors.count
            let memory = balancer.process.residentMemory
            try round(400)
            // Not quite the same: Dispatch opens and closes timers of its own.
            #expect(balancer.process.descriptors.count <= descriptors + 4)
            #expect(isSanitized || balancer.process.residentMemory < memory + (8 << 20))
        }
    }
}
