import FuseDB

extension FuseDBPeer {
  /// Makes files that hold all the data together, each of its share of the keys, with the objects at which they point:
  /// what is merged. Most objects are in several of them.
  static func buildParts(of workload: Workload, at paths: [String]) throws {
    for (number, path) in paths.enumerated() {
      let writer = FuseWriter()
      var objects = [ObjectID?](repeating: nil, count: workload.objects.count)
      let first = workload.keyCount * number / paths.count
      let end = workload.keyCount * (number + 1) / paths.count
      for i in first..<end {
        let place = Int(workload.objectOfKey[i])
        let object = try objects[place] ?? writer.addObject(RawSpan(_unsafeBytes: workload.objects[place]))
        objects[place] = object
        try writer.addKey(RawSpan(_unsafeBytes: workload.keys[i]), for: object)
      }
      try writer.build(to: path)
    }
  }
}
