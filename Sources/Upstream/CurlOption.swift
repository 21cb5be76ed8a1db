// libcurl's options with the Swift type of their values.

internal import CCurl

/// A libcurl easy option together with the Swift type of its value: the only place where `CURLOPT_…` names appear.
struct CurlOption<Value>: Sendable {
    let raw: CURLoption

    private init(_ raw: CURLoption) { self.raw = raw }
}

extension CurlOption where Value == Int {
    /// No signal handlers, and no system calls to mask signals around each drive. CURLOPT_NOSIGNAL(3)
    static var noSignal: Self { Self(CURLOPT_NOSIGNAL) }
    /// Connect and hand the connection over; no request of libcurl's own. CURLOPT_CONNECT_ONLY(3)
    static var connectOnly: Self { Self(CURLOPT_CONNECT_ONLY) }
    /// Name lookup, TCP and TLS together, in milliseconds. CURLOPT_CONNECTTIMEOUT_MS(3)
    static var connectTimeoutMilliseconds: Self { Self(CURLOPT_CONNECTTIMEOUT_MS) }
    /// The whole transfer, in milliseconds. CURLOPT_TIMEOUT_MS(3)
    static var timeoutMilliseconds: Self { Self(CURLOPT_TIMEOUT_MS) }
    /// Close the connection after the transfer. CURLOPT_FORBID_REUSE(3)
    static var forbidReuse: Self { Self(CURLOPT_FORBID_REUSE) }
    /// The most bytes that one receive gives. CURLOPT_BUFFERSIZE(3)
    static var bufferSize: Self { Self(CURLOPT_BUFFERSIZE) }
    /// The length of what is POSTed; set before the bytes. CURLOPT_POSTFIELDSIZE(3)
    static var contentLength: Self { Self(CURLOPT_POSTFIELDSIZE) }
    /// Which HTTP version ALPN offers. CURLOPT_HTTP_VERSION(3)
    static var httpVersion: Self { Self(CURLOPT_HTTP_VERSION) }
    /// Do not join a resolver thread that is still busy. CURLOPT_QUICK_EXIT(3)
    static var quickExit: Self { Self(CURLOPT_QUICK_EXIT) }
    /// Connect through an HTTP proxy by CONNECT, whatever the scheme. CURLOPT_HTTPPROXYTUNNEL(3)
    static var tunnelsThroughProxy: Self { Self(CURLOPT_HTTPPROXYTUNNEL) }
    /// A proxy's answer to CONNECT is nobody's response. CURLOPT_SUPPRESS_CONNECT_HEADERS(3)
    static var hidesProxyHeads: Self { Self(CURLOPT_SUPPRESS_CONNECT_HEADERS) }
    /// Whether the certificate chain must verify. CURLOPT_SSL_VERIFYPEER(3)
    static var verifyPeer: Self { Self(CURLOPT_SSL_VERIFYPEER) }
    /// 2: the certificate must bear the host's name; 0: any. CURLOPT_SSL_VERIFYHOST(3)
    static var verifyHost: Self { Self(CURLOPT_SSL_VERIFYHOST) }
}

extension CurlOption where Value == String {
    /// The scheme, host and port to connect to. CURLOPT_URL(3)
    static var url: Self { Self(CURLOPT_URL) }
    /// What stands in the request line in place of the URL's path. CURLOPT_REQUEST_TARGET(3)
    static var requestTarget: Self { Self(CURLOPT_REQUEST_TARGET) }
    /// The User-Agent field. CURLOPT_USERAGENT(3)
    static var userAgent: Self { Self(CURLOPT_USERAGENT) }
    /// Hosts that no proxy is used for. CURLOPT_NOPROXY(3)
    static var noProxy: Self { Self(CURLOPT_NOPROXY) }
    /// The proxy's URL; the empty string switches every proxy off, the environment's too. CURLOPT_PROXY(3)
    static var proxy: Self { Self(CURLOPT_PROXY) }
    /// Who we are at the proxy. CURLOPT_PROXYUSERNAME(3)
    static var proxyUser: Self { Self(CURLOPT_PROXYUSERNAME) }
    /// The password at the proxy. CURLOPT_PROXYPASSWORD(3)
    static var proxyPassword: Self { Self(CURLOPT_PROXYPASSWORD) }
    /// The PEM file of the certificate that we show. CURLOPT_SSLCERT(3)
    static var certificateFile: Self { Self(CURLOPT_SSLCERT) }
    /// The PEM file of its private key. CURLOPT_SSLKEY(3)
    static var keyFile: Self { Self(CURLOPT_SSLKEY) }
    /// The schemes that may be used. CURLOPT_PROTOCOLS_STR(3)
    static var protocols: Self { Self(CURLOPT_PROTOCOLS_STR) }
    /// A Unix-domain socket in place of TCP. CURLOPT_UNIX_SOCKET_PATH(3)
    static var unixSocketPath: Self { Self(CURLOPT_UNIX_SOCKET_PATH) }
    /// The file of trusted certificate authorities. CURLOPT_CAINFO(3)
    static var authorityFile: Self { Self(CURLOPT_CAINFO) }
    /// The directory of trusted certificate authorities. CURLOPT_CAPATH(3)
    static var authorityDirectory: Self { Self(CURLOPT_CAPATH) }
}

extension CurlOption where Value == UnsafeMutableRawPointer {
    /// The object that a message about this handle leads back to. CURLOPT_PRIVATE(3)
    static var owner: Self { Self(CURLOPT_PRIVATE) }
    /// 256 bytes for the text of the last error. CURLOPT_ERRORBUFFER(3)
    static var errorBuffer: Self { Self(CURLOPT_ERRORBUFFER) }
    /// A `curl_slist` of "host:port:connect-host:connect-port". CURLOPT_CONNECT_TO(3)
    static var connectTo: Self { Self(CURLOPT_CONNECT_TO) }
    /// A `curl_slist` of field lines, kept alive by the caller. CURLOPT_HTTPHEADER(3)
    static var fieldLines: Self { Self(CURLOPT_HTTPHEADER) }
    /// The bytes to POST, which libcurl copies. CURLOPT_COPYPOSTFIELDS(3)
    static var copiedContent: Self { Self(CURLOPT_COPYPOSTFIELDS) }
    /// What ``CurlOption/bodyReceiver`` is called with. CURLOPT_WRITEDATA(3)
    static var bodyContext: Self { Self(CURLOPT_WRITEDATA) }
    /// What ``CurlOption/headReceiver`` is called with. CURLOPT_HEADERDATA(3)
    static var headContext: Self { Self(CURLOPT_HEADERDATA) }
}

extension CurlOption where Value == curl_write_callback {
    /// Called with body bytes, at most 16 KiB at a time. CURLOPT_WRITEFUNCTION(3)
    static var bodyReceiver: Self { Self(CURLOPT_WRITEFUNCTION) }
    /// Called with each line of a head. CURLOPT_HEADERFUNCTION(3)
    static var headReceiver: Self { Self(CURLOPT_HEADERFUNCTION) }
}
