// swift-tools-version: 6.2

import PackageDescription

/// As in the package above; and every module tells libFuzzer which way the input took through it, and has AddressSanitizer.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"]),
]
let pure: [SwiftSetting] = common + [.strictMemorySafety()]
let linked: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address"])]

/// A program that feeds one property with inputs.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzDriver", "WireProperties"] + dependencies,
        swiftSettings: common,
        linkerSettings: linked
    )
}

let package = Package(
    name: "curl-lb-fuzzing",
    targets: [
        // The sources of the package above, by symbolic links.
        .target(name: "CLinux"),
        .target(name: "HTTPWire", swiftSettings: pure),
        .target(name: "EventLoop", dependencies: ["CLinux"], swiftSettings: common),
        .target(name: "MessageIO", dependencies: ["EventLoop", "HTTPWire"], swiftSettings: common),
        // The one file of it that needs no socket.
        .target(name: "Front", dependencies: ["EventLoop", "HTTPWire", "MessageIO"], swiftSettings: common),
        .target(
            name: "WireProperties",
            dependencies: ["EventLoop", "HTTPWire", "MessageIO"],
            swiftSettings: common
        ),

        // libFuzzer, and one program for each property.
        .systemLibrary(name: "CFuzzer"),
        .target(name: "FuzzDriver", dependencies: ["CFuzzer", "WireProperties"], swiftSettings: common),
        fuzzer("fuzz-request"),
        fuzzer("fuzz-response"),
        fuzzer("fuzz-body"),
        fuzzer("fuzz-fields"),
        fuzzer("fuzz-reader", ["EventLoop", "Front", "HTTPWire"]),
    ]
)
