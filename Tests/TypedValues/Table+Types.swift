extension Table {
  static func addTypes(to rows: inout Rows) throws {
    try rows.add("enum with text", [Colour.red, .blue])
    try rows.add("enum with a number", [Numbered.two, .ten])
    try rows.add("enum without values", Shape.empty)
    try rows.add("enum with a labelled value", Shape.circle(radius: 1.5))
    try rows.add("enum with values", [Shape.tagged(7, name: "n"), .tagged(8, name: nil)])
    try rows.add("enum in itself", Shape.both(.empty, .both(.circle(radius: 2), .empty)))
    try rows.add("class", Animal(name: "cat"))
    try rows.add("subclass", Dog(name: "rex", age: 3))
    try rows.add("subclass in one map", Cat(name: "tom", lives: 9))
    try rows.add("containers out of order", Scattered())
    try rows.add("tuple as array", Tuple())
    try rows.add("empty struct", Nothing())
    try rows.add("wrapped", Wrapped(inner: 300))
    try rows.add("option set", [Rights(rawValue: 5), Rights(rawValue: 0)])
    try rows.add("range", 3..<7)
    try rows.add("vector", SIMD4<Int32>(1, -2, 3, -4))
    try rows.add("renamed members", Renamed(first: 1, second: 2))
    try rows.add("half", [Float16(1.5)])
  }
}

class Animal: Encodable {
  let name: String
  init(name: String) { self.name = name }
}

final class Dog: Animal {
  let age: Int
  init(name: String, age: Int) {
    self.age = age
    super.init(name: name)
  }

  private enum CodingKeys: CodingKey { case age, legs }

  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(age, forKey: .age)
    try super.encode(to: container.superEncoder())
    try container.encode(4, forKey: .legs)
  }
}

/// Shares one map with its superclass.
final class Cat: Animal {
  let lives: Int
  init(name: String, lives: Int) {
    self.lives = lives
    super.init(name: name)
  }

  private enum CodingKeys: CodingKey { case lives }

  override func encode(to encoder: any Encoder) throws {
    try super.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(lives, forKey: .lives)
  }
}

/// Asks for its containers first and fills them later, in turns.
struct Scattered: Encodable {
  private enum Key: CodingKey { case first, list, middle, other, last }

  func encode(to encoder: any Encoder) throws {
    var map = encoder.container(keyedBy: Key.self)
    var first = map.nestedContainer(keyedBy: Key.self, forKey: .first)
    var list = map.nestedUnkeyedContainer(forKey: .list)
    try map.encode(1, forKey: .middle)
    try list.encode("a")
    try first.encode(2, forKey: .other)
    var inner = list.nestedContainer(keyedBy: Key.self)
    var innerList = list.nestedUnkeyedContainer()
    try list.encodeNil()
    let other = map.superEncoder(forKey: .other)
    try map.encode([3], forKey: .last)
    for number in 0..<20 { try innerList.encode(number) }
    try inner.encode(true, forKey: .last)
    try first.encode("late", forKey: .last)
    var single = other.singleValueContainer()
    try single.encode("single")
  }
}

struct Tuple: Encodable {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(1)
    try container.encode("two")
    try container.encode(contentsOf: [3.0, 4.0])
  }
}

struct Nothing: Encodable {}

@propertyWrapper
struct Boxed: Codable {
  var wrappedValue: Int
}

struct Wrapped: Codable {
  @Boxed var inner: Int
}

struct Rights: OptionSet, Codable {
  let rawValue: UInt16
}

struct Renamed: Codable {
  var first: Int
  var second: Int

  enum CodingKeys: String, CodingKey {
    case first = "1.st"
    case second = "два"
  }
}
