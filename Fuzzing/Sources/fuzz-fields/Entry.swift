// The fuzzer of field sections.

internal import FuzzDriver
internal import WireProperties

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    mustHold(FieldProperties.check, start, count)
}

@main
struct Entry {
    static func main() { runFuzzer(testOneInput) }
}
