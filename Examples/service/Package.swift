// swift-tools-version: 6.2
import PackageDescription

// As it is, the example logs and counts by the stand-ins of Sources/Service/StandIns.swift. With the lines that are commented out, it
// uses swift-log and swift-metrics, and nothing else changes.
let package = Package(
  name: "Service",
  dependencies: [
    .package(name: "FuseDB", path: "../..")
    // .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
    // .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
  ],
  targets: [
    .executableTarget(
      name: "Service",
      dependencies: [
        .product(name: "FuseDB", package: "FuseDB")
        // .product(name: "Logging", package: "swift-log"),
        // .product(name: "Metrics", package: "swift-metrics"),
      ])
  ]
)
