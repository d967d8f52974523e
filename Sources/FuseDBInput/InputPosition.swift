/// Where a record begins: the number of its input among all, from 0, and that of its line there, or its own, from 1.
///
/// Positions are in the order of the records. An input may have 2^48 - 1 lines or records, and there may be 65,536 inputs.
package struct InputPosition {
  package static let mostInputs = 1 << 16
  private static let lineBits: UInt64 = 48

  package let input: Int
  package let line: Int

  init(input: Int, line: Int) {
    self.input = input
    self.line = line
  }

  /// What a ``RecordBatch`` calls it.
  package init(_ number: UInt64) {
    input = Int(number >> Self.lineBits)
    line = Int(number & (1 << Self.lineBits - 1))
  }

  var number: UInt64 { UInt64(input) << Self.lineBits | UInt64(line) }
}
