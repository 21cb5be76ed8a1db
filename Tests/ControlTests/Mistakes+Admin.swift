// Mistakes in what is said about the admin API.

extension Mistake {
    private static let addressExpected = "expected off, host:port, [v6]:port or unix:/path"
    private static let tokenForm = "16 to 256 letters, digits or -._~+/="

    static let admin: [Mistake] = [
        address("", "\(addressExpected); unset it to get the default, 127.0.0.1:9900"),
        address("9900", "expected host:port; did you mean 127.0.0.1:9900 or *:9900?"),
        address("no", "expected a port after the host, such as 127.0.0.1:5000"),
        address("http://127.0.0.1:9900", "expected host:port, [v6]:port or unix:/path, not a URL"),
        address("unix:lb.sock", "expected an absolute path, such as unix:/run/curl-lb.sock"),
        address("127.0.0.1:1 127.0.0.1:2", #"expected brackets around an IPv6 address, such as [::1]:3000"#),
        beyond("*:9900", "0.0.0.0:9900"),
        beyond("[::]:9900", "[::]:9900"),
        beyond("10.0.0.1:9900", "10.0.0.1:9900"),
        beyond("lb.test:9900", "lb.test:9900"),
        // A secret is not repeated.
        Mistake(
            ["LB_ADMIN_TOKEN": "tooshort"],
            #"curl-lb: LB_ADMIN_TOKEN="***": expected none, a token of \#(tokenForm), or file: and the path of a"#
                + " file that holds one"
        ),
        Mistake(
            ["LB_ADMIN_TOKEN": "twenty letters with spaces", "LB_ADMIN": "*:9900"],
            #"curl-lb: LB_ADMIN_TOKEN="***": expected none, a token of \#(tokenForm), or file: and the path of a"#
                + " file that holds one"
        ),
        Mistake(
            ["LB_ADMIN_TOKEN": "file:/no/such/file"],
            #"curl-lb: LB_ADMIN_TOKEN="file:/no/such/file": expected a readable file after file:"#
        ),
        Mistake(
            ["LB_ADMIN_TOKEN": "file:/proc/sys/kernel/ostype"],
            #"curl-lb: LB_ADMIN_TOKEN="file:/proc/sys/kernel/ostype": expected a token of \#(tokenForm) in the file"#
        ),
    ]

    private static func address(_ value: String, _ reason: String) -> Mistake {
        Mistake(["LB_ADMIN": value], "curl-lb: LB_ADMIN=\"\(value)\": \(reason)")
    }

    private static func beyond(_ value: String, _ shown: String) -> Mistake {
        Mistake(
            ["LB_ADMIN": value],
            "curl-lb: LB_ADMIN=\"\(shown)\": expected LB_ADMIN_TOKEN beside an address that others can reach;"
                + " set it, or listen on 127.0.0.1 or a Unix-domain socket"
        )
    }
}
