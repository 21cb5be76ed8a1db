// The rows of the settings table that are about the admin API.

import Front

extension SettingsTable {
    static let adminAddress = Setting(
        "LB_ADMIN",
        \.adminAddress,
        default: .tcp(host: "127.0.0.1", port: 9900),
        .adminAddress,
        "Where the admin API listens: metrics, health, state and changes of the backends. Beyond this machine only with"
            + " LB_ADMIN_TOKEN; off for none."
    )
    static let adminToken = Setting(
        "LB_ADMIN_TOKEN",
        \.adminToken,
        default: nil,
        .adminToken,
        "What users of the admin API have to send (Authorization: Bearer), but for /healthz, /readyz and the page."
    )
}
