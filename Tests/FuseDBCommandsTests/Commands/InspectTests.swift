import ProgramSupport
import Testing

@testable import FuseDBCommands

/// Three keys of one byte; objects of 4 and 5 bytes, the first of them shared.
private let input = #"{"keys":["b","a"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":"text"}"# + "\n"

private func database(_ words: String...) -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + words, input: input) == Scratch.Result(0))
  return scratch
}

extension Scratch {
  /// Changes a byte of a file.
  fileprivate func flip(_ name: String, at offset: Int) {
    var bytes = read(name)!
    bytes[offset] ^= 1
    write(bytes, to: name)
  }
}

struct StatsTests {
  /// The checksum as the header has it, bytes 32 to 35.
  private func checksum(_ scratch: Scratch) -> String {
    "0x" + hex(Array(scratch.read("x.fsdb")![32..<36])).replacing(" ", with: "")
  }

  @Test func `the numbers are those of the file`() {
    let scratch = database()
    let result = scratch.run("stats", "@x.fsdb", "--json")
    #expect(
      result
        == Scratch.Result(
          0,
          out: """
            {"path":"@x.fsdb","version":2,"keys":3,"objects":2,"bytes":448,"headerBytes":40,"dataBytes":25,"indexBytes":33,\
            "extensionBytes":350,"plain":false,"keyBytes":3,"objectBytes":9,"minKeysPerObject":1,"meanKeysPerObject":1.5,"maxKeysPerObject":2,"unreachedObjects":0,\
            "bytesSavedBySharing":12,"checksum":"\(checksum(scratch))","sections":{"HASH":192,"ORDR":12},"meta":{}}

            """))
  }

  @Test func `for people they stand in columns`() {
    let scratch = database()
    #expect(
      scratch.run("stats", "@x.fsdb")
        == Scratch.Result(
          0,
          out: """
            @x.fsdb: FSDB version 2, checksum \(checksum(scratch))
              keys                             3
              objects                          2
              keys per object, fewest          1
                on average                  1.50
                most                           2
              size                     448 bytes
                header                  40 bytes  8.9%
                objects                 25 bytes  5.6%
                key index               33 bytes  7.4%
                extension              350 bytes  78.1%
                  HASH                 192 bytes  42.9%
                  ORDR                  12 bytes  2.7%
              saved by sharing          12 bytes  without it the file would be 1.03 times as large

            """))
  }

  @Test func `a plain file says so and what to do`() {
    let scratch = database("--plain")
    let lines = scratch.run("stats", "@x.fsdb").out.lines
    #expect(lines.contains("  size                     98 bytes"))
    #expect(lines.contains("    extension                  none  a plain file: 'fusedb reindex' adds it"))
    let json = scratch.run("stats", "@x.fsdb", "--json").out
    #expect(json.contains("\"indexBytes\":33,\"extensionBytes\":0,\"plain\":true,"))
  }

  @Test func `objects without a key are counted`() {
    let scratch = Scratch()
    #expect(
      scratch.run(
        "build", "@x.fsdb", "--quiet", "--order", "insertion", "--allow-empty", input: #"{"keys":[],"value":1}"#
      ).status == 0)
    let lines = scratch.run("stats", "@x.fsdb").out.lines.map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.contains("without a key 1"))
    #expect(lines.contains("keys per object, fewest 0"))
    #expect(lines.contains("saved by sharing 0 bytes"))
    #expect(
      scratch.run("stats", "@x.fsdb", "--json").out.contains(
        "\"minKeysPerObject\":0,\"meanKeysPerObject\":0.0,\"maxKeysPerObject\":0,\"unreachedObjects\":1"))
  }
}

struct VerifyTests {
  @Test func `a sound file is said to be sound`() {
    #expect(
      database().run("verify", "@x.fsdb") == Scratch.Result(0, out: "@x.fsdb: sound (3 keys, 2 objects, 448 bytes)\n"))
    #expect(
      database().run("verify", "@x.fsdb", "--json")
        == Scratch.Result(
          0, out: #"{"path":"@x.fsdb","sound":true,"damage":[],"keys":3,"objects":2,"bytes":448}"# + "\n"))
  }

  @Test func `damage is listed with its place and kind, all of it`() {
    let scratch = database("--plain")
    scratch.flip("x.fsdb", at: 6)
    scratch.flip("x.fsdb", at: 64)
    let result = scratch.run("verify", "@x.fsdb")
    #expect(result.status == 1)
    #expect(result.err == "")
    // The field of 2 bytes at 6, the checksum of the file at 32, and the second object's record at 40 + 8 + 4.
    let places = result.out.lines.dropLast().map { $0.split(separator: ":").prefix(3).joined(separator: ":") }
    #expect(
      places == ["@x.fsdb: offset 6: header", "@x.fsdb: offset 32: fileChecksum", "@x.fsdb: offset 52: objectChecksum"])
    #expect(result.out.lines.last == "@x.fsdb: damaged in 3 places (3 keys, 2 objects, 98 bytes)")
    let json = scratch.run("verify", "@x.fsdb", "--json")
    #expect(json.status == 1)
    #expect(json.out.hasPrefix(#"{"path":"@x.fsdb","sound":false,"damage":[{"kind":"header","offset":6,"message":""#))
    #expect(json.out.contains(#"},{"kind":"objectChecksum","offset":52,"message":""#))
    #expect(json.out.lines.count == 1)
  }

  @Test func `damage of the extension block is listed as well`() {
    let scratch = database()
    // The field of the header that version 2 protects by nothing, and a slot line, the third from 128 on.
    scratch.flip("x.fsdb", at: 11)
    scratch.flip("x.fsdb", at: 260)
    let result = scratch.run("verify", "@x.fsdb")
    #expect(result.status == 1)
    let places = result.out.lines.dropLast().map { $0.split(separator: ":").prefix(3).joined(separator: ":") }
    #expect(places.contains("@x.fsdb: offset 424: headerChecksum"))
    #expect(places.contains("@x.fsdb: offset 128: sectionChecksum"))
    #expect(places.contains("@x.fsdb: offset 256: hash"))
  }

  @Test func `every file is looked at, and one that cannot be read decides the exit status`() {
    let scratch = database("--plain")
    scratch.write(scratch.read("x.fsdb")!, to: "y.fsdb")
    scratch.flip("y.fsdb", at: 97)
    let two = scratch.run("verify", "@y.fsdb", "@x.fsdb")
    #expect(two.status == 1)
    #expect(two.out.lines.last == "@x.fsdb: sound (3 keys, 2 objects, 98 bytes)")
    let three = scratch.run("verify", "@absent", "@y.fsdb", "@x.fsdb")
    #expect(three.status == 66)
    #expect(three.out == two.out)
    #expect(three.err == "fusedb: @absent: cannot open the file: No such file or directory\n")
    let json = scratch.run("verify", "@absent", "@x.fsdb", "--json")
    #expect(json.status == 66)
    #expect(
      json.out.lines[0]
        == #"{"path":"@absent","sound":false,"damage":[],"error":"cannot open the file: No such file or directory"}"#)
    #expect(json.out.lines.count == 2)
  }

  @Test func `with checksums alone, a value that is none goes unseen`() {
    let scratch = Scratch()
    // The object is 0xc1; both checksums are right.
    scratch.write(
      bytes(
        """
        46534442 02 00 0000 00000001 00000001 0000000000000031 0000000000000028 48f9a839 00000000
        00000001 3e611dab c1
        0001 6b 0000000000000028
        """), to: "x.fsdb")
    #expect(scratch.run("verify", "@x.fsdb").status == 1)
    #expect(
      scratch.run("verify", "@x.fsdb", "--checksums")
        == Scratch.Result(0, out: "@x.fsdb: sound (1 key, 1 object, 60 bytes)\n"))
    scratch.flip("x.fsdb", at: 48)
    let result = scratch.run("verify", "@x.fsdb", "--checksums")
    #expect(result.status == 1)
    #expect(
      result.out.lines.dropLast().map { $0.split(separator: ":").prefix(3).joined(separator: ":") }
        == ["@x.fsdb: offset 32: fileChecksum", "@x.fsdb: offset 40: objectChecksum"])
  }

  @Test func `a long list of damage is one JSON object, too`() {
    let scratch = Scratch()
    // Records of no bytes: each is no value. The list is longer than what is written at once.
    let header = "46534442 02 00 0000 00000000 000003e8 0000000000001f68 0000000000000028 00000000 00000000"
    scratch.write(bytes(header) + [UInt8](repeating: 0, count: 8000), to: "x.fsdb")
    let result = scratch.run("verify", "@x.fsdb", "--json")
    #expect(result.status == 1)
    #expect(result.out.lines.count == 1)
    #expect(result.out.hasPrefix(#"{"path":"@x.fsdb","sound":false,"damage":[{"kind":"fileChecksum""#))
    #expect(result.out.hasSuffix(#"}],"keys":0,"objects":1000,"bytes":8040}"# + "\n"))
    #expect(result.out.split(separator: "},{").count == 1001)
  }

  @Test func `a file of nothing can be read, and is damaged`() {
    let scratch = Scratch()
    scratch.write("", to: "x.fsdb")
    let result = scratch.run("verify", "@x.fsdb")
    #expect(result.status == 1)
    #expect(result.out.hasPrefix("@x.fsdb: offset 0: truncated: "))
  }

  @Test func `a file is needed`() {
    #expect(Scratch().run("verify").status == 64)
    #expect(Scratch().run("verify", "@x.fsdb", "").err.hasPrefix("fusedb: verify: FILE is empty; "))
  }
}

struct DamageTests {
  /// One key "k" of an object that is the byte 0xc1, which begins no MessagePack value; both checksums are right.
  private static let notMessagePack = bytes(
    """
    46534442 02 00 0000 00000001 00000001 0000000000000031 0000000000000028 48f9a839 00000000
    00000001 3e611dab c1
    0001 6b 0000000000000028
    """)

  @Test(arguments: [
    ["get", "@x.fsdb", "k"], ["get", "@x.fsdb", "k", "--json"], ["get", "@x.fsdb", "k", "--field", "a"],
    ["prefix", "@x.fsdb", "k"],
    ["dump", "@x.fsdb"], ["dump", "@x.fsdb", "--format", "csv"],
  ])
  func `an object that is no value is damage of the file, named with its place`(words: [String]) {
    let scratch = Scratch()
    scratch.write(Self.notMessagePack, to: "x.fsdb")
    let result = scratch.run(words)
    #expect(result.status == 65)
    #expect(result.out == "")
    #expect(result.err.hasPrefix("fusedb: @x.fsdb: offset 40: the object here is not MessagePack: "))
  }
}
