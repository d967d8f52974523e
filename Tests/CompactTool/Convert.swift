import Foundation
import FuseDBFormat
import FuseDBReading
import FuseDBSystem
import FuseDBWriting
import FuseDBCompact

/// `convert FILE OUTPUT [--raw] [--memory BYTES]` makes a compact file, and prints its keys, its objects and its bytes. An error goes to
/// standard error, with code 1.
func convert(_ words: [String]) {
  var paths: [String] = []
  var keysAreRaw = false
  var memory = 512 << 20
  var rest = words[...]
  while let word = rest.popFirst() {
    switch word {
    case "--raw": keysAreRaw = true
    case "--memory":
      guard let number = rest.popFirst().flatMap({ Int($0) }), number > 0 else {
        fatalError("--memory needs a number of bytes")
      }
      memory = number
    default: paths.append(word)
    }
  }
  guard paths.count == 2 else { fatalError("usage: CompactTool convert FILE OUTPUT [--raw] [--memory BYTES]") }
  do throws(FuseError) {
    let reader = try FuseReader(path: paths[0])
    let report = try CompactWriter.convert(reader, to: paths[1], keysAreRaw: keysAreRaw, memory: memory)
    print(report.keyCount, report.objectCount, report.byteCount)
  } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
  }
}
