// The libcurl that this process runs with.

internal import CCurl

/// What libcurl says of itself at run time.
public enum CurlLibrary {
    /// Prepares libcurl; once, before any other use.
    ///
    /// - Returns: nil when all is well, else one sentence.
    public static func prepare() -> String? {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        if code != CURLE_OK { return "libcurl cannot start: \(String(cString: curl_easy_strerror(code)))" }
        let version = lb_version_info().pointee
        guard version.version_num >= 0x075700 else {
            return "libcurl \(String(cString: version.version)) is too old: 7.87 or newer is needed"
        }
        guard version.features & CURL_VERSION_SSL != 0 else {
            return "this libcurl has no TLS: install the one that Debian builds with OpenSSL (libcurl4)"
        }
        return nil
    }

    /// Version, TLS library and protocols, a line each.
    public static var report: [String] {
        let version = lb_version_info().pointee
        var protocols: [String] = []
        var next = version.protocols
        while let name = next?.pointee {
            protocols.append(String(cString: name))
            next = next?.successor()
        }
        return [
            "libcurl \(text(version.version))",
            "TLS: \(text(version.ssl_version))",
            "protocols: \(protocols.joined(separator: " "))",
        ]
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? "none"
    }
}
