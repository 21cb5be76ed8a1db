// One libcurl connection: an easy handle with a private share, connected once and then used for its bytes.

internal import CCurl
internal import EventLoop

/// The owner of an easy handle in CONNECT_ONLY mode, of the share that holds its one connection, and of its error text.
///
/// The private share is what makes `curl_easy_send` and `curl_easy_recv` O(1): they look the connection up in the share's
/// cache, which holds just this one.
struct CurlConnection: ~Copyable {
    let handle: OpaquePointer
    private let share: OpaquePointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var connectTo: UnsafeMutablePointer<curl_slist>?

    /// Prepares a connection; nothing is resolved or connected before the handle is added to a multi.
    init(to origin: Origin, connectTimeoutMilliseconds: Int) {
        guard let handle = curl_easy_init(), let share = curl_share_init() else {
            preconditionFailure("libcurl: out of memory")
        }
        self.handle = handle
        self.share = share
        errorText = .allocate(capacity: Int(LB_CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(LB_CURL_ERROR_SIZE))
        precondition(lb_share_hold(share, CURL_LOCK_DATA_CONNECT) == CURLSHE_OK, "libcurl shares connections")
        precondition(lb_easy_set_share(handle, share) == CURLE_OK, "libcurl takes the share")
        precondition(lb_easy_open_sockets_close_on_exec(handle) == CURLE_OK, "libcurl takes a socket callback")

        set(.errorBuffer, to: UnsafeMutableRawPointer(errorText))
        set(.connectOnly, to: 1)
        set(.noSignal, to: 1)
        set(.quickExit, to: 1)
        // libcurl reads no more than this at a time: with less, a read that looks short would not mean drained.
        set(.bufferSize, to: Stream.readSize)
        set(.connectTimeoutMilliseconds, to: connectTimeoutMilliseconds)
        set(.protocols, to: "http,https")
        set(.httpVersion, to: Int(CURL_HTTP_VERSION_1_1))
        setAddress(of: origin)
        setProxy(of: origin)
        setTrust(for: origin)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_share_cleanup(share)
        curl_slist_free_all(connectTo)
        errorText.deallocate()
    }

    private mutating func setAddress(of origin: Origin) {
        let host = Origin.bracketed(origin.host)
        if let path = origin.unixSocketPath { set(.unixSocketPath, to: path) }
        let name = origin.serverName ?? origin.name
        guard name != origin.host, origin.scheme == .https else {
            set(.url, to: "\(origin.scheme.rawValue)://\(host):\(origin.port)/")
            return
        }
        // The URL's host is what SNI and the certificate check use; CONNECT_TO leads to the address.
        set(.url, to: "https://\(name):\(origin.port)/")
        connectTo = curl_slist_append(nil, "::\(host):\(origin.port)")
        if let connectTo { set(.connectTo, to: UnsafeMutableRawPointer(connectTo)) }
    }

    private func setProxy(of origin: Origin) {
        guard let proxy = origin.proxy else {
            // Whatever the environment says about proxies is not meant for backends.
            set(.noProxy, to: "*")
            set(.proxy, to: "")
            return
        }
        set(.noProxy, to: "")
        set(.proxy, to: proxy.url)
        // The bytes are ours from the first to the last: a tunnel, for cleartext, too.
        set(.tunnelsThroughProxy, to: 1)
        set(.hidesProxyHeads, to: 1)
        guard let credentials = proxy.credentials else { return }
        set(.proxyUser, to: credentials.user)
        set(.proxyPassword, to: credentials.password)
    }

    private func setTrust(for origin: Origin) {
        // A CA directory keeps libcurl from caching the parsed CA file: 17–20 ms of CPU for each TLS connection.
        clear(.authorityDirectory)
        guard origin.scheme == .https else {
            clear(.authorityFile)
            return
        }
        if let file = origin.certificateAuthorityFile { set(.authorityFile, to: file) }
        if let file = origin.certificateFile { set(.certificateFile, to: file) }
        if let file = origin.keyFile { set(.keyFile, to: file) }
        set(.verifyPeer, to: origin.verifiesCertificate ? 1 : 0)
        set(.verifyHost, to: origin.verifiesCertificate ? 2 : 0)
    }

    // MARK: Options

    func set(_ option: CurlOption<Int>, to value: Int) {
        check(lb_easy_set_long(handle, option.raw, value), option.raw)
    }

    func set(_ option: CurlOption<String>, to value: String) {
        check(lb_easy_set_string(handle, option.raw, value), option.raw)
    }

    func set(_ option: CurlOption<UnsafeMutableRawPointer>, to value: UnsafeMutableRawPointer) {
        check(lb_easy_set_pointer(handle, option.raw, value), option.raw)
    }

    /// Says whom messages about the handle are for; unretained, so that the user outlives its place in the multi.
    func setUser(_ user: CurlUser) { set(.owner, to: Unmanaged.passUnretained(user).toOpaque()) }

    /// Has libcurl hand over what it receives, with that context.
    func setReceiver(
        _ option: CurlOption<curl_write_callback>,
        _ callback: @escaping curl_write_callback,
        _ contextOption: CurlOption<UnsafeMutableRawPointer>,
        _ context: UnsafeMutableRawPointer
    ) {
        check(lb_easy_set_write_callback(handle, option.raw, callback), option.raw)
        set(contextOption, to: context)
    }

    /// Has the transfer POST these bytes.
    func setContent(_ content: [UInt8]) {
        set(.contentLength, to: content.count)
        var content = content
        content.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { set(.copiedContent, to: start) }
        }
    }

    private func clear(_ option: CurlOption<String>) {
        check(lb_easy_set_string(handle, option.raw, nil), option.raw)
    }

    /// A refused option is a programming error (wrong build of libcurl, wrong type), never a runtime condition.
    private func check(_ code: CURLcode, _ option: CURLoption) {
        precondition(code == CURLE_OK, "curl option \(option.rawValue): \(String(cString: curl_easy_strerror(code)))")
    }

    // MARK: Bytes

    /// The connected socket, or -1.
    var activeSocket: CInt { lb_easy_get_active_socket(handle) }

    /// What came of sending or receiving through libcurl.
    enum Result {
        case moved(Int)
        case wouldBlock
        /// The backend has ended its sending (receiving only).
        case ended
        case failed(CURLcode)
    }

    /// The corresponding C function is `curl_easy_send`.
    ///
    /// After `.wouldBlock` on a TLS connection the same bytes must be offered again at the same address (libcurl before 8.14).
    func send(_ bytes: UnsafeRawBufferPointer) -> Result {
        var count = 0
        switch curl_easy_send(handle, bytes.baseAddress, bytes.count, &count) {
        case CURLE_OK: return .moved(count)
        case CURLE_AGAIN: return .wouldBlock
        case let code: return .failed(code)
        }
    }

    /// The corresponding C function is `curl_easy_recv`.
    func receive(into buffer: Buffer, limit: Int) -> Result {
        var count = 0
        switch curl_easy_recv(handle, buffer.base + buffer.end, limit, &count) {
        case CURLE_OK:
            buffer.end += count
            return count > 0 ? .moved(count) : .ended
        case CURLE_AGAIN: return .wouldBlock
        case let code: return .failed(code)
        }
    }

    // MARK: Facts about a failure

    /// libcurl's own sentence about the last failure; its standard text for the code where it left none.
    func failureText(_ code: CURLcode) -> String {
        errorText.pointee != 0 ? String(cString: errorText) : String(cString: curl_easy_strerror(code))
    }

    /// The errno of the last failed system call, or 0.
    var systemError: CInt { CInt(truncatingIfNeeded: lb_easy_get_long(handle, CURLINFO_OS_ERRNO)) }

    /// How long each part of connecting took.
    var connectTimes: ConnectTimes {
        let resolved = lb_easy_get_offset(handle, CURLINFO_NAMELOOKUP_TIME_T)
        let connected = lb_easy_get_offset(handle, CURLINFO_CONNECT_TIME_T)
        let encrypted = lb_easy_get_offset(handle, CURLINFO_APPCONNECT_TIME_T)
        func nanoseconds(_ microseconds: curl_off_t) -> UInt64 { UInt64(max(0, microseconds)) * 1000 }
        return ConnectTimes(
            lookup: nanoseconds(resolved),
            connect: nanoseconds(connected - resolved),
            handshake: encrypted > 0 ? nanoseconds(encrypted - connected) : nil
        )
    }

    /// The status of the response that a transfer got, or 0.
    var responseStatus: Int { lb_easy_get_long(handle, CURLINFO_RESPONSE_CODE) }

    /// Whether the name was resolved.
    var hasResolved: Bool { lb_easy_get_offset(handle, CURLINFO_NAMELOOKUP_TIME_T) > 0 }

    /// Whether the TCP connection was made.
    var hasConnected: Bool { lb_easy_get_offset(handle, CURLINFO_CONNECT_TIME_T) > 0 }
}
