// Tests of the command line: which flag does what, and what each prints.

import Front
import Testing

@testable import Control

@Suite struct CommandOutcomeTests {
    private func decide(_ arguments: [String], _ environment: [String: String] = [:]) -> CommandOutcome {
        CommandOutcome.decide(
            arguments: arguments,
            environment: environment,
            version: VersionReport(libraries: ["libcurl 8.0.0", "TLS: none"])
        )
    }

    @Test func `without a flag the program runs`() throws {
        let (settings, provenance) = try Settings.load(environment: [:], arguments: ["http://a"])
        #expect(decide(["http://a"]) == .run(settings, provenance))
        #expect(decide(["--", "http://a"]) == .run(settings, provenance))
    }

    @Test func `--check says that the settings are valid`() {
        #expect(decide(["--check", "http://a"]) == .print("curl-lb: the settings are valid\n"))
    }

    @Test func `--version prints the program's version and what it is given`() {
        #expect(decide(["--version"], ["LB_RETRIES": "x"]) == .print("curl-lb 0.1.0\nlibcurl 8.0.0\nTLS: none\n"))
    }

    @Test func `the version is asked for only when it is printed`() {
        func unexpected() -> VersionReport {
            Issue.record("asked for the version")
            return VersionReport()
        }
        _ = CommandOutcome.decide(arguments: ["--check", "http://a"], environment: [:], version: unexpected())
    }

    @Test("--help shows every setting, flag and default, whatever the settings", arguments: ["--help", "-h"])
    func help(flag: String) throws {
        guard case .print(let text) = decide([flag, "--version", "x"], ["LB_RETRIES": "x"]) else {
            Issue.record("no help")
            return
        }
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for row in SettingsTable.rows {
            #expect(text.contains("\n  \(row.name) "))
            #expect(words.contains(" \(row.name) \(row.help) (\(row.form); default: \(row.defaultText))"))
        }
        for flag in ["--check", "--print-settings", "--version", "--help", "<backend>", "EXAMPLES:"] {
            #expect(text.contains(flag))
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
    }

    @Test func `--print-settings shows each value and where it came from`() {
        let environment = [
            "LB_WORKERS": "3", "LB_ACCESS_LOG": "./it's new", "LB_SERVICE_HOST": "10.0.0.1", "LB_BACKENDS": "http://z",
            "LB_NAME": "edge", "LB_MAX_CONNECTIONS": "9",
        ]
        let expected = #"""
            LB_ENV_FILE=none                                 # default
            LB_LISTEN=127.0.0.1:5000                         # default
            LB_TAKEOVER_SOCKET=auto                          # default
            LB_BACKENDS='http://a:80,http://b:80;name=blue'  # command line
            LB_POLICY=round_robin                            # default
            LB_STICKY=off                                    # default
            LB_STICKY_SECRET=none                            # default
            LB_NAME=edge                                     # environment
            LB_WORKERS=3                                     # environment
            LB_RETRIES=2                                     # default
            LB_RETRY_ON=safe                                 # default
            LB_RETRY_BUDGET=20                               # default
            LB_QUEUE=1024                                    # default
            LB_QUEUE_TIMEOUT=5s                              # default
            LB_DEADLINE=off                                  # default
            LB_HEDGE=off                                     # default
            LB_CONNECT_TIMEOUT=2s                            # default
            LB_HEADER_TIMEOUT=10s                            # default
            LB_RESPONSE_TIMEOUT=30s                          # default
            LB_IDLE_TIMEOUT=60s                              # default
            LB_WRITE_TIMEOUT=30s                             # default
            LB_BODY_PACE=1KiB/60s                            # default
            LB_UPSTREAM_IDLE=4s                              # default
            LB_TUNNEL_IDLE=1h                                # default
            LB_DRAIN_TIMEOUT=30s                             # default
            LB_DNS_INTERVAL=10s                              # default
            LB_EXEC_INTERVAL=30s                             # default
            LB_EXEC_TIMEOUT=10s                              # default
            LB_MAX_HEADER=64KiB                              # default
            LB_MAX_FIELDS=256                                # default
            LB_MAX_PIPELINED=1000                            # default
            LB_MAX_CONNECTIONS=9                             # environment
            LB_MAX_PER_CLIENT=0                              # default
            LB_TRUSTED=                                      # default
            LB_FORWARDED=off                                 # default
            LB_HEALTH=on                                     # default
            LB_HEALTH_PATH=off                               # default
            LB_HEALTH_INTERVAL=2s                            # default
            LB_HEALTH_TIMEOUT=2s                             # default
            LB_HEALTH_RISE=2                                 # default
            LB_HEALTH_FALL=3                                 # default
            LB_HEALTH_STATUS=200-399                         # default
            LB_HEALTH_BODY=off                               # default
            LB_HEALTH_404=fail                               # default
            LB_EJECT=on                                      # default
            LB_EJECT_AFTER=5                                 # default
            LB_EJECT_TIME=10s                                # default
            LB_EJECT_MAX=50                                  # default
            LB_SLOW_START=10s                                # default
            LB_PANIC=on                                      # default
            LB_TRACE=off                                     # default
            LB_TRACE_SAMPLE=1/1                              # default
            LB_OTLP_ENDPOINT=off                             # default
            LB_OTLP_HEADERS=none                             # default
            LB_ACCESS_LOG='./it'\''s new'                    # environment
            LB_ACCESS_LOG_FORMAT=text                        # default
            LB_ACCESS_LOG_FIELDS=default                     # default
            LB_ACCESS_LOG_SAMPLE=1/1                         # default
            LB_ADMIN=127.0.0.1:9900                          # default
            LB_ADMIN_TOKEN=none                              # default
            LB_LOG_LEVEL=info                                # default
            # LB_SERVICE_HOST is ignored: Kubernetes sets it for a Service

            """#
        #expect(decide(["--print-settings", "http://a", "http://b;name=blue"], environment) == .print(expected))
    }

    // MARK: why

    @Test func `why asks at the address that is listened on`() {
        func asked(_ arguments: [String], _ listen: String? = nil) -> CommandOutcome {
            decide(["why"] + arguments, listen.map { ["LB_LISTEN": $0] } ?? [:])
        }
        func question(
            _ address: ListenAddress,
            _ host: String,
            _ target: String,
            _ fields: [String] = []
        ) -> CommandOutcome {
            .why(WhyQuestion(address: address, host: host, target: target, fields: fields))
        }
        let local = ListenAddress.tcp(host: "127.0.0.1", port: 5000)
        #expect(asked([]) == question(local, "127.0.0.1:5000", "/"))
        #expect(asked(["/a?b=c"]) == question(local, "127.0.0.1:5000", "/a?b=c"))
        let next = "/login?next=https://example.com/a"
        #expect(asked([next]) == question(local, "127.0.0.1:5000", next))
        #expect(asked(["https://shop.example:8443/a"]) == question(local, "shop.example:8443", "/a"))
        #expect(asked(["http://shop.example"]) == question(local, "shop.example", "/"))
        #expect(asked(["http://shop.example?x"]) == question(local, "shop.example", "/?x"))
        #expect(
            asked(["-H", "Cookie: a=b", "--header", "X: y"])
                == question(local, "127.0.0.1:5000", "/", ["Cookie: a=b", "X: y"])
        )
        #expect(asked([], "*:81 [::1]:82") == question(.tcp(host: "127.0.0.1", port: 81), "127.0.0.1:81", "/"))
        #expect(asked([], "[::]:81") == question(.tcp(host: "::1", port: 81), "[::1]:81", "/"))
        #expect(asked(["--at", "10.0.0.1:9"]) == question(.tcp(host: "10.0.0.1", port: 9), "10.0.0.1:9", "/"))
        #expect(asked([], "unix:/run/lb.sock") == question(.unix(path: "/run/lb.sock"), "localhost", "/"))
    }

    @Test(
        arguments: [
            (
                ["--at", "5000"], "127.0.0.1:5000",
                #"--at "5000": expected host:port; did you mean 127.0.0.1:5000 or *:5000?"#
            ),
            ([], "127.0.0.1:0", "LB_LISTEN leaves the port to the kernel: say where, with --at host:port"),
            ([], "5000", #"LB_LISTEN="5000": expected host:port; did you mean 127.0.0.1:5000 or *:5000?"#),
            (["a b"], "", #""a b": expected a URL or a path such as /index?q=1, without spaces"#),
            (["index"], "", #""index": expected a URL or a path such as /index?q=1, without spaces"#),
            (["/\r\nX: y"], "", #""/\r\nX: y": expected a URL or a path such as /index?q=1, without spaces"#),
            (["-H", "a"], "", #""a": expected a field such as Cookie: a=b after -H"#),
            (["-H", "a b: c"], "", #""a b: c": expected a field such as Cookie: a=b after -H"#),
            (["-H", "a: b\r\nc: d"], "", #""a: b\r\nc: d": expected a field such as Cookie: a=b after -H"#),
            (["--att", "x"], "", "Unknown option '--att'. Did you mean '--at'?"),
        ] as [([String], String, String)]
    )
    func `a mistake behind why is told in a line`(arguments: [String], listen: String, line: String) {
        let environment = listen.isEmpty ? [:] : ["LB_LISTEN": listen]
        #expect(decide(["why"] + arguments, environment) == .fail(["curl-lb why: \(line)"]))
    }

    @Test func `why asks where the file of settings says, whatever else is wrong with it`() throws {
        let file = try TemporaryFile("LB_LISTEN=127.0.0.1:4711\nLB_RETRIES=x\n")
        guard case .why(let question) = decide(["why"], ["LB_ENV_FILE": file.path]) else {
            Issue.record("it asks")
            return
        }
        #expect(question.address == .tcp(host: "127.0.0.1", port: 4711))
    }

    @Test func `why has a help of its own`() {
        guard case .print(let text) = decide(["why", "--help"]) else {
            Issue.record("no help")
            return
        }
        #expect(text.contains("USAGE: curl-lb why") && text.contains("LB_TRUSTED"))
    }

    @Test func `a completion script is printed, not refused`() {
        guard case .print(let text) = decide(["--generate-completion-script", "bash"]) else {
            Issue.record("no script")
            return
        }
        #expect(text.contains("--print-settings"))
    }
}
