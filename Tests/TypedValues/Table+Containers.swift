import FuseDB

extension Table {
  private static let counts = [0, 1, 15, 16, 65535, 65536]

  static func addContainers(to rows: inout Rows) throws {
    for count in counts {
      try rows.add("array \(count)", Array(0..<count))
      try rows.add("strings \(count)", (0..<count).map { "n\($0)" })
      try rows.add("by name \(count)", Dictionary(uniqueKeysWithValues: (0..<count).map { ("n\($0)", $0) }))
      try rows.add("by number \(count)", Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, $0) }))
      try rows.add("set \(count)", Set(0..<count))
      try rows.add("struct array \(count)", (0..<count).map { Pair(left: $0, right: nil) })
    }
    try rows.add("nested arrays", [[[1, 2], []], [], [[3]]])
    try rows.add("nested maps", ["b": ["y": [1], "x": []], "a": [:]])
    try rows.add("deep", (0..<127).reduce(Deep.end) { deep, _ in .inside([deep]) })

    try rows.add("nil", Int?.none)
    try rows.add("some", Int?.some(5))
    try rows.add("some nil", Int??.some(nil))
    try rows.add("optional array", [1, nil, 3])
    try rows.add("optional values", ["a": 1, "b": nil])
    try rows.add("absent members", Pair(left: 1, right: nil))
    try rows.add("present members", Pair(left: 1, right: "r"))

    try rows.add("keys of Int", [-1: "a", 300: "b", 5: "c", -40: "d", 70000: "e"])
    try rows.add("keys of UInt8", [UInt8(200): 1, 3: 2])
    try rows.add("keys of Int64", [Int64.min: 1, Int64.max: 2, 0: 3])
    try rows.add("keys of Bool", [true: 1, false: 2])
    try rows.add("keys of Double", [1.5: 1, 0.5: 2])
    try rows.add("keys of an enum", [Colour.red: 1, .green: 2, .blue: 3])
    try rows.add("keys with text", [Labelled.two: 1, .one: 2])
    try rows.add("keys with numbers for text", [Numbered.ten: 1, .two: 2])
    try rows.add(
      "keys of String", ["b": 1, "a": 2, "": 3, "aa": 4, "é": 5, "Z": 6, String(repeating: "a", count: 40): 7])
    try rows.add("keys of a struct", [Pair(left: 2, right: nil): 1, Pair(left: 1, right: "x"): 2])
    try rows.add("set of strings", ["b", "a", "", "é", "aa", String(repeating: "a", count: 40)] as Set)
    try rows.add("set of integers", [-1, 300, 5, -40, 70000] as Set)
    try rows.add("set of mixed values", [5, -1, "b", 1.5, true, 200, "a", -200, nil] as Set<FuseValue>)
  }
}

struct Pair: Codable, Hashable {
  var left: Int
  var right: String?
}

/// Arrays inside each other, and nothing around them.
indirect enum Deep: Encodable {
  case end
  case inside([Deep])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    if case .inside(let elements) = self { for element in elements { try container.encode(element) } }
  }
}

enum Colour: String, Codable { case red, green, blue }
enum Labelled: String, Codable, CodingKeyRepresentable { case one = "uno", two = "due" }
enum Numbered: Int, Codable, CodingKeyRepresentable { case two = 2, ten = 10 }
