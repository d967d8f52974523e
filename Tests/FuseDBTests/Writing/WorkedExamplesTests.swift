import FuseDB
import Testing

struct `The worked examples of the specification` {
  @Test(
    arguments: [
      ([], WorkedExamples.noKeys), (["k"], WorkedExamples.oneKey),
      (["gmail.com", "8.8.8.8"], WorkedExamples.twoKeysOneObject),
    ] as [([String], [UInt8])])
  func `are what the writer writes, byte for byte [H4] [H6] [D1] [I1]`(keys: [String], bytes: [UInt8]) throws {
    let folder = try TemporaryFolder()
    for options in [FuseWriter.Options(layout: .plain), .compatible] {
      let writer = FuseWriter(options)
      if !keys.isEmpty { try writer.add(keys, messagePack: WorkedExamples.object) }
      try writer.build(to: folder.path("example.fsdb"))
      #expect(try folder.read("example.fsdb") == bytes)
    }
  }

  @Test func `are what the model of these tests writes`() {
    let object = WorkedExamples.object
    #expect(ReferenceFile(canonical: [:]).bytes == WorkedExamples.noKeys)
    #expect(ReferenceFile(canonical: [Key("k"): object]).bytes == WorkedExamples.oneKey)
    #expect(
      ReferenceFile(canonical: [Key("gmail.com"): object, Key("8.8.8.8"): object]).bytes
        == WorkedExamples.twoKeysOneObject)
    #expect(ReferenceFile(WorkedExamples.oneKey).damage == [])
    #expect(ReferenceFile(WorkedExamples.oneKey).refusal(comparingChecksums: true) == nil)
  }
}
