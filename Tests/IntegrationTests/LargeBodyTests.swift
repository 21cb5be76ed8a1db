// Tests of bodies that the kernel moves on from socket to socket: large, cleartext, and of known length.

import Crypto
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct LargeBodyTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    /// Around the size from which bodies are spliced, and the sizes of buffers and pipes.
    static let sizes = [131_071, 131_072, 131_073, 200_000, 262_144, 327_681, 3_000_001]

    @Test("a large body arrives unchanged, and both connections serve on", arguments: sizes, [false, true])
    func response(size: Int, isUnix: Bool) throws {
        let body = [UInt8].pattern(size)
        let hash = SHA256.hash(data: body)
        try Scene.play { scene in
            let folder = isUnix ? try scene.folder() : ""
            let origin = try scene.origin(path: isUnix ? "\(folder)/origin.sock" : nil) { _, connection in
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".bytes + body)
            }
            let balancer = try scene.curlLB([origin], isUnix ? ["LB_LISTEN": "unix:\(folder)/lb.sock"] : [:])
            let client = try balancer.connect()
            for _ in 0..<3 {
                try client.send(get)
                let response = try client.receiveResponse()
                #expect(response.body.count == size)
                #expect(SHA256.hash(data: response.body) == hash)
            }
            client.close()
            #expect(origin.connections == 1)
            for index in 0..<3 { #expect(try balancer.logLine(index).contains(" out=\(size) ")) }
        }
    }

    @Test func `a large body that is cut is cut for the client, and both know`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                try connection.send([UInt8](repeating: 7, count: 700_000))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            let received = try client.receiveToEnd()
            #expect(client.ending == .reset)
            #expect(received.count < 1_000_000)
            client.close()
            let line = try balancer.logLine()
            #expect(line.contains(" reason=http_response_incomplete "))
            #expect(line.contains("the backend closed the connection before the end of the response body"))
        }
    }

    @Test func `bytes behind a large body answer nobody`() throws {
        try Scene.play { scene in
            let body = [UInt8].pattern(400_000)
            let origin = try scene.origin { _, connection in
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".bytes + body)
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray")
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<5 {
                try client.send(get)
                #expect(try client.receiveResponse().body == body)
            }
            client.close()
            #expect(origin.connections == 5)
        }
    }

    @Test func `a large body that stands still is given up`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                try connection.send([UInt8](repeating: 7, count: 300_000))
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin], ["LB_IDLE_TIMEOUT": "300ms"])
            let client = try balancer.connect()
            try client.send(get)
            _ = try client.receiveToEnd()
            #expect(client.ending == .reset)
            client.close()
            #expect(try balancer.logLine().contains(" reason=http_response_incomplete "))
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test func `clients that leave large bodies behind leave no descriptors behind`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                while true { try connection.send([UInt8](repeating: 0, count: 100_000)) }
            }
            let balancer = try scene.curlLB([origin])
            func leave() throws {
                let client = try balancer.connect(receiveBuffer: 16_384)
                try client.send(get)
                _ = try client.receive(300_000)
                client.close()
                try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
            }
            try leave()
            let before = balancer.process.descriptors.count
            for _ in 0..<20 { try leave() }
            try eventually("descriptors to be closed") { balancer.process.descriptors.count <= before }
        }
    }
}
