import Testing

/// What decision record 0014 argues, tried in all orders.
struct ReclamationModelTests {
  @Test(arguments: [(1, 3, 3), (2, 1, 2), (2, 2, 1)], [false, true])
  func `no reader uses what was released, and nothing replaced is kept`(
    _ size: (readers: Int, reads: Int, replacements: Int), readersFence: Bool
  ) {
    let model = ReclamationModel(readers: size.readers, reads: size.reads, replacements: size.replacements)
    let (failures, stateCount) = model.explore(readersFence: readersFence)
    #expect(failures == [])
    // Far fewer would mean that threads do not do all their steps.
    #expect(stateCount > 5000)
  }

  @Test(
    arguments: [
      // The flaw, whether readers fence, and what comes of it.
      (ReclamationModel.Flaw.noBarrier, false, [.readerUsesReleased, .replacedIsKept]),
      (.noFence, true, [.readerUsesReleased, .replacedIsKept]),
      (.noValidation, false, [.readerUsesReleased]),
      (.noValidation, true, [.readerUsesReleased]),
      (.noLookWhenLeaving, false, [.replacedIsKept]),
      (.noLookWhenLeaving, true, [.replacedIsKept]),
      (.noLookWhenLate, false, [.replacedIsKept]),
      (.noLookWhenLate, true, [.replacedIsKept]),
      (.noLookAtHazards, false, [.readerUsesReleased]),
      (.noLookAtHazards, true, [.readerUsesReleased]),
    ] as [(ReclamationModel.Flaw, Bool, Set<ReclamationModel.Failure>)])
  func `each part of the scheme is needed`(
    _ flaw: ReclamationModel.Flaw, readersFence: Bool, expected: Set<ReclamationModel.Failure>
  ) {
    let model = ReclamationModel(readers: 1, reads: 2, replacements: 2)
    #expect(model.explore(readersFence: readersFence).failures == [])
    #expect(model.explore(readersFence: readersFence, without: flaw).failures.isSuperset(of: expected))
  }
}
