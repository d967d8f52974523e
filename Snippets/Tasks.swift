// Builds, verifies and scans in tasks: on threads of the library's own, and until the task is cancelled.
import FuseDB

let writer = FuseWriter()
for number in 0..<1000 { try writer.add(number, ["square": number * number]) }
let report = try await writer.buildInBackground(to: "squares.fsdb") { share in
  if share == 1 { print("done") }  // done
}
print(report.keyCount)  // 1000
print(try await FuseReader.verifyInBackground(path: "squares.fsdb").isSound)  // true

let reader = try FuseReader(path: "squares.fsdb")
var sum = 0
for try await entry in try reader.prefix("99").async { sum += try entry.view["square"]?.int ?? 0 }
print(sum)  // 9900186

// What has no form of its own, and several calls in a row.
let keyCount = try await FuseBackground.run {
  try FuseWriter.merge(["squares.fsdb"], to: "copy.fsdb")
  return try FuseReader(path: "copy.fsdb").statistics().keyCount
}
print(keyCount)  // 1000

// Nothing is left behind by what is cancelled.
let task = Task { try await FuseWriter.mergeInBackground(["squares.fsdb"], to: "cancelled.fsdb") }
task.cancel()
do { print(try await task.value.keyCount) } catch { print(error) }
