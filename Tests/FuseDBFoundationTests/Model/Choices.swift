import ProgramSupport

enum Colour: String, Codable, CaseIterable { case red, green, blue }
/// Keys with words of their own.
enum Label: String, Codable, CaseIterable, CodingKeyRepresentable { case one, two = "due", three = "3" }
/// Keys with numbers of their own.
enum Step: Int, Codable, CaseIterable, CodingKeyRepresentable { case first = 1, second, tenth = 10 }
enum Small: UInt8, Codable, CaseIterable { case zero, last = 255 }

enum Choice: Codable, Equatable, Randomized {
  case none
  case number(Int)
  case named(x: Double, y: Float?)
  case mixed(String, count: UInt8, [Int])

  init(random: inout SeededRandom) {
    switch random.below(4) {
    case 0: self = .none
    case 1: self = .number(random.integer())
    case 2: self = .named(x: random.double(), y: random.optional { $0.float() })
    default: self = .mixed(random.text(), count: random.integer(), random.list { $0.integer() })
    }
  }
}

indirect enum Tree: Codable, Equatable, Randomized {
  case leaf(Int)
  case branch(left: Tree, right: Tree)
  case many([Tree])

  init(random: inout SeededRandom) { self.init(random: &random, depth: 0) }

  private init(random: inout SeededRandom, depth: Int) {
    switch depth < 6 ? random.below(3) : 0 {
    case 0: self = .leaf(random.integer())
    case 1:
      self = .branch(left: Tree(random: &random, depth: depth + 1), right: Tree(random: &random, depth: depth + 1))
    default: self = .many((0..<random.below(3)).map { _ in Tree(random: &random, depth: depth + 1) })
    }
  }
}

enum Outcome<Good: Codable & Equatable, Bad: Codable & Equatable>: Codable, Equatable {
  case good(Good)
  case bad(Bad)
}

struct Choices: Codable, Equatable, Randomized {
  var colour: Colour
  var small: Small
  var step: Step
  var choice: Choice
  var tree: Tree
  var outcomes: [Outcome<[Choice], Colour>]

  init(random: inout SeededRandom) {
    colour = random.element(Colour.allCases)
    small = random.element(Small.allCases)
    step = random.element(Step.allCases)
    choice = Choice(random: &random)
    tree = Tree(random: &random)
    outcomes = random.list {
      $0.bool() ? .good($0.list { Choice(random: &$0) }) : .bad($0.element(Colour.allCases))
    }
  }
}
