// What the fuzzers have in common: libFuzzer's loop, and a property that must hold.

internal import CFuzzer
internal import Glibc
public import WireProperties

/// Runs libFuzzer with the command line's arguments and ends the program.
///
/// The package manager names an executable's `main` itself, so that libFuzzer's own does not come into play.
public func runFuzzer(_ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt) -> Never {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(LLVMFuzzerRunDriver(&count, &arguments, testOneInput))
}

/// Checks one input; a property that does not hold ends the program as a crash.
public func mustHold(
    _ check: ([UInt8]) throws(Violation) -> Void,
    _ start: UnsafePointer<UInt8>?,
    _ count: Int
) -> CInt {
    do {
        try check(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("does not hold: \(error)")
    }
    return 0
}
