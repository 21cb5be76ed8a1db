// The fuzzer of requests that arrive in pieces.

internal import FuzzDriver

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    mustHold(ReaderProperties.check, start, count)
}

@main
struct Entry {
    static func main() { runFuzzer(testOneInput) }
}
