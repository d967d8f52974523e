// Lists all that is wrong with a file.
import FuseDB

let report = try FuseReader.verify(path: "example.fsdb")
for damage in report.damage {
  print(damage)  // such as "offset 52: objectChecksum: the object has checksum …"
}
print(report.isSound ? "sound" : "damaged")  // sound
