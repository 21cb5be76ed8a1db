// swift-tools-version: 6.2

import PackageDescription

// The parsers of the product as they are, in a program that says what they make of a message. A package of its own, so that
// the product's package has no product beside the product.
let package = Package(
    name: "differential",
    targets: [
        // A link to the product's sources: nothing is copied.
        .target(name: "HTTPWire", swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()]),
        .executableTarget(
            name: "verdicts",
            dependencies: ["HTTPWire"],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        ),
    ]
)
