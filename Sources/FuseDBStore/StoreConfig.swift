internal import FuseDBFormat
internal import FuseDBSystem

/// The file `config`: what a store is, on lines of a name and a value. [SS2]
struct StoreConfig: Sendable, Equatable {
  /// 16 random bytes, which the packs name too.
  var identity: [UInt8]
  var configuration: FuseStore.Configuration

  static let name = "config"
  private static let first = "fusedb-store 1"

  var text: String {
    let chunking =
      switch configuration.chunking {
      case .contentDefined(let least, let average, let most): "\(least),\(average),\(most)"
      case .fixed(let count): "fixed,\(count)"
      case .lookupFile: "fsdb"
      }
    let compression =
      switch configuration.compression {
      case .automatic: "auto"
      case .zstd(let level): "zstd:\(level)"
      case .zlib(let level): "zlib:\(level)"
      case .none: "none"
      }
    return """
      \(Self.first)
      hash sha256
      id \(Hexadecimal.text(of: identity))
      chunk \(chunking)
      compress \(compression)
      pack-size \(configuration.packByteCount)

      """
  }

  init(_ configuration: FuseStore.Configuration) {
    self.configuration = configuration
    identity = (0..<16).map { _ in UInt8.random(in: 0...255) }
  }

  /// - Throws: ``FuseError`` with code `corrupted` or `unsupportedVersion`.
  init(text: String, path: String) throws(FuseError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard let first = lines.first, first.hasPrefix("fusedb-store ") else {
      throw FuseError(.corrupted, "this is no configuration of a store", path: path)
    }
    guard first == Self.first else {
      throw FuseError(.unsupportedVersion, "the store is of a later version; use a later fusedb", path: path)
    }
    var values: [Substring: String] = [:]
    for line in lines.dropFirst() {
      guard let space = line.firstIndex(of: " ") else { throw Self.bad(line, path) }
      values[line[..<space]] = String(line[line.index(after: space)...])
    }
    guard values["hash"] == "sha256" else {
      throw FuseError(
        .unsupportedVersion, "the store names objects by \(values["hash"] ?? "nothing"), and only sha256 is known",
        path: path)
    }
    let digits = Array((values["id"] ?? "").utf8).map { Hexadecimal.value($0) }
    guard digits.count == 32, !digits.contains(nil) else { throw Self.bad("id", path) }
    identity = stride(from: 0, to: 32, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
    guard let chunking = Self.chunking(values["chunk"] ?? "") else { throw Self.bad("chunk", path) }
    guard let compression = Self.compression(values["compress"] ?? "") else { throw Self.bad("compress", path) }
    guard let packByteCount = Int(values["pack-size"] ?? "") else { throw Self.bad("pack-size", path) }
    configuration = FuseStore.Configuration(
      chunking: chunking, compression: compression, packByteCount: packByteCount)
    guard configuration.fault == nil else { throw Self.bad("chunk", path) }
  }

  private static func bad(_ what: Substring, _ path: String) -> FuseError {
    FuseError(
      .corrupted, "the store's configuration is damaged at '\(what)'; write it anew by hand, as spec/store.md has it",
      path: path)
  }

  /// `MIN,AVG,MAX`, `fixed,N` or `fsdb`.
  static func chunking(_ text: String) -> FuseStore.Chunking? {
    if text == "fsdb" { return .lookupFile }
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    var chunking: FuseStore.Chunking?
    if words.count == 2, words[0] == "fixed", let count = Int(words[1]) { chunking = .fixed(count) }
    if words.count == 3, let least = Int(words[0]), let average = Int(words[1]), let most = Int(words[2]) {
      chunking = .contentDefined(least: least, average: average, most: most)
    }
    return chunking?.fault == nil ? chunking : nil
  }

  /// `none`, `auto`, `zstd:L` or `zlib:L`.
  static func compression(_ text: String) -> FuseStore.Compression? {
    if text == "none" { return FuseStore.Compression.none }
    if text == "auto" { return .automatic }
    let words = text.split(separator: ":", omittingEmptySubsequences: false)
    guard words.count == 2, let level = Int(words[1]) else { return nil }
    let compression: FuseStore.Compression
    switch words[0] {
    case "zstd": compression = .zstd(level: level)
    case "zlib": compression = .zlib(level: level)
    default: return nil
    }
    return compression.fault == nil ? compression : nil
  }
}
