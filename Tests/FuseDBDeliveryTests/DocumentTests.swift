import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBDelivery

/// Documents as they stand in spec/delivery.md §12, and what is nearly one.
struct DocumentTests {
  static let digests: [String] = (0..<8).map { number in
    String(repeating: String("0123456789abcdef".dropFirst(number).prefix(8)), count: 8)
  }

  static let manifestText = """
    fusedb-manifest 1
    name geo
    file \(digests[0]) 943808
    keys 20000
    objects 19000
    generation 3
    time 1795996302
    parent \(digests[1])
    whole zstd \(digests[2]) 398718
    patch 2 \(digests[1]) \(digests[3]) \(digests[4]) 321
    patch 1 \(digests[5]) \(digests[6]) \(digests[7]) 345
    meta build %3D3
    meta note %

    """

  static let refText = """
    fusedb-ref 1
    name geo@canary
    manifest \(digests[1]) 856
    generation 3
    sequence 7
    time 1795996303
    expires 1796601103
    back

    """

  private static func manifest(_ text: String) throws -> Manifest { try Manifest(parsing: Array(text.utf8), path: "m") }
  private static func ref(_ text: String) throws -> Ref {
    try Ref(parsing: Array(text.utf8), of: try RefName("geo@canary"), path: "r")
  }

  private static func failure(_ body: () throws -> Void) -> FuseError? {
    do { try body() } catch { return error as? FuseError }
    return nil
  }

  @Test func `say what they say, and are written as they were read`() throws {
    let manifest = try Self.manifest(Self.manifestText)
    #expect(manifest.generation == 3 && manifest.keyCount == 20_000 && manifest.objectCount == 19_000)
    #expect(manifest.file.byteCount == 943_808 && manifest.file.digest.description == Self.digests[0])
    #expect(manifest.patches.map(\.generation) == [2, 1] && manifest.patches[1].blob.byteCount == 345)
    #expect(manifest.metadata.map(\.name) == ["build", "note"] && manifest.metadata.map(\.text) == ["=3", ""])
    #expect(manifest.bytes == Array(Self.manifestText.utf8))
    let ref = try Self.ref(Self.refText)
    #expect(ref.sequence == 7 && ref.generation == 3 && ref.goesBack && ref.expires == 1_796_601_103)
    #expect(ref.bytes == Array(Self.refText.utf8))
  }

  @Test func `may have extensions that are passed over, but not among the signatures [Z6]`() throws {
    for place in [1, 2, 5, 13] {
      var lines = Self.manifestText.split(separator: "\n")
      lines.insert("+chunks of another day", at: place)
      let text = lines.joined(separator: "\n") + "\n"
      #expect(try Self.manifest(text).bytes == Array(Self.manifestText.utf8), "\(place)")
    }
    let key = try SigningKey()
    let signature = DocumentSignature(key: key.id, bytes: try key.signature(of: [])).line
    #expect(try Self.manifest(Self.manifestText + signature).signatures.count == 1)
    #expect(Self.failure { _ = try Self.manifest(Self.manifestText + signature + "+more\n") }?.code == .corrupted)
  }

  @Test(arguments: [
    // Kind and version.
    ("fusedb-manifest 1", "fusedb-ref 1", FuseError.Code.corrupted),
    ("fusedb-manifest 1", "fusedb-manifest 2", .unsupportedVersion), ("fusedb-manifest 1\n", "", .corrupted),
    // Words and lines.
    ("name geo", "name  geo", .corrupted), ("name geo", " name geo", .corrupted), ("name geo", "name geo ", .corrupted),
    ("name geo", "name", .corrupted), ("name geo", "name geo@canary", .corrupted),
    ("name geo", "name ../geo", .corrupted),
    ("keys 20000\nobjects 19000", "objects 19000\nkeys 20000", .corrupted), ("keys 20000\n", "", .corrupted),
    ("keys 20000", "keys 20000\nkeys 20000", .corrupted), ("keys 20000", "keys 20000\nunknown 1", .corrupted),
    ("keys 20000", "keys 20000\r", .corrupted), ("keys 20000", "keys\t20000", .corrupted),
    ("geo", "g\u{E9}o", .corrupted),
    // Numbers.
    ("keys 20000", "keys 020000", .corrupted), ("keys 20000", "keys +20000", .corrupted),
    ("keys 20000", "keys -1", .corrupted), ("keys 20000", "keys 9007199254740993", .corrupted),
    ("generation 3", "generation 0", .corrupted), ("943808", "39", .corrupted), (" 398718", " 0", .corrupted),
    // Digests, patches, metadata.
    (digests[0], String(digests[0].dropLast()), .corrupted), (digests[6], digests[6].uppercased(), .corrupted),
    ("whole zstd", "whole lz4", .corrupted), ("patch 1 \(digests[5])", "patch 1 \(digests[1])", .corrupted),
    ("patch 2 ", "patch 3 ", .corrupted), ("meta build %3D3", "meta build =3", .corrupted),
    ("meta build %3D3", "meta build %3d3", .corrupted), ("meta build %3D3", "meta build %61", .corrupted),
    ("meta build %3D3", "meta build %FF", .corrupted), ("meta note", "meta apple", .corrupted),
    ("meta note", "meta build", .corrupted),
  ])
  func `that break a rule are refused [Z5] [Z6] [Z7] [Z8]`(part: String, other: String, code: FuseError.Code) throws {
    let text = Self.manifestText.replacing(part, with: other)
    #expect(text != Self.manifestText)
    let error = Self.failure { _ = try Self.manifest(text) }
    #expect(error?.code == code, "\(error as Any)")
    #expect(error?.path == "m")
  }

  @Test func `end with a line feed, and are not longer than they may be [Z4] [Z6]`() throws {
    #expect(Self.failure { _ = try Self.manifest(String(Self.manifestText.dropLast())) }?.code == .corrupted)
    #expect(Self.failure { _ = try Self.manifest("") }?.code == .corrupted)
    let long = Self.refText + String(repeating: "+\(String(repeating: "x", count: 98))\n", count: 41)
    #expect(Self.failure { _ = try Self.ref(long) }?.code == .limitExceeded)
    let other = Self.failure { _ = try Self.ref(Self.refText.replacing("name geo@canary", with: "name geo")) }
    #expect(other?.code == .refused)
    let many = (0..<65).map {
      "patch 2 \(FuseDigest(bytes: Array(repeating: UInt8($0), count: 32))) \(Self.digests[3]) \(Self.digests[4]) 321\n"
    }
    let text = Self.manifestText.replacing(
      "patch 2 \(Self.digests[1]) \(Self.digests[3]) \(Self.digests[4]) 321\n", with: many.joined())
    #expect(Self.failure { _ = try Self.manifest(text) }?.message.contains("more than 64") == true)
  }

  /// Whatever comes of a document, it is refused with a sentence, or is a document: written again, it is the same.
  @Test func `changed at random are refused, or are documents that are written as they were read`() throws {
    var chance = SeededRandom.announced()
    var counts = (refused: 0, taken: 0)
    for round in 0..<100_000 {
      let isRef = round % 3 == 0
      var bytes = Array((isRef ? Self.refText : Self.manifestText).utf8)
      for _ in 0..<[1, 1, 1, 2, 5].randomElement(using: &chance)! {
        let place = Int.random(in: 0..<max(bytes.count, 1), using: &chance)
        switch Int.random(in: 0..<6, using: &chance) {
        case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
        case 1:
          bytes.insert(contentsOf: "\n 09af+%".utf8.shuffled(using: &chance).prefix(3), at: min(place, bytes.count))
        case 2: bytes.removeSubrange(min(place, bytes.count)..<min(place + 9, bytes.count))
        case 3:
          var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
          lines.swapAt(.random(in: 0..<lines.count, using: &chance), .random(in: 0..<lines.count, using: &chance))
          bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
        case 4: bytes = Array(bytes.prefix(place))
        default: if !bytes.isEmpty { bytes[place] = .random(in: 0 ... .max, using: &chance) }
        }
      }
      do {
        let again: [UInt8]
        if isRef {
          again = try Ref(parsing: bytes, of: try RefName("geo@canary"), path: "r").bytes
        } else {
          again = try Manifest(parsing: bytes, path: "m").bytes
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("+") }
        #expect(String(decoding: again, as: UTF8.self).split(separator: "\n") == lines, "round \(round)")
        counts.taken += 1
      } catch {
        #expect(!error.message.isEmpty && error.path != nil, "round \(round)")
        counts.refused += 1
      }
    }
    #expect(counts.refused > 60_000 && counts.taken > 1_000, "\(counts)")
  }
}

struct KeyTests {
  @Test func `hold for what they signed, and for nothing else [Z13] [Z14]`() throws {
    let (key, other) = (try SigningKey(), try SigningKey())
    let message = Array("what is signed".utf8)
    let signature = try key.signature(of: message)
    let trusted = try key.publicKey()
    #expect(trusted.holds(signature, of: message))
    #expect(!(try other.publicKey()).holds(signature, of: message))
    for bit in 0..<8 * signature.count {
      var forged = signature
      forged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!trusted.holds(forged, of: message), "bit \(bit)")
    }
    #expect(!trusted.holds(signature, of: message + [0]) && !trusted.holds(signature, of: []))
    #expect(try TrustedKey(trusted.description) == trusted && TrustedKey(trusted.fileText) == trusted)
  }

  /// RFC 8032, section 7.1, test 2, in minisign's form.
  @Test func `check the signature of the RFC`() throws {
    let key = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    let signature = bytes(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    let trusted = try TrustedKey(Base64.text(Array("Ed".utf8) + [1, 2, 3, 4, 5, 6, 7, 8] + key))
    #expect(trusted.holds(signature, of: [0x72]) && trusted.identifier == "0807060504030201")
  }

  @Test(arguments: ["", "RWQ", "untrusted comment: x\n", String(repeating: "A", count: 56)])
  func `that are none are refused`(text: String) {
    #expect(throws: FuseError.self) { try TrustedKey(text) }
  }

  /// RFC 4648, section 10.
  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
  func `are in Base64`(text: String, spelling: String) {
    #expect(Base64.text(Array(text.utf8)) == spelling && Base64.bytes(spelling) == Array(text.utf8))
    for wrong in [spelling + "=", spelling + "\n", " " + spelling, spelling + "A", "Zh==", "Zg"] where wrong != spelling
    {
      #expect(Base64.bytes(wrong) == nil, "\(wrong)")
    }
  }

  @Test func `have a digest that others make, too`() throws {
    // FIPS 180-2, appendix B.1.
    let digest = try FuseDigest.of(Array("abc".utf8))
    #expect(digest.description == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(FuseDigest(digest.description) == digest && FuseDigest("") == nil)
  }
}

struct NameTests {
  @Test(arguments: ["geo", "geo@canary", "a", "A-1_b.c", String(repeating: "x", count: 100)])
  func `are letters, digits and a few others [Z1]`(text: String) throws {
    #expect(try RefName(text).description == text)
  }

  @Test(arguments: [
    "", "@", "geo@", "@canary", ".geo", "-geo", "geo/x", "..", "geo@a@b", "g\u{E9}o", "geo ",
    String(repeating: "x", count: 101),
  ])
  func `are nothing else [Z1]`(text: String) {
    #expect(throws: FuseError.self) { try RefName(text) }
  }
}

struct TransferPlanTests {
  private static func digest(_ number: Int) -> FuseDigest {
    FuseDigest(bytes: Array(repeating: UInt8(number), count: 32))
  }

  /// The manifest of a generation, with patches from those so many back; its file is named by the generation.
  private static func manifest(_ generation: Int, _ distances: [Int], patchByteCount: Int = 10) -> Manifest {
    var manifest = Manifest(
      name: "geo", file: .init(digest: digest(generation), byteCount: 1000), keyCount: 1, objectCount: 1,
      generation: generation,
      time: 0, whole: .init(digest: digest(200), byteCount: 300))
    manifest.patches = distances.filter { $0 < generation }.map {
      Manifest.Patch(
        generation: generation - $0, manifest: digest(100 + generation - $0), file: digest(generation - $0),
        blob: .init(digest: digest(150 + $0), byteCount: patchByteCount * $0))
    }
    return manifest
  }

  private static func way(
    from base: Int, to target: Int, _ distances: [Int], isKnown: Bool = true, missing: Set<Int> = []
  ) throws -> (way: [Int]?, asked: [Int]) {
    var asked: [Int] = []
    let plan = try TransferPlan.find(
      from: digest(base), generation: isKnown ? base : nil, to: manifest(target, distances)
    ) { digest throws(FuseError) in
      let generation = Int(digest.bytes[0]) - 100
      asked.append(generation)
      return missing.contains(generation) ? nil : manifest(generation, distances)
    }
    return (plan?.patches.map(\.generation), asked)
  }

  @Test func `take a direct patch, and ask for nothing more [Z16]`() throws {
    let found = try Self.way(from: 22, to: 30, [1, 2, 4, 8])
    #expect(found.way == [22] && found.asked == [])
  }

  @Test func `go back in the largest steps [Z16]`() throws {
    #expect(try Self.way(from: 17, to: 30, [1, 2, 4, 8]).way == [17, 18, 22])
    #expect(try Self.way(from: 17, to: 30, [1, 2, 4, 8]).asked == [22, 18])
    // Around a manifest that is gone.
    #expect(try Self.way(from: 17, to: 30, [1, 2, 4, 8], missing: [18]).way == [17, 19, 20, 22])
  }

  @Test func `find what is not known by name [Z16]`() throws {
    #expect(try Self.way(from: 17, to: 30, [1, 2, 4, 8], isKnown: false).way?.first == 17)
    #expect(try Self.way(from: 99, to: 30, [1, 2, 4, 8], isKnown: false).way == nil)
    #expect(try Self.way(from: 99, to: 30, [1, 2, 4, 8], isKnown: false).asked.count <= TransferPlan.mostManifests)
  }

  @Test func `don't cost more than the whole file [Z16]`() throws {
    // 29 steps of 10 bytes are less than 300, 30 are not.
    #expect(try Self.way(from: 1, to: 30, [1]).way?.count == 29)
    #expect(try Self.way(from: 1, to: 31, [1]).way == nil)
  }
}
