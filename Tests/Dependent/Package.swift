// swift-tools-version: 6.2
import PackageDescription

// A package that depends on FuseDB, as those of its users do: `Scripts/test-dependent` makes the sources, builds this for
// debugging and as a release, and runs it. Swift 6.3 crashes on code in a dependent that compiles well inside a package.

/// What README.md shows, and every file of Snippets/, as a `main.swift`.
let examples = ["README", "BuildAndLookUp", "Keys", "Merge", "Serve", "Tasks", "Values", "Verify"]

func program(_ name: String, _ settings: [SwiftSetting]) -> Target {
  .executableTarget(
    name: name,
    dependencies: ["FuseDB", "FuseDBDelivery", "FuseDBInput", "FuseDBStore"].map {
      .product(name: $0, package: "FuseDB")
    },
    path: ".generated/\(name)", swiftSettings: settings)
}

let package = Package(
  name: "Dependent",
  dependencies: [.package(name: "FuseDB", path: "../..")],
  targets: examples.map { program($0, [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]) } + [
    program("Calls6", [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    program("Awaiting", [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    program("Calls5", [.swiftLanguageMode(.v5), .treatAllWarnings(as: .error)]),
    program("Service", [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    program("FoundationKeys6", [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    program("FoundationKeys5", [.swiftLanguageMode(.v5), .treatAllWarnings(as: .error)]),
    .target(name: "CReader", path: "CReader", linkerSettings: [.linkedLibrary("deflate")]),
    .target(name: "CCallgrind", path: "CCallgrind"),
    .executableTarget(
      name: "Instructions", dependencies: ["CReader", "CCallgrind", .product(name: "FuseDB", package: "FuseDB")],
      path: "Instructions",
      swiftSettings: [.swiftLanguageMode(.v6), .enableExperimentalFeature("Lifetimes")]),
  ]
)
