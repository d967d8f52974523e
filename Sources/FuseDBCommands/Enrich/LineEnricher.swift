internal import FuseDB
internal import FuseDBInput

/// Adds fields to the lines of blocks, on one thread.
protocol LineEnricher {
  /// The lines of the block that was enriched last.
  var out: [UInt8] { get }
  /// What came of all lines.
  var counts: EnrichCounts { get }

  /// Puts the lines of a block into ``out``.
  ///
  /// - Throws: ``FuseError`` at a line that ends the command; ``out`` has those before it.
  mutating func enrich(_ block: InputBlock, input: String) throws(FuseError)
}
