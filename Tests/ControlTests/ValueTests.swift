// Tests of good values: what each text becomes, and that what is printed reads back as the same value.

import Balancing
import Front
import Telemetry
import Testing

@testable import Control

@Suite struct ValueTests {
    @Test(
        "a duration",
        arguments: [
            ("1ms", 1), ("250ms", 250), ("2s", 2000), ("1.5s", 1500), ("0.001s", 1), ("5m", 300_000),
            ("1.25m", 75_000), ("1h", 3_600_000), ("0.5h", 1_800_000), ("0s", 0), ("007s", 7000), ("1000ms", 1000),
        ] as [(String, Int)]
    )
    func duration(text: String, milliseconds: Int) {
        #expect(parseDuration(text) == .milliseconds(milliseconds))
    }

    @Test(
        "no duration",
        arguments: [
            "", "2", "s", "1.5", ".5s", "1.s", "1..5s", "1.5.5s", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1sec",
            "1d", "1us", "1m30s", "0.0001s", "1.5ms", "1e3s", "٢s", "1234567890s", "0x1s", "inf", "1,5s",
        ]
    )
    func noDuration(text: String) {
        #expect(parseDuration(text) == nil)
    }

    @Test(
        "a duration is printed in the unit that reads best",
        arguments: [
            (0, "0"), (1, "1ms"), (999, "999ms"), (1000, "1s"), (1500, "1.5s"), (1005, "1.005s"), (60_000, "60s"),
            (61_000, "61s"), (120_000, "2m"), (3_600_000, "1h"), (5_400_000, "90m"), (86_400_000, "24h"),
        ] as [(Int, String)]
    )
    func printedDuration(milliseconds: Int, text: String) {
        #expect(printDuration(.milliseconds(milliseconds)) == text)
    }

    @Test func `a printed duration reads back`() {
        let kind = SettingKind.duration(.zero ... .seconds(3600))
        for milliseconds in Array(stride(from: 0, through: 3_600_000, by: 997)) + Array(0...2100) {
            let duration = Duration.milliseconds(milliseconds)
            #expect(throws: Never.self) { try #require(try kind.parse(kind.print(duration)) == duration) }
        }
    }

    @Test(
        "a size",
        arguments: [("0", 0), ("1024", 1024), ("64KiB", 65536), ("1MiB", 1_048_576), ("1536", 1536)] as [(String, Int)]
    )
    func size(text: String, bytes: Int) {
        #expect(parseSize(text) == bytes)
        #expect(parseSize(printSize(bytes)) == bytes)
    }

    @Test(
        "no size",
        arguments: [
            "", "KiB", "64K", "64k", "64kB", "64KB", "64kib", "1M", "1MB", "1.5KiB", "-1", "1 KiB", "64B", "0x400",
            "9223372036854775807MiB", "99999999999999999999",
        ]
    )
    func noSize(text: String) {
        #expect(parseSize(text) == nil)
    }

    @Test(
        "listen addresses",
        arguments: [
            ("127.0.0.1:5000", [.tcp(host: "127.0.0.1", port: 5000)]),
            ("localhost:0", [.tcp(host: "localhost", port: 0)]),
            ("[::1]:5000", [.tcp(host: "::1", port: 5000)]),
            ("[0:0:0:0:0:0:0:0]:80", [.tcp(host: "::", port: 80)]),
            ("*:80", [.tcp(host: "0.0.0.0", port: 80)]),
            (":80", [.tcp(host: "0.0.0.0", port: 80)]),
            (":80,[::]:80", [.tcp(host: "0.0.0.0", port: 80), .tcp(host: "::", port: 80)]),
            ("unix:/run/lb.sock", [.unix(path: "/run/lb.sock")]),
            ("a:1, b:2\n\tc:3,", [.tcp(host: "a", port: 1), .tcp(host: "b", port: 2), .tcp(host: "c", port: 3)]),
            ("a:0 a:0", [.tcp(host: "a", port: 0), .tcp(host: "a", port: 0)]),
        ] as [(String, [ListenAddress])]
    )
    func listen(text: String, addresses: [ListenAddress]) throws {
        let kind = SettingKind.listenAddresses
        #expect(try kind.parse(text) == addresses)
        #expect(try kind.parse(kind.print(addresses)) == addresses)
    }

    @Test(
        "an access log",
        arguments: [
            ("off", .off), ("stdout", .standardOutput), ("/dev/null", .file(path: "/dev/null")),
            ("./access log", .file(path: "./access log")), ("/tmp/new.log", .file(path: "/tmp/new.log")),
        ] as [(String, AccessLogDestination)]
    )
    func accessLog(text: String, log: AccessLogDestination) throws {
        let kind = SettingKind.accessLog
        #expect(try kind.parse(text) == log)
        #expect(kind.print(log) == text)
    }

    @Test(
        "a policy",
        arguments: [
            ("round_robin", .roundRobin), ("least_conn", .leastConnections), ("random_two", .randomTwo),
            ("peak_ewma", .peakEWMA), ("first", .first), ("hash:ip", .hash(.clientAddress)), ("hash:uri", .hash(.uri)),
            ("hash:header:X-User", .hash(.header("X-User"))), ("hash:cookie:sid", .hash(.cookie("sid"))),
        ] as [(String, Policy)]
    )
    func policy(text: String, policy: Policy) throws {
        let kind = SettingKind.policy
        #expect(try kind.parse(text) == policy)
        #expect(kind.print(policy) == text)
    }

    @Test(
        "statuses",
        arguments: [
            ("200", [200...200], "200"), ("2xx", [200...299], "200-299"), ("200-399", [200...399], "200-399"),
            ("2xx, 404,503-504", [200...299, 404...404, 503...504], "200-299,404,503-504"),
        ] as [(String, [ClosedRange<Int>], String)]
    )
    func statuses(text: String, ranges: [ClosedRange<Int>], printed: String) throws {
        let kind = SettingKind.statuses
        #expect(try kind.parse(text) == ranges)
        #expect(kind.print(ranges) == printed)
        #expect(try kind.parse(printed) == ranges)
    }

    @Test(
        "a path to ask for",
        arguments: [
            ("/", true), ("/healthz?full=1&x=%20", true), ("/a;b=c", true), ("", false), ("healthz", false),
            ("/a b", false), ("/a#b", false), ("/ä", false), ("/a\"b", false), ("/a\r\nX: y", false),
            ("/" + String(repeating: "a", count: 1023), true), ("/" + String(repeating: "a", count: 1024), false),
        ] as [(String, Bool)]
    )
    func requestPath(text: String, isValid: Bool) {
        #expect(isRequestPath(text) == isValid)
    }

    @Test(
        "a host name",
        arguments: [
            ("a", true), ("a-b.example", true), ("my_service", true), ("a.", true), ("", false), (".", false),
            ("a..b", false), ("-a", false), ("a-", false), ("a b", false), ("ä", false),
            (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
            (String(repeating: "a.", count: 127), false),
        ] as [(String, Bool)]
    )
    func hostName(text: String, isValid: Bool) {
        #expect(isHostName(text) == isValid)
    }
}
