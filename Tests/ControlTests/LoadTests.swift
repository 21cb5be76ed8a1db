// Tests of reading all settings: defaults, each variable, where values come from, and what Kubernetes injects.

import Balancing
import Forwarding
import Front
import Logging
import Telemetry
import Testing
import Upstream

@testable import Control

@Suite struct LoadTests {
    @Test func `without variables every setting is at its default`() throws {
        let (settings, provenance) = try Settings.load(environment: ["PATH": "/bin"], arguments: ["http://a"])
        #expect(settings.listenAddresses == [.tcp(host: "127.0.0.1", port: 5000)])
        #expect((1...256).contains(settings.workers))
        #expect(settings.policy == .roundRobin)
        #expect(settings.retries == 2)
        #expect(settings.connectTimeout == .seconds(2))
        #expect(settings.responseTimeout == .seconds(30))
        #expect(settings.idleTimeout == .seconds(60))
        #expect(settings.upstreamIdleTimeout == .seconds(4))
        #expect(settings.drainTimeout == .seconds(30))
        #expect(settings.writeTimeout == .seconds(30))
        #expect(settings.bodyPace == BodyPace(bytes: 1024, interval: .seconds(60)))
        #expect(settings.maxHeadBytes == 65536)
        #expect(settings.maxFields == 256)
        #expect(settings.maxPipelined == 1000)
        #expect(settings.maxConnections == ConnectionLimits.defaultTotal)
        #expect(settings.maxClientConnections == 0)
        #expect(settings.sticky == nil && settings.stickySecret == nil)
        #expect(settings.trusted.isEmpty && !settings.addsForwarded)
        #expect(settings.accessLog == .standardOutput)
        #expect(settings.accessLogFormat == .text)
        #expect(settings.logLevel == .info)
        #expect(settings.adminAddress == .tcp(host: "127.0.0.1", port: 9900) && settings.adminToken == nil)
        for row in SettingsTable.rows where row.name != "LB_BACKENDS" { #expect(provenance[row.name] == .fallback) }
    }

    @Test func `every variable reaches its field`() throws {
        let file = try TemporaryFile("")
        let environment = [
            "LB_ENV_FILE": file.path, "LB_TAKEOVER_SOCKET": "/run/a.sock", "LB_LISTEN": "[::1]:81",
            "LB_BACKENDS": "http://a", "LB_WORKERS": "3", "LB_RETRIES": "4",
            "LB_CONNECT_TIMEOUT": "5ms", "LB_HEADER_TIMEOUT": "8s", "LB_RESPONSE_TIMEOUT": "6s",
            "LB_IDLE_TIMEOUT": "7m", "LB_UPSTREAM_IDLE": "0",
            "LB_TUNNEL_IDLE": "2h", "LB_DRAIN_TIMEOUT": "1h", "LB_MAX_HEADER": "9KiB", "LB_ACCESS_LOG": "off",
            "LB_ACCESS_LOG_FORMAT": "json", "LB_ACCESS_LOG_FIELDS": "id,default", "LB_ACCESS_LOG_SAMPLE": "1/100",
            "LB_LOG_LEVEL": "critical", "LB_NAME": "edge-1", "LB_WRITE_TIMEOUT": "9s", "LB_BODY_PACE": "2KiB/10s",
            "LB_MAX_FIELDS": "100", "LB_MAX_PIPELINED": "10", "LB_MAX_CONNECTIONS": "11",
            "LB_RETRY_ON": "junk-response,429", "LB_RETRY_BUDGET": "30", "LB_QUEUE": "13",
            "LB_QUEUE_TIMEOUT": "14s", "LB_DEADLINE": "15s", "LB_HEDGE": "21ms",
            "LB_MAX_PER_CLIENT": "12", "LB_POLICY": "hash:header:X-User", "LB_DNS_INTERVAL": "3s",
            "LB_EXEC_INTERVAL": "4s", "LB_EXEC_TIMEOUT": "5s",
            "LB_HEALTH": "off", "LB_HEALTH_PATH": "/up", "LB_HEALTH_INTERVAL": "13s", "LB_HEALTH_TIMEOUT": "14s",
            "LB_HEALTH_RISE": "15", "LB_HEALTH_FALL": "16", "LB_HEALTH_STATUS": "2xx,404", "LB_HEALTH_BODY": "fine",
            "LB_HEALTH_404": "drain", "LB_EJECT": "off", "LB_EJECT_AFTER": "17", "LB_EJECT_TIME": "18s",
            "LB_EJECT_MAX": "19", "LB_SLOW_START": "20s", "LB_PANIC": "off",
            "LB_STICKY": "cookie:sid;secure=on",
            "LB_STICKY_SECRET": "0123456789abcdef", "LB_TRUSTED": "10.0.0.0/8 ::1,unix", "LB_FORWARDED": "on",
            "LB_ADMIN": "*:9901", "LB_ADMIN_TOKEN": "0123456789abcdef",
            "LB_TRACE": "off", "LB_TRACE_SAMPLE": "1/21", "LB_OTLP_ENDPOINT": "https://c.example/otlp/",
            "LB_OTLP_HEADERS": "X-A=b,Authorization=Bearer%20c%2Cd",
        ]
        let (settings, provenance) = try Settings.load(environment: environment)
        var expected = Settings()
        expected.environmentFile = file.path
        expected.takeoverPlace = .path("/run/a.sock")
        expected.listenAddresses = [.tcp(host: "::1", port: 81)]
        expected.backends = [.backend(BackendSetting(origin: Origin(scheme: .http, host: "a", port: 80)))]
        expected.dnsInterval = .seconds(3)
        expected.execInterval = .seconds(4)
        expected.execTimeout = .seconds(5)
        expected.name = "edge-1"
        expected.policy = .hash(.header("X-User"))
        expected.workers = 3
        expected.writeTimeout = .seconds(9)
        expected.bodyPace = BodyPace(bytes: 2048, interval: .seconds(10))
        expected.maxFields = 100
        expected.maxPipelined = 10
        expected.maxConnections = 11
        expected.maxClientConnections = 12
        expected.health.isChecking = false
        expected.health.path = "/up"
        expected.health.interval = .seconds(13)
        expected.health.timeout = .seconds(14)
        expected.health.rise = 15
        expected.health.fall = 16
        expected.health.statuses = [200...299, 404...404]
        expected.health.body = "fine"
        expected.health.notFound = .drain
        expected.health.isEjecting = false
        expected.health.ejectAfter = 17
        expected.health.ejectTime = .seconds(18)
        expected.health.ejectLimit = 19
        expected.health.slowStart = .seconds(20)
        expected.health.failsOpen = false
        expected.sticky = StickySetting()
        expected.sticky?.cookieName = "sid"
        expected.sticky?.secure = .always
        expected.stickySecret = StickySecret(path: nil, bytes: Array("0123456789abcdef".utf8))
        let prefixes = [("10.0.0.0", 8), ("::1", 128)].compactMap { host, length in
            PeerAddress(host: host).flatMap { AddressPrefix($0, length: length) }
        }
        expected.trusted = TrustedPeers(prefixes, includesUnix: true)
        expected.addsForwarded = true
        expected.traceSample = 21
        expected.traceEndpoint = TraceEndpoint(
            origin: Origin(scheme: .https, host: "c.example", port: 443),
            path: "/otlp/v1/traces"
        )
        expected.traceHeaders = TraceHeaders(path: nil, lines: ["X-A: b", "Authorization: Bearer c,d"])
        expected.retries = 4
        expected.retryOn = [.junkResponse, RetryConditions.status(429) ?? []]
        expected.retryBudget = 30
        expected.queue = 13
        expected.queueTimeout = .seconds(14)
        expected.deadline = .seconds(15)
        expected.hedge = .milliseconds(21)
        expected.connectTimeout = .milliseconds(5)
        expected.headTimeout = .seconds(8)
        expected.responseTimeout = .seconds(6)
        expected.idleTimeout = .seconds(420)
        expected.upstreamIdleTimeout = .zero
        expected.tunnelIdleTimeout = .seconds(7200)
        expected.drainTimeout = .seconds(3600)
        expected.maxHeadBytes = 9216
        expected.accessLog = .off
        expected.accessLogFormat = .json
        expected.accessLogFields = AccessLogFields([.field(.id), .usual])
        expected.accessLogSample = 100
        expected.logLevel = .critical
        expected.adminAddress = .tcp(host: "0.0.0.0", port: 9901)
        expected.adminToken = try SettingKind<AdminToken?>.adminToken.parse("0123456789abcdef")
        #expect(settings == expected)
        #expect(Set(environment.keys) == Set(SettingsTable.rows.map(\.name)))
        for row in SettingsTable.rows { #expect(provenance[row.name] == .environment) }
    }

    @Test func `each field of the settings has one row`() {
        let settings = Settings()
        let fields =
            Mirror(reflecting: settings).children.count - 1 + Mirror(reflecting: settings.health).children.count
        #expect(fields == SettingsTable.rows.count)
        #expect(Set(SettingsTable.rows.map(\.name)).count == SettingsTable.rows.count)
    }

    @Test func `a setting's default is a value that it accepts`() throws {
        for row in SettingsTable.rows where row.name != "LB_BACKENDS" {
            let text = row.print(Settings())
            #expect(throws: Never.self) { try Settings.load(environment: [row.name: text], arguments: ["http://a"]) }
        }
    }

    @Test func `backends of the command line replace those of the environment`() throws {
        let (settings, provenance) = try Settings.load(
            environment: ["LB_BACKENDS": "http://a"],
            arguments: ["http://b", "http://c,http://d"]
        )
        #expect(settings.backends.map(\.name) == ["b:80", "c:80", "d:80"])
        #expect(provenance["LB_BACKENDS"] == .commandLine)
    }

    @Test func `empty LB_BACKENDS means none, so the command line may name them`() throws {
        let (settings, _) = try Settings.load(environment: ["LB_BACKENDS": " "], arguments: ["http://b"])
        #expect(settings.backends.map(\.name) == ["b:80"])
    }

    @Test func `what Kubernetes injects for a Service is ignored and remembered`() throws {
        let injected = [
            "LB_SERVICE_HOST": "10.0.0.1", "LB_SERVICE_PORT": "80", "LB_SERVICE_PORT_HTTP": "80",
            "LB_PORT": "tcp://10.0.0.1:80", "LB_PORT_80_TCP": "tcp://10.0.0.1:80", "LB_PORT_80_TCP_PROTO": "tcp",
            "LB_PORT_80_TCP_PORT": "80", "LB_PORT_80_TCP_ADDR": "10.0.0.1", "LB_PORT_53_UDP": "udp://10.0.0.1:53",
            "LB_ADMIN_SERVICE_HOST": "10.0.0.2", "LB_ADMIN_PORT": "tcp://10.0.0.2:81",
            "LB_ADMIN_PORT_81_TCP_ADDR": "10.0.0.2",
        ]
        let (_, provenance) = try Settings.load(environment: injected, arguments: ["http://a"])
        #expect(provenance.ignoredVariables == injected.keys.sorted())
    }

    @Test(
        "what only resembles it is refused",
        arguments: [
            ("LB_PORT", "8080"), ("LB_PORT", ""), ("LB_SERVICE_PORT", "x"), ("LB_SERVICE", "10.0.0.1"),
            ("LB_PORT_TCP", "tcp://a"), ("LB_80_TCP", "tcp://a"), ("LB_PORT_80_HTTP", "x"), ("lb_service_host", "a"),
        ]
    )
    func resembling(name: String, value: String) {
        #expect(!isKubernetesServiceVariable(name: name, value: value))
        #expect(throws: SettingsError.self) { try Settings.load(environment: [name: value], arguments: ["http://a"]) }
    }

    @Test func `no setting has a name that Kubernetes may inject`() {
        for row in SettingsTable.rows {
            for value in ["1", "10.0.0.1", "tcp://10.0.0.1:80"] {
                #expect(!isKubernetesServiceVariable(name: row.name, value: value))
            }
        }
    }
}
