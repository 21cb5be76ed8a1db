// The rows of the settings table that are about the backends' health.

extension SettingsTable {
    static let healthChecks = Setting(
        "LB_HEALTH",
        \.health.isChecking,
        default: true,
        .onOff,
        "Whether backends are checked: without a path by connecting to them. The first round ends before clients are served."
    )
    static let healthPath = Setting(
        "LB_HEALTH_PATH",
        \.health.path,
        default: nil,
        .path,
        "What health checks GET from the backends that have no health_path of their own; off: they only connect."
    )
    static let healthInterval = Setting(
        "LB_HEALTH_INTERVAL",
        \.health.interval,
        default: .seconds(2),
        .duration(.milliseconds(100) ... .seconds(3600)),
        "From the end of a backend's health check to its next one; half of it in doubt, twice of it while the backend is"
            + " down, and a tenth more or less by chance."
    )
    static let healthTimeout = Setting(
        "LB_HEALTH_TIMEOUT",
        \.health.timeout,
        default: .seconds(2),
        .duration(.milliseconds(10) ... .seconds(60)),
        "Limit of one health check."
    )
    static let healthRise = Setting(
        "LB_HEALTH_RISE",
        \.health.rise,
        default: 2,
        .count(1...100),
        "Passed health checks in a row that take a backend from down to up; one suffices for a backend never checked before."
    )
    static let healthFall = Setting(
        "LB_HEALTH_FALL",
        \.health.fall,
        default: 3,
        .count(1...100),
        "Failed health checks in a row that take a backend from up to down."
    )
    static let healthStatus = Setting(
        "LB_HEALTH_STATUS",
        \.health.statuses,
        default: [200...399],
        .statuses,
        "The statuses with which a health check over HTTP passes."
    )
    static let healthBody = Setting(
        "LB_HEALTH_BODY",
        \.health.body,
        default: nil,
        .text,
        "What the body of a health check's answer must contain, within its first 64 KiB; off for anything."
    )
    static let healthNotFound = Setting(
        "LB_HEALTH_404",
        \.health.notFound,
        default: .fail,
        .word(),
        "What a 404 to a health check means: that it has failed, or that the backend asks to be drained."
    )
    static let ejections = Setting(
        "LB_EJECT",
        \.health.isEjecting,
        default: true,
        .onOff,
        "Whether a backend is taken out for a time when live traffic shows it failing, erring, slow or silent beside the"
            + " others."
    )
    static let ejectAfter = Setting(
        "LB_EJECT_AFTER",
        \.health.ejectAfter,
        default: 5,
        .count(1...10000),
        "Failed attempts in a row, or answers of 500 and more in a row, that eject a backend."
    )
    static let ejectTime = Setting(
        "LB_EJECT_TIME",
        \.health.ejectTime,
        default: .seconds(10),
        .duration(.milliseconds(100) ... .seconds(3600)),
        "How long the first ejection lasts; the n-th n times as long, up to 5 minutes. One is forgiven for 30 s of service."
    )
    static let ejectLimit = Setting(
        "LB_EJECT_MAX",
        \.health.ejectLimit,
        default: 50,
        .count(1...100),
        "The most ejected backends at a time, in percent; one always may be, the last usable one never."
    )
    static let slowStart = Setting(
        "LB_SLOW_START",
        \.health.slowStart,
        default: .seconds(10),
        .duration(.zero ... .seconds(3600)),
        "How long a backend that is new or has recovered takes from a tenth to all of its share; 0 gives it all at once."
    )
    static let panic = Setting(
        "LB_PANIC",
        \.health.failsOpen,
        default: true,
        .onOff,
        "Whether requests go to all ready backends when none is usable; off answers them with 503."
    )

    static let health: [any SettingRow] = [
        healthChecks, healthPath, healthInterval, healthTimeout, healthRise, healthFall, healthStatus, healthBody,
        healthNotFound, ejections, ejectAfter, ejectTime, ejectLimit, slowStart, panic,
    ]
}
