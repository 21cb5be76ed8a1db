// Tests of the command line: which flag does what, and what each prints.

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
            LB_LISTEN=127.0.0.1:5000                         # default
            LB_BACKENDS='http://a:80,http://b:80;name=blue'  # command line
            LB_POLICY=round_robin                            # default
            LB_NAME=edge                                     # environment
            LB_WORKERS=3                                     # environment
            LB_RETRIES=2                                     # default
            LB_RETRY_ON=safe                                 # default
            LB_RETRY_BUDGET=20                               # default
            LB_QUEUE=1024                                    # default
            LB_QUEUE_TIMEOUT=5s                              # default
            LB_DEADLINE=off                                  # default
            LB_CONNECT_TIMEOUT=2s                            # default
            LB_HEADER_TIMEOUT=10s                            # default
            LB_RESPONSE_TIMEOUT=30s                          # default
            LB_IDLE_TIMEOUT=60s                              # default
            LB_WRITE_TIMEOUT=30s                             # default
            LB_BODY_PACE=1KiB/60s                            # default
            LB_UPSTREAM_IDLE=4s                              # default
            LB_TUNNEL_IDLE=1h                                # default
            LB_DRAIN_TIMEOUT=30s                             # default
            LB_MAX_HEADER=64KiB                              # default
            LB_MAX_FIELDS=256                                # default
            LB_MAX_PIPELINED=1000                            # default
            LB_MAX_CONNECTIONS=9                             # environment
            LB_MAX_PER_CLIENT=0                              # default
            LB_ACCESS_LOG='./it'\''s new'                    # environment
            LB_ACCESS_LOG_FORMAT=text                        # default
            LB_ACCESS_LOG_FIELDS=default                     # default
            LB_ACCESS_LOG_SAMPLE=1/1                         # default
            LB_LOG_LEVEL=info                                # default
            # LB_SERVICE_HOST is ignored: Kubernetes sets it for a Service

            """#
        #expect(decide(["--print-settings", "http://a", "http://b;name=blue"], environment) == .print(expected))
    }

    @Test func `a completion script is printed, not refused`() {
        guard case .print(let text) = decide(["--generate-completion-script", "bash"]) else {
            Issue.record("no script")
            return
        }
        #expect(text.contains("--print-settings"))
    }
}
