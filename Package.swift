// swift-tools-version: 6.2

import PackageDescription

/// Every target: warnings are errors, `any` is spelled out, imports are explicit and not re-exported by accident.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // The tests run with these checks; in a release they would be a twentieth of a request's time (docs/decisions/0013).
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// Pure layers: no `unsafe` construct compiles without being marked, and none is marked.
let pure: [SwiftSetting] = common + [.strictMemorySafety()]

let package = Package(
    name: "curl-lb",
    products: [
        .executable(name: "curl-lb", targets: ["curl-lb"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // L0: values and rules, no I/O of our own.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "HTTPWire", swiftSettings: pure),
        .target(name: "Balancing", swiftSettings: pure),
        .target(
            name: "Telemetry",
            dependencies: [.product(name: "Logging", package: "swift-log")],
            swiftSettings: common
        ),

        // L1: sockets and time; HTTP messages in buffers.
        .target(name: "EventLoop", dependencies: ["CLinux"], swiftSettings: common),
        .target(name: "MessageIO", dependencies: ["EventLoop", "HTTPWire"], swiftSettings: common),

        // L2: the two sides.
        .target(
            name: "Upstream",
            dependencies: ["CCurl", "CLinux", "EventLoop", "HTTPWire", "MessageIO"],
            swiftSettings: common
        ),
        .target(
            name: "Front",
            dependencies: [
                "CLinux", "EventLoop", "HTTPWire", "MessageIO", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: common
        ),

        // L3: the proxy.
        .target(
            name: "Forwarding",
            dependencies: [
                "Balancing", "EventLoop", "Front", "HTTPWire", "MessageIO", "Telemetry", "Upstream",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: common
        ),

        // L4: everything that is not on the way of a request.
        .target(
            name: "Control",
            dependencies: [
                "Balancing", "CLinux", "EventLoop", "Forwarding", "Front", "HTTPWire", "Telemetry", "Upstream",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            // The page is part of the program: there is nothing to install beside it.
            resources: [
                "dashboard.html", "dashboard.css", "lists.css", "narrow.css", "elements.js", "figures.js", "link.js",
                "drawings.js", "standing.js", "row.js", "backends.js", "tails.js", "dashboard.js",
            ].map { .embedInCode("Dashboard/\($0)") },
            swiftSettings: common
        ),

        // L5: the program.
        .executableTarget(
            name: "curl-lb",
            dependencies: [
                "Balancing", "Control", "EventLoop", "Forwarding", "Front", "HTTPWire", "Telemetry", "Upstream",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: common
        ),

        // Demo and test origins.
        .executableTarget(
            name: "origin",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "backends/origin",
            swiftSettings: common
        ),

        // What the tests of several layers need.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),

        // What must hold for every input of the parsers; the fuzzers in Fuzzing/ check the same.
        .target(
            name: "WireProperties",
            dependencies: ["EventLoop", "HTTPWire", "MessageIO"],
            path: "Tests/WireProperties",
            swiftSettings: common
        ),

        // The simulation's engine, for its tests; the command is in Simulation/, a package of its own.
        .target(
            name: "Simulation",
            dependencies: ["Balancing"],
            path: "Simulation/Sources/Simulation",
            swiftSettings: common
        ),

        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire"], swiftSettings: common),
        .testTarget(name: "BalancingTests", dependencies: ["Balancing", "TestSupport"], swiftSettings: common),
        .testTarget(name: "SimulationTests", dependencies: ["Balancing", "Simulation"], swiftSettings: common),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["Telemetry", "TestSupport", .product(name: "Logging", package: "swift-log")],
            swiftSettings: common
        ),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "TestSupport"], swiftSettings: common),
        .testTarget(
            name: "MessageIOTests",
            dependencies: ["MessageIO", "EventLoop", "HTTPWire", "TestSupport"],
            swiftSettings: common
        ),
        .testTarget(
            name: "WireReplayTests",
            dependencies: ["WireProperties", "EventLoop", "Front", "HTTPWire"],
            swiftSettings: common
        ),
        .testTarget(
            name: "UpstreamTests",
            dependencies: ["Upstream", "EventLoop", "HTTPWire"],
            swiftSettings: common
        ),
        .testTarget(
            name: "FrontTests",
            dependencies: ["Front", "EventLoop", "HTTPWire", "TestSupport"],
            swiftSettings: common
        ),
        .testTarget(
            name: "ForwardingTests",
            dependencies: [
                "Balancing", "Forwarding", "EventLoop", "Front", "HTTPWire", "MessageIO", "Telemetry", "Upstream",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Balancing", "CLinux", "Control", "Forwarding", "Front", "HTTPWire", "Telemetry", "Upstream",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "CLinux", "Forwarding", "HTTPWire", "curl-lb", "origin",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: common
        ),
    ]
)
