import ProgramSupport
import Testing

@testable import FuseDBCommands

private let old = """
  {"keys":["c\\n"],"value":"text"}
  {"keys":["b","a"],"value":{"n":1}}
  {"keys":["d"],"value":2}

  """
private let new = """
  {"keys":["a"],"value":{"n":1}}
  {"keys":["b"],"value":{"n":2}}
  {"keys":["d","e"],"value":2}

  """

/// `old.fsdb` and `new.fsdb`.
private func both() -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run("build", "@old.fsdb", "--quiet", input: old) == Scratch.Result(0))
  #expect(scratch.run("build", "@new.fsdb", "--quiet", input: new) == Scratch.Result(0))
  return scratch
}

struct DiffCommandTests {
  @Test func `keys that changed are listed in order, as keys are spelled`() {
    let scratch = both()
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb") == Scratch.Result(1, out: "~ b\n- c\\n\n+ e\n"))
    #expect(scratch.run("diff", "@new.fsdb", "@old.fsdb") == Scratch.Result(1, out: "~ b\n+ c\\n\n- e\n"))
    #expect(scratch.run("diff", "@old.fsdb", "@old.fsdb") == Scratch.Result(0))
  }

  @Test func `programs get both values`() {
    let scratch = both()
    #expect(
      scratch.run("diff", "@old.fsdb", "@new.fsdb", "--json")
        == Scratch.Result(
          1,
          out: """
            {"change":"changed","key":"b","old":{"n":1},"new":{"n":2}}
            {"change":"removed","key":"c\\n","old":"text"}
            {"change":"added","key":"e","new":2}

            """))
  }

  @Test func `the summary counts`() {
    let scratch = both()
    let sentence = "1 key added, 1 key removed, 1 key changed, 2 keys unchanged\n"
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb", "--summary") == Scratch.Result(1, out: sentence))
    #expect(
      scratch.run("diff", "@old.fsdb", "@new.fsdb", "--summary", "--json")
        == Scratch.Result(1, out: #"{"added":1,"removed":1,"changed":1,"unchanged":2}"# + "\n"))
  }

  @Test(arguments: [["--plain"], ["--meta", "a=b"], ["--order", "insertion"]])
  func `files of other bytes that answer the same do not differ, and that is said`(options: [String]) {
    let scratch = both()
    #expect(scratch.run(["build", "@other.fsdb", "--quiet"] + options, input: old) == Scratch.Result(0))
    let result = scratch.run("diff", "@old.fsdb", "@other.fsdb")
    #expect((result.status, result.out) == (0, ""))
    #expect(result.err.hasPrefix("fusedb: the files give the same answers, and their bytes differ"))
    #expect(scratch.run("diff", "@old.fsdb", "@other.fsdb", "--patch", "@p").status == 0)
    #expect(scratch.run("patch", "@old.fsdb", "@p", "@made.fsdb", "--quiet") == Scratch.Result(0))
    #expect(scratch.read("made.fsdb") == scratch.read("other.fsdb"))
  }

  @Test func `damage is no difference`() {
    let scratch = both()
    var bytes = scratch.read("new.fsdb")!
    bytes[50] ^= 1
    scratch.write(bytes, to: "bad.fsdb")
    for words in [["@bad.fsdb", "@old.fsdb"], ["@old.fsdb", "@bad.fsdb"]] {
      let result = scratch.run(["diff"] + words)
      #expect(result.status == 65)
      #expect(result.err.hasPrefix("fusedb: @bad.fsdb: offset "))
      #expect(scratch.run(["diff", "--patch", "@p"] + words).status == 65)
    }
    #expect(scratch.run("diff", "@old.fsdb", "@absent").status == 66)
    #expect(scratch.run("diff", "@absent", "@old.fsdb").status == 66)
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@absent/p").status == 74)
    #expect(scratch.names == ["bad.fsdb", "new.fsdb", "old.fsdb"])
  }

  @Test(arguments: [
    ([], "OLD is missing"), (["@old.fsdb"], "NEW is missing"),
    (["@old.fsdb", "@new.fsdb", "@x"], "the argument \"@x\" is one too many"),
    (["@old.fsdb", "@new.fsdb", "--patch"], "the option --patch lacks its value PATCH"),
    (["@old.fsdb", "@new.fsdb", "--patch", ""], "PATCH is empty"),
    (["@old.fsdb", "@new.fsdb", "--patch", "@new.fsdb"], "'@new.fsdb' is a file of "),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let scratch = both()
    let bytes = scratch.read("new.fsdb")
    let result = scratch.run(["diff"] + words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: diff: \(message)"))
    #expect(scratch.read("new.fsdb") == bytes)
  }
}

struct PatchCommandTests {
  @Test func `a patch makes the new file, also in the place of the old one`() {
    let scratch = both()
    let made = scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@p")
    let byteCount = scratch.read("p")!.count
    #expect(
      made
        == Scratch.Result(
          0, out: "1 key added, 1 key removed, 1 key changed, 2 keys unchanged\n",
          err: "@p: \(byteCount) bytes make @new.fsdb of @old.fsdb\n"))
    let new = scratch.read("new.fsdb")!
    let report = "3 objects, 4 keys, \(new.count) bytes\n"
    #expect(scratch.run("patch", "@old.fsdb", "@p", "@made.fsdb") == Scratch.Result(0, err: "@made.fsdb: " + report))
    #expect(scratch.read("made.fsdb") == new)
    #expect(
      scratch.run("patch", "@old.fsdb", "@p", "@old.fsdb", "--json")
        == Scratch.Result(
          0, out: #"{"path":"@old.fsdb","keys":4,"replaced":{"keys":4},"objects":3,"bytes":\#(new.count)}"# + "\n"))
    #expect(scratch.read("old.fsdb") == new)
    #expect(scratch.names == ["made.fsdb", "new.fsdb", "old.fsdb", "p"])
  }

  @Test(arguments: [["@old.fsdb", "@p", "@q", "@made.fsdb"], ["-o", "@made.fsdb", "@old.fsdb", "@p", "@q"]])
  func `several patches make the last file, and none in between`(words: [String]) {
    let scratch = both()
    let third = "{\"keys\":[\"a\"],\"value\":{\"n\":3}}\n"
    #expect(scratch.run("build", "@third.fsdb", "--quiet", input: third).status == 0)
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@p").status == 0)
    #expect(scratch.run("diff", "@new.fsdb", "@third.fsdb", "--patch", "@q").status == 0)
    let bytes = scratch.read("third.fsdb")!
    #expect(
      scratch.run(["patch"] + words)
        == Scratch.Result(0, err: "@made.fsdb: 1 object, 1 key, \(bytes.count) bytes\n"))
    #expect(scratch.read("made.fsdb") == bytes)
    #expect(scratch.names == ["made.fsdb", "new.fsdb", "old.fsdb", "p", "q", "third.fsdb"])
    let gap = scratch.run("patch", "@old.fsdb", "@q", "@p", "-o", "@made.fsdb")
    #expect(gap.status == 65)
    #expect(gap.err.hasPrefix("fusedb: @q: the patch belongs to a file of ") && gap.err.hasSuffix("(patch 1 of 2)\n"))
    // Who forgets OUTPUT loses no patch.
    let slip = scratch.run("patch", "@old.fsdb", "@p", "@q")
    #expect(slip.status == 64)
    #expect(slip.err.hasPrefix("fusedb: patch: '@q' is a file of "))
    #expect(scratch.read("made.fsdb") == bytes)
  }

  @Test func `the report of a patch for programs`() {
    let scratch = both()
    let result = scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@p", "--json")
    let byteCount = scratch.read("p")!.count
    #expect(
      result
        == Scratch.Result(
          0,
          out: """
            {"added":1,"removed":1,"changed":1,"unchanged":2,"patch":"@p","patchBytes":\(byteCount),"copiedObjects":2,\
            "editedObjects":1,"newObjects":0,"replaced":null}

            """))
  }

  @Test func `a patch of another file is refused with both checksums, and says when it was applied already`() {
    let scratch = both()
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@p").status == 0)
    #expect(scratch.run("build", "@third.fsdb", "--quiet", "--plain", input: new).status == 0)
    let checksum = { (name: String) in
      "0x" + hex(Array(scratch.read(name)![32..<36])).filter { $0 != " " }
    }
    let third = scratch.run("patch", "@third.fsdb", "@p", "@made.fsdb")
    #expect(third.status == 65)
    #expect(third.err.hasPrefix("fusedb: @p: the patch belongs to a file of "))
    #expect(third.err.contains(checksum("old.fsdb")))
    #expect(third.err.contains(checksum("third.fsdb")))
    #expect(!third.err.contains("is what the patch makes"))
    let again = scratch.run("patch", "@new.fsdb", "@p", "@made.fsdb")
    #expect(again.status == 65)
    #expect(again.err.contains("is what the patch makes"))
    #expect(scratch.names == ["new.fsdb", "old.fsdb", "p", "third.fsdb"])
  }

  @Test func `what is damaged, missing or cannot be written has its own status`() {
    let scratch = both()
    #expect(scratch.run("diff", "@old.fsdb", "@new.fsdb", "--patch", "@p").status == 0)
    var patch = scratch.read("p")!
    patch[patch.count - 1] ^= 1
    scratch.write(patch, to: "bad")
    var bytes = scratch.read("old.fsdb")!
    bytes[50] ^= 1
    scratch.write(bytes, to: "bad.fsdb")
    #expect(scratch.run("patch", "@old.fsdb", "@bad", "@made.fsdb").status == 65)
    #expect(scratch.run("patch", "@bad.fsdb", "@p", "@made.fsdb").status == 65)
    #expect(scratch.run("patch", "@old.fsdb", "@new.fsdb", "@made.fsdb").status == 65)
    #expect(scratch.run("patch", "@p", "@p", "@made.fsdb").status == 65)
    #expect(scratch.run("patch", "@old.fsdb", "@absent", "@made.fsdb").status == 66)
    #expect(scratch.run("patch", "@absent", "@p", "@made.fsdb").status == 66)
    #expect(scratch.run("patch", "@old.fsdb", "@", "@made.fsdb").status == 66)
    #expect(scratch.run("patch", "@old.fsdb", "@p", "@absent/made.fsdb").status == 74)
    #expect(scratch.run("patch", "@old.fsdb", "@p").status == 64)
    let slip = scratch.run("patch", "@old.fsdb", "@p", "@p")
    #expect(slip.status == 64)
    #expect(slip.err.hasPrefix("fusedb: patch: '@p' is a file of "))
    #expect(scratch.names == ["bad", "bad.fsdb", "new.fsdb", "old.fsdb", "p"])
  }
}
