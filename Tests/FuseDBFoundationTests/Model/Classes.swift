import ProgramSupport

class Animal: Codable, Equatable {
  var name: String
  var friends: [Animal]

  init(name: String, friends: [Animal]) {
    self.name = name
    self.friends = friends
  }

  static func == (left: Animal, right: Animal) -> Bool { left.isSame(as: right) }
  func isSame(as other: Animal) -> Bool { name == other.name && friends == other.friends }
}

/// Its superclass is a part of its own.
final class Dog: Animal {
  var age: Int?

  init(name: String, friends: [Animal], age: Int?) {
    self.age = age
    super.init(name: name, friends: friends)
  }

  private enum CodingKeys: CodingKey { case age }

  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    age = try container.decodeIfPresent(Int.self, forKey: .age)
    try super.init(from: try container.superDecoder())
  }

  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try super.encode(to: container.superEncoder())
    try container.encodeIfPresent(age, forKey: .age)
  }

  override func isSame(as other: Animal) -> Bool { super.isSame(as: other) && (other as? Dog)?.age == age }
}

/// Its superclass has its members in the same map.
final class Cat: Animal {
  var lives: UInt8

  init(name: String, friends: [Animal], lives: UInt8) {
    self.lives = lives
    super.init(name: name, friends: friends)
  }

  private enum CodingKeys: CodingKey { case lives }

  required init(from decoder: any Decoder) throws {
    lives = try decoder.container(keyedBy: CodingKeys.self).decode(UInt8.self, forKey: .lives)
    try super.init(from: decoder)
  }

  override func encode(to encoder: any Encoder) throws {
    try super.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(lives, forKey: .lives)
  }

  override func isSame(as other: Animal) -> Bool { super.isSame(as: other) && (other as? Cat)?.lives == lives }
}

struct Classes: Codable, Equatable, Randomized {
  var animal: Animal
  var dog: Dog
  var cats: [Cat]

  init(random: inout SeededRandom) {
    let friends = random.list { Animal(name: $0.text(), friends: []) }
    animal = Animal(name: random.text(), friends: friends)
    dog = Dog(name: random.text(), friends: friends, age: random.optional { $0.integer() })
    cats = random.list { Cat(name: $0.text(), friends: friends, lives: $0.integer()) }
  }
}
