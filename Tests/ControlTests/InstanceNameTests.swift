// What a balancer calls itself when nobody says.

import Front
import Testing

@testable import Control

@Suite struct InstanceNameTests {
    private let here: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 80)]

    @Test func `the name stays the same, and differs for another host or address`() {
        let name = InstanceName.derived(from: here, host: "a")
        #expect(name == InstanceName.derived(from: here, host: "a"))
        #expect(name != InstanceName.derived(from: here, host: "b"))
        #expect(name != InstanceName.derived(from: [.tcp(host: "127.0.0.1", port: 81)], host: "a"))
        #expect(isName(name))
        #expect(name.hasPrefix("curl-lb-") && name.count == 16)
    }

    @Test func `it is the default, unless there is one given`() throws {
        let derived = try Settings.load(environment: ["LB_LISTEN": "127.0.0.1:80"], arguments: ["http://a"]).settings
        #expect(derived.name == InstanceName.derived(from: here))
        let given = try Settings.load(environment: ["LB_NAME": "edge"], arguments: ["http://a"]).settings
        #expect(given.name == "edge")
    }
}
