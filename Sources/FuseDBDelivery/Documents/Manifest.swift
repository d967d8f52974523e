internal import FuseDBFormat

/// What is said of a version. See spec/delivery.md §5.
struct Manifest: Sendable, Hashable {
  static let mostBytes = 1 << 16
  static let mostPatches = 64
  static let mostMetadata = 256

  /// A file of the remote.
  struct Blob: Sendable, Hashable {
    var digest: FuseDigest
    var byteCount: Int
  }

  /// What makes the file of that of another version.
  struct Patch: Sendable, Hashable {
    /// The generation of the other version, its manifest and its file.
    var generation: Int
    var manifest: FuseDigest
    var file: FuseDigest
    var blob: Blob

    var line: String { "patch \(generation) \(manifest) \(file) \(blob.digest) \(blob.byteCount)\n" }
  }

  var name: String
  var file: Blob
  var keyCount: Int
  var objectCount: Int
  var generation: Int
  var time: Int
  var parent: FuseDigest?
  var whole: Blob
  var patches: [Patch] = []
  var metadata: [(name: String, text: String)] = []
  var signatures: [DocumentSignature] = []

  /// All but the signatures, which are made of it.
  var signedText: String {
    var text = """
      fusedb-manifest 1
      name \(name)
      file \(file.digest) \(file.byteCount)
      keys \(keyCount)
      objects \(objectCount)
      generation \(generation)
      time \(time)

      """
    if let parent { text += "parent \(parent)\n" }
    text += "whole zstd \(whole.digest) \(whole.byteCount)\n"
    for patch in patches { text += patch.line }
    for (name, value) in metadata { text += "meta \(PercentText.spelling(name)) \(PercentText.spelling(value))\n" }
    return text
  }

  /// The document.
  var bytes: [UInt8] { Array((signedText + signatures.map(\.line).joined()).utf8) }

  static func == (left: Manifest, right: Manifest) -> Bool { left.bytes == right.bytes }
  func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension Manifest {
  /// The manifest that has a digest for its name.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where its bytes have another, and as ``init(parsing:path:)``. [Z8]
  init(parsing bytes: [UInt8], named digest: FuseDigest, path: String) throws(FuseError) {
    guard try FuseDigest.of(bytes) == digest else {
      throw FuseError(.corrupted, "the manifest's SHA-256 is another than its name says", path: path)
    }
    try self.init(parsing: bytes, path: path)
  }

  /// - Throws: ``FuseError`` with code `corrupted`, `limitExceeded` or `unsupportedVersion`. [Z4] [Z5] [Z6] [Z8]
  init(parsing bytes: [UInt8], path: String) throws(FuseError) {
    guard bytes.count <= Self.mostBytes else {
      throw FuseError(.limitExceeded, "a manifest has \(Self.mostBytes) bytes at most", path: path)
    }
    var reader = try DocumentReader(bytes, kind: "fusedb-manifest", name: path)
    name = String(try reader.take("name", 1)[0])
    guard let own = try? RefName(name), own.channel == nil else {
      throw reader.bad("'\(name)' is no name of a database")
    }
    file = try reader.blob(try reader.take("file", 2)[...], least: Header.byteCount)
    keyCount = try reader.number(try reader.take("keys", 1)[0])
    objectCount = try reader.number(try reader.take("objects", 1)[0])
    generation = try reader.number(try reader.take("generation", 1)[0], from: 1)
    time = try reader.number(try reader.take("time", 1)[0])
    if let words = try reader.take(ifThere: "parent", 1) { parent = try reader.digest(words[0]) }
    let words = try reader.take("whole", 3)
    guard words[0] == "zstd" else {
      throw reader.bad("the file is packed by '\(words[0])', which this library does not know")
    }
    whole = try reader.blob(words[1...], least: 1)
    patches = try reader.takePatches(most: Self.mostPatches)
    guard patches.allSatisfy({ $0.generation < generation }) else {
      throw reader.bad("a patch is of a version that is not earlier")
    }
    for words in try reader.takeAll("meta", 2, most: Self.mostMetadata) {
      let entry = (name: try reader.text(words[0]), text: try reader.text(words[1]))
      guard metadata.last.map({ $0.name.utf8.lexicographicallyPrecedes(entry.name.utf8) }) ?? true else {
        throw reader.bad("the names of metadata are out of order")
      }
      metadata.append(entry)
    }
    signatures = try reader.takeSignatures()
  }
}

extension DocumentReader {
  /// The lines of patches, each from another version.
  mutating func takePatches(most: Int) throws(FuseError) -> [Manifest.Patch] {
    var patches: [Manifest.Patch] = []
    for words in try takeAll("patch", 5, most: most) {
      let patch = Manifest.Patch(
        generation: try number(words[0], from: 1), manifest: try digest(words[1]), file: try digest(words[2]),
        blob: try blob(words[3...], least: 1))
      guard !patches.contains(where: { $0.manifest == patch.manifest }) else {
        throw bad("there is a patch of the same version before")
      }
      patches.append(patch)
    }
    return patches
  }

  /// A digest and a length.
  fileprivate func blob(_ words: ArraySlice<Substring>, least: Int) throws(FuseError) -> Manifest.Blob {
    let words = Array(words)
    return Manifest.Blob(digest: try digest(words[0]), byteCount: try number(words[1], from: least))
  }
}
