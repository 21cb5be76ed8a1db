// Mistakes in backends, each with the one line that answers it. Free of imports, as the rest of the table.

extension Mistake {
    static let backends: [Mistake] = [
        Mistake(
            [:],
            [],
            "curl-lb: no backend: expected at least one in LB_BACKENDS or on the command line,"
                + " such as http://127.0.0.1:3000"
        ),
        Mistake(
            ["LB_BACKENDS": ""],
            [],
            "curl-lb: no backend: expected at least one in LB_BACKENDS or on the command line,"
                + " such as http://127.0.0.1:3000"
        ),
        backend(
            "127.0.0.1:3000",
            "expected a URL such as http://127.0.0.1:3000 or http+unix:///run/app.sock;"
                + " did you mean http://127.0.0.1:3000?"
        ),
        backend(
            "unix:/run/app.sock",
            "expected a URL such as http://127.0.0.1:3000 or http+unix:///run/app.sock"
        ),
        backend("ftp://files:21", "expected http://, https:// or http+unix:///, not ftp://"),
        backend("http://", "expected a host name, an IPv4 address or an IPv6 address in brackets"),
        backend("http://a:0", #"expected a port between 1 and 65535, not "0""#),
        backend("http://a:", #"expected a port between 1 and 65535, not """#),
        backend("http://a:99999", #"expected a port between 1 and 65535, not "99999""#),
        backend(
            "http://bücher.example",
            #"expected a host name, an IPv4 address or an IPv6 address in brackets, not "bücher.example""#
        ),
        backend("http://127.1", #"expected a host name, an IPv4 address or an IPv6 address in brackets, not "127.1""#),
        backend("http://::1:80", "expected brackets around an IPv6 address, such as [::1]:3000"),
        backend(
            "http://[fe80::1%25eth0]:80",
            #"expected a host name, an IPv4 address or an IPv6 address in brackets, not "[fe80::1%25eth0]""#
        ),
        backend("http://a/api", #"expected no path in a backend's URL, not "/api": requests keep their own"#),
        backend("http://a/?x=1", "expected no query (?...) in a backend's URL"),
        backend("http://a#top", "expected no fragment (#...) in a backend's URL"),
        backend(
            "http://joe:secret@a:80",
            shown: "http://***@a:80",
            "expected no user name and no password in a backend's URL"
        ),
        backend(
            "joe:se/cr;et@a:80",
            shown: "***@a:80",
            "expected no user name and no password in a backend's URL"
        ),
        backend("http+unix://run/app.sock", "expected an absolute path, such as http+unix:///run/app.sock"),
        backend(
            "http+unix:///" + String(repeating: "a", count: 107),
            "expected a path of at most 107 bytes, not 108"
        ),
        backend(
            "http://a;nmae=b",
            #"expected the option name, weight, backup, state, max_conns, health_path, slow_start, host, proxy, verify, cacert, sni, cert or key, not "nmae"; did you mean name?"#
        ),
        backend(
            "http://a;priority=2",
            #"expected the option name, weight, backup, state, max_conns, health_path, slow_start, host, proxy, verify, cacert, sni, cert or key, not "priority""#
        ),
        backend(
            "http://a;maxconn=2",
            #"expected the option name, weight, backup, state, max_conns, health_path, slow_start, host, proxy, verify, cacert, sni, cert or key, not "maxconn";"#
                + " did you mean max_conns?"
        ),
        backend("http://a;weight=-1", #"expected a whole number between 0 and 65535 after weight=, not "-1""#),
        backend("http://a;weight=65536", #"expected a whole number between 0 and 65535 after weight=, not "65536""#),
        backend("http://a;weight=50%", #"expected a whole number between 0 and 65535 after weight=, not "50%""#),
        backend(
            "http://a;health_path=healthz",
            #"expected off or a path such as /healthz after health_path=, not "healthz""#
        ),
        backend(
            "http://a;slow_start=10",
            #"expected 0 or a duration with a unit between 1ms and 1h, such as 250ms, 2s or 5m after slow_start=, not "10""#
        ),
        backend("http://a;weight=1;weight=2", "expected the option weight only once"),
        backend("http://a;backup", "expected a value after backup, as in backup=..."),
        backend("http://a;backup=true", #"expected on or off after backup=, not "true""#),
        backend("http://a;max_conns=", #"expected a whole number between 0 and 1000000 after max_conns=, not """#),
        backend(
            "http://a;max_conns=1000001",
            #"expected a whole number between 0 and 1000000 after max_conns=, not "1000001""#
        ),
        backend("http://a;name", "expected a value after name, as in name=..."),
        backend(
            "http://a;name=",
            #"expected 1 to 64 letters, digits, dots, dashes or underscores after name=, not """#
        ),
        backend("http://a;name=b;name=c", "expected the option name only once"),
        backend("https://a;verify=yes", #"expected on or off after verify=, not "yes""#),
        backend("http://a;verify=off", "expected verify only with https://"),
        backend(
            "https://a;cacert=/no/such.pem",
            #"expected a readable file of PEM certificates after cacert=, not "/no/such.pem""#
        ),
        backend("https://a;cacert=/", #"expected a readable file of PEM certificates after cacert=, not "/""#),
        backend("http://a;host=", #"expected preserve, backend or a host name after host=, not """#),
        backend("http://a;host=a/b", #"expected preserve, backend or a host name after host=, not "a/b""#),
        backend(
            "http://a;proxy=http://b",
            shown: "http://a;proxy=***",
            "expected off or a proxy such as socks5://10.0.0.1:1080, socks5h://... or http://... after proxy="
        ),
        backend(
            "http://a;proxy=https://joe:secret@b:1;weight=1",
            shown: "http://a;proxy=***;weight=1",
            "expected off or a proxy such as socks5://10.0.0.1:1080, socks5h://... or http://... after proxy="
        ),
        backend(
            "http://a;proxy=http://joe@b:1",
            shown: "http://a;proxy=***",
            "expected user:password before the @ of proxy=, with %XX for anything but letters, digits and -._~"
        ),
        backend(
            "http://a;proxy=http://joe:se;cr=et@b:1",
            shown: "http://a;proxy=***",
            "expected user:password before the @ of proxy=, with %XX for anything but letters, digits and -._~"
        ),
        backend(
            "http://a;proxy=socks5://***@b:1",
            shown: "http://a;proxy=***",
            "expected user:password before the @ of proxy=, with %XX for anything but letters, digits and -._~"
        ),
        backend(
            "http://a;proxy=socks5://joe:secret@b:1;backup=1",
            shown: "http://a;proxy=socks5://***@b:1;backup=1",
            #"expected on or off after backup=, not "1""#
        ),
        backend("http+unix:///run/a;proxy=http://b:1", "expected proxy only with http:// or https://"),
        backend(
            "https://a;cert=/no/such.pem",
            #"expected a readable file of a PEM certificate after cert=, not "/no/such.pem""#
        ),
        backend(
            "https://a;cert=/etc/passwd",
            #"expected a file with a PEM certificate after cert=, not "/etc/passwd""#
        ),
        backend("https://a;key=/etc/passwd", #"expected a file with a PEM private key after key=, not "/etc/passwd""#),
        backend("https://a;sni=10.0.0.1", #"expected a host name after sni=, not "10.0.0.1""#),
        Mistake(
            ["LB_BACKENDS": "http://a https://a:80"],
            [],
            #"curl-lb: LB_BACKENDS="https://a:80": expected a name of its own, a:80 is taken; give one with ;name="#
        ),
        backend("dns:app", "expected a name such as dns://app.internal:3000"),
        backend("dns://", "expected a host name, an IPv4 address or an IPv6 address in brackets"),
        backend("dns://10.0.0.1:80", "expected a name after dns://; for an address write http://10.0.0.1:80"),
        backend("dns+https://[::1]", "expected a name after dns+https://; for an address write https://[::1]:443"),
        backend("dns://app/x", #"expected no path in a backend's URL, not "/x": requests keep their own"#),
        backend("dns://app;verify=off", "expected verify only with https://"),
        backend(
            "dns://app;nmae=b",
            #"expected the option name, weight, backup, state, max_conns, health_path, slow_start, host, proxy, verify, cacert, sni, cert or key, not "nmae";"#
                + " did you mean name?"
        ),
        backend(
            "file:backends",
            "expected the absolute path of a list of backends, such as file:/etc/curl-lb/backends"
        ),
        backend("file:///", "expected the absolute path of a list of backends, such as file:/etc/curl-lb/backends"),
        backend("file:/no/such/list", "expected a file in a directory that exists after file:"),
        backend("file:/tmp", "expected a file in a directory that exists after file:"),
        backend("file:/tmp/list;name=a", "expected name only at the backends of the list"),
        backend("exec:list", "expected the absolute path of a program, such as exec:/usr/local/bin/list-backends"),
        backend("exec:/etc/passwd", "expected a program that may be run after exec:"),
        Mistake(
            ["LB_BACKENDS": "dns://app;weight=2 dns://app:80"],
            [],
            #"curl-lb: LB_BACKENDS="dns://app:80": expected a source only once"#
        ),
        // What the command line replaces is checked all the same.
        Mistake(
            ["LB_BACKENDS": "ftp://a"],
            #"curl-lb: LB_BACKENDS="ftp://a": expected http://, https:// or http+unix:///, not ftp://"#
        ),
    ]

    /// A mistake in the one backend of `LB_BACKENDS`.
    private static func backend(_ entry: String, shown: String? = nil, _ reason: String) -> Mistake {
        Mistake(["LB_BACKENDS": entry], [], "curl-lb: LB_BACKENDS=\"\(shown ?? entry)\": \(reason)")
    }
}
