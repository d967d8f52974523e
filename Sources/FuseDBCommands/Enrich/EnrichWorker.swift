internal import FuseDB
internal import FuseDBInput

/// What one thread needs to enrich blocks.
final class EnrichWorker {
  private var enricher: (any LineEnricher)?

  /// The lines of a block, up to the one that ends the command, and why it does.
  ///
  /// - Parameter header: of a table, known when there is a block.
  func enrich(
    _ block: InputBlock, _ input: String, _ plan: EnrichPlan, header: () -> TableHeader?
  ) -> (lines: [UInt8], failure: FuseError?) {
    do throws(FuseError) {
      if enricher == nil { enricher = try make(plan, header) }
    } catch {
      return ([], error)
    }
    do throws(FuseError) { try enricher!.enrich(block, input: input) } catch { return (enricher!.out, error) }
    return (enricher!.out, nil)
  }

  private func make(_ plan: EnrichPlan, _ header: () -> TableHeader?) throws(FuseError) -> any LineEnricher {
    guard let table = plan.table else { return try JSONLineEnricher(plan) }
    guard let header = header() else { preconditionFailure("rows come after the columns are known") }
    return try RowEnricher(plan, table, header)
  }

  /// Nil where it had nothing to do.
  var counts: EnrichCounts? { enricher?.counts }
}
