// What tests ask of the compact form, beyond what the command does: CompactTool convert|get|scan|verify|flip|cut|mutate|hostile|bench|addresses WORD...

import Glibc

let words = CommandLine.arguments
switch words.dropFirst().first {
case "convert": convert(Array(words.dropFirst(2)))
case "get", "scan", "verify": look(Array(words.dropFirst(1)))
case "hostile": exit(Harm.runHostile(Array(words.dropFirst(1))))
case "bench": Bench.run(Array(words.dropFirst(1)))
case "addresses": Bench.runAddresses(Array(words.dropFirst(1)))
case "flip", "cut", "mutate": Harm.run(Array(words.dropFirst(1)))
default: fatalError("usage: CompactTool convert|get|scan|verify|flip|cut|mutate|hostile|bench|addresses WORD...")
}
