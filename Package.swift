// swift-tools-version: 6.2
import PackageDescription

/// The settings of every Swift target: unsafe code is spelled out, warnings are errors.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "FuseDB",
  products: [
    .library(name: "FuseDB", targets: ["FuseDB"]),
    .executable(name: "fusedb", targets: ["FuseDBTool"]),
  ],
  targets: [
    // C libraries of the distribution, one thin wrapper each.
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CMsgpack", pkgConfig: "msgpack", providers: [.apt(["libmsgpack-dev"])]),
    .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CFuseIntrinsics"),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CFuseSystem"),

    .target(
      name: "FuseDB",
      dependencies: [
        "CDeflate", "CFuseIntrinsics", "CFuseSystem", "CMsgpack", "CSimdjson", "CXXHash", "CZlib", "CZstd",
      ],
      swiftSettings: strict),
    .target(name: "FuseDBCommands", dependencies: ["FuseDB", "CZlib", "CZstd", "CFuseSystem"], swiftSettings: strict),
    // In C, for a main that is given the arguments; see Sources/FuseDBTool/main.c.
    .executableTarget(name: "FuseDBTool", dependencies: ["FuseDBCommands"]),

    .systemLibrary(name: "CMalloc", path: "Tests/CMalloc"),
    .testTarget(
      name: "FuseDBTests", dependencies: ["FuseDB", "CFuseIntrinsics", "CMalloc", "CMsgpack", "CXXHash"],
      swiftSettings: strict),
    .testTarget(name: "FuseDBCommandsTests", dependencies: ["FuseDBCommands"], swiftSettings: strict),
    .testTarget(name: "FuseDBFoundationTests", dependencies: ["FuseDB"], swiftSettings: strict),
    .target(name: "ProgramSupport", dependencies: ["CMalloc"], path: "Tests/ProgramSupport", swiftSettings: strict),
    .executableTarget(
      name: "ServingStress", dependencies: ["FuseDB", "ProgramSupport"], path: "Tests/ServingStress",
      swiftSettings: strict),
    .executableTarget(
      name: "LongCalls", dependencies: ["FuseDB", "ProgramSupport"], path: "Tests/LongCalls", swiftSettings: strict),
    .executableTarget(name: "TypedValues", dependencies: ["FuseDB"], path: "Tests/TypedValues", swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx17
)
