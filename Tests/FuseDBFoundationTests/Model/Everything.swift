import ProgramSupport

/// All that Codable types are made of.
struct Everything: Codable, Equatable, Randomized {
  var scalars: Scalars
  var optionals: Optionals
  var containers: Containers
  var choices: Choices
  var foundation: FoundationTypes
  var classes: Classes
  var customs: Customs

  init(random: inout SeededRandom) {
    scalars = Scalars(random: &random)
    optionals = Optionals(random: &random)
    containers = Containers(random: &random)
    choices = Choices(random: &random)
    foundation = FoundationTypes(random: &random)
    classes = Classes(random: &random)
    customs = Customs(random: &random)
  }
}
