// What signatures here name: so `import FuseDBStore` is enough for a program that only keeps files.
@_exported public import FuseDBFormat
@_exported public import FuseDBReading
@_exported public import FuseDBWriting
