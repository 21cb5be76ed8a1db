// GETs that are waited for: for commands that ask a running balancer, never on the way of a request.

internal import CCurl

/// Why there is no answer, in libcurl's words.
public struct DownloadFailure: Error, Equatable, CustomStringConvertible {
    public let description: String
}

/// Gets one URL, as often as it is asked to, on a connection that is kept.
///
/// Blocks whoever asks. The environment's proxies are not used, and redirects are not followed. One thread at a time;
/// ``CurlLibrary/prepare()`` comes first.
public final class Download {
    /// The most bytes of a body; a longer one is a failure.
    static let longest = 256 << 20

    private let handle: OpaquePointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var fieldLines: UnsafeMutablePointer<curl_slist>?
    private var body: [UInt8] = []

    /// - Parameters:
    ///   - url: `http` or `https`.
    ///   - unixSocketPath: The socket to connect to in place of the URL's host.
    ///   - fields: Field lines such as `Accept: text/plain`.
    ///   - timeoutMilliseconds: The limit of each GET.
    public init(_ url: String, unixSocketPath: String?, fields: [String], timeoutMilliseconds: Int) {
        guard let handle = curl_easy_init() else { preconditionFailure("libcurl: out of memory") }
        self.handle = handle
        errorText = .allocate(capacity: Int(LB_CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(LB_CURL_ERROR_SIZE))
        precondition(lb_easy_open_sockets_close_on_exec(handle) == CURLE_OK, "libcurl takes a socket callback")
        set(.errorBuffer, to: UnsafeMutableRawPointer(errorText))
        set(.noSignal, to: 1)
        set(.timeoutMilliseconds, to: timeoutMilliseconds)
        set(.protocols, to: "http,https")
        set(.httpVersion, to: Int(CURL_HTTP_VERSION_1_1))
        set(.noProxy, to: "*")
        set(.proxy, to: "")
        set(.url, to: url)
        if let unixSocketPath { set(.unixSocketPath, to: unixSocketPath) }
        for field in fields { fieldLines = curl_slist_append(fieldLines, field) }
        if let fieldLines { set(.fieldLines, to: UnsafeMutableRawPointer(fieldLines)) }
        check(lb_easy_set_write_callback(handle, CurlOption.bodyReceiver.raw, onBody))
        // Unretained: libcurl calls only within `get()`, which this object outlives.
        set(.bodyContext, to: Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fieldLines)
        errorText.deallocate()
    }

    /// Gets it, and waits for the answer.
    public func get() throws(DownloadFailure) -> (status: Int, body: [UInt8]) {
        body = []
        errorText.pointee = 0
        let code = curl_easy_perform(handle)
        guard code == CURLE_OK else {
            let hasText = errorText.pointee != 0
            throw DownloadFailure(
                description: String(cString: hasText ? UnsafePointer(errorText) : curl_easy_strerror(code))
            )
        }
        return (lb_easy_get_long(handle, CURLINFO_RESPONSE_CODE), body)
    }

    /// Takes body bytes; false when no more are wanted.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= Self.longest else { return false }
        body.append(contentsOf: bytes)
        return true
    }

    private func set(_ option: CurlOption<Int>, to value: Int) { check(lb_easy_set_long(handle, option.raw, value)) }

    private func set(_ option: CurlOption<String>, to value: String) {
        check(lb_easy_set_string(handle, option.raw, value))
    }

    private func set(_ option: CurlOption<UnsafeMutableRawPointer>, to value: UnsafeMutableRawPointer) {
        check(lb_easy_set_pointer(handle, option.raw, value))
    }

    /// A refused option is a programming error, never a runtime condition.
    private func check(_ code: CURLcode) {
        precondition(code == CURLE_OK, "curl: \(String(cString: curl_easy_strerror(code)))")
    }
}

/// Bytes of a body; another count than the one that came ends the transfer. CURLOPT_WRITEFUNCTION(3)
private func onBody(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    // Unretained: see `init`.
    let download = Unmanaged<Download>.fromOpaque(context).takeUnretainedValue()
    return download.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}
