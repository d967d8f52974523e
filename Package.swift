// swift-tools-version: 6.2
import PackageDescription

/// The settings of every Swift target: warnings are errors,
let common: [SwiftSetting] = [
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]
/// and unsafe code is spelled out.
let strict: [SwiftSetting] = [.strictMemorySafety()] + common

let package = Package(
  name: "FuseDB",
  // What the spans of texts need there; see docs/FuseDB.docc/Platforms.md.
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "FuseDB", targets: ["FuseDB"]),
    // For programs that only read: without the JSON parser and zstd.
    .library(name: "FuseDBServing", targets: ["FuseDBServing"]),
    // For programs that build from files of records.
    .library(name: "FuseDBInput", targets: ["FuseDBInput"]),
    // For programs that publish databases and follow them: with libcurl and libcrypto.
    .library(name: "FuseDBDelivery", targets: ["FuseDBDelivery"]),
    // For programs that keep files by their content: with libcrypto, zstd and zlib.
    .library(name: "FuseDBStore", targets: ["FuseDBStore"]),
    // For programs in other languages; Scripts/build-library makes libfusedb.so of it.
    .library(name: "FuseDBC", type: .static, targets: ["FuseDBC"]),
    // The same for what keeps files: libfusedb-store.so.
    .library(name: "FuseDBStoreC", type: .static, targets: ["FuseDBStoreC"]),
    .executable(name: "fusedb", targets: ["FuseDBTool"]),
    // What publishes and fetches, run by it.
    .executable(name: "fusedb-delivery", targets: ["FuseDBDeliveryTool"]),
    // What serves over HTTP, run by it.
    .executable(name: "fusedb-serve", targets: ["FuseDBServerTool"]),
    // What keeps files, run by it too.
    .executable(name: "fusedb-store", targets: ["FuseDBStoreTool"]),
  ],
  targets: [
    // C libraries of the distribution, one thin wrapper each.
    .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CMsgpack", pkgConfig: "msgpack", providers: [.apt(["libmsgpack-dev"])]),
    .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CFuseIntrinsics"),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    // Ours: an idea each.
    .target(name: "CFuseChecksum", dependencies: ["CDeflate"], linkerSettings: [.linkedLibrary("deflate")]),
    .target(name: "CFuseCrypto", dependencies: ["CCrypto"], linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CFuseFaults"),
    .target(name: "CFuseHandles"),
    .target(name: "CFuseHazards"),
    .target(
      name: "CFuseHTTP", dependencies: ["CMicrohttpd", "CXXHash"], linkerSettings: [.linkedLibrary("microhttpd")]),
    .target(name: "CFusePages", dependencies: ["CMicrohttpd"], linkerSettings: [.linkedLibrary("microhttpd")]),
    .target(name: "CFusePublish"),
    .target(name: "CFuseCuts"),
    .target(name: "CFuseRows", dependencies: ["CFuseChecksum"]),
    .target(name: "CFuseSQLite"),
    .target(name: "CFuseSystem"),
    .target(name: "CFuseTransfer", dependencies: ["CCurl"], linkerSettings: [.linkedLibrary("curl")]),

    // From here on each layer knows those above it alone; see spec/decisions/0023-layers-as-targets.md.
    .target(
      name: "FuseDBFormat", dependencies: ["CFuseChecksum", "CFuseIntrinsics", "CXXHash", "CZlib"],
      swiftSettings: strict),
    .target(name: "FuseDBLibc", swiftSettings: strict),
    .target(
      name: "FuseDBSystem",
      dependencies: [
        "CFuseFaults", "CFuseHazards", "CFuseIntrinsics", "CFusePublish", "CFuseSystem", "FuseDBFormat", "FuseDBLibc",
      ],
      swiftSettings: strict),
    .target(
      name: "FuseDBValues", dependencies: ["CFuseRows", "CMsgpack", "FuseDBFormat", "FuseDBSystem"],
      swiftSettings: strict),
    // What reads version 3 of the format: see spec/decisions/0041-compact.md.
    .target(
      name: "FuseDBCompact",
      dependencies: ["CFuseIntrinsics", "CFuseRows", "FuseDBFormat", "FuseDBSystem", "FuseDBValues"],
      swiftSettings: strict),
    .target(
      name: "FuseDBReading",
      dependencies: ["CFuseIntrinsics", "FuseDBCompact", "FuseDBFormat", "FuseDBSystem", "FuseDBValues"],
      swiftSettings: strict),
    .target(
      name: "FuseDBServing", dependencies: ["FuseDBFormat", "FuseDBReading", "FuseDBSystem", "FuseDBValues"],
      swiftSettings: strict),
    .target(
      name: "FuseDBJSON", dependencies: ["CSimdjson", "FuseDBFormat", "FuseDBSystem", "FuseDBValues"],
      swiftSettings: strict),
    .target(
      name: "FuseDBWriting",
      dependencies: [
        "CFuseIntrinsics", "FuseDBCompact", "FuseDBFormat", "FuseDBReading", "FuseDBSystem", "FuseDBValues",
      ],
      swiftSettings: strict),
    .target(
      name: "FuseDBPatching",
      dependencies: [
        "CZstd", "FuseDBCompact", "FuseDBFormat", "FuseDBReading", "FuseDBSystem", "FuseDBValues", "FuseDBWriting",
      ],
      swiftSettings: strict),
    // All of them under one name.
    .target(
      name: "FuseDB",
      dependencies: ["FuseDBJSON", "FuseDBPatching", "FuseDBServing", "FuseDBWriting"],
      swiftSettings: strict),
    // MaxMind DB files, in and out.
    .target(
      name: "FuseDBMaxMind", dependencies: ["FuseDBFormat", "FuseDBReading", "FuseDBSystem", "FuseDBValues"],
      swiftSettings: strict),
    .target(
      name: "FuseDBInput",
      dependencies: [
        "CBzip2", "CLzma", "CZlib", "CZstd", "FuseDBFormat", "FuseDBJSON", "FuseDBMaxMind", "FuseDBSystem",
        "FuseDBValues", "FuseDBWriting",
      ],
      swiftSettings: strict),
    .target(
      name: "FuseDBDelivery",
      dependencies: [
        "CFuseCrypto", "CFuseTransfer", "CZstd", "FuseDBFormat", "FuseDBPatching", "FuseDBReading", "FuseDBServing",
        "FuseDBSystem", "FuseDBWriting",
      ],
      swiftSettings: strict),
    .target(
      name: "FuseDBStore",
      dependencies: [
        "CFuseCrypto", "CFuseCuts", "CZlib", "CZstd", "FuseDBFormat", "FuseDBPatching", "FuseDBReading",
        "FuseDBSystem", "FuseDBWriting",
      ],
      swiftSettings: strict),
    // What takes over the stores of other programs. Of libsqlite3 it needs nothing until it reads one.
    .target(
      name: "FuseDBStoreImport",
      dependencies: ["CFuseCrypto", "CFuseSQLite", "CZlib", "CZstd", "FuseDBFormat", "FuseDBStore", "FuseDBSystem"],
      swiftSettings: strict),
    // What fusedb_store.h declares, as FuseDBC does for fusedb.h.
    .target(
      name: "FuseDBStoreC",
      dependencies: [
        "CFuseCrypto", "CFuseDB", "CFuseHandles", "CFuseSystem", "FuseDBFormat", "FuseDBStore", "FuseDBSystem",
      ],
      swiftSettings: common),
    // What the server and its pages have in common.
    .target(name: "FuseDBWeb", dependencies: ["FuseDB"], swiftSettings: strict),
    .target(
      name: "FuseDBExplorer",
      dependencies: [
        "FuseDB", "FuseDBFormat", "FuseDBPatching", "FuseDBReading", "FuseDBServing", "FuseDBSystem", "FuseDBValues",
        "FuseDBWeb",
      ],
      swiftSettings: strict),
    // What fusedb.h declares. All that it is given are pointers, which the caller answers for: so nothing here is marked as unsafe.
    .systemLibrary(name: "CFuseDB"),
    .target(
      name: "FuseDBC",
      dependencies: [
        "CFuseDB", "CFuseHandles", "CFuseSystem", "FuseDB", "FuseDBCompact", "FuseDBDelivery", "FuseDBFormat",
        "FuseDBPatching",
        "FuseDBReading", "FuseDBServing", "FuseDBSystem", "FuseDBValues", "FuseDBWriting",
      ],
      swiftSettings: common),
    .target(
      name: "FuseDBCommands", dependencies: ["FuseDB", "FuseDBInput", "FuseDBMaxMind"], swiftSettings: strict),
    .target(
      name: "FuseDBDeliveryCommands",
      dependencies: ["CFusePages", "FuseDB", "FuseDBCommands", "FuseDBDelivery", "FuseDBInput"],
      swiftSettings: strict),
    .executableTarget(name: "FuseDBDeliveryTool", dependencies: ["FuseDBDeliveryCommands"]),
    .target(
      name: "FuseDBServerCommands",
      dependencies: [
        "CFuseHTTP", "FuseDB", "FuseDBCommands", "FuseDBExplorer", "FuseDBInput", "FuseDBPatching", "FuseDBReading",
        "FuseDBWeb",
      ],
      swiftSettings: strict),
    .executableTarget(name: "FuseDBServerTool", dependencies: ["FuseDBServerCommands"]),
    .target(
      name: "FuseDBStoreCommands",
      dependencies: ["FuseDB", "FuseDBCommands", "FuseDBInput", "FuseDBStore", "FuseDBStoreImport"],
      swiftSettings: strict),
    .executableTarget(name: "FuseDBStoreTool", dependencies: ["FuseDBStoreCommands"]),
    // In C, for a main that is given the arguments; see Sources/FuseDBTool/main.c.
    .executableTarget(name: "FuseDBTool", dependencies: ["FuseDBCommands"]),

    .systemLibrary(name: "CMalloc", path: "Tests/CMalloc"),
    .testTarget(
      name: "FuseDBTests",
      dependencies: [
        "FuseDB", "CFuseChecksum", "CFuseIntrinsics", "CMalloc", "CMsgpack", "CXXHash", "CZlib", "ProgramSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FuseDBInputTests", dependencies: ["FuseDB", "FuseDBInput", "ProgramSupport"], swiftSettings: strict),
    .testTarget(
      name: "FuseDBCommandsTests", dependencies: ["FuseDBCommands", "FuseDBInput", "ProgramSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FuseDBDeliveryTests", dependencies: ["FuseDB", "FuseDBDelivery", "ProgramSupport"], swiftSettings: strict),
    .testTarget(
      name: "FuseDBExplorerTests",
      dependencies: [
        "FuseDB", "FuseDBExplorer", "FuseDBFormat", "FuseDBReading", "FuseDBValues", "FuseDBWeb", "ProgramSupport",
      ], swiftSettings: strict),
    .testTarget(
      name: "FuseDBStoreTests",
      dependencies: ["CFuseCuts", "FuseDB", "FuseDBStore", "FuseDBStoreCommands", "ProgramSupport"],
      swiftSettings: strict),
    .testTarget(name: "FuseDBFoundationTests", dependencies: ["FuseDB", "ProgramSupport"], swiftSettings: strict),
    .target(name: "ProgramSupport", dependencies: ["CMalloc"], path: "Tests/ProgramSupport", swiftSettings: strict),
    .executableTarget(
      name: "ServingStress", dependencies: ["FuseDB", "ProgramSupport"], path: "Tests/ServingStress",
      swiftSettings: strict),
    .executableTarget(
      name: "StoreStress", dependencies: ["FuseDB", "FuseDBStore", "ProgramSupport"], path: "Tests/StoreStress",
      swiftSettings: strict),
    .executableTarget(
      name: "LongCalls", dependencies: ["FuseDB", "ProgramSupport"], path: "Tests/LongCalls", swiftSettings: strict),
    .executableTarget(
      name: "HostileNetworks", dependencies: ["FuseDB", "ProgramSupport"], path: "Tests/HostileNetworks",
      swiftSettings: strict),
    .executableTarget(
      name: "HostileMaxMind",
      dependencies: ["FuseDB", "FuseDBFormat", "FuseDBMaxMind", "FuseDBSystem", "FuseDBValues", "ProgramSupport"],
      path: "Tests/HostileMaxMind", swiftSettings: strict),
    .executableTarget(
      name: "CompactTool",
      dependencies: [
        "FuseDB", "FuseDBCompact", "FuseDBFormat", "FuseDBReading", "FuseDBSystem", "FuseDBWriting", "ProgramSupport",
      ],
      path: "Tests/CompactTool", swiftSettings: strict),
    .executableTarget(
      name: "Fleet", dependencies: ["FuseDB", "FuseDBDelivery"], path: "Tests/Fleet", swiftSettings: strict),
    .executableTarget(
      name: "StoreGets", dependencies: ["FuseDB", "FuseDBStore", "ProgramSupport"], path: "Tests/StoreGets",
      swiftSettings: strict),
    .executableTarget(name: "TypedValues", dependencies: ["FuseDB"], path: "Tests/TypedValues", swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx17
)
