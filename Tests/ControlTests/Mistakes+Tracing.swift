// Mistakes in the settings of traces.

extension Mistake {
    private static let endpoint = "off or a collector's URL such as http://127.0.0.1:4318"
    private static let headers =
        "none, name=value with commas between, such as Authorization=Bearer%20x, or file: and the path of a file that"
        + " holds that"

    static let tracing: [Mistake] = [
        Mistake(["LB_TRACE": "yes"], #"curl-lb: LB_TRACE="yes": expected on or off"#),
        Mistake(
            ["LB_TRACE_SAMPLE": "1"],
            #"curl-lb: LB_TRACE_SAMPLE="1": expected 0 or a part between 1/1 and 1/1000000, such as 1/100"#
        ),
        Mistake(
            ["LB_TRACE_SAMPLE": "0.1"],
            #"curl-lb: LB_TRACE_SAMPLE="0.1": expected 0 or a part between 1/1 and 1/1000000, such as 1/100"#
        ),
        Mistake(
            ["LB_OTLP_ENDPOINT": "collector:4318"],
            #"curl-lb: LB_OTLP_ENDPOINT="collector:4318": expected \#(endpoint)"#
        ),
        Mistake(
            ["LB_OTLP_ENDPOINT": "grpc://collector:4317"],
            #"curl-lb: LB_OTLP_ENDPOINT="grpc://collector:4317": expected \#(endpoint)"#
        ),
        Mistake(
            ["LB_OTLP_ENDPOINT": "http://collector:x"],
            #"curl-lb: LB_OTLP_ENDPOINT="http://collector:x": expected a port between 1 and 65535, not "x""#
        ),
        Mistake(
            ["LB_OTLP_ENDPOINT": "http://collector/?token=x"],
            #"curl-lb: LB_OTLP_ENDPOINT="http://collector/?token=x": expected no query and no fragment in the URL"#
        ),
        Mistake(
            ["LB_OTLP_ENDPOINT": "http://user:secret@collector"],
            #"curl-lb: LB_OTLP_ENDPOINT="***": expected no user name in the URL; LB_OTLP_HEADERS is for tokens"#
        ),
        Mistake(
            ["LB_OTLP_HEADERS": "Authorization: Bearer secret"],
            #"curl-lb: LB_OTLP_HEADERS="***": expected \#(headers)"#
        ),
        Mistake(
            ["LB_OTLP_HEADERS": "a=secret%0D%0Ab: c"],
            #"curl-lb: LB_OTLP_HEADERS="***": expected \#(headers)"#
        ),
        Mistake(
            ["LB_OTLP_HEADERS": "file:/no/such/file"],
            #"curl-lb: LB_OTLP_HEADERS="file:/no/such/file": expected a readable file after file:"#
        ),
    ]
}
