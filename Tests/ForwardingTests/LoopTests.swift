// Requests that have come by before, as Via tells.

import Testing

@testable import Forwarding

@Suite("Loops")
struct LoopTests {
    @Test(arguments: [
        "Via: 1.1 lb-1", "Via: 1.0 a, 1.1 lb-1", "Via: HTTP/1.1 LB-1 (a comment)", "Via: 1.1 a\r\nVia: 1.1\tlb-1",
        "Via: 1.1  lb-1(x)", "Via: ,1.1 lb-1,",
    ])
    func `our name in Via is a loop`(lines: String) throws {
        #expect(try reader(of: "GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n\r\n").hasPassed("lb-1"))
    }

    @Test(arguments: [
        "X: 1", "Via: 1.1 lb-10", "Via: 1.1 lb", "Via: lb-1", "Via: 1.1 a (lb-1)", "Via:", "Via: 1.1 a lb-1",
        "Via: 1.1 a (x, 1.1 lb-1, y)",
    ])
    func `anything else is not`(lines: String) throws {
        #expect(try !reader(of: "GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n\r\n").hasPassed("lb-1"))
    }
}
