// Mistakes in the settings of retries, queue, deadline and hedging.

extension Mistake {
    private static let conditions =
        "none, safe, gateway, all-retryable-errors, conn-failure, empty-response, junk-response, response-timeout,"
        + " 401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503 or 504"

    static let overload: [Mistake] = [
        Mistake(
            ["LB_RETRY_ON": "saef"],
            #"curl-lb: LB_RETRY_ON="saef": expected \#(conditions), not "saef"; did you mean safe?"#
        ),
        Mistake(
            ["LB_RETRY_ON": "safe,505"],
            #"curl-lb: LB_RETRY_ON="safe,505": expected \#(conditions), not "505"; did you mean 500?"#
        ),
        Mistake(
            ["LB_RETRY_ON": "0rtt-rejected"],
            #"curl-lb: LB_RETRY_ON="0rtt-rejected": expected \#(conditions), not "0rtt-rejected""#
        ),
        Mistake(
            ["LB_RETRY_ON": "conn_failure"],
            #"curl-lb: LB_RETRY_ON="conn_failure": expected \#(conditions), not "conn_failure";"#
                + " did you mean conn-failure?"
        ),
        Mistake(
            ["LB_RETRY_ON": "none,503"],
            #"curl-lb: LB_RETRY_ON="none,503": expected none to stand alone"#
        ),
        Mistake(
            ["LB_RETRY_ON": ","],
            #"curl-lb: LB_RETRY_ON=",": expected at least one class; none is for no retry at all"#
        ),
        Mistake(
            ["LB_RETRY_ON": ""],
            #"curl-lb: LB_RETRY_ON="": expected none, safe, gateway or all-retryable-errors, or a list of classes;"#
                + " unset it to get the default, safe"
        ),
        Mistake(
            ["LB_RETRY_BUDGET": "20%"],
            #"curl-lb: LB_RETRY_BUDGET="20%": expected a whole number between 0 and 100"#
        ),
        Mistake(
            ["LB_RETRY_BUDGET": "101"],
            #"curl-lb: LB_RETRY_BUDGET="101": expected a whole number between 0 and 100"#
        ),
        Mistake(["LB_QUEUE": "off"], #"curl-lb: LB_QUEUE="off": expected a whole number between 0 and 1000000"#),
        Mistake(
            ["LB_QUEUE_TIMEOUT": "0"],
            #"curl-lb: LB_QUEUE_TIMEOUT="0": expected a duration with a unit between 1ms and 1h, such as 250ms, 2s or 5m"#
        ),
        Mistake(
            ["LB_DEADLINE": "0"],
            #"curl-lb: LB_DEADLINE="0": expected off or a duration with a unit between 1ms and 24h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_HEDGE": "50"],
            #"curl-lb: LB_HEDGE="50": expected off or a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_HEDGE": "50ms", "LB_RETRIES": "0"],
            "curl-lb: LB_HEDGE: LB_RETRIES allows no second attempt; set LB_HEDGE to off, or allow one"
        ),
        Mistake(
            ["LB_HEDGE": "50ms", "LB_RETRY_ON": "none"],
            "curl-lb: LB_HEDGE: LB_RETRY_ON allows no second attempt; set LB_HEDGE to off, or allow one"
        ),
        Mistake(
            ["LB_HEDGE": "50"],
            #"curl-lb: LB_HEDGE="50": expected off or a duration with a unit between 1ms and 1h,"#
                + " such as 250ms, 2s or 5m"
        ),
        Mistake(
            ["LB_HEDGE": "50ms", "LB_RETRIES": "0"],
            "curl-lb: LB_HEDGE: LB_RETRIES allows no second attempt; set LB_HEDGE to off, or allow one"
        ),
        Mistake(
            ["LB_HEDGE": "50ms", "LB_RETRY_ON": "none"],
            "curl-lb: LB_HEDGE: LB_RETRY_ON allows no second attempt; set LB_HEDGE to off, or allow one"
        ),
    ]
}
