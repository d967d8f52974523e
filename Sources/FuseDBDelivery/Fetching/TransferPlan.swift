internal import FuseDBFormat

/// How a client comes from its file to that of a manifest. See spec/delivery.md §8.
enum TransferPlan {
  /// How many manifests of earlier versions are fetched at most. [Z16]
  static let mostManifests = 32

  /// Patches that lead from a file to that of a manifest, the first one first; nil where the whole file costs less, or they are
  /// not found.
  ///
  /// A direct patch is taken: those of longer ways have much the same bytes. Otherwise the search goes back in the largest steps
  /// that don't pass the version that is here, as far as that is known.
  ///
  /// - Parameters:
  ///   - generation: of the file that is here; nil where it is not known.
  ///   - manifest: gives an earlier manifest; nil where it is gone.
  static func patches(
    from file: FuseDigest, generation: Int?, to target: Manifest,
    _ manifest: (FuseDigest) throws(FuseError) -> Manifest?
  ) throws(FuseError) -> [Manifest.Patch]? {
    struct Place {
      var manifest: Manifest
      /// From there to the target.
      var rest: [Manifest.Patch]
      var byteCount: Int
    }
    var open: [(patch: Manifest.Patch, rest: [Manifest.Patch], byteCount: Int)] = []
    var seen: Set<FuseDigest> = []
    var place = Place(manifest: target, rest: [], byteCount: 0)
    for _ in 0...mostManifests {
      for patch in place.manifest.patches {
        let byteCount = place.byteCount + patch.blob.byteCount
        guard byteCount < target.whole.byteCount else { continue }
        let way = [patch] + place.rest
        if patch.file == file { return way }
        // What lies before the version that is here leads nowhere.
        if let generation, patch.generation <= generation { continue }
        if seen.insert(patch.manifest).inserted { open.append((patch, way, byteCount)) }
      }
      // The earliest first: that is the one nearest to what is here.
      guard let next = open.indices.min(by: { open[$0].patch.generation < open[$1].patch.generation }) else { return nil }
      let step = open.remove(at: next)
      guard let earlier = try manifest(step.patch.manifest), earlier.file.digest == step.patch.file else { continue }
      place = Place(manifest: earlier, rest: step.rest, byteCount: step.byteCount)
    }
    return nil
  }
}
