// Mistakes in what is read while the program runs, and in how a process is taken over from.

extension Mistake {
    static let live: [Mistake] = [
        Mistake(
            ["LB_ENV_FILE": "/nonexistent/curl-lb.env"],
            #"curl-lb: LB_ENV_FILE="/nonexistent/curl-lb.env": expected none or the path of a readable file"#
        ),
        Mistake(["LB_ENV_FILE": "/tmp"], #"curl-lb: LB_ENV_FILE="/tmp": expected none or the path of a readable file"#),
        Mistake(
            ["LB_ENV_FILE": ""],
            #"curl-lb: LB_ENV_FILE="": expected none or the path of a readable file; unset it to get the default, none"#
        ),
        Mistake(
            ["LB_TAKEOVER_SOCKET": "atuo"],
            #"curl-lb: LB_TAKEOVER_SOCKET="atuo": expected auto, off or the path of a socket,"#
                + " such as /run/curl-lb/takeover.sock; did you mean auto?"
        ),
        Mistake(
            ["LB_TAKEOVER_SOCKET": "/run/"],
            #"curl-lb: LB_TAKEOVER_SOCKET="/run/": expected an absolute path, such as /run/curl-lb/takeover.sock"#
        ),
        Mistake(
            ["LB_BACKENDS": "http://a;state=drian"],
            #"curl-lb: LB_BACKENDS="http://a;state=drian": expected ready, drain or maintenance after state=, not "drian";"#
                + " did you mean drain?"
        ),
        Mistake(
            [:],
            ["reload"],
            "curl-lb reload: expected --check and a file; a running balancer reads its LB_ENV_FILE on SIGHUP (kill -HUP)"
        ),
        Mistake(
            [:],
            ["reload", "--check", "/nonexistent", "http://127.0.0.1:3000"],
            #"curl-lb: LB_ENV_FILE="/nonexistent": expected none or the path of a readable file"#
        ),
    ]
}
