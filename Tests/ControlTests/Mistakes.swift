// Mistakes operators make, each with the one line that answers it. Free of imports, so that any test can run the table.

/// A command line and an environment with one mistake in them.
struct Mistake: Sendable, CustomStringConvertible {
    /// The variables that are set.
    let environment: [String: String]
    /// The command line without the program's name.
    let arguments: [String]
    /// The one line on standard error; the exit code is 2.
    let line: String

    init(_ environment: [String: String], _ arguments: [String], _ line: String) {
        self.environment = environment
        self.arguments = arguments
        self.line = line
    }

    /// A mistake in a variable, beside a good backend on the command line.
    init(_ environment: [String: String], _ line: String) {
        self.init(environment, ["http://127.0.0.1:3000"], line)
    }

    var description: String { line }

    static let all =
        names + live + scalars + overload + tracing + admin + listenAddresses + backends + affinity + trust
        + commandLines
}

extension Mistake {
    static let names: [Mistake] = [
        Mistake(["LB_RETRYS": "1"], "curl-lb: LB_RETRYS is not a setting; did you mean LB_RETRIES?"),
        Mistake(["LB_TIMEOUT": "1s"], "curl-lb: LB_TIMEOUT is not a setting; did you mean LB_IDLE_TIMEOUT?"),
        Mistake(["lb_retries": "1"], "curl-lb: lb_retries is not a setting; did you mean LB_RETRIES?"),
        Mistake(["LB_": ""], "curl-lb: LB_ is not a setting; curl-lb --help lists them all"),
        Mistake(
            ["LB_COLOUR_OF_THE_SKY": "blue"],
            "curl-lb: LB_COLOUR_OF_THE_SKY is not a setting; curl-lb --help lists them all"
        ),
        Mistake(["LB_A\nB": ""], #"curl-lb: LB_A\nB is not a setting; curl-lb --help lists them all"#),
        // Kubernetes injects an LB_PORT of its own, but not one like this.
        Mistake(["LB_PORT": "8080"], "curl-lb: LB_PORT is not a setting; curl-lb --help lists them all"),
        Mistake(
            ["LB_BACKEND": "http://127.0.0.1:3000"],
            [],
            "curl-lb: LB_BACKEND is not a setting; did you mean LB_BACKENDS?"
        ),
    ]

    static let scalars: [Mistake] = [
        Mistake(["LB_WORKERS": "0"], #"curl-lb: LB_WORKERS="0": expected a whole number between 1 and 256"#),
        Mistake(["LB_WORKERS": "257"], #"curl-lb: LB_WORKERS="257": expected a whole number between 1 and 256"#),
        Mistake(["LB_WORKERS": "auto"], #"curl-lb: LB_WORKERS="auto": expected a whole number between 1 and 256"#),
        Mistake(
            ["LB_WORKERS": ""],
            #"curl-lb: LB_WORKERS="": expected a whole number between 1 and 256; unset it to get the default, cores"#
        ),
        Mistake(["LB_RETRIES": "-1"], #"curl-lb: LB_RETRIES="-1": expected a whole number between 0 and 100"#),
        Mistake(["LB_RETRIES": "2.0"], #"curl-lb: LB_RETRIES="2.0": expected a whole number between 0 and 100"#),
        Mistake(["LB_RETRIES": "2\r"], #"curl-lb: LB_RETRIES="2\r": expected a whole number between 0 and 100"#),
        Mistake(["LB_RETRIES": "٢"], #"curl-lb: LB_RETRIES="٢": expected a whole number between 0 and 100"#),
        Mistake(
            ["LB_POLICY": "roundrobin"],
            #"curl-lb: LB_POLICY="roundrobin": expected round_robin, least_conn, random_two, peak_ewma, first or hash:KEY;"#
                + " did you mean round_robin?"
        ),
        Mistake(
            ["LB_POLICY": ""],
            #"curl-lb: LB_POLICY="": expected round_robin, least_conn, random_two, peak_ewma, first or hash:KEY;"#
                + " unset it to get the default, round_robin"
        ),
        Mistake(["LB_HEALTH": "yes"], #"curl-lb: LB_HEALTH="yes": expected on or off"#),
        Mistake(["LB_PANIC": ""], #"curl-lb: LB_PANIC="": expected on or off; unset it to get the default, on"#),
        Mistake(
            ["LB_HEALTH_PATH": "healthz"],
            #"curl-lb: LB_HEALTH_PATH="healthz": expected off or a path such as /healthz"#
        ),
        Mistake(
            ["LB_HEALTH_PATH": "/a b"],
            #"curl-lb: LB_HEALTH_PATH="/a b": expected off or a path such as /healthz"#
        ),
        Mistake(
            ["LB_HEALTH_INTERVAL": "99ms"],
            #"curl-lb: LB_HEALTH_INTERVAL="99ms": expected a duration with a unit between 100ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(["LB_HEALTH_RISE": "0"], #"curl-lb: LB_HEALTH_RISE="0": expected a whole number between 1 and 100"#),
        Mistake(
            ["LB_HEALTH_STATUS": "2xx,600"],
            #"curl-lb: LB_HEALTH_STATUS="600": expected statuses between 200 and 599, such as 200-399, 2xx or 204"#
        ),
        Mistake(
            ["LB_HEALTH_STATUS": "300-200"],
            #"curl-lb: LB_HEALTH_STATUS="300-200": expected statuses between 200 and 599, such as 200-399, 2xx or 204"#
        ),
        Mistake(
            ["LB_HEALTH_STATUS": "1xx"],
            #"curl-lb: LB_HEALTH_STATUS="1xx": expected statuses between 200 and 599, such as 200-399, 2xx or 204"#
        ),
        Mistake(
            ["LB_HEALTH_BODY": "a\"b"],
            #"curl-lb: LB_HEALTH_BODY="a\"b": expected off or a text of 1 to 256 bytes without control characters,"#
                + " quotes and backslashes"
        ),
        Mistake(
            ["LB_HEALTH_404": "down"],
            #"curl-lb: LB_HEALTH_404="down": expected fail or drain"#
        ),
        Mistake(["LB_EJECT_MAX": "0"], #"curl-lb: LB_EJECT_MAX="0": expected a whole number between 1 and 100"#),
        policy("hash", "expected ip, uri, header:NAME or cookie:NAME after hash:"),
        policy("hash:", "expected ip, uri, header:NAME or cookie:NAME after hash:"),
        policy("hash:ip:x", "expected ip, uri, header:NAME or cookie:NAME after hash:"),
        policy("hash:cookie", "expected ip, uri, header:NAME or cookie:NAME after hash:"),
        policy("hash:header:", #"expected the name of a field, not """#),
        policy("hash:header:X:Y", #"expected the name of a field, not "X:Y""#),
        policy("hash:cookie:a b", #"expected the name of a cookie, not "a b""#),
        Mistake(
            ["LB_RETRIES": "99999999999999999999"],
            #"curl-lb: LB_RETRIES="99999999999999999999": expected a whole number between 0 and 100"#
        ),
        Mistake(
            ["LB_RETRIES": "\u{1B}[2J\u{202E}\"\\"],
            #"curl-lb: LB_RETRIES="\u{1B}[2J\u{202E}\"\\": expected a whole number between 0 and 100"#
        ),
        Mistake(
            ["LB_CONNECT_TIMEOUT": "2"],
            #"curl-lb: LB_CONNECT_TIMEOUT="2": expected a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_CONNECT_TIMEOUT": "0s"],
            #"curl-lb: LB_CONNECT_TIMEOUT="0s": expected a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_CONNECT_TIMEOUT": "61m"],
            #"curl-lb: LB_CONNECT_TIMEOUT="61m": expected a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_RESPONSE_TIMEOUT": "30 s"],
            #"curl-lb: LB_RESPONSE_TIMEOUT="30 s": expected a duration with a unit between 1ms and 24h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_IDLE_TIMEOUT": "1d"],
            #"curl-lb: LB_IDLE_TIMEOUT="1d": expected a duration with a unit between 1ms and 24h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_UPSTREAM_IDLE": "4"],
            #"curl-lb: LB_UPSTREAM_IDLE="4": expected 0 or a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_DRAIN_TIMEOUT": ""],
            #"curl-lb: LB_DRAIN_TIMEOUT="": expected 0 or a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m; unset it to get the default, 30s"
        ),
        Mistake(
            ["LB_MAX_HEADER": "64kB"],
            #"curl-lb: LB_MAX_HEADER="64kB": expected a size in bytes, KiB or MiB between 1KiB and 1MiB,"#
                + " such as 65536 or 64KiB"
        ),
        Mistake(
            ["LB_MAX_HEADER": "1023"],
            #"curl-lb: LB_MAX_HEADER="1023": expected a size in bytes, KiB or MiB between 1KiB and 1MiB,"#
                + " such as 65536 or 64KiB"
        ),
        Mistake(
            ["LB_ACCESS_LOG": "of"],
            #"curl-lb: LB_ACCESS_LOG="of": expected off, stdout or a file's path with a slash,"#
                + " such as /var/log/curl-lb.log; did you mean off?"
        ),
        Mistake(
            ["LB_ACCESS_LOG": "access.log"],
            #"curl-lb: LB_ACCESS_LOG="access.log": expected off, stdout or a file's path with a slash,"#
                + " such as /var/log/curl-lb.log"
        ),
        Mistake(
            ["LB_ACCESS_LOG": "/"],
            #"curl-lb: LB_ACCESS_LOG="/": expected a file's path, not a directory's"#
        ),
        Mistake(
            ["LB_ACCESS_LOG": "/no/such/directory/access.log"],
            #"curl-lb: LB_ACCESS_LOG="/no/such/directory/access.log": expected a path in a directory that exists"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FORMAT": "xml"],
            #"curl-lb: LB_ACCESS_LOG_FORMAT="xml": expected text, combined or json"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FORMAT": "JSON"],
            #"curl-lb: LB_ACCESS_LOG_FORMAT="JSON": expected text, combined or json; did you mean json?"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FIELDS": "time, durration_ms"],
            #"curl-lb: LB_ACCESS_LOG_FIELDS="durration_ms": expected the name of a field; did you mean duration_ms?"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FIELDS": "time,xxxxxxxxxxxx"],
            #"curl-lb: LB_ACCESS_LOG_FIELDS="xxxxxxxxxxxx": expected \#(accessLogFields)"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FIELDS": " , "],
            #"curl-lb: LB_ACCESS_LOG_FIELDS=" , ": expected \#(accessLogFields)"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_FIELDS": "id", "LB_ACCESS_LOG_FORMAT": "combined"],
            "curl-lb: LB_ACCESS_LOG_FIELDS: the combined format has fields of its own; unset it, or set"
                + " LB_ACCESS_LOG_FORMAT to text or json"
        ),
        Mistake(
            ["LB_ACCESS_LOG_SAMPLE": "0.01"],
            #"curl-lb: LB_ACCESS_LOG_SAMPLE="0.01": expected a part between 1/1 and 1/1000000, such as 1/100"#
        ),
        Mistake(
            ["LB_ACCESS_LOG_SAMPLE": "1/0"],
            #"curl-lb: LB_ACCESS_LOG_SAMPLE="1/0": expected a part between 1/1 and 1/1000000, such as 1/100"#
        ),
        Mistake(
            ["LB_LOG_LEVEL": "warn"],
            #"curl-lb: LB_LOG_LEVEL="warn": expected trace, debug, info, notice, warning, error or critical"#
        ),
    ]

    private static let accessLogFields =
        "a list of default, all, time, client, request, method, target, protocol, host, referer, user_agent, status,"
        + " bytes_in, bytes_out, duration_ms, ttfb_ms, queue_ms, dns_ms, connect_ms, tls_ms, wait_ms, body_ms, backend,"
        + " attempts, failed_attempts, notes, reason, sample, id or trace_id"

    static let listenAddresses: [Mistake] = [
        Mistake(
            ["LB_LISTEN": ""],
            #"curl-lb: LB_LISTEN="": expected one or more of host:port, [v6]:port or unix:/path;"#
                + " unset it to get the default, 127.0.0.1:5000"
        ),
        Mistake(["LB_LISTEN": " , "], #"curl-lb: LB_LISTEN=" , ": expected at least one address to listen on"#),
        Mistake(
            ["LB_LISTEN": "5000"],
            #"curl-lb: LB_LISTEN="5000": expected host:port; did you mean 127.0.0.1:5000 or *:5000?"#
        ),
        Mistake(
            ["LB_LISTEN": "localhost"],
            #"curl-lb: LB_LISTEN="localhost": expected a port after the host, such as 127.0.0.1:5000"#
        ),
        Mistake(
            ["LB_LISTEN": "127.0.0.1:65536"],
            #"curl-lb: LB_LISTEN="127.0.0.1:65536": expected a port between 0 and 65535, not "65536""#
        ),
        Mistake(
            ["LB_LISTEN": "127.0.0.256:80"],
            #"curl-lb: LB_LISTEN="127.0.0.256:80": expected a host name, an IPv4 address"#
                + #" or an IPv6 address in brackets, not "127.0.0.256""#
        ),
        Mistake(
            ["LB_LISTEN": "::1:5000"],
            #"curl-lb: LB_LISTEN="::1:5000": expected brackets around an IPv6 address, such as [::1]:3000"#
        ),
        Mistake(
            ["LB_LISTEN": "http://127.0.0.1:5000"],
            #"curl-lb: LB_LISTEN="http://127.0.0.1:5000": expected host:port, [v6]:port or unix:/path, not a URL"#
        ),
        Mistake(
            ["LB_LISTEN": "unix:run/lb.sock"],
            #"curl-lb: LB_LISTEN="unix:run/lb.sock": expected an absolute path, such as unix:/run/curl-lb.sock"#
        ),
        Mistake(
            ["LB_LISTEN": ":80 *:80"],
            #"curl-lb: LB_LISTEN="*:80": expected each address once; 0.0.0.0:80 is given twice"#
        ),
    ]

    static let commandLines: [Mistake] = [
        Mistake([:], ["--chekc"], "curl-lb: Unknown option '--chekc'. Did you mean '--check'?"),
        Mistake([:], ["-x"], "curl-lb: Unknown option '-x'"),
        Mistake(
            [:],
            ["--check=1"],
            "curl-lb: The option '--check' does not take any value, but '1' was specified."
        ),
        Mistake(
            [:],
            ["127.0.0.1:3000"],
            #"curl-lb: backend "127.0.0.1:3000": expected a URL such as http://127.0.0.1:3000"#
                + " or http+unix:///run/app.sock; did you mean http://127.0.0.1:3000?"
        ),
        Mistake([:], [""], #"curl-lb: backend "": expected a URL such as http://127.0.0.1:3000"#),
        Mistake(
            [:],
            ["http://a", "http://a"],
            #"curl-lb: backend "http://a": expected a name of its own, a:80 is taken; give one with ;name="#
        ),
    ]

    private static func policy(_ value: String, _ reason: String) -> Mistake {
        Mistake(["LB_POLICY": value], "curl-lb: LB_POLICY=\"\(value)\": \(reason)")
    }
}
