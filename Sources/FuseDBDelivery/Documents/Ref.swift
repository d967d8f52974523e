internal import FuseDBFormat

/// Which version clients are to have. See spec/delivery.md §6.
struct Ref: Sendable, Equatable {
  static let mostBytes = 1 << 12
  static let mostPatches = 4

  var name: RefName
  var manifest: Manifest.Blob
  var generation: Int
  var sequence: Int
  var time: Int
  var expires: Int?
  var goesBack = false
  /// What leads here from later versions.
  var patches: [Manifest.Patch] = []
  var signatures: [DocumentSignature] = []

  /// All but the signatures, which are made of it.
  var signedText: String {
    var text = """
      fusedb-ref 1
      name \(name)
      manifest \(manifest.digest) \(manifest.byteCount)
      generation \(generation)
      sequence \(sequence)
      time \(time)

      """
    if let expires { text += "expires \(expires)\n" }
    if goesBack { text += "back\n" }
    for patch in patches { text += patch.line }
    return text
  }

  /// The document.
  var bytes: [UInt8] { Array((signedText + signatures.map(\.line).joined()).utf8) }
}

extension Ref {
  /// - Throws: ``FuseError`` with code `corrupted`, `limitExceeded` or `unsupportedVersion`. [Z4] [Z5] [Z6] [Z9]
  init(parsing bytes: [UInt8], of name: RefName, path: String) throws(FuseError) {
    guard bytes.count <= Self.mostBytes else {
      throw FuseError(.limitExceeded, "a ref has \(Self.mostBytes) bytes at most", path: path)
    }
    var reader = try DocumentReader(bytes, kind: "fusedb-ref", name: path)
    let other = try reader.take("name", 1)[0]
    guard other == name.description else {
      throw FuseError(.refused, "this is the ref of '\(other)', and that of '\(name)' was asked for", path: path)
    }
    self.name = name
    let words = try reader.take("manifest", 2)
    manifest = Manifest.Blob(digest: try reader.digest(words[0]), byteCount: try reader.number(words[1], from: 1))
    guard manifest.byteCount <= Manifest.mostBytes else {
      throw reader.bad("a manifest has \(Manifest.mostBytes) bytes at most")
    }
    generation = try reader.number(try reader.take("generation", 1)[0], from: 1)
    sequence = try reader.number(try reader.take("sequence", 1)[0], from: 1)
    time = try reader.number(try reader.take("time", 1)[0])
    if let words = try reader.take(ifThere: "expires", 1) { expires = try reader.number(words[0]) }
    goesBack = try reader.take(ifThere: "back", 0) != nil
    patches = try reader.takePatches(most: Self.mostPatches)
    signatures = try reader.takeSignatures()
  }
}
