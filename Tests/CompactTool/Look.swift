import FuseDB
import FuseDBCompact
import FuseDBFormat
import FuseDBReading
import FuseDBSystem
import Glibc

/// `get FILE [--field PATH | --together]`, `scan FILE [--from HEX] [--reverse] [--prefix HEX]` and `verify FILE`.
func look(_ words: [String]) {
  var rest = words.dropFirst(2)
  let (mode, path) = (words[0], words[1])
  func option(_ name: String) -> String? {
    guard let place = rest.firstIndex(of: name), place + 1 < rest.endIndex else { return nil }
    defer { rest.removeSubrange(place...place + 1) }
    return rest[place + 1]
  }
  let field = option("--field")
  let from = option("--from").map(bytes)
  let prefix = option("--prefix").map(bytes)
  let isReverse = rest.contains("--reverse")
  do {
    if mode == "verify" { return try verify(path) }
    let reader = try CompactReader(path: path)
    if mode == "get", rest.contains("--together") { return try getTogether(reader) }
    if mode == "get" { return get(reader, field.map { FusePath($0) }) }
    try scan(reader, from: from, prefix: prefix, isReverse: isReverse)
  } catch {
    print(sentence(error))
    exit(1)
  }
}

/// A line for each line of hexadecimal: the object, a field of it, or what else there is to say.
private func get(_ reader: CompactReader, _ path: FusePath?) {
  var out: [UInt8] = []
  while let line = readLine() {
    do {
      guard let reference = try reader.reference(forKey: bytes(line).rawSpan) else {
        print("absent")
        continue
      }
      out.removeAll(keepingCapacity: true)
      if let path {
        guard try reader.field(path, ofReference: reference, into: &out) else {
          print("absent")
          continue
        }
      } else {
        try reader.expand(reference, into: &out)
      }
      print(hexadecimal(out))
    } catch { print(sentence(error)) }
  }
}

/// The same of objects, their keys looked up together.
private func getTogether(_ reader: CompactReader) throws(FuseError) {
  var (keys, places): ([UInt8], [Range<Int>]) = ([], [])
  while let line = readLine() {
    let key = bytes(line)
    places.append(keys.count..<keys.count + key.count)
    keys += key
  }
  var found: [UInt64?] = []
  var out: [UInt8] = []
  try reader.references(forKeys: places, of: keys.rawSpan, into: &found)
  for reference in found {
    guard let reference else {
      print("absent")
      continue
    }
    try reader.expand(reference, into: &out)
    print(hexadecimal(out))
  }
}

private func scan(_ reader: CompactReader, from: [UInt8]?, prefix: [UInt8]?, isReverse: Bool) throws(FuseError) {
  var walk = CompactWalk(reader)
  var out: [UInt8] = []
  var isThere: Bool
  if let prefix {
    isThere = isReverse ? try walk.seek(lastBeginningWith: prefix) : try walk.seek(notBelow: prefix.rawSpan)
  } else if let from {
    isThere = isReverse ? try walk.seek(notAbove: from.rawSpan) : try walk.seek(notBelow: from.rawSpan)
  } else {
    isThere = isReverse ? try walk.seekLast() : try walk.seekFirst()
  }
  while isThere {
    if let prefix, !walk.key.starts(with: prefix) { break }
    try reader.expand(walk.reference, into: &out)
    print(hexadecimal(walk.key) + " " + hexadecimal(out))
    isThere = isReverse ? try walk.previous() : try walk.next()
  }
}

/// `sound KEYS OBJECTS`, or a line for each damage.
private func verify(_ path: String) throws(FuseError) {
  var damageCount = 0
  let found = try CompactVerifier.run(try FileMapping(path: path)) { damage in
    damageCount += 1
    print(damage)
  }
  if damageCount == 0 { print("sound \(found.keys) \(found.objects)") }
}

func sentence(_ error: FuseError) -> String { "error \(error.code.rawValue) \(error)" }

func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = Array(hexadecimal.utf8)
  var out: [UInt8] = []
  for place in stride(from: 0, to: digits.count - 1, by: 2) {
    out.append(UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16)!)
  }
  return out
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var out: [UInt8] = []
  out.reserveCapacity(2 * bytes.count)
  for byte in bytes {
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 15)])
  }
  return String(decoding: out, as: UTF8.self)
}
