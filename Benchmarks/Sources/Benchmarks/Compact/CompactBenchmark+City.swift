import Foundation
import FuseDB

extension CompactBenchmark {
  /// The objects of GeoLite2 City: each under a number, so that finding it costs little.
  func measureCity() throws -> String {
    note("objects of GeoLite2 City")
    let mmdb = try output(
      python,
      ["-c", "import glob, _maxminddb_geolite2 as m; print(glob.glob(list(m.__path__)[0] + '/*.mmdb')[0], end='')"])
    let city = folder + "/city.fsdb"
    let paths = ["v2", "compact"].map { "\(folder)/cities-\($0).fsdb" }
    defer { for path in paths + [city] { try? FileManager.default.removeItem(atPath: path) } }
    _ = try output(command, ["build", city, mmdb, "--quiet"])
    let objectCount = try build(paths, of: city)
    let readers = try paths.map { try FuseReader(path: $0) }

    var random = SplitMix64(seed: Workload.seed)
    let numbers = (0..<500_000).map { _ in random.next(below: objectCount) }
    let keys = ByteList(count: numbers.count) { $1 += String(numbers[$0]).utf8 }
    let few = ByteList(count: numbers.count) { $1 += String(numbers[$0 % 256]).utf8 }
    var table = Comparison(["version 2", "compact"])
    func row(_ name: String, _ ways: [(ByteList, Range<Int>) throws -> Tally]) throws {
      for (keys, where_) in [(keys, ""), (few, ", in the cache")] {
        try table.measure(
          name + where_, operations: keys.count, ways.map { way in { try way(keys, 0..<keys.count) } })
      }
    }
    try row("country.iso_code", readers.map { FieldLookUp(reader: $0, path: FusePath("country.iso_code")).tally })
    try row("city.names.en", readers.map { FieldLookUp(reader: $0, path: FusePath("city.names.en")).tally })
    try row("struct of five", readers.map { PlaceLookUp(reader: $0).tally })
    try row("all bytes", readers.map { ByteCountLookUp(reader: $0).tally })
    return "## Objects of GeoLite2 City, \(grouped(objectCount)) of them\n\n" + table.markdown
  }

  /// Writes each object of a file once, under its number, into a file of each form.
  private func build(_ paths: [String], of city: String) throws -> Int {
    let writers = [FuseWriter.Form.family, .compact].map { form in
      var options = FuseWriter.Options()
      options.form = form
      return FuseWriter(options)
    }
    var seen: Set<UInt64> = []
    var entries = try FuseReader(path: city).entries()
    while let entry = try entries.next() {
      guard seen.insert(entry.objectOffset).inserted else { continue }
      for writer in writers {
        try writer.addKey(String(seen.count - 1), for: try writer.addObject(try entry.bytes))
      }
    }
    for (writer, path) in zip(writers, paths) { try writer.build(to: path) }
    return seen.count
  }

  func output(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw PeerFailure("\(program) ended with \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

/// A text in place, somewhere inside.
private struct FieldLookUp: LookUp {
  let reader: FuseReader
  let path: FusePath

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.withValue(forKey: RawSpan(_unsafeBytes: key)) { value in
      // An object without it counts too: it was found.
      guard let text = value[path: path]?.stringBytes, !text.isEmpty else { return 0 }
      return Word.text(text)
    }
  }
}

/// Five members in a struct.
private struct PlaceLookUp: LookUp {
  private struct Place: Decodable {
    struct City: Decodable { var geoname_id: UInt32? }
    struct Country: Decodable { var iso_code: String? }
    struct Location: Decodable {
      var latitude: Double?
      var longitude: Double?
      var time_zone: String?
    }

    var city: City?
    var country: Country?
    var location: Location?
  }

  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    guard let place = try reader.value(Place.self, forKey: RawSpan(_unsafeBytes: key)) else { return nil }
    let words = [place.location?.latitude, place.location?.longitude].map { $0?.bitPattern ?? 0 }
    let texts = [place.country?.iso_code, place.location?.time_zone].map { $0.map { Word.text($0) } ?? 0 }
    return words[0] &+ words[1] &+ texts[0] &+ texts[1] &+ UInt64(place.city?.geoname_id ?? 0)
  }
}

/// How many bytes the object has.
private struct ByteCountLookUp: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.withBytes(forKey: RawSpan(_unsafeBytes: key)) { UInt64($0.byteCount) }
  }
}
