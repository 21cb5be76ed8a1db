// Tests of a balancer whose standard error is read by nobody: what is to go on beside what is to be said.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct UnreadErrorsTests {
    @Test func `standard error that nobody reads stops neither checks, nor discovery, nor the end`() throws {
        try Scene.play { scene in
            let checks = Counter()
            let origin = try scene.origin { request, connection in
                guard request.startLine.hasPrefix("GET /up ") else {
                    try connection.send(Reply.ok("a"))
                    return
                }
                // Another wish each time, for a line each time.
                checks.add()
                let fields = "X-LB-Weight: \(1 + checks.value % 90)\r\nConnection: close\r\n"
                try connection.send(Reply.ok("", fields: fields))
            }
            let (former, later) = (
                try scene.origin(answering: Reply.ok("b")), try scene.origin(answering: Reply.ok("c"))
            )
            let path = "\(try scene.folder())/backends"
            try "\(former.url);name=former\n".write(toFile: path, atomically: true, encoding: .utf8)
            scene.expectLine(containing: "lines were left out here")
            let balancer = try scene.curlLB(
                (0..<20).map { "\(origin.url);name=a\($0)" } + ["file:\(path)"],
                ["LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "100ms", "LB_HEALTH_PATH": "/up", "LB_SLOW_START": "0"]
            )
            balancer.process.standardError.pause()
            defer { balancer.process.standardError.resume() }
            // A socket holds some hundreds of short lines.
            let count = checks.value
            try eventually("checks that go on") { checks.value > count + 1000 }
            try "\(later.url);name=later\n".write(toFile: path, atomically: true, encoding: .utf8)
            try eventually("a backend that was found meanwhile") { try balancer.get().body.text == "c" }
            balancer.process.send(SIGTERM)
            try eventually("the end") { balancer.process.exitStatus != nil }
            #expect(balancer.process.exitStatus == .code(0))
        }
    }
}
