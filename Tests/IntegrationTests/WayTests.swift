// Tests of requests whose way ends here: loops, and Max-Forwards.

import Testing

@Suite(.timeLimit(.minutes(5))) struct WayTests {
    @Test func `a request that comes back is answered, not sent round for ever`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/loop"
            let balancer = try scene.curlLB(["http+unix://\(path)"], ["LB_LISTEN": "127.0.0.1:0,unix:\(path)"])
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=proxy_loop_detected")
            #expect(try balancer.logLine(0).contains(" reason=proxy_loop_detected "))
            #expect(try !balancer.logLine(1).contains(" reason="))
        }
    }

    @Test func `two balancers with names of their own may stand in a row`() throws {
        try Scene.play { scene in
            let inner = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], ["LB_NAME": "inner"])
            let outer = try scene.curlLB(["http://127.0.0.1:\(inner.port)"], ["LB_NAME": "outer"])
            #expect(try outer.get().status == 200)
        }
    }

    @Test func `TRACE that ends here comes back as it came, without secrets`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin])
            let request = "TRACE /a?b HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\nx-Mine:  1 \r\n"
            let secrets = "Cookie: a=b\r\nAuthorization: Basic x\r\nProxy-Authorization: Basic y\r\n"
            let connection = try balancer.connect()
            try connection.send("\(request)\(secrets)\r\n")
            let response = try connection.receiveResponse()
            #expect(response.status == 200)
            #expect(response["Content-Type"] == "message/http")
            #expect(response.body.text == "\(request)\r\n")
            #expect(origin.connections == 0)
            try connection.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try connection.receiveResponse().status == 200)
            connection.close()
        }
    }

    @Test func `OPTIONS that ends here is told what there is`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))])
            let response = try balancer.response(to: "OPTIONS / HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n\r\n")
            #expect(response.status == 200)
            #expect(response["Allow"]?.contains("GET") == true)
        }
    }
}
