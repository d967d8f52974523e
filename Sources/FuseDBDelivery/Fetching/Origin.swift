internal import FuseDBFormat
internal import FuseDBSystem

/// What a client keeps of where its file came from, in a file beside it: `geo.fsdb.origin`. See spec/delivery.md §6.
struct Origin: Equatable {
  private static let kind = "fusedb-origin"

  /// The remote and the ref that it is about. Of others nothing is known.
  var remote: String
  var name: RefName
  /// The last ref that was accepted.
  var sequence: Int
  var ref: FuseDigest
  var tag: String
  /// When that ref expires; nil for never.
  var expires: Int?
  /// The version that the file here is of, unless others changed it since.
  var generation: Int
  var manifest: FuseDigest
  var file: Manifest.Blob

  static func path(of file: String) -> String { file + ".origin" }

  var bytes: [UInt8] {
    Array(
      """
      \(Self.kind) 1
      remote \(PercentText.spelling(remote))
      name \(name)
      sequence \(sequence)
      ref \(ref)
      tag \(PercentText.spelling(tag))
      expires \(expires ?? 0)
      generation \(generation)
      manifest \(manifest)
      file \(file.digest) \(file.byteCount)

      """.utf8)
  }
}

extension Origin {
  /// What is known of the file at `path`; nil where nothing is, or it is about another ref.
  ///
  /// A mirror of the remote has the same refs. That another remote is one, signatures show: with trusted keys, what was seen counts there, too.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the file is none: going on would forget which refs are old.
  init?(besides path: String, remote: String, name: RefName, isSigned: Bool) throws(FuseError) {
    let path = Self.path(of: path)
    guard FileStatus(atLink: path) != nil else { return nil }
    do throws(FuseError) {
      var reader = try DocumentReader(try SmallFile.bytes(at: path, most: 1 << 14), kind: Self.kind, name: path)
      self.remote = try reader.text(try reader.take("remote", 1)[0])
      self.name = try RefName(String(try reader.take("name", 1)[0]))
      sequence = try reader.number(try reader.take("sequence", 1)[0], from: 1)
      ref = try reader.digest(try reader.take("ref", 1)[0])
      tag = try reader.text(try reader.take("tag", 1)[0])
      let moment = try reader.number(try reader.take("expires", 1)[0])
      expires = moment == 0 ? nil : moment
      generation = try reader.number(try reader.take("generation", 1)[0])
      manifest = try reader.digest(try reader.take("manifest", 1)[0])
      let words = try reader.take("file", 2)
      file = Manifest.Blob(digest: try reader.digest(words[0]), byteCount: try reader.number(words[1]))
    } catch {
      throw FuseError(
        error.code, error.message + "; remove it, and the next fetch takes whatever the remote announces", path: path)
    }
    guard self.name == name, isSigned || self.remote == remote else { return nil }
    if self.remote != remote { tag = "" }
  }

  func save(besides path: String) throws(FuseError) { try SmallFile.write(bytes, to: Self.path(of: path)) }
}
