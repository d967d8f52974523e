internal import FuseDBFormat

/// Takes a manifest or a ref apart, line by line. See spec/delivery.md §4.
struct DocumentReader {
  /// What errors call it.
  let name: String
  private let lines: [[Substring]]
  private var next = 0

  /// - Parameters:
  ///   - kind: the first word of the document.
  ///   - name: what errors call it.
  /// - Throws: ``FuseError`` with code `unsupportedVersion` or `corrupted`. [Z5] [Z6]
  init(_ bytes: [UInt8], kind: String, name: String) throws(FuseError) {
    self.name = name
    guard bytes.last == UInt8(ascii: "\n"), bytes.allSatisfy({ $0 == UInt8(ascii: "\n") || (0x20...0x7E) ~= $0 }) else {
      throw FuseError(.corrupted, "this is no \(kind): it has to be lines of ASCII", path: name)
    }
    let text = String(decoding: bytes.dropLast(), as: UTF8.self)
    var lines: [[Substring]] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.allSatisfy({ !$0.isEmpty }) else {
        throw FuseError(
          .corrupted, "line \(lines.count + 1) has to be words with one space between them", path: name)
      }
      lines.append(words)
    }
    guard lines[0].count == 2, lines[0][0] == kind else {
      throw FuseError(.corrupted, "this is no \(kind): it begins with other words", path: name)
    }
    guard lines[0][1] == "1" else {
      throw FuseError(
        .unsupportedVersion,
        "this \(kind) is of version \(lines[0][1]), and this library reads version 1; use a newer one",
        path: name)
    }
    self.lines = lines
    next = 1
  }

  /// An error of the line that was taken last.
  func bad(_ what: String) -> FuseError { FuseError(.corrupted, "line \(next): \(what)", path: name) }

  /// Takes the words after `word` if the next line begins with it and has `count` of them.
  mutating func take(ifThere word: String, _ count: Int) throws(FuseError) -> [Substring]? {
    while next < lines.count, lines[next][0].utf8.first == UInt8(ascii: "+") { next += 1 }
    guard next < lines.count, lines[next][0] == word else { return nil }
    let words = lines[next].dropFirst()
    next += 1
    guard words.count == count else {
      throw bad("'\(word)' has \(counted(words.count, "word")) after it, and needs \(count)")
    }
    return Array(words)
  }

  /// Takes the words after `word`, with which the next line has to begin.
  mutating func take(_ word: String, _ count: Int) throws(FuseError) -> [Substring] {
    if let words = try take(ifThere: word, count) { return words }
    next += 1
    throw bad(
      next <= lines.count ? "'\(word)' is wanted here, and not '\(lines[next - 1][0])'" : "'\(word)' is missing")
  }

  /// Takes lines that begin with `word`, up to `most`.
  mutating func takeAll(_ word: String, _ count: Int, most: Int) throws(FuseError) -> [[Substring]] {
    var all: [[Substring]] = []
    while let words = try take(ifThere: word, count) {
      guard all.count < most else { throw bad("there are more than \(most) lines of '\(word)'") }
      all.append(words)
    }
    return all
  }

  /// Takes the signatures, with which the document ends, each in its one spelling.
  mutating func takeSignatures() throws(FuseError) -> [DocumentSignature] {
    var signatures: [DocumentSignature] = []
    for words in try takeAll("signature", 2, most: 16) {
      guard let key = KeyID(words[0]), let bytes = Base64.bytes(words[1]), bytes.count == 64 else {
        throw bad("'signature' needs the id of a key and 64 bytes in Base64")
      }
      signatures.append(DocumentSignature(key: key, bytes: bytes))
    }
    // An extension after a signature would be a text that is not signed.
    guard next == lines.count, signatures.isEmpty || lines[next - 1][0] == "signature" else {
      next += 1
      throw bad("nothing more is wanted here")
    }
    return signatures
  }

  // MARK: Words

  /// A number from `least` on. [Z7]
  func number(_ word: Substring, from least: Int = 0) throws(FuseError) -> Int {
    guard let number = Int(word), String(number) == word, number >= least, number <= 1 << 53 else {
      throw bad("'\(word)' has to be a number from \(least) to 9007199254740992")
    }
    return number
  }

  func digest(_ word: Substring) throws(FuseError) -> FuseDigest {
    guard let digest = FuseDigest(word) else { throw bad("'\(word)' has to be 64 lower-case hexadecimal digits") }
    return digest
  }

  /// A text that is spelled as in a URL. [Z7]
  func text(_ word: Substring) throws(FuseError) -> String {
    let text = PercentText.text(word)
    guard let text, PercentText.spelling(text) == word else { throw bad("'\(word)' is no text as it is spelled here") }
    return text
  }
}

/// A name and a signature under it.
struct DocumentSignature: Sendable, Hashable {
  var key: KeyID
  var bytes: [UInt8]

  var line: String { "signature \(key) \(Base64.text(bytes))\n" }
}

/// Texts as in a URL. [Z7]
enum PercentText {
  private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~".utf8)
  private static let digits = Array("0123456789ABCDEF".utf8)

  static func spelling(_ text: String) -> String {
    // The empty text would be no word.
    if text.isEmpty { return "%" }
    var spelling: [UInt8] = []
    for byte in text.utf8 {
      if plain.contains(byte) {
        spelling.append(byte)
      } else {
        spelling += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: spelling, as: UTF8.self)
  }

  static func text(_ spelling: Substring) -> String? {
    if spelling == "%" { return "" }
    var bytes: [UInt8] = []
    var rest = Array(spelling.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digits.firstIndex(of:)),
        let low = rest.popFirst().flatMap(digits.firstIndex(of:))
      else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

/// Base64 (RFC 4648, section 4), with padding.
enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
      for place in 0..<4 {
        text.append(place <= part.count ? digits[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text as ``text(_:)`` spells it; nil for any other.
  static func bytes(_ spelling: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, bitCount) = (0, 0)
    for character in spelling.utf8 where character != UInt8(ascii: "=") {
      guard let value = digits.firstIndex(of: character) else { return nil }
      bits = (bits << 6 | value) & 0xFFFF
      bitCount += 6
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(bits >> bitCount & 0xFF))
    }
    return text(bytes) == spelling ? bytes : nil
  }
}
