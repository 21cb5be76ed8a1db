// swift-tools-version: 6.2

import PackageDescription

/// As in the package above.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// A package of its own, so that nobody who builds the product builds this.
let package = Package(
    name: "simulation",
    targets: [
        // The product's sources, by a link: nothing is copied.
        .target(name: "Balancing", swiftSettings: common + [.strictMemorySafety()]),
        // The engine; the product's package has it, too, for its tests.
        .target(name: "Simulation", dependencies: ["Balancing"], swiftSettings: common),
        .executableTarget(name: "simulate", dependencies: ["Balancing", "Simulation"], swiftSettings: common),
    ]
)
