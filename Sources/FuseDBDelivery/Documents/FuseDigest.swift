internal import CFuseCrypto
package import FuseDBFormat
package import FuseDBSystem

/// A SHA-256: what names the files of a remote.
public struct FuseDigest: Sendable, Hashable, CustomStringConvertible {
  /// Its 32 bytes.
  public let bytes: [UInt8]

  package init(bytes: [UInt8]) {
    precondition(bytes.count == Int(fuse_sha256_size), "a SHA-256 has 32 bytes")
    self.bytes = bytes
  }

  /// The digest that 64 lower-case hexadecimal digits spell; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let digits = Array(text.utf8)
    guard digits.count == 2 * Int(fuse_sha256_size) else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.value(digits[place]), let low = Self.value(digits[place + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The 64 digits.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// That of bytes.
  package static func of(_ bytes: [UInt8]) throws(FuseError) -> FuseDigest {
    let digest = try DigestStream()
    try digest.add(bytes.rawSpan)
    return try digest.value()
  }

  /// That of a file, in a pass over its bytes.
  package static func of(_ file: FileMapping) throws(FuseError) -> FuseDigest {
    let digest = try DigestStream()
    try digest.add(all: file)
    return try digest.value()
  }
}

extension FuseError {
  /// A library that delivery needs, and the system does not have.
  static func missing(_ library: String) -> FuseError {
    FuseError(.notFound, "delivery needs this library, and the system has none; install it", path: library)
  }
}

/// Makes a digest of bytes that come piece by piece.
@safe
package final class DigestStream {
  package enum Kind {
    case sha256
    /// Of 64 bytes, for signatures of files.
    case blake2b
  }

  // SAFETY: made in init, freed in deinit and used by this class alone.
  private let digest: OpaquePointer

  package init(_ kind: Kind = .sha256) throws(FuseError) {
    // SAFETY: libcrypto gives a context or nil, and nil is turned away.
    guard let digest = unsafe kind == .sha256 ? fuse_sha256_begin() : fuse_blake2b_begin() else { throw Self.failed }
    unsafe self.digest = digest
  }

  // SAFETY: this object alone has the context, and ends here.
  deinit { unsafe fuse_digest_free(digest) }

  private static var failed: FuseError {
    fuse_crypto_is_there() != 0
      ? FuseError(.inputOutput, "libcrypto makes no digest: memory is short") : .missing(fuse_crypto_library)
  }

  package func add(_ bytes: RawSpan) throws(FuseError) {
    // SAFETY: the call reads the bytes of the span, and keeps none.
    let isDone = unsafe bytes.withUnsafeBytes { unsafe fuse_digest_add(digest, $0.baseAddress, $0.count) }
    guard isDone != 0 else { throw Self.failed }
  }

  /// Feeds a file.
  package func add(all file: FileMapping) throws(FuseError) {
    file.willReadInOrder()
    defer { file.didReadInOrder() }
    var offset = 0
    while offset < file.byteCount {
      try Cancellation.check()
      let count = min(1 << 20, file.byteCount - offset)
      // SAFETY: the part lies inside of the file, which stays mapped until the call returns.
      let part = unsafe file.bytes(from: offset, count: count)
      try add(part)
      offset += count
    }
    try file.checkNotShrunk()
  }

  /// The bytes of the digest of what came so far.
  package func bytes(count: Int32) throws(FuseError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(count))
    // SAFETY: the digest of each kind has as many bytes as its constant says, which the array has.
    guard unsafe fuse_digest_value(digest, &bytes) != 0 else { throw Self.failed }
    return bytes
  }

  /// The SHA-256 of what came so far.
  package func value() throws(FuseError) -> FuseDigest { FuseDigest(bytes: try bytes(count: Int32(fuse_sha256_size))) }
}
