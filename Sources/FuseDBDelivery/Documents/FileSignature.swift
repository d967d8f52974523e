internal import CFuseCrypto
public import FuseDBFormat
internal import FuseDBSystem

/// Signatures of single files, in the format of minisign (https://jedisct1.github.io/minisign/): `minisign` checks ours, and we check its.
public enum FileSignature {
  private static let hashed = Array("ED".utf8)
  private static let plain = Array("Ed".utf8)
  private static let mostPlainBytes = 1 << 30

  /// Signs the file at `path`, and writes the signature to `output`.
  ///
  /// - Parameter comment: a text that is signed, too, without line feeds; by default the time and the name of the file.
  /// - Throws: ``FuseError`` with code `notFound` or `inputOutput`; `invalidArgument` where the comment has line feeds.
  /// - Complexity: O(bytes).
  public static func sign(
    _ path: String, with key: SigningKey, to output: String, comment: String? = nil
  ) throws(FuseError) {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? path
    let comment = comment ?? "timestamp:\(Int(WallClock.now))\tfile:\(name)\thashed"
    guard comment.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x09 }) else {
      throw FuseError(.invalidArgument, "a comment of a signature is one line")
    }
    let signature = try key.signature(of: try hash(of: FileMapping(path: path)))
    let global = try key.signature(of: signature + Array(comment.utf8))
    let text = """
      untrusted comment: signature by the key \(key.id)
      \(Base64.text(hashed + key.id.bytes + signature))
      trusted comment: \(comment)
      \(Base64.text(global))

      """
    try SmallFile.write(Array(text.utf8), to: output)
  }

  /// Throws unless the signature of a file is by one of the keys and holds.
  ///
  /// - Returns: the comment that is signed with it.
  /// - Throws: ``FuseError`` with code `refused` where it does not hold or is by another key; `invalidArgument` where it is no
  ///   signature; `notFound`.
  /// - Complexity: O(bytes).
  @discardableResult
  public static func check(
    _ path: String, signature signaturePath: String, by keys: [TrustedKey]
  ) throws(FuseError) -> String {
    let lines = try KeyText.file(at: signaturePath).split(separator: "\n", omittingEmptySubsequences: false)
    let prefix = "trusted comment: "
    guard lines.count >= 4, let bytes = Base64.bytes(lines[1]), bytes.count == 74,
      bytes.starts(with: hashed) || bytes.starts(with: plain), lines[2].hasPrefix(prefix),
      let global = Base64.bytes(lines[3]), global.count == 64
    else { throw FuseError(.invalidArgument, "this is no signature as minisign writes it", path: signaturePath) }
    let id = KeyID(bytes: bytes[2..<10])
    guard let key = keys.first(where: { $0.id == id }) else {
      throw FuseError(.refused, "the signature is by the key \(id), which is not trusted", path: signaturePath)
    }
    let signature = Array(bytes[10...])
    let file = try FileMapping(path: path)
    let message: [UInt8]
    if bytes.starts(with: hashed) {
      message = try hash(of: file)
    } else {
      guard file.byteCount <= mostPlainBytes else {
        throw FuseError(.limitExceeded, "a signature without hashing is for files of up to 1 GiB", path: signaturePath)
      }
      message = file.bytes.array()
    }
    guard key.holds(signature, of: message) else {
      throw FuseError(.refused, "the signature does not hold: the file is another, or was changed", path: path)
    }
    let comment = lines[2].dropFirst(prefix.count)
    guard key.holds(global, of: signature + Array(comment.utf8)) else {
      throw FuseError(.refused, "the comment of the signature was changed", path: signaturePath)
    }
    return String(comment)
  }

  private static func hash(of file: FileMapping) throws(FuseError) -> [UInt8] {
    let digest = try DigestStream(.blake2b)
    try digest.add(all: file)
    return try digest.bytes(count: Int32(fuse_blake2b_size))
  }
}
