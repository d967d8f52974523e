// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that whoever builds FuseDB needs none of the peers.
let package = Package(
  name: "FuseDBBenchmarks",
  dependencies: [.package(name: "FuseDB", path: "..")],
  targets: [
    .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),
    .target(name: "CMsgpackTree", linkerSettings: [.linkedLibrary("msgpackc")]),
    .systemLibrary(name: "CTinyCDB", pkgConfig: "libcdb", providers: [.apt(["libcdb-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CMalloc"),
    .target(name: "CMeasure"),
    .target(name: "CReader", linkerSettings: [.linkedLibrary("deflate")]),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        .product(name: "FuseDB", package: "FuseDB"), "CMeasure", "CReader", "CLMDB", "CMalloc", "CMaxMindDB",
        "CMsgpackTree",
        "CTinyCDB", "CSQLite",
      ],
      swiftSettings: [
        .enableExperimentalFeature("Lifetimes"),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
      ]),
  ]
)
