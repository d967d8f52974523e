internal import CFuseCrypto
public import FuseDBFormat
internal import FuseDBSystem

/// The id of a key: 8 bytes, printed as the number that they are, the lowest first. [Z15]
struct KeyID: Sendable, Hashable, CustomStringConvertible {
  let bytes: [UInt8]

  init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// The id that 16 upper-case hexadecimal digits spell; nil for anything else.
  init?(_ text: Substring) {
    guard text.utf8.count == 16, let number = UInt64(text, radix: 16) else { return nil }
    bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    guard description == text else { return nil }
  }

  var description: String {
    let digits = String(bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, radix: 16, uppercase: true)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// A key whose signatures count: the public half of a ``SigningKey``, as minisign writes it. [Z15]
public struct TrustedKey: Sendable, Hashable, CustomStringConvertible {
  let id: KeyID
  fileprivate let bytes: [UInt8]
  private static let marker = Array("Ed".utf8)

  fileprivate init(id: KeyID, bytes: [UInt8]) {
    self.id = id
    self.bytes = bytes
  }

  /// The key of a text: 56 characters of Base64, with a line of comment before them or without.
  ///
  /// - Throws: ``FuseError`` with code `invalidArgument` where it is no public key.
  public init(_ text: String) throws(FuseError) {
    let bytes = Base64.bytes(KeyText.payload(text)) ?? []
    guard bytes.count == 2 + 8 + Int(fuse_public_key_size), bytes.starts(with: Self.marker) else {
      throw FuseError(
        .invalidArgument, "this is no public key: it has to be 56 characters of Base64 that begin with RW")
    }
    id = KeyID(bytes: bytes[2..<10])
    self.bytes = Array(bytes[10...])
  }

  /// The key in a file.
  ///
  /// - Throws: ``FuseError`` with code `notFound`, or `invalidArgument` where it is no public key.
  public init(path: String) throws(FuseError) {
    let text = try KeyText.file(at: path)
    do throws(FuseError) { try self.init(text) } catch { throw error.at(path: path) }
  }

  /// The key that a word says: its text, or the path of a file with it, as options take it.
  ///
  /// - Throws: ``FuseError`` as ``init(path:)``.
  public init(textOrPath word: String) throws(FuseError) {
    if let key = try? TrustedKey(word) { self = key } else { try self.init(path: word) }
  }

  /// The key in Base64, as options and ``init(_:)`` take it.
  public var description: String { Base64.text(Self.marker + id.bytes + bytes) }

  /// Its id, as minisign prints it.
  public var identifier: String { id.description }

  /// The text of a key file.
  public var fileText: String { "untrusted comment: minisign public key \(id)\n\(self)\n" }

  func holds(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    precondition(signature.count == Int(fuse_signature_size), "a signature has 64 bytes")
    // SAFETY: the key and the signature have the lengths that the call reads; the message that which it is given.
    return unsafe fuse_signature_holds(bytes, message, message.count, signature) != 0
  }
}

/// The secret half: whoever has it can sign.
public struct SigningKey: Sendable {
  let id: KeyID
  private let seed: [UInt8]
  private static let marker = Array("fusedb-secret-key-1".utf8)

  /// Makes a new one.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where the system gives no random bytes.
  public init() throws(FuseError) {
    var random = [UInt8](repeating: 0, count: 8 + Int(fuse_seed_size))
    // SAFETY: the call fills as many bytes as the array has.
    guard unsafe fuse_random(&random, random.count) != 0 else {
      throw FuseError(.inputOutput, "the system gives no random bytes for a key")
    }
    id = KeyID(bytes: random[..<8])
    seed = Array(random[8...])
  }

  /// The key in a file that ``fileText`` went to.
  ///
  /// - Throws: ``FuseError`` with code `notFound`, or `invalidArgument` where it is no secret key.
  public init(path: String) throws(FuseError) {
    let text = try KeyText.file(at: path)
    let bytes = Base64.bytes(KeyText.payload(text)) ?? []
    guard bytes.count == Self.marker.count + 8 + Int(fuse_seed_size), bytes.starts(with: Self.marker) else {
      throw FuseError(.invalidArgument, "this is no secret key as 'fusedb keygen' makes it", path: path)
    }
    id = KeyID(bytes: bytes[Self.marker.count..<Self.marker.count + 8])
    seed = Array(bytes[(Self.marker.count + 8)...])
  }

  /// The text of a key file, which nobody but its owner should be able to read.
  public var fileText: String {
    "secret key \(id) of fusedb: whoever has it can sign\n\(Base64.text(Self.marker + id.bytes + seed))\n"
  }

  /// What clients trust.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where memory is short.
  public func publicKey() throws(FuseError) -> TrustedKey {
    var key = [UInt8](repeating: 0, count: Int(fuse_public_key_size))
    // SAFETY: the seed and the key have the lengths that the call reads and writes.
    guard unsafe fuse_public_key(seed, &key) != 0 else { throw Self.failed }
    return TrustedKey(id: id, bytes: key)
  }

  func signature(of message: [UInt8]) throws(FuseError) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: Int(fuse_signature_size))
    // SAFETY: the seed and the signature have the lengths that the call reads and writes; the message that which it is given.
    guard unsafe fuse_sign(seed, message, message.count, &signature) != 0 else { throw Self.failed }
    return signature
  }

  private static var failed: FuseError { FuseError(.inputOutput, "libcrypto does not sign: memory is short") }
}

/// What files of keys and signatures are made of.
enum KeyText {
  static let mostBytes = 4096

  /// The last line, without the line of comment.
  static func payload(_ text: String) -> Substring {
    text.split(separator: "\n").last { !$0.utf8.isEmpty } ?? ""
  }

  static func file(at path: String) throws(FuseError) -> String {
    let bytes = try SmallFile.bytes(at: path, most: mostBytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FuseError(.invalidArgument, "this is no file of a key or a signature: it is no text", path: path)
    }
    return text
  }
}

/// Trust in a document.
enum Trust {
  /// Throws unless one of the keys signed the document; without keys, nothing is asked. [Z14]
  ///
  /// - Parameter document: its bytes, as they came: what it was made of may not be all of it.
  static func check(
    _ signatures: [DocumentSignature], of document: [UInt8], by keys: [TrustedKey], path: String
  ) throws(FuseError) {
    guard !keys.isEmpty else { return }
    // The signatures are the last lines, in one spelling.
    let message = Array(document.dropLast(signatures.map(\.line.utf8.count).reduce(0, +)))
    for signature in signatures {
      if keys.contains(where: { $0.id == signature.key && $0.holds(signature.bytes, of: message) }) { return }
    }
    let why = signatures.isEmpty ? "it is not signed" : "no signature of it is by a trusted key and holds"
    throw FuseError(.refused, "\(why); nothing has changed", path: path)
  }
}
