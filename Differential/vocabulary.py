"""What the messages of the differential test are made of: usual parts, and odd ones that parsers quarrel about."""

#: Bytes that some parsers take for white space, a line end or the end of a string.
NASTY = [b"\x00", b"\t", b"\n", b"\r", b"\x0b", b"\x0c", b" ", b"\x7f", b"\x80", b"\xff", b"\r\n", b"\n\r", b"\r\r\n",
         b"\r\n\r\n", b"\n\n", b"\x1f", b"\x85", b"\xa0", b":", b",", b";", b'"', b"\\", b"#", b"/", b"\x01", b"\x1b"]

TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
TEXT = bytes(range(0x21, 0x7F)) * 3 + b" \t" * 8 + bytes(range(0x80, 0x100))
PATH = b"abcxyz0129-._~!$&'()*+;=:@%/?," + b"ab/" * 6

METHODS = [b"GET"] * 12 + [b"POST"] * 8 + [
    b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"QUERY", b"PROPFIND", b"M-SEARCH", b"REPORT",
    b"PURGE", b"LINK", b"SEARCH",
]
ODD_METHODS = [
    b"get", b"Get", b"BREW", b"GETX", b"G", b"GE", b"CONNECT", b"PRI", b"SOURCE", b"DESCRIBE", b"A" * 32, b"A" * 33,
    b"GET\t", b" GET", b"", b"G,ET", b"HTTP/1.1", b"M_X", b"!#$%&'*+-.^_`|~", b"G\x80T", b"\x16\x03\x01",
]
TARGETS = [
    b"/", b"/index.html", b"/a/b/c?x=1&y=2", b"/%20%ff", b"//x/y", b"/?", b"/a?b?c", b"/a;b=c,d", b"/[x]",
    b"/a\"b<c>", b"/^{|}`\\", b"http://example.org/", b"http://example.org", b"HTTP://example.org:80/x?y",
    b"https://[::1]:443/", b"http://10.0.0.1:8080?q", b"http://a-b.c_d/~x", b"http://x:/", b"/..//..",
]
ODD_TARGETS = [
    b"*", b"x", b"example.org:80", b"example.org", b"http://", b"http:///x", b"http://u@h/", b"http://u:p@h/",
    b"/#f", b"/a#", b"/\x80", b"/\t", b"/\x0c", b"/a b", b"", b"http://h:99999/", b"http://h:x/", b"ftp://h/",
    b"http:/x", b"http:x", b"?x", b"*x", b"http://[::1/", b"http://[x]/", b"http://h,i/", b"http://%41/",
    b"http://%4/", b"http://h%", b"://h/", b"1http://h/", b"ws://h/", b"http://a'b!/", b"http://h\\x/", b"/\x00",
    b"/\x7f", b"http://[::]x/", b"h.t+p-p://x/", b"http://h@/", b"http://@h/", b"http://h?a@b", b"http://h/\"",
    b"http://a(b)/", b"http://a*b;c=d&e+f/", b"http://a$b/", b"http://~/", b"http://h:0080/", b"http://h:65535/",
    b"http://h:65536/", b"http://h:00000000080/", b"#", b"http://h#f",
]
VERSIONS = [b"HTTP/1.1"] * 12 + [b"HTTP/1.0"] * 2
ODD_VERSIONS = [
    b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/2", b"http/1.1", b"HTTP/1.10",
    b"HTTP/01.1", b"HTTP/1,1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"HTTP/1.1 ", b"HTTP/1.1\t", b" HTTP/1.1",
    b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1.x", b"HTTPS/1.1", b"RTSP/1.0", b"ICE/1.0", b"", b"HTTP/1.1x", b"HTTP/+1.1",
    b"HTTP/1.1\x00", b"hTTP/1.1", b"HTTP/1 1",
]
STATUSES = [b"200"] * 10 + [
    b"201", b"204", b"206", b"301", b"302", b"304", b"400", b"404", b"500", b"503", b"100", b"101", b"102", b"103",
    b"199", b"299", b"418", b"599", b"999",
]
ODD_STATUSES = [
    b"000", b"099", b"20", b"2000", b"2x0", b"+20", b"-20", b" 200", b"", b"2", b"0200", b"200\t", b"1", b"02 ",
    b"600",
]
REASONS = [b"OK", b"Not Found", b"", b"OK, so be it", b"\xc3\xa4h", b"a\tb", b" two", b"x "]
ODD_REASONS = [b"a\x00b", b"a\x0bb", b"a\x7fb", b"a\x1bb", b"\x01", b"a\rb", b"a\nb", b"\x0c", b"  ", b"\t"]

NAMES = [
    b"Accept", b"Accept-Encoding", b"User-Agent", b"X-Id", b"Cookie", b"cache-control", b"ETag", b"Date", b"Server",
    b"Vary", b"Content-Type", b"Set-Cookie", b"Via", b"X-Forwarded-For", b"Forwarded", b"Location", b"Referer",
    b"TE", b"Trailer", b"Age", b"Max-Forwards", b"Expect", b"Keep-Alive", b"Sec-WebSocket-Key", b"Early-Data",
    b"content-lengthx", b"Content-Lengt", b"Hosts", b"Hos", b"Transfer-Encodin", b"Transfer-Encodings",
    b"Connections", b"Connectio", b"Proxy-Authorization", b"x", b"X_Y", b"!#$%&'*+-.^`|~",
]
VALUES = [
    b"a", b"text/html, */*;q=0.1", b"gzip, br", b"", b"0", b"100-continue", b"trailers", b"a=b; c=d",
    b"\"quoted, text\"", b"x\ty", b"a  b", b"\xe4\xf6\xfc", b"chunked", b"close", b"12", b"(comment)", b"a:b:c",
    b":", b",", b"W/\"1\"", b"Mozilla/5.0 (X11; Linux x86_64)", b"[::1]", b"=?utf-8?q?x?=",
]
BLANKS = [b" "] * 10 + [b"", b"", b"  ", b"\t", b" \t "]
TRAILING_BLANKS = [b""] * 14 + [b" ", b"\t", b" \t "]
ODD_BLANKS = [b"\x0b", b"\x0c", b"\xa0", b"\x00", b"\r", b"\n", b"\r\n ", b"\r\n\t", b"\n ", b"\x85", b"\x7f"]

HOSTS = [b"example.org", b"localhost:8080", b"[::1]:80", b"10.0.0.1", b"x", b"a-b.c", b"", b"x:", b"a_b:1"]
ODD_HOSTS = [
    b"a b", b"a,b", b"a/b", b"u@h", b"h:99999", b"h:x", b"[::1", b"[x]", b"h\x80", b"h#", b"h?", b"%41", b"%4",
    b"h:1:2", b":80", b"a;b", b"a'b", b"a\"b", b"a\\b", b"<h>", b"h:0", b"h:65536", b"h:-1", b"h: 1", b"[]", b"[:]",
    b"a..b", b".",
]
LENGTHS = [b"%d"]
ODD_LENGTHS = [
    b"+%d", b"-%d", b"%d, %d", b"%d,%d", b"%d,", b",%d", b"0x%d", b"0%d", b"000000000000000000000000%d", b"%d;",
    b"%d %d", b"%d.0", b"\x0b%d", b"%d\x0c", b"%d\x00", b"", b"%d , %d", b"18446744073709551616",
    b"9223372036854775808", b"9223372036854775807", b"18446744073709551615", b"99999999999999999999",
    b"999999999999999999999999", b"\"%d\"", b"%de0", b"1%d", b"%d,7", b"a", b"\xa0%d", b"%d\t", b"\t%d", b" %d ",
    b"%d, 7, %d", b"%d,,%d", b"00", b"-0", b"\xb2", b"0,%d",
]
ODD_CODINGS = [
    b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"identity", b"chunked;x", b"chunked;q=1", b"xchunked",
    b"chunkedx", b"chunked,", b",chunked", b", chunked", b"", b"chunke", b"\x0bchunked", b"chunked\x0c",
    b"chunked\x00", b"\"chunked\"", b"gzip", b"chunked, identity", b"identity, chunked", b"deflate;a=b, chunked",
    b"chunked chunked", b"chunked\tx", b"gzip,\tchunked", b"chunked\xa0", b"Chunked, x", b"x y, chunked",
    b"gzip;a=\"b,c\", chunked", b"chunked ,", b"chun ked", b" ", b"trailers, chunked",
]
CODINGS = [b"chunked"] * 8 + [b"Chunked", b"CHUNKED"]
CONNECTIONS = [
    b"close", b"keep-alive", b"Close", b"Keep-Alive", b"upgrade", b"x-id", b"close, keep-alive",
    b"keep-alive, close", b"te", b"close, x-id", b"Upgrade, HTTP2-Settings", b"", b"upgrade, close", b"host",
    b"content-length",
]
ODD_CONNECTIONS = [
    b"close;x", b"close x", b"xclose", b"closex", b",close", b"close,,x", b"close,", b"\"close\"", b"keep-alive x",
    b"clo se", b"close\tx", b"\tclose", b"keep-alive;q=1", b"close\x80", b"upgrade x", b",".join([b"x"] * 65),
    b", , close", b"Close ,x", b"keep-alive,close", b"keep-alivex", b"a close", b"upgrade, keep-alive", b"x\t,close",
    b"cLoSe\t,\tUPGRADE",
]
EXTENSIONS = [b";a", b";a=b", b";a=\"b\"", b";a;b=c", b";ieof", b";chunk-signature=0123456789abcdef"]
ODD_EXTENSIONS = [
    b";", b";;", b"; a=b", b";a =b", b";a= b", b" ;a", b"\t;a", b" ", b"\t", b";a=\"", b";a=\"\\\"\"", b";a\x00",
    b";\x80", b";a=\"\x01\"", b";a\r", b";a\n", b"; ", b";a=", b";=a", b";a b", b"x", b",", b"\x0b", b";a=\"b\"c",
    b";\x7f", b";a=\"\xff\"", b";\t", b";\"a\"", b";a=b ", b";" + b"a" * 4097, b";" + b"a" * 300,
]
LINE_ENDS = [
    b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b" \r\n", b"\r\n ", b"\x0b\r\n", b"\r \n", b"\x85", b"\x00\r\n",
    b"\r\x00\n", b"", b"\n\n",
]
SIZE_PREFIXES = [
    b"0", b"00", b"0x", b"+", b"-", b" ", b"\t", b"0" * 15, b"0" * 30, b"F" * 16, b"1" + b"0" * 15, b"8" + b"0" * 15,
    b"7" + b"F" * 14, b"_", b"g", b"\x00", b"\r\n", b"\n",
]
ODD_LINES = [
    b"nocolon", b": empty", b":", b" folded", b"\tfolded", b"Name : v", b"Na me: v", b"N\x80me: v", b"N\x00me: v",
    b"(x): v", b"N\x7f: v", b" ", b"\t", b"A:b:c", b"A:\x00", b"A: \x7f", b"A: a\x0bb", b"A: a\x01", b"X\rY: z",
    b"X: y\rZ: w", b"X: y\nZ: w", b"\"q\": v", b"[x]: v", b"X,Y: v", b"X: y\r\n z", b"{x}: v", b"X/Y: v",
    b"Name\t: v", b"\x0bX: y", b"X\x0b: y", b"=: v", b"@: v", b"X;: v", b"X?: v", b"<: v", b"\\: v",
]
#: Whole lines that take a message over when a parser takes them for more than a value.
SPLICES = [
    b"\r\nContent-Length: 3", b"\nContent-Length: 3", b"\rTransfer-Encoding: chunked",
    b"\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\nTransfer-Encoding: chunked",
    b"\r\n Transfer-Encoding: chunked", b"\r\nHost: y", b"\r\nContent-Length : 3", b"\r\nConnection: close",
    b"\r\nTransfer-Encoding:\x0bchunked", b"\r\nContent-Length:", b"\r\n\r\n", b"\r\n\n", b"\n\r\n", b"\n\n",
    b"\r\r",
]

#: What follows a message without being another.
TAILS = [
    b"\r\n", b"\n", b"x", b"\x00", b"0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
]
