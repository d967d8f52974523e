internal import FuseDBFormat

/// How a client comes from its file to that of a manifest. See spec/delivery.md §8.
struct TransferPlan {
  /// From the file that is here to that of the manifest, the first one first.
  var patches: [Manifest.Patch]
  /// How many bytes the longest file on the way has.
  var mostBytes: Int

  /// How many manifests of earlier versions are fetched at most. [Z16]
  static let mostManifests = 32

  /// Patches that lead from a file to that of a manifest; nil where the whole file costs less, or they are
  /// not found.
  ///
  /// A direct patch is taken: those of longer ways have much the same bytes. Otherwise the search goes back in the largest steps
  /// that don't pass the version that is here, as far as that is known.
  ///
  /// - Parameters:
  ///   - generation: of the file that is here; nil where it is not known.
  ///   - manifest: gives an earlier manifest; nil where it is gone.
  static func find(
    from file: FuseDigest, generation: Int?, to target: Manifest,
    _ manifest: (FuseDigest) throws(FuseError) -> Manifest?
  ) throws(FuseError) -> TransferPlan? {
    var open: [(plan: TransferPlan, byteCount: Int)] = []
    var seen: Set<FuseDigest> = []
    // Where the search is, and what leads from there to the target.
    var place = (manifest: target, rest: TransferPlan(patches: [], mostBytes: target.file.byteCount), byteCount: 0)
    for _ in 0...mostManifests {
      for patch in place.manifest.patches {
        let byteCount = place.byteCount + patch.blob.byteCount
        guard byteCount < target.whole.byteCount else { continue }
        let plan = TransferPlan(
          patches: [patch] + place.rest.patches, mostBytes: max(place.rest.mostBytes, place.manifest.file.byteCount))
        if patch.file == file { return plan }
        // What lies before the version that is here leads nowhere.
        if let generation, patch.generation <= generation { continue }
        if seen.insert(patch.manifest).inserted { open.append((plan, byteCount)) }
      }
      // The earliest first: that is the one nearest to what is here.
      let next = open.indices.min { open[$0].plan.patches[0].generation < open[$1].plan.patches[0].generation }
      guard let next else { return nil }
      let step = open.remove(at: next)
      let first = step.plan.patches[0]
      guard let earlier = try manifest(first.manifest), earlier.file.digest == first.file else { continue }
      place = (earlier, step.plan, step.byteCount)
    }
    return nil
  }
}
