// The rows of the settings table that are about traces.

extension SettingsTable {
    static let trace = Setting(
        "LB_TRACE",
        \.followsTraces,
        default: false,
        shownAs: "off",
        .onOrOff,
        "Whether requests without a valid traceparent get one. Off passes traceparent and tracestate on as they come. With"
            + " LB_OTLP_ENDPOINT the default is on."
    )
    static let traceSample = Setting(
        "LB_TRACE_SAMPLE",
        \.traceSample,
        default: 1,
        shownAs: "1/1",
        .traceSample,
        "Which part of the traces that begin here are recorded, drawn at random; for others their beginning has decided."
    )
    static let traceEndpoint = Setting(
        "LB_OTLP_ENDPOINT",
        \.traceEndpoint,
        default: nil,
        .traceEndpoint,
        "Where spans go: the base URL of a collector that takes OTLP over HTTP in JSON; /v1/traces is put behind it."
    )
    static let traceHeaders = Setting(
        "LB_OTLP_HEADERS",
        \.traceHeaders,
        default: nil,
        .traceHeaders,
        "Field lines that go along with spans, such as a token; %XX stands for a byte that cannot be written. Never shown."
    )

    static let tracing: [any SettingRow] = [trace, traceSample, traceEndpoint, traceHeaders]
}
