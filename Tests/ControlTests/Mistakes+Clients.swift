// Mistakes in what is said about clients: how they are bound, and who is believed about them.

extension Mistake {
    static let affinity: [Mistake] = [
        sticky("", "expected off, cookie or cookie:NAME; unset it to get the default, off"),
        sticky("on", "expected off, cookie or cookie:NAME"),
        sticky("cooky", "expected off, cookie or cookie:NAME; did you mean cookie?"),
        sticky("Cookie", "expected off, cookie or cookie:NAME; did you mean cookie?"),
        sticky("off;secure=on", "expected off, cookie or cookie:NAME; did you mean off?"),
        sticky("cookie:", #"expected the name of a cookie, not """#),
        sticky("cookie:a b", #"expected the name of a cookie, not "a b""#),
        sticky("cookie:a=b", #"expected the name of a cookie, not "a=b""#),
        sticky(
            "cookie:\(String(repeating: "n", count: 65))",
            "expected the name of a cookie, not \"\(String(repeating: "n", count: 65))\""
        ),
        sticky("cookie;", #"expected the option lifetime, secure or samesite, not """#),
        sticky(
            "cookie;secur=on",
            #"expected the option lifetime, secure or samesite, not "secur"; did you mean secure?"#
        ),
        sticky("cookie;secure", #"expected on or off after secure=, not """#),
        sticky("cookie;secure=yes", #"expected on or off after secure=, not "yes""#),
        sticky("cookie;secure=on;secure=on", "expected the option secure only once"),
        sticky("cookie;lifetime=0", #"expected whole seconds between 1s and 9600h after lifetime=, not "0""#),
        sticky("cookie;lifetime=60", #"expected whole seconds between 1s and 9600h after lifetime=, not "60""#),
        sticky("cookie;lifetime=1500ms", #"expected whole seconds between 1s and 9600h after lifetime=, not "1500ms""#),
        sticky("cookie;lifetime=9601h", #"expected whole seconds between 1s and 9600h after lifetime=, not "9601h""#),
        sticky("cookie;samesite=Lax", #"expected lax, strict or none after samesite=, not "Lax""#),
        sticky(
            "cookie;samesite=none",
            "expected secure=on beside samesite=none, without which browsers refuse the cookie"
        ),
        sticky(
            "cookie:__Host-lb",
            "expected secure=on for a cookie of that name, which browsers refuse otherwise"
        ),
        // A secret is not repeated.
        Mistake(
            ["LB_STICKY_SECRET": "tooshort"],
            #"curl-lb: LB_STICKY_SECRET="***": expected none, a secret of 16 to 4096 bytes,"#
                + " or file: and the path of a file that holds one"
        ),
        Mistake(
            ["LB_STICKY_SECRET": "file:/no/such/file"],
            #"curl-lb: LB_STICKY_SECRET="file:/no/such/file": expected a readable file after file:"#
        ),
        Mistake(
            ["LB_STICKY_SECRET": "file:/tmp"],
            #"curl-lb: LB_STICKY_SECRET="file:/tmp": expected a readable file after file:"#
        ),
        Mistake(
            ["LB_STICKY_SECRET": "file:/proc/sys/kernel/ostype"],
            #"curl-lb: LB_STICKY_SECRET="file:/proc/sys/kernel/ostype": expected 16 to 4096 bytes in the file, not 5"#
        ),
    ]

    static let trust: [Mistake] = [
        trusted("localhost", addressExpected),
        trusted("10.0.0.1:80", addressExpected),
        trusted("[::1]", addressExpected),
        trusted("10.0.0", addressExpected),
        trusted("Unix", addressExpected),
        trusted("/8", addressExpected),
        trusted("10.0.0.0/", #"expected a whole number between 0 and 32 after the slash, not """#),
        trusted("10.0.0.0/33", #"expected a whole number between 0 and 32 after the slash, not "33""#),
        trusted("10.0.0.0/255.0.0.0", #"expected a whole number between 0 and 32 after the slash, not "255.0.0.0""#),
        trusted("::/129", #"expected a whole number between 0 and 128 after the slash, not "129""#),
        trusted("10.0.0.1/8", "expected no bits behind the prefix; did you mean 10.0.0.0/8 or 10.0.0.1?"),
        trusted("2001:db8::1/32", "expected no bits behind the prefix; did you mean 2001:db8::/32 or 2001:db8::1?"),
        trusted("::ffff:10.0.0.1", "expected the IPv4 address 10.0.0.1 as such: its connections count as IPv4"),
        Mistake(["LB_FORWARDED": "yes"], #"curl-lb: LB_FORWARDED="yes": expected on or off"#),
    ]

    private static let addressExpected =
        "expected an address such as 192.0.2.1 or 2001:db8::1, a prefix such as 10.0.0.0/8, or unix"

    private static func sticky(_ value: String, _ reason: String) -> Mistake {
        Mistake(["LB_STICKY": value], "curl-lb: LB_STICKY=\"\(value)\": \(reason)")
    }

    private static func trusted(_ value: String, _ reason: String) -> Mistake {
        Mistake(["LB_TRUSTED": value], "curl-lb: LB_TRUSTED=\"\(value)\": \(reason)")
    }
}
